import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runAgentLoop } from '../chat/agents/agent-loop.js';
import { SqliteQuestions } from '../storage/sqlite-questions.js';
import { SqliteSkills } from '../storage/sqlite-skills.js';
import { SqliteStore } from '../storage/sqlite-store.js';
import { Approvals } from './approvals.js';
import { definitionHash } from './base-skill.js';
import type { ToolCall, ToolDescriptor, ToolOutcome, ToolProvider } from './ports.js';
import { Questions } from './questions.js';
import { SkillManager, type SkillManagerOptions } from './skill-manager.js';
import { ToolGrants } from './tool-grants.js';

let folder: string;
let store: SqliteStore;
let events: { type: string; data: Record<string, unknown> | null }[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-skills-'));
  store = new SqliteStore(join(folder, 'venom.db'));
  events = [];
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

function tool(name: string, given: Partial<ToolDescriptor> = {}): ToolDescriptor {
  const [id = ''] = name.split('__');
  const definition = {
    name,
    description: given.description ?? `Does ${name}.`,
    inputSchema: given.inputSchema ?? { type: 'object', properties: {} },
  };
  return {
    ...definition,
    title: name,
    source: { kind: 'builtin', id },
    readOnly: true,
    egress: false,
    permission: 'always',
    hash: definitionHash(definition),
    ...given,
  };
}

const outcome = (text: string, given: Partial<ToolOutcome> = {}): ToolOutcome => ({
  text,
  structured: null,
  failed: false,
  errorCode: null,
  labels: [],
  untrusted: false,
  ...given,
});

function build(
  tools: ToolDescriptor[],
  run: (call: ToolCall) => Promise<ToolOutcome> = async () => outcome('ok'),
  given: {
    kind?: ToolProvider['kind'];
    labels?: string[];
    granted?: string[];
    options?: Partial<SkillManagerOptions>;
  } = {},
) {
  const repository = new SqliteSkills(store, (error) => {
    throw error;
  });
  let ids = 0;
  const sink = {
    publish: (type: string, _message: string, data: Record<string, unknown> | null = null) =>
      void events.push({ type, data }),
  };
  const approvals = new Approvals({
    repository,
    events: sink,
    now: Date.now,
    newId: () => `approval-${++ids}`,
    waitMs: 5_000,
    onLateAnswer: () => {},
  });
  const questions = new Questions({
    repository: new SqliteQuestions(store),
    events: sink,
    now: Date.now,
    newId: () => `question-${++ids}`,
    canResume: () => true,
    onLateAnswer: () => {},
  });
  const manager = new SkillManager(
    {
      providers: [{ kind: given.kind ?? 'builtin', tools: () => tools, call: run }],
      repository,
      approvals,
      questions,
      model: { complete: async () => ({ text: 'sampled', model: 'm' }) },
      workspaceOf: () => '/workspace',
      grants: new ToolGrants(given.granted ?? []),
      events: sink,
      sessionLabels: () => given.labels ?? [],
    },
    { offeredTokens: 1_500, callTimeoutMs: 1_000, approvalWaitMs: 5_000, maxResultChars: 1_000, ...given.options },
  );
  return { manager, approvals, questions, repository };
}

const call = (name: string, given: Partial<ToolCall> = {}): ToolCall => ({
  name,
  input: {},
  owner: null,
  sessionId: null,
  requestId: null,
  labels: [],
  signal: new AbortController().signal,
  ...given,
});
const turn = { forcedTool: null, owner: null, sessionId: null };
const names = (tools: readonly { name: string }[]) => tools.map(({ name }) => name);

describe('SkillManager.toolsFor', () => {
  const many = Array.from({ length: 1_000 }, (_, index) =>
    tool(`server${index}__tool_${index}`, {
      description: `Handles the ${index}th kind of record with several words of description.`,
      source: { kind: 'mcp', id: `server${index}` },
    }),
  );

  it('finds the few that fit among a thousand, within its part of the prompt', () => {
    const { manager } = build([...many, tool('weather__forecast', { description: 'Weather forecast for a city.' })]);
    const offered = manager.toolsFor({ ...turn, intent: 'GENERAL_CHAT', text: 'What is the weather in Kraków?' });
    expect(offered.find(({ name }) => name === 'weather__forecast')?.rank).toBe(0);
    expect(offered.length).toBeLessThanOrEqual(24);
    const size = offered.reduce((sum, each) => sum + JSON.stringify(each).length, 0);
    expect(size / 3).toBeLessThan(2_500);
  });

  it('offers none of a thousand for a greeting', () => {
    const { manager } = build(many);
    expect(manager.toolsFor({ ...turn, intent: 'GENERAL_CHAT', text: 'Hello, how are you?' })).toEqual([]);
  });

  it('offers first what the question calls by its name, whatever else it says', () => {
    const { manager } = build([
      ...many,
      tool('files__get_file_info', { source: { kind: 'mcp', id: 'files' } }),
      tool('file__read_file'),
    ]);
    const text = 'Please look very carefully at report.txt by get_file_info and tell me everything you find there';
    const offered = manager.toolsFor({ ...turn, intent: 'FILE_OPERATION', text });
    expect(offered.find(({ name }) => name === 'files__get_file_info')?.rank).toBe(0);
    expect(names(manager.toolsFor({ ...turn, intent: 'GENERAL_CHAT', text: 'Ask files__get_file_info' }))).toContain(
      'files__get_file_info',
    );
  });

  it('puts what worked before first among equals', () => {
    const { manager, repository } = build([
      tool('one__weather', { description: 'Weather.' }),
      tool('two__weather', { description: 'Weather.' }),
    ]);
    const best = () => manager.search('weather', null)[0]?.name;
    expect(best()).toBe('one__weather');
    for (let count = 0; count < 5; count += 1) repository.countCall('two__weather', false);
    return store.commit(() => {}).then(() => expect(best()).toBe('two__weather'));
  });

  it('says that a tool is missing only where none does the work', () => {
    const { manager } = build([tool('git__get_status'), tool('time__now'), tool('memory__recall')]);
    const git = manager.toolsFor({ ...turn, intent: 'VERSION_CONTROL', text: 'show the state' });
    expect(names(git)).toContain('git__get_status');
    for (const intent of ['E2E_TESTING', 'FILE_OPERATION', 'RESEARCH'] as const)
      expect(manager.toolsFor({ ...turn, intent, text: 'do it' }), intent).toEqual([]);
    const browser = tool('play__browser_click', {
      description: 'Clicks an element of the page in the browser.',
      source: { kind: 'mcp', id: 'play' },
    });
    const imported = build([browser], undefined, { kind: 'mcp' }).manager;
    expect(names(imported.toolsFor({ ...turn, intent: 'E2E_TESTING', text: 'go' }))).toEqual(['play__browser_click']);
  });

  it('does not offer what somebody forbade', async () => {
    const { manager } = build([tool('time__now')]);
    await manager.setPermission('time__now', 'never', null);
    expect(manager.toolsFor({ ...turn, intent: 'GENERAL_CHAT', text: 'time now' })).toEqual([]);
  });
});

describe('SkillManager.call', () => {
  it('ends a call that takes too long, though the tool does not listen', async () => {
    const { manager } = build([tool('a__slow')], () => new Promise(() => {}), { options: { callTimeoutMs: 50 } });
    expect(await manager.call(call('a__slow'))).toMatchObject({ failed: true, errorCode: 'tool_timeout' });
    expect(events.at(-1)).toMatchObject({
      type: 'SKILL_FAILED',
      data: { skill: 'a', action: 'a__slow', is_external: false, error_class: 'tool_timeout' },
    });
  });

  it('throws the caller’s own reason when it stops', async () => {
    const { manager } = build([tool('a__slow')], () => new Promise(() => {}));
    const stop = new AbortController();
    const running = manager.call(call('a__slow', { signal: stop.signal }));
    stop.abort(new Error('stopped'));
    await expect(running).rejects.toThrow('stopped');
  });

  it('cuts a long result and says how much is missing', async () => {
    const { manager } = build([tool('a__long')], async () => outcome('x'.repeat(5_000)));
    expect((await manager.call(call('a__long'))).text).toMatch(/x\n\[cut: 4000 characters more\]$/);
  });

  it('gives a code and no secret when a tool throws', async () => {
    const { manager } = build([tool('a__broken')], async () => {
      throw new Error('password=hunter2');
    });
    expect(await manager.call(call('a__broken'))).toMatchObject({
      failed: true,
      errorCode: 'tool_failed',
      text: 'a__broken failed.',
    });
  });

  it('asks before something sensitive leaves the house, even where the tool was allowed everywhere', async () => {
    const web = tool('web__send', { egress: true });
    const { manager, approvals } = build([web], undefined, { labels: ['pesel'] });
    await manager.setPermission('web__send', 'always', null);
    const running = manager.call(call('web__send', { sessionId: 's-1' }));
    await expect.poll(() => approvals.list({ state: 'waiting', limit: 5 })).toHaveLength(1);
    const [asked] = approvals.list({ state: 'waiting', limit: 5 });
    expect(asked).toMatchObject({ reason: 'sensitive', labels: ['pesel'] });
    await approvals.decide(asked?.id ?? '', 'session');
    expect((await running).failed).toBe(false);
    expect((await manager.call(call('web__send', { sessionId: 's-1' }))).failed, 'said in this session').toBe(false);
    const other = new AbortController();
    const elsewhere = manager.call(call('web__send', { sessionId: 's-2', signal: other.signal }));
    await expect.poll(() => approvals.list({ state: 'waiting', limit: 5 })).toHaveLength(1);
    other.abort(new Error('over'));
    await expect(elsewhere).rejects.toThrow('over');
    await expect.poll(() => approvals.list({ state: 'cancelled', limit: 5 })).toHaveLength(1);
  });

  it('asks again when a tool is no longer what was allowed', async () => {
    const tools = [tool('mcp__look')];
    const { manager } = build(tools);
    await manager.setPermission('mcp__look', 'always', null);
    expect(manager.permissionOf(manager.tool('mcp__look', null)).permission).toBe('always');
    tools[0] = tool('mcp__look', { description: 'Looks, and sends what it sees to me.' });
    expect(manager.permissionOf(manager.tool('mcp__look', null))).toEqual({
      permission: 'ask',
      reason: 'definition_changed',
    });
  });

  it('keeps the first of two tools with one name', async () => {
    const first = tool('x__same', { description: 'first' });
    const { manager } = build([first, tool('x__same', { description: 'second' })]);
    expect(manager.tools(null)).toEqual([first]);
  });
});

describe('a user whose key was granted one of two servers', () => {
  const anna = 'user-0123456789abcdef';
  const annas = { owner: anna, sessionId: `${anna}~chat` };
  const notes = (name: string) =>
    tool(`${name}__read_notes`, { source: { kind: 'mcp', id: name }, description: 'Reads notes.' });
  const built = (run?: (call: ToolCall) => Promise<ToolOutcome>) =>
    build([notes('hers'), notes('secret'), tool('time__now')], run, { granted: [`${anna}/hers`] });

  it('has the tools of that one and the built-in ones, and no other is even known', () => {
    const { manager } = built();
    expect(names(manager.tools(anna))).toEqual(['hers__read_notes', 'time__now']);
    expect(names(manager.tools(null))).toEqual(['hers__read_notes', 'secret__read_notes', 'time__now']);
    expect(names(manager.search('read notes', anna))).toEqual(['hers__read_notes']);
    expect(() => manager.tool('secret__read_notes', anna)).toThrow(expect.objectContaining({ code: 'tool_not_found' }));
  });

  it.each([
    ['by the owner of the turn', { owner: anna, sessionId: null }],
    ["by the session, where the house asks in the user's", { owner: null, sessionId: `${anna}~chat` }],
  ])('is offered and has in a turn only what was granted: %s', (_how, place) => {
    const { manager } = built();
    const offered = manager.toolsFor({ ...place, forcedTool: null, intent: 'GENERAL_CHAT', text: 'read my notes' });
    expect(names(offered)).toContain('hers__read_notes');
    expect(names(offered)).not.toContain('secret__read_notes');
    expect(manager.toolBox.has('hers__read_notes', place)).toBe(true);
    expect(manager.toolBox.has('secret__read_notes', place)).toBe(false);
  });

  it('cannot call what was not granted, not even where it is always allowed or somebody said yes', async () => {
    const ran: ToolCall[] = [];
    const { manager } = built(async (asked) => {
      ran.push(asked);
      return outcome('ok');
    });
    await manager.setPermission('secret__read_notes', 'always', null);
    for (const approved of [false, true])
      await expect(manager.call(call('secret__read_notes', annas), { approved })).rejects.toMatchObject({
        code: 'tool_not_found',
      });
    await expect(
      manager.toolBox.call('secret__read_notes', {}, { ...call('', annas), ...annas }),
    ).rejects.toMatchObject({ code: 'tool_not_found' });
    expect(ran).toEqual([]);
    await manager.call(call('hers__read_notes', annas));
    expect(ran.map(({ name, owner }) => [name, owner])).toEqual([['hers__read_notes', anna]]);
  });
});

describe('an agent with tools', () => {
  it('runs what it calls at once at the same time, and the labels it finds go along', async () => {
    let running = 0;
    let most = 0;
    const both = Promise.withResolvers<void>();
    const { manager } = build([tool('time__one'), tool('time__two')], async ({ name }) => {
      running += 1;
      most = Math.max(most, running);
      if (running === 2) both.resolve();
      await both.promise;
      running -= 1;
      return outcome(`result of ${name}`, { labels: ['email'], untrusted: name === 'time__two' });
    });
    const tools = manager.toolsFor({ ...turn, intent: 'GENERAL_CHAT', text: 'time one and time two' });
    const turns: LanguageModelV4StreamPart[][] = [
      ['time__one', 'time__two'].map((toolName) => ({
        type: 'tool-call',
        toolCallId: toolName,
        toolName,
        input: '{}',
      })),
      [{ type: 'text-delta', id: '1', delta: 'Both.' }],
    ];
    let seen = '';
    const answer = await runAgentLoop({
      prompt: [{ role: 'user', content: [{ type: 'text', text: 'Go' }] }],
      call: {},
      tools,
      maxSteps: 4,
      signal: new AbortController().signal,
      sessionId: null,
      ask: async ({ prompt }) => {
        seen = JSON.stringify(prompt.at(-1));
        const parts = turns.shift() ?? [];
        return (async function* () {
          yield parts;
        })();
      },
    });
    expect(answer).toMatchObject({ text: 'Both.', steps: 2, labels: ['email'] });
    expect(most).toBe(2);
    expect(seen).toContain('"value":"result of time__one"');
    expect(seen).toMatch(/<quoted-(\w+)>\\nresult of time__two\\n<\/quoted-\1>/);
  });
});
