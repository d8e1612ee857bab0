// The commands about chat and routing, against a server in this process.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { LearnedPhrases } from '../../src/chat/intents/learned-phrases.js';
import { SqliteLearnedPhrases } from '../../src/storage/sqlite-learned-phrases.js';
import { SqliteStore } from '../../src/storage/sqlite-store.js';
import { commandLine } from './command-line.js';
import { chunk, type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';

const KEY = 'sk-a-key-that-nobody-may-see';

let upstream: FakeUpstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startFakeUpstream();
  const dataDir = mkdtempSync(join(tmpdir(), 'venom-test-'));
  const store = new SqliteStore(join(dataDir, 'venom.db'));
  const learned = new LearnedPhrases({
    repository: new SqliteLearnedPhrases(store),
    now: Date.now,
    newId: () => crypto.randomUUID(),
    recording: true,
  });
  for (const text of ['wrap it in a bow', 'give it the boot'])
    learned.propose(text, { intent: 'RELEASE_PROJECT', source: 'llm', language: 'en', score: 0.4, top2: [] });
  await store.commit(() => undefined);
  store.close();
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url }, dataDir);
});
beforeEach(() => {
  upstream.behaviour = streams(['Hello', ' ', 'world']);
});
afterAll(async () => {
  await server.close();
  await upstream.close();
});

const cli = (options: { input?: string; isTTY?: boolean } = {}) => commandLine(server, options);

/** A model that makes a plan of two steps, of which the second fails. */
function planning() {
  upstream.behaviour = (body, response) => {
    const last = (body['messages'] as { content: string }[]).at(-1)?.content ?? '';
    if (body['response_format']) {
      const step = (number: number, instruction: string) => ({
        step_number: number,
        agent_type: 'RESEARCHER',
        instruction,
        depends_on: [],
      });
      return streams([JSON.stringify({ steps: [step(1, 'Find facts'), step(2, 'Break down')] })])(body, response);
    }
    return streams([last.includes('Break down') ? '' : 'Facts.'])(body, response);
  };
}

describe('venom ask', () => {
  it('streams an answer of Direct chat', async () => {
    const { out } = await cli().run('ask', 'Hello?', '--mode', 'direct');
    expect(out).toBe('Hello world\n');
  });

  it('asks in Normal chat, with what is in the pipe, and goes on with the session', async () => {
    const session = `s-${crypto.randomUUID()}`;
    const { out } = await cli({ input: 'the text in the pipe' }).run('ask', 'Sum this up', '--session', session);
    expect(out).toBe('Hello world\n');
    expect(JSON.stringify(upstream.requests.at(-1))).toContain('Sum this up\\n\\nthe text in the pipe');
    const answer = await cli().json('ask', 'And shorter?', '--session', session);
    expect(answer).toMatchObject({ status: 'COMPLETED', content: 'Hello world', session_id: session, mode: 'normal' });
    expect(JSON.stringify(upstream.requests.at(-1))).toContain('the text in the pipe');
  });

  it('shows a person the text as it comes', async () => {
    const { out } = await cli({ isTTY: true }).run('ask', 'Hello?');
    expect(out).toBe('Hello world\n');
  });

  it('shows the steps of a plan as they change, beside the answer and not in it', async () => {
    planning();
    const { out, notes } = await cli().run('ask', 'Make a small shop', '--mode', 'complex');
    expect(out).toContain('### Step 1: Find facts');
    expect(out).not.toContain('RESEARCHER: Find facts');
    expect(notes).toMatch(/\+ 1\/2 done +RESEARCHER: Find facts/);
    expect(notes).toMatch(/x 2\/2 failed +RESEARCHER: Break down/);
    const redrawn = await cli({ isTTY: true }).run('ask', 'Make a small shop', '--mode', 'complex');
    expect(redrawn.notes).toContain('\u001b[2A');
  });

  it('fails with the code of the task', async () => {
    upstream.behaviour = (_body, response) => void response.writeHead(400).end('{"error":{"message":"no"}}');
    await expect(cli().run('ask', 'Hello?')).rejects.toMatchObject({ code: 'upstream_rejected' });
  });

  it.each([
    ['nothing', ['ask']],
    ['a language in Direct chat', ['ask', 'Hi', '--mode', 'direct', '--language', 'pl']],
  ])('refuses %s', async (_what, words) => {
    await expect(cli().run(...words)).rejects.toMatchObject({ code: 'invalid_input' });
  });

  it('refuses a mode that there is not', async () => {
    await expect(cli().run('ask', 'Hi', '--mode', 'magic')).rejects.toMatchObject({
      code: 'commander.invalidArgument',
    });
  });
});

