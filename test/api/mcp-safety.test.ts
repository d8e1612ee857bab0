// What /mcp refuses: foreign pages, missing keys, other people's sessions, and messages that are none.
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from './server.js';

const KEY = 'a-key-of-sufficient-length';
let open: TestServer;
let keyed: TestServer;

beforeAll(async () => {
  open = await startServer({ BODY_LIMIT_BYTES: '200000', MCP_MAX_SESSIONS: '3' });
  keyed = await startServer({ VENOM_API_KEY: KEY });
});
afterAll(async () => {
  await open.close();
  await keyed.close();
});

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: string;
}

const send = (server: TestServer, body: unknown, headers: Record<string, string> = {}, method = 'POST') =>
  new Promise<Answer>((resolve, reject) => {
    const sent = request(
      `${server.url}/mcp`,
      {
        method,
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece) => {
          text += piece;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      },
    );
    sent.on('error', reject);
    sent.end(method === 'POST' ? (typeof body === 'string' ? body : JSON.stringify(body)) : undefined);
  });

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};
const LIST = { jsonrpc: '2.0', id: 2, method: 'tools/list', params: {} };
const errorOf = ({ body }: Answer) => (JSON.parse(body) as { error: { code: number; data?: { code?: string } } }).error;

async function session(server: TestServer, headers: Record<string, string> = {}): Promise<string> {
  const answer = await send(server, INITIALIZE, headers);
  expect(answer.status).toBe(200);
  return String(answer.headers['mcp-session-id']);
}

describe('/mcp', () => {
  it('refuses foreign hosts and pages of foreign origins, whatever they send', async () => {
    const foreign: Record<string, string>[] = [{ host: 'evil.example' }, { origin: 'https://evil.example' }];
    for (const headers of foreign) {
      const answer = await send(open, INITIALIZE, headers);
      expect(answer.status).toBe(403);
      expect(errorOf(answer).data?.code).toMatch(/^forbidden_(host|origin)$/);
    }
  });

  it('asks for the key, at every endpoint and method, with the challenge of the protocol', async () => {
    for (const method of ['POST', 'GET', 'DELETE']) {
      const answer = await send(keyed, INITIALIZE, {}, method);
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Bearer');
      expect(errorOf(answer).data?.code).toBe('unauthorized');
    }
    const wrong = await send(keyed, INITIALIZE, { authorization: 'Bearer something-else' });
    expect(wrong.status).toBe(401);
    expect(wrong.headers['www-authenticate']).toBe('Bearer error="invalid_token"');
    expect((await fetch(`${keyed.url}/mcp/all`, { method: 'POST' })).status).toBe(401);
    expect(await session(keyed, { authorization: `Bearer ${KEY}` })).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('does not know sessions that were never begun, have ended, or are guessed', async () => {
    const id = await session(open);
    expect((await send(open, LIST, { 'mcp-session-id': id })).status).toBe(200);
    expect((await send(open, LIST, { 'mcp-session-id': `${id.slice(0, -1)}x` })).status).toBe(404);
    expect((await send(open, undefined, { 'mcp-session-id': 'nobody' }, 'GET')).status).toBe(404);
    expect((await send(open, undefined, { 'mcp-session-id': id }, 'DELETE')).status).toBe(200);
    expect((await send(open, LIST, { 'mcp-session-id': id })).status).toBe(404);
    expect((await send(open, LIST)).status).toBe(400);
  });

  it('bounds how many sessions there are: the one unused longest makes room', async () => {
    const ids = [];
    for (let index = 0; index < 4; index += 1) ids.push(await session(open));
    expect((await send(open, LIST, { 'mcp-session-id': ids[0] as string })).status).toBe(404);
    expect((await send(open, LIST, { 'mcp-session-id': ids[3] as string })).status).toBe(200);
  });

  it('refuses what is no message: broken, nested too deep, too large, of another type', async () => {
    const broken = await send(open, '{"jsonrpc":');
    expect(broken.status).toBe(400);
    expect(errorOf(broken).code).toBe(-32_700);
    const deep = await send(open, `{"jsonrpc":"2.0","id":1,"method":"x","params":${'['.repeat(50_000)}`);
    expect(deep.status).toBe(400);
    expect(errorOf(deep).code).toBe(-32_700);
    const huge = await send(open, { ...LIST, params: { cursor: 'x'.repeat(300_000) } });
    expect(huge.status).toBe(413);
    const typed = await send(open, INITIALIZE, { 'content-type': 'text/plain' });
    expect(typed.status).toBe(415);
    const pollution = await send(open, '{"__proto__":{"admin":true},"jsonrpc":"2.0","id":1,"method":"tools/list"}');
    expect(pollution.status).toBe(400);
  });

  it('answers unknown methods and versions with the codes of the protocol', async () => {
    const id = await session(open);
    const unknown = await send(open, { jsonrpc: '2.0', id: 7, method: 'venom/secret' }, { 'mcp-session-id': id });
    expect(unknown.body).toContain('-32601');
    const version = await send(open, LIST, { 'mcp-session-id': id, 'mcp-protocol-version': '1999-01-01' });
    expect(version.status).toBe(400);
    const envelope = {
      jsonrpc: '2.0',
      id: 8,
      method: 'tools/list',
      params: {
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2031-01-01',
          'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    };
    const future = await send(open, envelope, { 'mcp-protocol-version': '2031-01-01', 'mcp-method': 'tools/list' });
    expect(future.status).toBe(400);
    expect(errorOf(future).code).toBe(-32_022);
    const smuggled = await send(
      open,
      {
        ...envelope,
        params: {
          _meta: { ...envelope.params._meta, 'io.modelcontextprotocol/protocolVersion': '2026-07-28' },
        },
      },
      { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call' },
    );
    expect(smuggled.status).toBe(400);
    expect(errorOf(smuggled).code).toBe(-32_020);
  });
});
