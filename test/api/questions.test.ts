// An imported MCP server that asks the person of a chat while it works, in both eras: shown, answered, refused, outlived.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { importAsking, leadsTo } from './asking-server.js';
import { commandLine } from './command-line.js';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';
import { TaskClient } from './task-client.js';

const environment = { PATH: process.env['PATH'] ?? '' };
const ACCEPTED = { name: 'Ada', guests: 3, room: 'in', extras: ['w'] };

interface Question {
  question_id: string;
  request_id: string;
  state: string;
  [key: string]: unknown;
}

let upstream: FakeUpstream;
let server: TestServer;
let client: TaskClient;
let dataDir: string;
let workspace: string;
const env = () => ({
  LLM_LOCAL_ENDPOINT: upstream.url,
  MCP_GIT_FILE_ROOTS: tmpdir(),
  WORKSPACE_ROOT: join(workspace, 'files'),
});

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'venom-questions-'));
  workspace = mkdtempSync(join(tmpdir(), 'venom-questions-workspace-'));
  for (const folder of ['files', 'files2']) mkdirSync(join(workspace, folder));
  upstream = await startFakeUpstream();
  server = await startServer(env(), dataDir, environment);
  client = new TaskClient(server.url);
  await importAsking(server.url, 'legacy', { readable: [join(workspace, 'files')] });
  await importAsking(server.url, 'legacy', { name: 'neighbour', readable: [join(workspace, 'files2')] });
  await importAsking(server.url, 'modern');
}, 90_000);
afterAll(async () => {
  await server.close();
  await upstream.close();
  for (const folder of [dataDir, workspace]) rmSync(folder, { recursive: true, force: true });
});
afterEach(() => leadsTo(upstream, null));

const waiting = async () => (await client.get<{ questions: Question[] }>('/skills/questions?state=waiting')).questions;
const asked = (task: string, not?: string) =>
  vi.waitFor(
    async () => {
      const found = (await waiting()).find((each) => each.request_id === task && each.question_id !== not);
      if (!found) throw new Error(`nothing waits: ${JSON.stringify((await client.task(task)).logs)}`);
      return found;
    },
    { timeout: 15_000, interval: 20 },
  );
const answer = (question: Question, body: object) => client.post(`/skills/questions/${question.question_id}`, body);

/** A task that calls a tool, and what the tool was told. */
async function turn(tool: string, session = 'one') {
  const told = leadsTo(upstream, tool);
  const task = await client.submit({ content: `Call ${tool}`, forced_tool: tool, session_id: session });
  return { task, told };
}