describe('venom tasks and venom queue', () => {
  it('lists a task and shows it', async () => {
    const { task_id: id } = await cli().json<{ task_id: string }>('ask', 'What is a task?');
    expect((await cli().run('tasks')).out).toMatch(new RegExp(`${id} .*COMPLETED  What is a task\\?`));
    const { out } = await cli().run('tasks', 'show', id);
    expect(out).toContain('openai-compatible:fake-model');
    expect(out).toMatch(/Hello world\n$/);
    await expect(cli().run('tasks', 'resume', id)).rejects.toMatchObject({ code: 'conflict' });
    await expect(cli().run('tasks', 'show', crypto.randomUUID())).rejects.toMatchObject({ code: 'task_not_found' });
  });

  it('stops a task that runs', async () => {
    upstream.behaviour = (_body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ content: 'Begun' }));
    };
    const running = cli()
      .run('ask', 'Go on for ever')
      .catch((error: unknown) => error);
    await vi.waitFor(async () => expect(await cli().json('queue')).toMatchObject({ active: 1 }));
    const { tasks } = await cli().json<{ tasks: { id: string }[] }>('tasks', 'list', '-n', '1');
    await cli().run('tasks', 'abort', String(tasks[0]?.id));
    expect(await running).toMatchObject({ code: 'cancelled' });
  });

  it('holds the queue, removes what waits, and goes on', async () => {
    expect((await cli().run('queue', 'pause')).out).toBe('The queue is paused.\n');
    const waiting = cli()
      .run('ask', 'Later')
      .catch((error: unknown) => error);
    await vi.waitFor(async () =>
      expect(await cli().json('queue', 'status')).toMatchObject({ paused: true, pending: 1 }),
    );
    expect(await cli().json('queue', 'purge')).toMatchObject({ success: true, removed: 1 });
    expect(await waiting).toMatchObject({ code: 'cancelled' });
    expect(await cli().json('queue', 'stop')).toMatchObject({ success: true, paused: true });
    await cli().run('queue', 'resume');
    expect((await cli().run('queue')).out).toMatch(/^state +running\n/);
  });
});

describe('venom trace', () => {
  it('lists requests and shows one step by step, or as a diagram', async () => {
    const { task_id: id } = await cli().json<{ task_id: string }>('ask', 'Trace me');
    expect((await cli().run('trace', 'list', '--status', 'COMPLETED')).out).toMatch(new RegExp(`${id} .*Trace me`));
    const { out } = await cli().run('trace', 'show', id);
    expect(out).toMatch(/Orchestrator\.classify_intent/);
    expect(out).toMatch(/\+\d+ ms/);
    expect((await cli().run('trace', 'show', id, '--mermaid')).out).toMatch(/^sequenceDiagram\n/);
  });
});

