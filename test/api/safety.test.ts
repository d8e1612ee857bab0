import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { loadSettings } from '../../src/config/config.js';
import { startServer, type TestServer } from './server.js';

const KEY = 'a-key-of-sufficient-length';
let open: TestServer;
let keyed: TestServer;

beforeAll(async () => {
  open = await startServer();
  keyed = await startServer({ VENOM_API_KEY: KEY });
});
afterAll(async () => {
  await open.close();
  await keyed.close();
});

function get(
  server: TestServer,
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; body: string; headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    request(server.url + path, { headers }, (response) => {
      let body = '';
      response.on('data', (bytes) => {
        body += bytes;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
    })
      .on('error', reject)
      .end();
  });
}

/** Puts a request on the wire as it is, and reads what comes up to the end of its JSON or of the connection. */
const exchange = (server: TestServer, bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.on('data', (piece) => {
      answer += piece;
      if (/\}$/.test(answer)) socket.end();
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });

const rawGet = (server: TestServer, target: string): Promise<string> =>
  exchange(server, `GET ${target} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`);

const socketStatus = (url: string, options: object, protocols: string[] = []): Promise<number | 'open'> =>
  new Promise((resolve) => {
    const socket = new WebSocket(url.replace('http', 'ws'), protocols, options);
    socket.on('open', () => {
      socket.close();
      resolve('open');
    });
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    socket.on('error', () => {});
  });

