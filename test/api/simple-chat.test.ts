import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { chunk, type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { readEvents, startServer, type TestServer, textOf } from './server.js';

let upstream: FakeUpstream;
let server: TestServer;

beforeEach(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url, STREAM_REJOIN_GRACE_SECONDS: '0.2' });
});
afterEach(async () => {
  await server.close();
  await upstream.close();
});

const ask = (body: object, headers: Record<string, string> = {}, signal?: AbortSignal) =>
  fetch(`${server.url}/api/v1/llm/simple/stream`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
const get = async (path: string) => (await fetch(server.url + path)).json() as Promise<Record<string, unknown>>;

describe('POST /llm/simple/stream', () => {
  it('frames events as the contract says', async () => {
    const response = await ask({ content: 'Hi', session_id: 's-1' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(response.headers.get('x-session-id')).toBe('s-1');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    const text = await response.text();
    expect(text.startsWith('event: start\ndata: {}\n')).toBe(true);
    expect(text).toMatch(/event: content\ndata: \{"text":"Hello/);
    expect(text).toMatch(/event: done\ndata: \{.*\}\nid: [0-9a-f-]{36}:11\.0\n\n$/);
  });

  it('keeps the turn in the session, in order, and sends earlier messages along', async () => {
    await readEvents(await ask({ content: 'First', session_id: 's-1' }));
    await readEvents(await ask({ content: 'Second', session_id: 's-1' }));
    const { history, count } = await get('/api/v1/memory/session/s-1');
    expect(count).toBe(4);
    expect((history as { role: string; content: string }[]).map(({ role, content }) => `${role}: ${content}`)).toEqual([
      'user: First',
      'assistant: Hello world',
      'user: Second',
      'assistant: Hello world',
    ]);
    const messages = upstream.requests[1]?.['messages'] as { role: string; content: string }[];
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
  });

  it('does not keep a question without a session, but traces it', async () => {
    const response = await ask({ content: 'Nobody' });
    const id = response.headers.get('x-request-id');
    await response.text();
    expect((await get('/api/v1/sessions'))['total']).toBe(0);
    const trace = await get(`/api/v1/history/requests/${id}`);
    expect(trace['status']).toBe('COMPLETED');
    const steps = trace['steps'] as { component: string; action: string; details: string }[];
    expect(steps.map(({ action }) => action)).toEqual(['request', 'context_preview', 'first_chunk', 'response']);
    expect(JSON.parse(steps.at(-1)?.details ?? '')).toMatchObject({
      response: 'Hello world',
      truncated: false,
      chars: 11,
    });
    expect(steps[2]?.details).toMatch(/^elapsed_ms=\d+ preview=Hello/);
  });

  it('lets a client rejoin at the character where it was cut off', async () => {
    const tokens = Array.from({ length: 40 }, (_, index) => `t${index} `);
    upstream.behaviour = streams(tokens, 10);
    const cut = new AbortController();
    const response = await ask({ content: 'Long', session_id: 's-1' }, {}, cut.signal);
    const seen = await readEvents(response, (events) => events.length > 8);
    const last = seen.at(-1);
    cut.abort();
    const again = await fetch(`${server.url}/api/v1/llm/simple/stream/${response.headers.get('x-request-id')}`, {
      headers: { 'last-event-id': last?.id ?? '' },
    });
    const rest = await readEvents(again);
    expect(textOf(seen) + textOf(rest)).toBe(tokens.join(''));
    expect(rest.at(-1)?.event).toBe('done');
    const stored = await fetch(
      `${server.url}/api/v1/llm/simple/stream/${response.headers.get('x-request-id')}?last_event_id=${last?.id}`,
    );
    expect(textOf(seen) + textOf(await readEvents(stored))).toBe(tokens.join(''));
  });

  it('stops the engine when the client goes away for good', async () => {
    upstream.behaviour = streams(
      Array.from({ length: 1_000 }, () => 'x'),
      10,
    );
    const leave = new AbortController();
    const response = await ask({ content: 'Long' }, {}, leave.signal);
    await readEvents(response, (events) => events.length > 2);
    expect(upstream.open()).toBe(1);
    leave.abort();
    await vi.waitFor(() => expect(upstream.open()).toBe(0), { timeout: 2_000 });
  });

  it('keeps what was written and says so when an answer is cancelled', async () => {
    upstream.behaviour = streams(
      Array.from({ length: 1_000 }, () => 'x'),
      5,
    );
    const response = await ask({ content: 'Long', session_id: 's-1', resumable: true });
    const id = response.headers.get('x-request-id');
    const events = readEvents(response);
    await vi.waitFor(() => expect(upstream.open()).toBe(1));
    const cancelled = await fetch(`${server.url}/api/v1/llm/simple/stream/${id}/cancel`, { method: 'POST' });
    expect(await cancelled.json()).toEqual({ status: 'success', cancelled: true });
    expect((await events).at(-1)).toMatchObject({ event: 'error', data: { code: 'cancelled' } });
    await vi.waitFor(() => expect(upstream.open()).toBe(0));
    const { messages } = await get('/api/v1/sessions/s-1/messages');
    expect((messages as { status: string }[]).at(-1)?.status).toBe('cancelled');
  });

  it('answers the same idempotency key with the same turn', async () => {
    const first = await ask({ content: 'Once', session_id: 's-1' }, { 'idempotency-key': 'k1' });
    await first.text();
    const second = await ask({ content: 'Once', session_id: 's-1' }, { 'idempotency-key': 'k1' });
    expect(second.headers.get('x-request-id')).toBe(first.headers.get('x-request-id'));
    expect(textOf(await readEvents(second))).toBe('Hello world');
    expect(upstream.requests.length).toBe(1);
  });

  it('shows tool calls as they come, before the text of the same packet', async () => {
    const delta = [{ index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } }];
    upstream.behaviour = (_body, response) =>
      void response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .end(`${chunk({ tool_calls: delta, content: 'Calling' })}${chunk({}, 'tool_calls')}data: [DONE]\n\n`);
    const events = await readEvents(
      await ask({ content: 'Hi', tools: [{ type: 'function', function: { name: 'f' } }] }),
    );
    expect(events.map(({ event }) => event)).toEqual(['start', 'tool_calls', 'content', 'done']);
    expect(events[1]?.data).toEqual({ tool_calls: delta });
  });

  it('reports log probabilities of a whole answer', async () => {
    const content = [
      { token: 'Hi', logprob: -0.1, bytes: [72], top_logprobs: [{ token: 'Hi', logprob: -0.1, bytes: [72] }] },
    ];
    upstream.behaviour = (_body, response) =>
      void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(
          JSON.stringify({ choices: [{ message: { content: 'Hi' }, logprobs: { content }, finish_reason: 'stop' }] }),
        );
    const events = await readEvents(await ask({ content: 'Hi', stream: false, logprobs: true, top_logprobs: 20 }));
    expect(upstream.requests.at(-1)).toMatchObject({ stream: false, logprobs: true, top_logprobs: 8 });
    expect(events.find(({ event }) => event === 'telemetry')?.data).toEqual({
      kind: 'logprobs',
      content: [{ token: 'Hi', logprob: -0.1, top_logprobs: [{ token: 'Hi', logprob: -0.1 }] }],
    });
    expect(textOf(events)).toBe('Hi');
  });

  it('answers 400 when there is no model at all, and says so in the stream when the server is down', async () => {
    const empty = await startServer();
    const none = await fetch(`${empty.url}/api/v1/llm/simple/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"content":"x"}',
    });
    expect(none.status).toBe(400);
    expect(await none.json()).toMatchObject({ code: 'no_model' });
    await empty.close();
    await upstream.close();
    const events = await readEvents(await ask({ content: 'Hi', model: 'fake-model' }));
    expect(events.at(-1)).toMatchObject({ event: 'error', data: { code: 'llm_connection_error' } });
  });

  it('cuts an answer short when its session is deleted', async () => {
    upstream.behaviour = streams(
      Array.from({ length: 1_000 }, () => 'x'),
      5,
    );
    const events = readEvents(await ask({ content: 'Long', session_id: 's-1' }));
    await vi.waitFor(() => expect(upstream.open()).toBe(1));
    expect((await fetch(`${server.url}/api/v1/sessions/s-1`, { method: 'DELETE' })).status).toBe(200);
    expect((await events).at(-1)).toMatchObject({ event: 'error', data: { code: 'cancelled' } });
    await vi.waitFor(() => expect(upstream.open()).toBe(0));
    expect((await get('/api/v1/sessions'))['total']).toBe(0);
  });

  it.each([
    [
      'an HTTP error',
      'llm_http_error',
      (_: unknown, response: import('node:http').ServerResponse) =>
        void response.writeHead(500).end('{"error":{"message":"boom"}}'),
    ],
    [
      'a reset',
      'llm_connection_error',
      (_: unknown, response: import('node:http').ServerResponse) => void response.socket?.resetAndDestroy(),
    ],
    [
      'broken JSON',
      'llm_invalid_response',
      (_: unknown, response: import('node:http').ServerResponse) =>
        void response.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: {broken\n\n'),
    ],
    [
      'a truncated stream',
      'llm_invalid_response',
      (_: unknown, response: import('node:http').ServerResponse) =>
        void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(chunk({ content: 'half' })),
    ],
    [
      'a web page',
      'llm_invalid_response',
      (_: unknown, response: import('node:http').ServerResponse) =>
        void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    ],
  ])('ends with one coded error on %s', async (_name, code, behaviour) => {
    upstream.behaviour = behaviour;
    const events = await readEvents(await ask({ content: 'Hi', session_id: 's-1' }));
    expect(events[0]?.event).toBe('start');
    const ends = events.filter(({ event }) => event === 'error' || event === 'done');
    expect(ends).toHaveLength(1);
    expect(ends[0]?.data).toMatchObject({ code });
    expect(ends[0]?.data['error']).toBe(ends[0]?.data['message']);
    const { messages } = await get('/api/v1/sessions/s-1/messages');
    expect((messages as { status: string }[]).at(-1)?.status).toBe('failed');
  });

  it.each([
    [{}, 422],
    [{ content: '' }, 422],
    [{ content: 'x'.repeat(50_001) }, 422],
    [{ content: 'x', top_p: 0 }, 422],
    [{ content: 'x', session_id: 'two\nlines' }, 422],
  ])('refuses bad input %#', async (body, status) => {
    const response = await ask(body);
    expect(response.status).toBe(status);
    const answer = (await response.json()) as { code: string; detail: unknown; request_id: string };
    expect(answer.code).toBeTypeOf('string');
    expect(answer.request_id).toMatch(/^[0-9a-f-]{36}$/);
    if (status === 422)
      expect(answer.detail).toEqual(
        expect.arrayContaining([
          expect.objectContaining({
            loc: expect.arrayContaining(['body']),
            msg: expect.any(String),
            type: expect.any(String),
          }),
        ]),
      );
  });
});
