// An engine that is asked too often: its answer is handed on as what it is, with the time to come back, by every door.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';

let upstream: FakeUpstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({
    LLM_LOCAL_ENDPOINT: upstream.url,
    UPSTREAM_CIRCUIT_FAILURES: '0',
    UPSTREAM_RETRY_ATTEMPTS: '1',
    UPSTREAM_EMBEDDING_TIMEOUT_SECONDS: '0.3',
  });
});
afterAll(async () => {
  await server.close();
  await upstream.close();
});

const send = (path: string, body: object) =>
  fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const messages = [{ role: 'user', content: 'Hi' }];
const DOORS: [string, object][] = [
  ['/v1/chat/completions', { model: 'fake-model', messages }],
  ['/v1/chat/completions', { model: 'fake-model', messages, stream: true }],
  ['/v1/messages', { model: 'fake-model', messages, max_tokens: 9 }],
  ['/v1/responses', { model: 'fake-model', input: 'Hi', store: false }],
  ['/v1/embeddings', { model: 'fake-model', input: 'Hi' }],
  ['/api/chat', { model: 'fake-model', messages }],
  ['/api/embed', { model: 'fake-model', input: 'Hi' }],
  ['/api/v1/translate', { text: 'Dzień dobry', target_lang: 'en', use_cache: false }],
];
const FORMS: [string, string, string, string | null][] = [
  ['seconds', '7', 'application/json', '7'],
  ['a web page', '7', 'text/html', '7'],
  ['a time nobody lives to see', '99999999999', 'application/json', '3600'],
  ['no time', '', 'application/json', null],
];

it.each(DOORS.flatMap((door) => FORMS.map((form) => [...door, ...form] as const)))(
  '%s (%j) with %s',
  async (path, body, _name, retryAfter, type, told) => {
    const refuse: FakeUpstream['behaviour'] = (_body, response) => {
      response.writeHead(429, { 'content-type': type, ...(retryAfter ? { 'retry-after': retryAfter } : {}) });
      response.end('{"error":{"message":"slow down"}}');
    };
    upstream.behaviour = refuse;
    upstream.embedding = refuse;
    const response = await send(path, body);
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, told]);
    await response.text();
  },
);

it.each(['/v1/embeddings', '/api/embed'])('%s does not wait longer for vectors than is set', async (path) => {
  upstream.embedding = () => {};
  const startedAt = performance.now();
  const response = await send(path, { model: 'fake-model', input: 'Hi' });
  expect(response.status).toBe(504);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  await expect.poll(() => upstream.open()).toBe(0);
});