describe('safety on the loopback address', () => {
  it.each(['/healthz', '/api/v1/models', '/v1/models', '/metrics', '/nowhere'])(
    'refuses a foreign Host on %s',
    async (path) => {
      const { status, body } = await get(open, path, { host: 'evil.example' });
      expect(status).toBe(403);
      expect(body).toContain('forbidden_host');
    },
  );

  it.each([
    ['192.0.2.7', '192.0.2.7:8000', 200],
    ['192.0.2.7', '192.0.2.8:8000', 403],
    // What stands for every address is nobody's name, and the one that browsers send to whatever listens here.
    ['0.0.0.0', '0.0.0.0:8000', 403],
    ['::', '[::]:8000', 403],
  ])('where it was told to listen on %s, a Host of %s is answered with %i', async (HOST, host, expected) => {
    const elsewhere = await startServer({ HOST, VENOM_API_KEY: KEY });
    const { status } = await get(elsewhere, '/healthz', { host });
    await elsewhere.close();
    expect(status).toBe(expected);
  });

  it('refuses a foreign Origin and serves its own and the old UI', async () => {
    const { host } = new URL(open.url);
    for (const origin of [
      'https://evil.example',
      `https://evil.example@${host}`,
      `http://evil-${host}`,
      'http://localhost:3000.evil.example',
      'http://localhost:30001',
      'null',
    ])
      expect((await get(open, '/api/v1/models', { origin })).status, origin).toBe(403);
    expect((await get(open, '/api/v1/models', { origin: open.url })).status).toBe(200);
    const old = await get(open, '/api/v1/models', { origin: 'http://localhost:3000' });
    expect(old.headers['access-control-allow-origin']).toBe('http://localhost:3000');
    expect(old.headers['access-control-allow-credentials']).toBe('true');
  });

  it('holds WebSockets to the same rules', async () => {
    expect(await socketStatus(`${open.url}/ws/events`, {})).toBe('open');
    expect(await socketStatus(`${open.url}/ws/events`, { origin: 'https://evil.example' })).toBe(403);
    expect(await socketStatus(`${keyed.url}/ws/events`, {})).toBe(401);
    expect(await socketStatus(`${keyed.url}/ws/events`, {}, [`venom-key.${KEY}`])).toBe('open');
  });

  it('needs the key where one is set, but not for the health check', async () => {
    expect((await get(keyed, '/api/v1/models', {})).status).toBe(401);
    expect((await get(keyed, '/api/v1/models', { authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await get(keyed, '/api/v1/models', { authorization: `Bearer ${KEY}` })).status).toBe(200);
    expect((await get(keyed, '/healthz', {})).status).toBe(200);
    for (const path of ['/v1/models', '/v1/responses/x', '/api/tags'])
      expect((await get(keyed, path, {})).status).toBe(401);
    expect((await get(keyed, '/api/tags', { 'x-api-key': KEY })).status).toBe(200);
    expect((await get(keyed, '/api/tags', { 'x-api-key': 'wrong' })).status).toBe(401);
    expect(JSON.parse((await get(keyed, '/api/tags', {})).body)).toEqual({ error: expect.any(String) });
  });

  // The router reads an address more kindly than it is written; the key is asked for all the same.
  it.each([
    '/%61pi/v1/models',
    '/%61%70%69/v1/models',
    '/api/v1/models/',
    '/%761/models',
    '/api%2Fv1/models',
    '//api/v1/models',
    '/metrics/',
    '/%6detrics',
    '/openapi%2ejson',
    '/%6dcp',
    'http://127.0.0.1/api/v1/models',
    'https://localhost/metrics',
  ])('needs the key however %s is written', async (path) => {
    const answer = await rawGet(keyed, path);
    expect(answer).toMatch(/^HTTP\/1\.1 (401|404) /);
    expect(answer).not.toMatch(
      /"models"|process_cpu|"openapi"|jsonrpc":"2.0","id":null,"error":\{"code":-32000,"message":"Name/,
    );
  });

  // Java's own HTTP client does so with every request, and with it much that is built on it.
  it.each([
    ['GET', '/healthz', ''],
    ['POST', '/api/v1/tasks', '{"content":"help"}'],
    ['POST', '/v1/chat/completions', '{}'],
  ])('answers a client that would rather speak HTTP/2: %s %s', async (method, path, body) => {
    const answer = await exchange(
      open,
      `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\n` +
        `http2-settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\ncontent-type: application/json\r\n` +
        `content-length: ${body.length}\r\n\r\n${body}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 (200|201|400) .*application\/json/s);
    expect(answer).toMatch(/"status":"ok"|"task_id"|"invalid_input"/);
  });

  it('opens a WebSocket nowhere but at its address', async () => {
    expect(await socketStatus(`${open.url}/api/v1/queue/status`, {})).toBe(200);
    expect(await socketStatus(`${open.url}/ws/nowhere`, {})).toBe(404);
    const { status, body } = await get(open, '/ws/events', {});
    expect([status, JSON.parse(body).code]).toEqual([400, 'invalid_input']);
  });

  it('needs the key for a WebSocket however its address is written', async () => {
    expect(await socketStatus(`${keyed.url}/%77s/events`, {})).toBe(401);
  });

  // A server that listens on IPv6 hears of its own machine's IPv4 address in a form of its own.
  it.each([
    ['127.0.0.1', []],
    ['::1', []],
    ['::ffff:127.0.0.1', []],
    ['192.0.2.1', null],
    ['::ffff:192.0.2.1', null],
  ])('without a key, who asks from %s is told of users: %j', async (remoteAddress, expected) => {
    const answer = await open.venom.http.inject({
      url: '/api/v1/system/access',
      headers: { host: '127.0.0.1' },
      remoteAddress,
    });
    expect([answer.statusCode, answer.json().user_keys]).toEqual([200, expected]);
  });

  it('never shows a secret among the settings', async () => {
    const { body } = await get(keyed, '/api/v1/system/settings', { authorization: `Bearer ${KEY}` });
    expect(body).not.toContain(KEY);
    expect(JSON.parse(body).settings).toContainEqual(
      expect.objectContaining({ name: 'VENOM_API_KEY', value: '***', secret: true }),
    );
  });

  it('refuses a body that is too large or no JSON', async () => {
    const small = await startServer({ BODY_LIMIT_BYTES: '65536' });
    const post = (body: string) =>
      fetch(`${small.url}/api/v1/llm/simple/stream`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
    expect((await post('x'.repeat(70_000))).status).toBe(413);
    const broken = await post('{"content":');
    expect(broken.status).toBe(422);
    expect(await broken.json()).toMatchObject({ code: 'invalid_input' });
    await small.close();
  });

  it('does not listen elsewhere without a key', () => {
    const load = (env: Record<string, string>) => loadSettings({ ENV_FILE: '/dev/null', ...env }, '/');
    expect(() => load({ HOST: '0.0.0.0' })).toThrowError(expect.objectContaining({ code: 'invalid_settings' }));
    expect(load({ HOST: '0.0.0.0', VENOM_API_KEY: KEY }).HOST).toBe('0.0.0.0');
  });
});
