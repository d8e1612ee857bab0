// Every fault an Ollama can have on its own wire: in answers, in lists, in pulls. One end each, in time, with a code.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectOneFailure } from './chat-faults.js';
import { readEvents, startServer, type TestServer, textOf } from './server.js';

const IDLE_SECONDS = 0.4;
type Answer = (response: ServerResponse) => void | Promise<void>;

const GOOD: Record<string, string> = {
  '/api/version': '{"version":"0.13.1"}',
  '/api/tags': '{"models":[{"name":"small:latest","size":1000,"digest":"abc"}]}',
  '/api/ps': '{"models":[]}',
  '/api/show': '{"details":{"family":"llama"},"model_info":{},"capabilities":["completion"]}',
  '/api/generate': '{"model":"small","response":"","done":true}',
};
const line = (content: string) =>
  `${JSON.stringify({ model: 'small', message: { role: 'assistant', content }, done: false })}\n`;
const last = `${JSON.stringify({ model: 'small', message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop', prompt_eval_count: 3, eval_count: 2 })}\n`;

let fake: Server;
let url: string;
let open = 0;
let faults: Record<string, Answer> = {};
let server: TestServer;
let turn = 0;

beforeAll(async () => {
  fake = createServer((request: IncomingMessage, response) => {
    const path = request.url ?? '';
    request.resume();
    const fault = faults[path];
    if (fault) {
      open += 1;
      response.once('close', () => {
        open -= 1;
      });
      return void fault(response);
    }
    const body = GOOD[path];
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(body ?? '{}');
  });
  await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(fake.address() as AddressInfo).port}`;
  server = await startServer({
    OLLAMA_ENDPOINT: url,
    UPSTREAM_IDLE_TIMEOUT_SECONDS: String(IDLE_SECONDS),
    UPSTREAM_CONNECT_TIMEOUT_SECONDS: '0.4',
    UPSTREAM_CIRCUIT_FAILURES: '0',
    LLM_WARMUP_ON_STARTUP: 'false',
  });
});
afterAll(async () => {
  await server.close();
  fake.closeAllConnections();
  fake.close();
});
beforeEach(() => {
  turn += 1;
  faults = {};
});

const raw =
  (text: string | Buffer, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(200, { 'content-type': 'application/x-ndjson', ...headers }).end(text);
const status =
  (code: number, body = '{"error":"no"}', headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(code, headers).end(body);
const started = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'application/x-ndjson' });
const call = async (path: string, body?: object) => {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    ...(body ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

const ANSWERS: [string, string, Answer][] = [
  ...[400, 401, 403, 408, 409, 413, 422, 429, 500, 502, 503, 504].map((code): [string, string, Answer] => [
    `HTTP ${code}`,
    'llm_http_error',
    status(code, '{"error":"no"}', code === 429 ? { 'retry-after': '99999999999' } : {}),
  ]),
  ['HTTP 404', 'model_not_found', status(404, '{"error":"model not found"}')],
  ['a redirect to elsewhere', 'llm_http_error', status(302, '', { location: 'http://127.0.0.1:9/' })],
  ['a redirect to itself', 'llm_http_error', status(307, '', { location: '/api/chat' })],
  ['204', 'llm_invalid_response', (response) => void response.writeHead(204).end()],
  ['an empty 200', 'llm_invalid_response', raw('')],
  ['a web page', 'llm_invalid_response', raw('<!doctype html><p>Hello</p>', { 'content-type': 'text/html' })],
  ['reset before headers', 'llm_connection_error', (response) => void response.socket?.resetAndDestroy()],
  [
    'reset in the body',
    'llm_connection_error',
    (response) => {
      started(response).write(line('half'));
      setTimeout(() => response.socket?.resetAndDestroy(), 20);
    },
  ],
  ['headers never', 'llm_connection_error', () => {}],
  ['a body that stalls', 'llm_connection_error', (response) => void started(response).write(line('half'))],
  ['no end mark', 'llm_invalid_response', raw(line('half'))],
  ['a line cut off', 'llm_invalid_response', raw(line('half').slice(0, 20))],
  ['NaN', 'llm_invalid_response', raw('{"message":NaN}\n')],
  ['a bare number', 'llm_invalid_response', raw('7\n')],
  ['null', 'llm_invalid_response', raw('null\n')],
  ['a text of another type', 'llm_invalid_response', raw('{"message":{"content":7},"done":false}\n')],
  ['a call that is none', 'llm_invalid_response', raw('{"message":{"tool_calls":[null]},"done":false}\n')],
  ['an error in the stream', 'llm_http_error', raw(`${line('a')}{"error":"boom"}\n`)],
  ['a model that does not fit', 'insufficient_memory', status(500, '{"error":"model requires more system memory"}')],
  ['a runner that died', 'runtime_crashed', raw(`${line('a')}{"error":"llama runner process has terminated"}\n`)],
  ['an endless line', 'llm_invalid_response', raw(`{"message":{"content":"${'x'.repeat(5_000_000)}`)],
  [
    'gzip nobody asked for',
    'llm_invalid_response',
    (response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(line('x') + last)),
  ],
];

describe('an answer', () => {
  const ask = () =>
    fetch(`${server.url}/api/v1/llm/simple/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ content: 'Hi', model: 'small', session_id: `ollama-${turn}` }),
    });

  it.each(ANSWERS)('%s ends in one coded error, kept in the session', async (_name, code, answer) => {
    faults = { '/api/chat': answer };
    await expectOneFailure(
      { url: server.url, sessionId: `ollama-${turn}`, code, withinMs: IDLE_SECONDS * 1_000 + 3_000 },
      ask,
    );
    await expect.poll(() => open).toBe(0);
  });

  it.each<[string, string, Answer]>([
    [
      'bytes cut anywhere',
      'Zażółć',
      async (response) => {
        started(response);
        for (const byte of Buffer.from(line('Zażółć') + last)) {
          response.write(Buffer.of(byte));
          if (byte > 127) await new Promise((resolve) => setImmediate(resolve));
        }
        response.end();
      },
    ],
    ['CRLF and blank lines', 'a', raw((line('a') + last).replaceAll('\n', '\r\n\r\n'))],
    ['a last line without its end', 'a', raw((line('a') + last).trimEnd())],
    ['lines after the end', 'a', raw(line('a') + last + line('b') + last)],
    ['fields nobody knows', 'a', raw(`{"message":{"role":"assistant","content":"a","new":1},"x":[]}\n${last}`)],
    ['negative figures', 'a', raw(`${line('a')}{"done":true,"prompt_eval_count":-1,"eval_count":-5}\n`)],
    ['figures of other types', 'a', raw(`${line('a')}{"done":true,"prompt_eval_count":"many","eval_count":1e999}\n`)],
    ['another model than asked', 'a', raw((line('a') + last).replaceAll('small', 'other'))],
    ['one long line', 'x'.repeat(1_000_000), raw(line('x'.repeat(1_000_000)) + last)],
  ])('%s is no fault', async (_name, text, answer) => {
    faults = { '/api/chat': answer };
    const events = await readEvents(await ask());
    expect(events.at(-1)?.event).toBe('done');
    expect(textOf(events)).toBe(text);
  });
});

const WRONG: [string, Answer][] = [
  ['a web page', raw('<html>', { 'content-type': 'text/html' })],
  ['nothing', (response) => void response.writeHead(204).end()],
  ['broken JSON', raw('{"models":[{"name":')],
  ['null', raw('null')],
  ['other types', raw('{"models":7,"version":[]}')],
  ['an error', status(500, 'boom')],
  ['a redirect to itself', status(302, '', { location: '/api/tags' })],
  ['a reset', (response) => void response.socket?.resetAndDestroy()],
  ['silence', () => {}],
  [
    'no end',
    (response) => {
      const write = () => void (response.destroyed || response.write('x'.repeat(65_536), () => setImmediate(write)));
      write();
    },
  ],
];

describe('what it says of itself', () => {
  it.each(
    ['/api/tags', '/api/ps', '/api/version', '/api/show'].flatMap((path) =>
      WRONG.map(([name, answer]) => ({ path, name, answer })),
    ),
  )(
    '$name at $path keeps no page waiting and brings nothing down',
    async ({ path, answer }) => {
      // Lists are kept for a moment.
      await new Promise((resolve) => setTimeout(resolve, path === '/api/tags' ? 2_100 : 0));
      faults = { [path]: answer };
      const startedAt = performance.now();
      const pages = await Promise.all(
        ['/models', '/system/llm-servers', '/models/loaded', '/models/small/capabilities', '/models/small/config'].map(
          (page) => call(page),
        ),
      );
      expect(performance.now() - startedAt).toBeLessThan(8_000);
      // The last known list serves on.
      expect(pages.map((page) => page.status)).toEqual([200, 200, 200, 200, 200]);
      expect(pages[0]?.body['models']).toMatchObject([{ name: 'small:latest' }]);
      expect(JSON.stringify(pages)).not.toMatch(/undefined|\[object|stack/);
    },
    20_000,
  );
});

describe('a pull', () => {
  const progress = `${JSON.stringify({ status: 'pulling abc', digest: 'sha256:abc', total: 1_000, completed: 500 })}\n`;
  const done = '{"status":"success"}\n';
  const pull = async () => {
    const { body } = await call('/models/registry/install', {
      name: `fetched${turn}`,
      provider: 'ollama',
      runtime: 'ollama',
    });
    const operation = async () =>
      (await call(`/models/operations/${body['operation_id']}`)).body['operation'] as {
        status: string;
        error_code: string | null;
        error: string | null;
      };
    await expect.poll(async () => (await operation()).status, { timeout: 10_000 }).not.toMatch(/pending|in_progress/);
    return operation();
  };

  it.each<[string, string, Answer]>([
    ['HTTP 404', 'upstream_rejected', status(404)],
    ['HTTP 500', 'upstream_rejected', status(500)],
    ['an empty 200', 'upstream_truncated', raw('')],
    ['no success at the end', 'upstream_truncated', raw(progress)],
    ['a web page', 'upstream_protocol', raw('<html>', { 'content-type': 'text/html' })],
    ['null', 'upstream_protocol', raw('null\n')],
    ['broken JSON', 'upstream_protocol', raw('{"status":\n')],
    ['an unknown model', 'model_not_found', raw('{"error":"pull model manifest: file does not exist"}\n')],
    ['no library', 'source_unavailable', raw('{"error":"pull model manifest: dial tcp: lookup x: no such host"}\n')],
    ['a full disk', 'insufficient_storage', raw(`${progress}{"error":"write x: no space left on device"}\n`)],
    ['a wrong digest', 'hash_mismatch', raw(`${progress}{"error":"digest mismatch, file must be downloaded again"}\n`)],
    ['a reset', 'upstream_reset', (response) => void response.socket?.resetAndDestroy()],
    [
      'a reset in the middle',
      'upstream_reset',
      (response) => {
        started(response).write(progress);
        setTimeout(() => response.socket?.resetAndDestroy(), 20);
      },
    ],
    ['silence', 'upstream_timeout', (response) => void started(response).write(progress)],
    ['a success that lists nothing', 'download_failed', raw(progress + done)],
  ])('%s ends as a failed operation with a code', async (_name, code, answer) => {
    faults = { '/api/pull': answer };
    const operation = await pull();
    expect([operation.status, operation.error_code]).toEqual(['failed', code]);
    expect(operation.error).toMatch(/\w+ .*/);
    await expect.poll(() => open).toBe(0);
  });
});