describe.each(['legacy', 'modern'] as const)('a server of the %s era', (era) => {
  it('asks by a form, and has the answer that fits it', async () => {
    const { task, told } = await turn(`${era}__book`);
    const question = await asked(task);
    expect(question).toMatchObject({
      tool: `${era}__book`,
      server: `Asking ${era}`,
      kind: 'form',
      message: 'Which table? **Not bold**',
      url: null,
      asks_secret: false,
      session_id: 'one',
      state: 'waiting',
      fields: [
        { name: 'name', title: 'Your name', type: 'text', required: true, minimum: 2, maximum: 20 },
        { name: 'email', title: 'email', type: 'text', format: 'email', required: false },
        { name: 'guests', type: 'integer', minimum: 1, maximum: 8, initial: 2 },
        { name: 'window', type: 'boolean', initial: false },
        { name: 'room', type: 'choice', options: [{ value: 'in', title: 'Inside' }, { value: 'out' }] },
        { name: 'extras', type: 'choices', maximum: 1, options: [{ value: 'c' }, { value: 'w', title: 'Wine' }] },
      ],
    });
    const state = await client.task(task);
    expect(state.context_history['waiting_for_you']).toMatchObject([{ question_id: question.question_id }]);
    expect(state.logs.join('\n')).toContain('asks you something.');
    const wrong = await answer(question, {
      action: 'accept',
      content: { name: 'A', email: 'none', guests: 9, room: 'roof', extras: ['c', 'w'], more: 1 },
    });
    expect(wrong.status).toBe(422);
    expect(await wrong.json()).toMatchObject({
      code: 'invalid_answer',
      details: {
        fields: {
          name: 'too_short',
          email: 'format',
          guests: 'too_big',
          room: 'option',
          extras: 'fewer_needed',
          more: 'unknown',
        },
      },
    });
    expect((await answer(question, { action: 'accept', content: ACCEPTED })).status).toBe(200);
    expect((await client.ended(task)).status).toBe('COMPLETED');
    expect(told()).toContain(JSON.stringify(JSON.stringify([{ action: 'accept', content: ACCEPTED }])).slice(1, -1));
    const { question: after } = await client.get<{ question: Question }>(`/skills/questions/${question.question_id}`);
    expect(after).toMatchObject({ state: 'used', action: 'accept' });
    expect((await answer(question, { action: 'decline' })).status).toBe(409);
  });

  it('hears a no, and no answer', async () => {
    for (const action of ['decline', 'cancel']) {
      const { task, told } = await turn(`${era}__book`);
      expect((await answer(await asked(task), { action })).status).toBe(200);
      await client.ended(task);
      expect(told()).toContain(`{\\"action\\":\\"${action}\\"}`);
    }
  });

  it('asks again in the same call', async () => {
    const { task, told } = await turn(`${era}__twice`);
    const first = await asked(task);
    await answer(first, { action: 'accept', content: { name: 'Ada', room: 'out' } });
    const second = await asked(task, first.question_id);
    expect(second['message']).toBe('Really?');
    await answer(second, { action: 'accept', content: { sure: true } });
    await client.ended(task);
    expect(told()).toMatch(/Ada.*sure/);
  });

  it('shows a page that only the person opens', async () => {
    const { task, told } = await turn(`${era}__login`);
    const question = await asked(task);
    expect(question).toMatchObject({
      kind: 'link',
      message: 'Log in there',
      url: 'https://login.example.org/start?x=1',
      host: 'login.example.org',
      host_is_deceptive: false,
      fields: [],
    });
    await answer(question, { action: 'accept' });
    await client.ended(task);
    expect(told()).toContain('{\\"action\\":\\"accept\\"}');
  });

  it('is refused a form that is none', async () => {
    const { task } = await turn(`${era}__nested`);
    await client.ended(task);
    expect((await waiting()).filter(({ request_id: id }) => id === task)).toEqual([]);
  });

  it('asks for nothing any more once the turn is stopped', async () => {
    const { task } = await turn(`${era}__book`);
    const question = await asked(task);
    await client.post(`/queue/task/${task}/abort`);
    await vi.waitFor(async () => expect(await waiting()).toEqual([]));
    expect((await answer(question, { action: 'decline' })).status).toBe(409);
  });

  it('asks nobody where a call is made by hand', async () => {
    const response = await client.post(`/skills/${era}__book/call`, { input: {}, approved: true });
    expect(await response.json()).toMatchObject({ status: 'failed', text: expect.stringContaining('nobody can be') });
  });
});

describe('a server of the legacy era that wants the model', () => {
  it('has it asked once the person has seen what and agreed, with a bound', async () => {
    const { task, told } = await turn('legacy__sample');
    const question = await asked(task);
    expect(question).toMatchObject({
      kind: 'model',
      message: 'Name a fruit.',
      system: 'Be short.',
      max_tokens: 1_000,
      fields: [],
    });
    await answer(question, { action: 'accept' });
    await client.ended(task);
    expect(told()).toContain('A pear.');
  });

  it('hears a no, and the model nothing', async () => {
    const { task, told } = await turn('legacy__sample');
    const question = await asked(task);
    const before = upstream.requests.length;
    await answer(question, { action: 'decline' });
    await client.ended(task);
    expect(told()).toContain('did not let');
    expect(JSON.stringify(upstream.requests.slice(before))).not.toContain('Name a fruit.');
  });

  it('is told of the workspace where it is sandboxed and was granted it, and of nothing else', async () => {
    const { task, told } = await turn('legacy__roots');
    await client.ended(task);
    const uri = pathToFileURL(join(workspace, 'files')).href;
    expect(told()).toContain(JSON.stringify(JSON.stringify({ roots: [{ uri, name: 'workspace' }] })).slice(1, -1));
    const other = await turn('neighbour__roots');
    await client.ended(other.task);
    expect(other.told()).toContain('{\\"roots\\":[]}');
  });
});

