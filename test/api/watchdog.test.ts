// The watchdog of traces: an answer that is being made is never called LOST, in whatever way it was asked for.
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { chunk, type FakeUpstream, startFakeUpstream } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';
import { TaskClient } from './task-client.js';

const LOST_AFTER_MS = 100;

let upstream: FakeUpstream;
let server: TestServer;
let release: () => void;

beforeEach(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({
    LLM_LOCAL_ENDPOINT: upstream.url,
    LLM_WARMUP_ON_STARTUP: 'false',
    REQUEST_LOST_AFTER_SECONDS: String(LOST_AFTER_MS / 1_000),
  });
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  // Says nothing at all, as an engine that reads a long prompt.
  upstream.behaviour = async (body, response: ServerResponse) => {
    await held;
    if (body['response_format'])
      response.end(`${chunk({ content: '{"steps":[]}' })}${chunk({}, 'stop')}data: [DONE]\n\n`);
    else if (body['stream']) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`${chunk({ content: 'Done' })}${chunk({}, 'stop')}data: [DONE]\n\n`);
    } else {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ choices: [{ message: { role: 'assistant', content: 'Done' } }] }));
    }
  };
});
afterEach(async () => {
  release();
  await server.close();
  await upstream.close();
});

const post = (path: string, body: object) =>
  fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }).then(async (response) => {
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return text;
  });
const messages = [{ role: 'user', content: 'Hello?' }];

it.each([
  ['Direct chat', () => post('/api/v1/llm/simple/stream', { content: 'Hello?', session_id: 's1' })],
  ['Direct chat without a session', () => post('/api/v1/llm/simple/stream', { content: 'Hello?' })],
  ['Normal chat', () => post('/api/v1/tasks', { content: 'Tell me a joke' })],
  ['Complex chat', () => post('/api/v1/tasks', { content: 'Make a shop', forced_intent: 'COMPLEX_PLANNING' })],
  ['OpenAI, streamed', () => post('/v1/chat/completions', { model: 'fake-model', stream: true, messages })],
  ['OpenAI, whole', () => post('/v1/chat/completions', { model: 'fake-model', messages })],
  ['Anthropic', () => post('/v1/messages', { model: 'fake-model', max_tokens: 16, messages })],
  ['Responses', () => post('/v1/responses', { model: 'fake-model', input: 'Hello?' })],
  ['Ollama', () => post('/api/chat', { model: 'fake-model', messages })],
])('%s is still running after a long silence, and ends well', async (_what, ask) => {
  const client = new TaskClient(server.url);
  const history = () => client.get<{ status: string }[]>('/history/requests');
  const answer = ask();
  await vi.waitFor(() => expect(upstream.open()).toBe(1));
  await sleep(LOST_AFTER_MS * 4);
  expect((await history()).map(({ status }) => status)).toEqual(['PROCESSING']);
  release();
  await answer;
  await vi.waitFor(async () => expect((await history())[0]?.status).not.toBe('PROCESSING'));
  expect((await history())[0]?.status).not.toBe('LOST');
});
