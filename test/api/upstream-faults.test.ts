// Every fault an engine can have, through the whole server: one terminal event, one stored end, nothing left open.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { done, expectOneFailure, FAULTS, FINE, sse } from './chat-faults.js';
import { chunk, type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { readEvents, startServer, type TestServer, textOf } from './server.js';
import { TaskClient } from './task-client.js';

const IDLE_SECONDS = 0.4;
let upstream: FakeUpstream;
let server: TestServer;
let session = 0;

beforeAll(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({
    LLM_LOCAL_ENDPOINT: upstream.url,
    UPSTREAM_IDLE_TIMEOUT_SECONDS: String(IDLE_SECONDS),
    UPSTREAM_CONNECT_TIMEOUT_SECONDS: '0.4',
    // Has tests of its own, and would answer here in the engine's place.
    UPSTREAM_CIRCUIT_FAILURES: '0',
  });
});
afterAll(async () => {
  await server.close();
  await upstream.close();
});
beforeEach(() => {
  session += 1;
});

const ask = (body: object = {}) =>
  fetch(`${server.url}/api/v1/llm/simple/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ content: 'Hi', session_id: `fault-${session}`, ...body }),
  });
const get = async (path: string) => (await fetch(server.url + path)).json() as Promise<Record<string, unknown>>;

describe('a fault of the engine', () => {
  it.each(FAULTS)('%s ends in one coded error, kept in the session', async (_name, code, behaviour) => {
    upstream.behaviour = (_body, response) => behaviour(response);
    await expectOneFailure(
      { url: server.url, sessionId: `fault-${session}`, code, withinMs: IDLE_SECONDS * 1_000 + 3_000 },
      () => ask(),
    );
    await expect.poll(() => upstream.open()).toBe(0);
  });

  it.each([
    ['an answer', chunk({ content: 'z'.repeat(8_192) })],
    ['a call of a tool', chunk({ tool_calls: [{ index: 0, function: { arguments: 'z'.repeat(8_192) } }] })],
    [
      'a call of a tool, letter by letter',
      chunk({ tool_calls: [{ index: 0, function: { arguments: 'z' } }] }).repeat(99),
    ],
    ['a thought', chunk({ reasoning_content: 'z'.repeat(8_192) })],
  ])('%s without end is cut off, and the engine let go', async (_name, piece) => {
    upstream.behaviour = async (_body, response) => {
      sse(response);
      // It ends only where nobody lets it go.
      for (let sent = 0; sent < 4_000; sent += 1) {
        if (response.destroyed) return;
        response.write(piece);
        await setImmediate();
      }
      response.write(done);
    };
    const events = await readEvents(await ask());
    const ends = events.filter(({ event }) => event === 'error' || event === 'done');
    expect(ends.map(({ event, data }) => [event, data['code']])).toEqual([['error', 'llm_invalid_response']]);
    expect(textOf(events).length).toBeLessThanOrEqual(1_000_000);
    await expect.poll(() => upstream.open()).toBe(0);
  });

  it.each(FINE)('%s is no fault', async (_name, text, behaviour) => {
    upstream.behaviour = (_body, response) => behaviour(response);
    const events = await readEvents(await ask());
    expect(events.at(-1)?.event).toBe('done');
    expect(textOf(events)).toBe(text);
  });

  it('one dead engine leaves the next request of a living one alone', async () => {
    upstream.behaviour = streams(['fine']);
    expect(textOf(await readEvents(await ask()))).toBe('fine');
  });

  it('an address nobody listens on fails within a second, with the same shape', async () => {
    const empty = createServer();
    await new Promise<void>((resolve) => empty.listen(0, '127.0.0.1', resolve));
    const { port } = empty.address() as AddressInfo;
    await new Promise((resolve) => empty.close(resolve));
    const alone = await startServer({ LLM_LOCAL_ENDPOINT: `http://127.0.0.1:${port}/v1` });
    const startedAt = performance.now();
    const response = await fetch(`${alone.url}/api/v1/llm/simple/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ content: 'Hi', model: 'any' }),
    });
    expect((await readEvents(response)).at(-1)?.data).toMatchObject({ code: 'llm_connection_error' });
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    await alone.close();
  });
});

/** Ways to an answer: each says how often its stream ended, and how. */
interface Door {
  path: string;
  body: (content: string) => object;
  /** Of what a client reads: one entry for each end. */
  ends: (text: string) => string[];
  /** That no answer was claimed to be complete. */
  succeeded: RegExp;
  /** What is the client's to judge, because the engine's own words are passed on. */
  passes?: string[];
}

const jsonLines = (text: string) => text.split('\n').filter((line) => line.startsWith('{'));
const DOORS: Record<string, Door> = {
  '/v1/chat/completions': {
    path: '/v1/chat/completions',
    body: (content) => ({ model: 'fake-model', stream: true, messages: [{ role: 'user', content }] }),
    ends: (text) => text.match(/^data: ?(?:\[DONE\]|\{"error")|^\{"error"/gm) ?? [],
    succeeded: /\[DONE\]/,
    passes: ['a huge tool index', 'tool calls that are none'],
  },
  '/v1/chat/completions, whole': {
    path: '/v1/chat/completions',
    body: (content) => ({ model: 'fake-model', messages: [{ role: 'user', content }] }),
    ends: (text) => [text].filter((whole) => JSON.parse(whole).error),
    succeeded: /"choices"/,
  },
  '/v1/messages': {
    path: '/v1/messages',
    body: (content) => ({ model: 'fake-model', max_tokens: 9, stream: true, messages: [{ role: 'user', content }] }),
    ends: (text) => text.match(/^event: (?:message_stop|error)|^\{"type":"error"/gm) ?? [],
    succeeded: /message_stop/,
  },
  '/v1/responses': {
    path: '/v1/responses',
    body: (content) => ({ model: 'fake-model', stream: true, store: false, input: content }),
    ends: (text) => text.match(/^event: (?:response\.(?:completed|failed|incomplete)|error)|^\{"error"/gm) ?? [],
    succeeded: /response\.completed/,
  },
  '/api/chat': {
    path: '/api/chat',
    body: (content) => ({ model: 'fake-model', messages: [{ role: 'user', content }] }),
    ends: (text) => jsonLines(text).filter((line) => JSON.parse(line).done || JSON.parse(line).error),
    succeeded: /"done":true/,
  },
};

describe.each(Object.entries(DOORS))('a fault of the engine behind %s', (_name, door) => {
  // All at once, each told from the others by its question: what stalls would else be waited for one by one.
  it('ends the answer once, as a failure, and its trace with it', async () => {
    const seen = FAULTS.filter(([name]) => !door.passes?.includes(name));
    const behaviours = new Map(seen.map(([name, , behaviour]) => [name, behaviour]));
    upstream.behaviour = (body, response) => behaviours.get(lastText(body))?.(response);
    await Promise.all(
      [...behaviours.keys()].map(async (name) => {
        const response = await fetch(server.url + door.path, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(door.body(name)),
          signal: AbortSignal.timeout(10_000),
        });
        const text = await response.text();
        expect(door.ends(text), `${name}: ${response.status} ${text.slice(0, 500)}`).toHaveLength(1);
        expect(text, name).not.toMatch(door.succeeded);
        const requestId = response.headers.get('x-request-id');
        await expect
          .poll(async () => (await get(`/api/v1/history/requests/${requestId}`))['status'], { message: name })
          .toBe('FAILED');
      }),
    );
    await expect.poll(() => upstream.open()).toBe(0);
    expect(server.venom.http.server.listening).toBe(true);
  }, 20_000);

  it('leaves the next answer alone', async () => {
    upstream.behaviour = streams(['fine']);
    const response = await fetch(server.url + door.path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(door.body('Hi')),
    });
    const text = await response.text();
    expect(text).toContain('fine');
    expect(text).toMatch(door.succeeded);
  });
});

const lastText = (body: Record<string, unknown>): string => {
  const content = (body['messages'] as { content: string | { text: string }[] }[]).at(-1)?.content ?? '';
  return typeof content === 'string' ? content : content.map(({ text }) => text).join('');
};

describe('a fault of the engine in a task', () => {
  it('ends it once, as FAILED, in stream, store, session and trace', async () => {
    const client = new TaskClient(server.url);
    const behaviours = new Map(
      FAULTS.map(([name, , behaviour], index) => [`Why did number ${index} (${name}) fail?`, behaviour]),
    );
    upstream.behaviour = (body, response) => behaviours.get(lastText(body))?.(response);
    await Promise.all(
      [...behaviours.keys()].map(async (content, index) => {
        const session = `task-fault-${index}`;
        const id = await client.submit({ content, session_id: session, forced_intent: 'GENERAL_CHAT' });
        const events = await client.follow(`/tasks/${id}/stream`);
        expect(
          events.filter(({ event }) => event === 'task_finished'),
          content,
        ).toHaveLength(1);
        expect(events.at(-1)).toMatchObject({ event: 'task_finished', data: { status: 'FAILED' } });
        const task = await client.task(id);
        expect(task.status).toBe('FAILED');
        expect(task.context_history.llm_runtime.error?.error_code, content).toMatch(/^[a-z_]+$/);
        expect(task.context_history.llm_runtime.error?.error_code, content).not.toBe('internal');
        const { messages } = await client.get<{ messages: { status: string }[] }>(`/sessions/${session}/messages`);
        expect(
          messages.map(({ status }) => status),
          content,
        ).toEqual(['complete', 'failed']);
        expect(await client.get(`/history/requests/${id}`)).toMatchObject({ status: 'FAILED' });
      }),
    );
    await expect.poll(() => upstream.open()).toBe(0);
    expect(await client.get('/queue/status')).toMatchObject({ active: 0, pending: 0 });
  }, 30_000);
});

describe('a race', () => {
  it('twenty requests with one idempotency key make one turn', async () => {
    upstream.behaviour = streams(['once'], 20);
    const before = upstream.requests.length;
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const response = await fetch(`${server.url}/api/v1/llm/simple/stream`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': `race-${session}` },
          body: JSON.stringify({ content: 'Race', session_id: `race-${session}` }),
        });
        return textOf(await readEvents(response));
      }),
    );
    expect(new Set(answers)).toEqual(new Set(['once']));
    const { count } = await get(`/api/v1/memory/session/race-${session}`);
    expect(count).toBe(2);
    expect(upstream.requests.length - before).toBe(1);
    await expect.poll(() => upstream.open()).toBe(0);
  });
});
