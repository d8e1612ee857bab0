// Every fault of the wire, of a vLLM: the same ends as of any other server, and what it says of itself may be wrong, too.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectOneFailure, FAULTS, FINE } from './chat-faults.js';
import { type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { readEvents, startServer, type TestServer, textOf } from './server.js';

const IDLE_SECONDS = 0.4;
const settings = (url: string) => ({
  VLLM_ENDPOINT: url,
  UPSTREAM_IDLE_TIMEOUT_SECONDS: String(IDLE_SECONDS),
  UPSTREAM_CONNECT_TIMEOUT_SECONDS: '0.4',
  UPSTREAM_CIRCUIT_FAILURES: '0',
  LLM_WARMUP_ON_STARTUP: 'false',
});

describe('a fault of vLLM', () => {
  let upstream: FakeUpstream;
  let server: TestServer;
  let session = 0;
  beforeAll(async () => {
    upstream = await startFakeUpstream();
    server = await startServer(settings(upstream.url));
  });
  afterAll(async () => {
    await server.close();
    await upstream.close();
  });
  beforeEach(() => {
    session += 1;
  });
  const ask = () =>
    fetch(`${server.url}/api/v1/llm/simple/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ content: 'Hi', model: 'fake-model', session_id: `vllm-${session}` }),
    });

  it.each(FAULTS)('%s ends in one coded error, kept in the session', async (name, code, behaviour) => {
    upstream.behaviour = (_body, response) => behaviour(response);
    // It knows which of its models there are.
    const expected = name === 'HTTP 404' ? 'model_not_found' : code;
    await expectOneFailure(
      { url: server.url, sessionId: `vllm-${session}`, code: expected, withinMs: IDLE_SECONDS * 1_000 + 3_000 },
      ask,
    );
    await expect.poll(() => upstream.open()).toBe(0);
  });

  it.each(FINE)('%s is no fault', async (_name, text, behaviour) => {
    upstream.behaviour = (_body, response) => behaviour(response);
    const events = await readEvents(await ask());
    expect(events.at(-1)?.event).toBe('done');
    expect(textOf(events)).toBe(text);
  });

  it('leaves the next answer alone', async () => {
    upstream.behaviour = streams(['fine']);
    expect(textOf(await readEvents(await ask()))).toBe('fine');
  });
});

describe('what a vLLM says of itself', () => {
  const PATHS = ['/health', '/version', '/v1/models', '/is_sleeping', '/metrics'];
  const MODELS = JSON.stringify({ data: [{ id: 'base', max_model_len: 4_096 }] });
  type Answer = (response: ServerResponse) => void;
  const WRONG: [string, Answer][] = [
    ['a web page', (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
    ['nothing', (response) => void response.writeHead(204).end()],
    ['broken JSON', (response) => void response.end('{"data":[{"id":')],
    ['null', (response) => void response.end('null')],
    ['other types', (response) => void response.end('{"data":7,"version":[],"is_sleeping":"maybe"}')],
    ['an error', (response) => void response.writeHead(500).end('boom')],
    ['a redirect to itself', (response) => void response.writeHead(302, { location: '/health' }).end()],
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
  let fake: Server;
  let url: string;
  let wrong: { path: string; answer: Answer } | null = null;
  beforeAll(async () => {
    fake = createServer((request: IncomingMessage, response) => {
      const path = request.url ?? '';
      if (wrong?.path === path) return wrong.answer(response);
      const good: Record<string, string> = {
        '/health': '',
        '/version': '{"version":"0.15.1"}',
        '/v1/models': MODELS,
        '/is_sleeping': '{"is_sleeping":false}',
        '/metrics': 'vllm:num_requests_running 0\nvllm:num_requests_waiting 0\n',
      };
      const body = good[path];
      response.writeHead(body === undefined ? 404 : 200).end(body ?? '{}');
    });
    await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(fake.address() as AddressInfo).port}/v1`;
  });
  afterAll(() => {
    fake.closeAllConnections();
    fake.close();
  });

  it.each(PATHS.flatMap((path) => WRONG.map(([name, answer]) => ({ path, name, answer }))))(
    '$name at $path keeps no page waiting and brings nothing down',
    async ({ path, answer }) => {
      wrong = { path, answer };
      const server = await startServer(settings(url));
      try {
        const startedAt = performance.now();
        const pages = await Promise.all(
          ['/models', '/system/llm-servers', '/models/loaded', '/system/llm-runtime/options'].map((page) =>
            fetch(`${server.url}/api/v1${page}`),
          ),
        );
        expect(pages.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
        expect(performance.now() - startedAt).toBeLessThan(8_000);
        const [models, servers] = (await Promise.all(pages.slice(0, 2).map((page) => page.json()))) as [
          { models: { name: string }[]; unavailable?: unknown },
          { servers: { name: string; health: string | null; error_message: string | null }[] },
        ];
        const vllm = servers.servers.find(({ name }) => name === 'vllm');
        // What is not needed for answers is only not known.
        if (path === '/v1/models') expect(models.models).toEqual([]);
        else expect(models.models).toMatchObject([{ name: 'base' }]);
        if (path === '/v1/models') expect(vllm?.health).not.toBe('online');
        expect(JSON.stringify([models, servers])).not.toMatch(/undefined|\[object|stack/);
      } finally {
        wrong = null;
        await server.close();
      }
    },
    20_000,
  );
});