it('gives each of two calls at once a process of its own, and a later call one that is free', async () => {
  const told = leadsTo(upstream, 'legacy__book');
  const submit = (session: string) =>
    client.submit({ content: 'Call legacy__book', forced_tool: 'legacy__book', session_id: session });
  const [left, right] = [await submit('left'), await submit('right')];
  const [ofLeft, ofRight] = [await asked(left), await asked(right)];
  expect([ofLeft['session_id'], ofRight['session_id']]).toEqual(['left', 'right']);
  const processes: (string | undefined)[] = [];
  const answered = async (task: string, question: Question, name: string) => {
    const before = told().length;
    await answer(question, { action: 'accept', content: { name, room: 'in' } });
    await client.ended(task);
    const since = told().slice(before);
    expect(since).toContain(name);
    processes.push(/process (\w+) was told/.exec(since)?.[1]);
  };
  await answered(right, ofRight, 'Right');
  await answered(left, ofLeft, 'Left');
  const later = await submit('later');
  await answered(later, await asked(later), 'Later');
  expect(new Set(processes.slice(0, 2)).size).toBe(2);
  expect(processes.slice(0, 2)).toContain(processes[2]);
});

it('is shown and answered on the command line', async () => {
  const { task, told } = await turn('legacy__book');
  const question = await asked(task);
  const line = commandLine(server);
  const { out } = await line.run('skills', 'questions');
  expect(out).toContain('Asking legacy asks you');
  expect(out).toContain('Which table? **Not bold**');
  expect(out).toContain('guests: Guests (whole number, 1 to 8, default 2)');
  await line.run('skills', 'answer', question.question_id, 'name=Ada', 'room=in', 'guests=4');
  await client.ended(task);
  expect(told()).toContain('\\"guests\\":4');
});

it('is told to whoever asked on the command line', async () => {
  const told = leadsTo(upstream, 'modern__book');
  let notes = '';
  const line = commandLine(server, {
    onNote: (text) => {
      notes += text;
    },
  });
  const asking = line.run('ask', 'Explain what modern__book says of cake', '--mode', 'normal', '--session', 'line');
  await vi.waitFor(() => expect(notes).toContain('Asking modern asks you (modern__book)'), { timeout: 15_000 });
  const question = (await waiting()).find((each) => each['session_id'] === 'line') as Question;
  expect(notes).toContain(`venom skills answer ${question.question_id}`);
  await answer(question, { action: 'accept', content: ACCEPTED });
  await asking;
  expect(told()).toContain('Ada');
});

it.each(['legacy', 'modern'] as const)('outlives a restart, with an answer given meanwhile (%s)', async (era) => {
  const { task, told } = await turn(`${era}__book`);
  const question = await asked(task);
  await server.close({ keepData: true });
  server = await startServer(env(), dataDir, environment);
  client = new TaskClient(server.url);
  const { questions } = await client.get<{ questions: Question[] }>('/skills/questions?state=waiting');
  expect(questions).toMatchObject([{ question_id: question.question_id, state: 'waiting' }]);
  const toldLater = leadsTo(upstream, `${era}__book`);
  expect((await answer(question, { action: 'accept', content: ACCEPTED })).status).toBe(200);
  expect((await client.ended(task)).status).toBe('COMPLETED');
  expect(told()).toBe('');
  expect(toldLater()).toContain('Ada');
  const { question: after } = await client.get<{ question: Question }>(`/skills/questions/${question.question_id}`);
  expect(after).toMatchObject({ state: 'used', action: 'accept' });
  expect(await waiting()).toEqual([]);
});
