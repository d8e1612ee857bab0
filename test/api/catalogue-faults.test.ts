// Every fault that Hugging Face and the Ollama library can have: pages say so in one sentence and in time, nothing is kept
// of a wrong answer, and the token stays where it belongs.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from './server.js';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

let fake: Server;
let other: Server;
let url: string;
let elsewhere: string;
let answer: Answer;
let asked: { host: string; authorization: string | undefined }[];
let server: TestServer | undefined;

const listen = async (given: Server) => {
  await new Promise<void>((resolve) => given.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(given.address() as AddressInfo).port}`;
};
beforeAll(async () => {
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    asked.push({ host: request.headers.host ?? '', authorization: request.headers.authorization });
    answer(response, request);
  };
  fake = createServer(handle);
  other = createServer(handle);
  url = await listen(fake);
  elsewhere = await listen(other);
});
afterAll(() => {
  for (const one of [fake, other]) {
    one.closeAllConnections();
    one.close();
  }
});
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(code, headers).end('no');
const body =
  (text: string | Buffer, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(text);

const FAULTS: [string, () => Answer][] = [
  ...[400, 401, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504].map((code): [string, () => Answer] => [
    `HTTP ${code}`,
    () => status(code, { 'retry-after': '99999999999' }),
  ]),
  ['204', () => (response) => void response.writeHead(204).end()],
  ['an empty answer', () => body('')],
  ['broken JSON', () => body('[{"id":')],
  ['null', () => body('null')],
  ['a number', () => body('7')],
  ['other types', () => body('{"models":7,"id":[],"siblings":"x","sha":null}')],
  ['a reset', () => (response) => void response.socket?.resetAndDestroy()],
  [
    'a reset in the middle',
    () => (response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('[');
      setTimeout(() => response.socket?.resetAndDestroy(), 20);
    },
  ],
  [
    'a redirect to itself',
    () =>
      (response, { url: path }) =>
        void response.writeHead(302, { location: path }).end(),
  ],
  [
    'a redirect to elsewhere',
    () =>
      (response, { url: path, headers }) =>
        headers.host === new URL(url).host
          ? void response.writeHead(302, { location: elsewhere + path }).end()
          : void response.writeHead(500).end(),
  ],
  ['broken gzip', () => body(gzipSync('[]').subarray(0, 8), { 'content-encoding': 'gzip' })],
  [
    'a bomb of gzip',
    () => body(gzipSync(`["${'x'.repeat(200_000_000)}"]`, { level: 1 }), { 'content-encoding': 'gzip' }),
  ],
  [
    'no end',
    () => (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const write = () => void (response.destroyed || response.write('x'.repeat(65_536), () => setImmediate(write)));
      write();
    },
  ],
  ['silence', () => () => {}],
];

describe('a fault of a place where models are found', () => {
  it.each(FAULTS)(
    '%s is told in one sentence, and never as an empty success',
    async (name, make) => {
      answer = make();
      asked = [];
      const waits = name === 'silence';
      server = await startServer({
        HF_ENDPOINT: url,
        HF_TOKEN: 'hf_secret',
        OLLAMA_LIBRARY_ENDPOINT: url,
        LLM_WARMUP_ON_STARTUP: 'false',
      });
      const get = async (path: string) => {
        const response = await fetch(`${server?.url}/api/v1${path}`);
        return { status: response.status, text: await response.text() };
      };
      const startedAt = performance.now();
      const pages = await Promise.all([
        get('/models/trending?provider=huggingface'),
        get('/models/search?query=tiny&provider=huggingface'),
        get('/models/news?type=papers'),
        get('/models/trending?provider=ollama'),
        get('/models/search?query=tiny&provider=ollama'),
        ...(waits ? [] : [get('/models/preflight?name=org/tiny&provider=huggingface&runtime=llama-cpp')]),
      ]);
      expect(performance.now() - startedAt).toBeLessThan(12_000);
      for (const [index, { status: code, text }] of pages.entries()) {
        expect([index, code]).toEqual([index, 200]);
        const page = JSON.parse(text) as Record<string, unknown>;
        if (index === 5) {
          expect(page).toMatchObject({ verdict: 'no', total_bytes: null });
          expect((page['reasons'] as { code: string; message: string }[])[0]).toMatchObject({
            code: expect.stringMatching(/^[a-z_]+$/),
            message: expect.stringMatching(/^\w.*\.$/),
          });
          expect(page['reasons']).not.toMatchObject([{ code: 'internal' }]);
        } else {
          expect([index, page['models'] ?? page['items']]).toEqual([index, []]);
          // An empty list in the right form is an answer; everything else is a fault.
          expect([index, page['error']]).toEqual([index, expect.stringMatching(/\w.*\.$/)]);
        }
        expect(text).not.toMatch(/hf_secret|undefined|\[object|\bat .*\.ts/);
      }
      expect(asked.some(({ authorization }) => authorization === 'Bearer hf_secret')).toBe(true);
      // Whoever it redirects to hears nothing of it.
      for (const { host, authorization } of asked)
        if (host === new URL(elsewhere).host) expect(authorization).toBeUndefined();
    },
    30_000,
  );
});