describe('venom route, cost and receipts', () => {
  it('explains where a question would go and asks nobody', async () => {
    const asked = upstream.requests.length;
    const { out } = await cli().run('route', 'explain', 'Hello?', '--task-type', 'CHAT');
    expect(out).toMatch(/^answers +openai-compatible:fake-model \(/);
    expect(out).toContain('AI_MODE');
    expect(upstream.requests).toHaveLength(asked);
  });

  it('shows the policy, sets one from a file, and goes back', async () => {
    const before = await cli().json<{ version: number; policy: object }>('route', 'policy', 'show');
    const path = join(server.dataDir, 'policy.yaml');
    writeFileSync(path, 'kind: single\ntarget:\n  where: local\n');
    const { out } = await cli().run('route', 'policy', 'set', path);
    expect(out).toContain('"where": "local"');
    expect(await cli().json('route', 'policy', 'reset')).toMatchObject({ policy: before.policy });
    writeFileSync(path, 'kind: [');
    await expect(cli().run('route', 'policy', 'set', path)).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(cli({ input: '{"kind":"magic"}' }).run('route', 'policy', 'set', '-')).rejects.toMatchObject({
      code: 'invalid_input',
    });
  });

  it('takes back what it printed', async () => {
    const printed = (await cli().run('--json', 'route', 'policy')).out;
    const { policy } = JSON.parse(printed) as { policy: object };
    expect(await cli({ input: printed }).json('route', 'policy', 'set', '-')).toMatchObject({ policy });
    await cli().run('route', 'policy', 'reset');
  });

  it('allows paid answers and takes that back', async () => {
    expect((await cli().run('cost', 'on')).out).toMatch(/^paid answers +allowed\n/);
    expect(await cli().json('cost')).toMatchObject({ enabled: true });
    expect((await cli().run('cost', 'off')).out).toMatch(/^paid answers +not allowed\n/);
  });

  it('shows the receipts of a session', async () => {
    const session = `s-${crypto.randomUUID()}`;
    await cli().run('ask', 'One', '--mode', 'direct', '-s', session);
    await cli().run('ask', 'Two', '--mode', 'direct', '-s', session);
    expect(await cli().json('receipts', session)).toMatchObject({ count: 2 });
    expect((await cli().run('receipts', session)).out).toMatch(/complete +openai-compatible:fake-model/);
  });

  it('shows what keeps a session here, and takes it off with a reason only', async () => {
    const session = 'labelled-session';
    await cli().run('ask', 'My mail is anna.k@example.com', '--mode', 'direct', '--session', session);
    expect((await cli().run('labels', 'show', session)).out).toMatch(/labels +email\nfound in +message 1 \(email\)/);
    await expect(cli().run('labels', 'release', session)).rejects.toThrow('--reason');
    expect(await cli().json('labels', 'release', session, '--reason', 'my own address')).toMatchObject({
      labels: [],
      releases: [{ labels: ['email'], reason: 'my own address' }],
    });
    expect((await cli().run('receipts', session)).out).toContain('labels taken off: email (my own address)');
    await expect(cli().run('labels', 'release', session, '--reason', 'again')).rejects.toMatchObject({
      code: 'conflict',
    });
  });
});

describe('venom providers', () => {
  it('takes a key from the pipe, never shows it, and removes it', async () => {
    const { out } = await cli({ input: `${KEY}\n` }).run('providers', 'key', 'set', 'openai');
    expect(out).toBe('The key is kept.\n');
    const shown = (await cli().run('providers')).out + (await cli().run('--json', 'providers', 'list')).out;
    expect(shown).toMatch(/openai .*key from file/);
    expect(shown).not.toContain(KEY);
    expect((await cli().run('providers', 'key', 'remove', 'openai')).out).toBe('The key is removed.\n');
  });

  it('takes no key from the arguments', async () => {
    await expect(cli().run('providers', 'key', 'set', 'openai', KEY)).rejects.toMatchObject({
      code: 'commander.excessArguments',
    });
    await expect(cli().run('providers', 'key', 'set', 'openai')).rejects.toMatchObject({ code: 'invalid_input' });
  });
});

describe('venom memory', () => {
  it('remembers, finds, lists, exports and forgets', async () => {
    const { memory_id: id } = await cli().json<{ memory_id: string }>('memory', 'add', 'The gate code is blue heron');
    expect((await cli().run('memory', 'search', 'gate', 'code')).out).toContain(id);
    expect((await cli().run('memory')).out).toMatch(new RegExp(`${id}  fact +global .*blue heron`));
    const path = join(server.dataDir, 'memory.jsonl');
    await cli().run('memory', 'export', '-o', path);
    expect(readFileSync(path, 'utf8')).toBe((await cli().run('memory', 'export')).out);
    expect(readFileSync(path, 'utf8')).toContain(id);
    await cli().run('memory', 'forget', id);
    expect((await cli().run('memory', 'list')).out).not.toContain(id);
    await expect(cli().run('memory', 'forget', id)).rejects.toMatchObject({ code: 'memory_not_found' });
  });

  it('learns from files', async () => {
    const path = join(server.dataDir, 'birds.md');
    writeFileSync(path, '# Birds\n\nHerons stand still.');
    expect((await cli().run('memory', 'files', 'add', path)).out).toBe('birds.md: 1 pieces are remembered.\n');
    expect((await cli().run('memory', 'files', 'add', path)).out).toBe('birds.md: was known already.\n');
    expect((await cli().run('memory', 'files')).out).toMatch(/birds\.md +\d+ B +1 +global/);
    await expect(cli().run('memory', 'files', 'add', `${path}.not`)).rejects.toMatchObject({ code: 'invalid_input' });
  });
});

describe('venom translate', () => {
  it('translates what is in the pipe', async () => {
    upstream.behaviour = (_body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`${chunk({ content: 'Guten Tag, liebe Freunde' })}${chunk({}, 'stop')}data: [DONE]\n\n`);
    };
    const { out } = await cli({ input: 'Good day, dear friends' }).run('translate', '--to', 'de');
    expect(out).toBe('Guten Tag, liebe Freunde\n');
    expect(await cli().json('translate', 'Good day, dear friends', '--to', 'de')).toMatchObject({ target_lang: 'de' });
    await expect(cli().run('translate', 'Good day', '--to', 'xx')).rejects.toMatchObject({ code: 'invalid_input' });
  });
});

describe('venom intents review', () => {
  it('lists proposals, corrects and approves one, rejects another', async () => {
    const { phrases } = await cli().json<{ phrases: { id: string }[] }>('intents', 'review');
    expect(phrases).toHaveLength(2);
    const [first, second] = phrases.map(({ id }) => id) as [string, string];
    expect((await cli().run('intents', 'review', 'approve', first, '--intent', 'GENERAL_CHAT')).out).toMatch(
      /\(GENERAL_CHAT\) is approved\.\n$/,
    );
    expect((await cli().run('intents', 'review', 'reject', second)).out).toMatch(/is rejected\.\n$/);
    expect((await cli().run('intents', 'review')).out).toBe('There is nothing to review.\n');
    expect(await cli().json('intents', 'review', '--state', 'all')).toMatchObject({ total: 2 });
  });
});

describe('without a server', () => {
  it('says how to start it', async () => {
    const stopped = { ...server, url: 'http://127.0.0.1:9', dataDir: mkdtempSync(join(tmpdir(), 'venom-test-')) };
    await expect(commandLine(stopped).run('queue')).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringContaining('venom start'),
    });
  });
});
