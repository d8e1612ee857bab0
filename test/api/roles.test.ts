// Keys of two kinds: what a user's key may do, and that nothing else slips through.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessOf, isForUsers, namedRoutes } from '../../src/http/roles.js';
import { UI_PATHS } from '../../src/http/ui-files.js';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';

const ADMINISTRATOR = 'administrator-key-0123456789';
const USER = 'a-user-key-0123456789';
const OTHER_USER = 'another-user-key-0123456789';

let upstream: FakeUpstream;
let server: TestServer;
const ask = (method: string, path: string, key: string, body?: unknown) =>
  fetch(`${server.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

beforeAll(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({
    LLM_LOCAL_ENDPOINT: upstream.url,
    VENOM_API_KEY: ADMINISTRATOR,
    VENOM_USER_API_KEYS: `${USER}, ${OTHER_USER}`,
  });
});
afterAll(async () => {
  await server.close();
  await upstream.close();
});

describe("a user's key", () => {
  it('chats, remembers and reads, also through the APIs of others', async () => {
    for (const key of [USER, OTHER_USER]) {
      const chat = await ask('POST', '/v1/chat/completions', key, {
        model: 'fake-model',
        messages: [{ role: 'user', content: 'Hello' }],
      });
      expect(chat.status).toBe(200);
      const direct = await ask('POST', '/api/v1/llm/simple/stream', key, { content: 'Hello', session_id: 'roles' });
      expect(direct.status).toBe(200);
      await direct.text();
      expect((await ask('GET', '/api/v1/sessions', key)).status).toBe(200);
      expect((await ask('GET', '/api/v1/models', key)).status).toBe(200);
    }
  });

  it('changes nothing for others, starts no program and sees no secret', async () => {
    for (const [method, path, body] of [
      ['POST', '/api/v1/models/switch', { name: 'fake-model' }],
      ['POST', '/api/v1/mcp/import', {}],
      ['POST', '/%61pi/v1/mcp/import', {}],
      ['POST', '/api/v1/mcp/import/', {}],
      ['PUT', '/api/v1/providers/openai/key', { key: 'sk-none' }],
      ['POST', '/api/v1/queue/emergency-stop', undefined],
      ['PUT', '/api/v1/skills/file/permission', { permission: 'always' }],
      ['DELETE', '/api/delete', { model: 'fake-model' }],
      ['DELETE', '/api/v1/models/fake-model', undefined],
      ['GET', '/api/v1/mcp/secrets', undefined],
      ['HEAD', '/api/v1/mcp/secrets', undefined],
      ['GET', '/api/v1/system/settings', undefined],
      ['POST', '/mcp/all', {}],
    ] as const) {
      const answer = await ask(method, path, USER, body);
      expect([method, path, answer.status]).toEqual([method, path, 403]);
      // Elsewhere errors have the form of Ollama or of MCP, and a HEAD has no body.
      if (method !== 'HEAD' && path.includes('/v1/')) expect(await answer.json()).toMatchObject({ code: 'forbidden' });
      expect([method, path, (await ask(method, path, 'a-key-of-nobody-0123456789', body)).status]).toEqual([
        method,
        path,
        401,
      ]);
    }
    expect((await ask('POST', '/api/v1/models/switch', ADMINISTRATOR, { name: 'fake-model' })).status).toBe(200);
  });
});

describe('an MCP session', () => {
  const headers = (key: string, more: Record<string, string> = {}) => ({
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...more,
  });
  const send = (key: string, message: object, more?: Record<string, string>) =>
    fetch(`${server.url}/mcp`, {
      method: 'POST',
      headers: headers(key, more),
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
    });

  it("belongs to the key that opened it, and to no other user's", async () => {
    const clientInfo = { name: 'raw', version: '1' };
    const opened = await send(USER, {
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
    });
    expect(opened.status).toBe(200);
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
    const list = { method: 'tools/list', params: {} };
    expect((await send(USER, list, session)).status).toBe(200);
    expect((await send(OTHER_USER, list, session)).status).toBe(404);
    expect((await send(ADMINISTRATOR, list, session)).status).toBe(404);
  });
});

describe('the table of who may ask what', () => {
  const routes = () => server.venom.http.routeNames.filter((route) => !route.startsWith('HEAD '));

  it('has a decision on every route there is, and names no other', () => {
    // A new route must be entered in roles.ts before this passes.
    expect(routes().filter((route) => accessOf(...(route.split(' ') as [string, string])) === undefined)).toEqual([]);
    const known = new Set([...routes(), ...UI_PATHS.map((path) => `GET ${path}`)]);
    expect([...namedRoutes()].sort()).toEqual([...known].sort());
  });

  it('leaves a route nobody has decided on to the administrator', () => {
    expect(accessOf('POST', '/api/v1/something/new')).toBeUndefined();
    expect(isForUsers('POST', '/api/v1/something/new')).toBe(false);
    expect(isForUsers('GET', '/api/v1/something/new')).toBe(false);
  });

  it('leaves what changes something for everybody, starts or fetches it to the administrator', () => {
    for (const route of [
      'POST /api/v1/models/install',
      'POST /api/v1/mcp/import',
      'POST /api/v1/mcp/plans/:plan_id/approve',
      'POST /api/v1/system/llm-servers/:server_name/:action',
      'POST /api/v1/skills/custom/:name/approve',
      'PUT /api/v1/skills/:name/permission',
      'POST /api/pull',
      'PUT /api/v1/routing/policy',
      'POST /api/v1/sessions/:session_id/labels/release',
    ])
      expect([route, accessOf(...(route.split(' ') as [string, string]))]).toEqual([route, 'administrator']);
  });

  it('agrees with the server: without a key only what is open answers, with a user key nothing of the administrator', async () => {
    for (const route of routes()) {
      const [method = '', url = ''] = route.split(' ');
      const access = accessOf(method, url);
      const path = url.replace(/:\w+/g, '01a20e0d-0000-7000-8000-000000000000').replace('*', 'x/y');
      const bare = await fetch(`${server.url}${path}`, { method, signal: AbortSignal.timeout(5_000) });
      await bare.body?.cancel();
      expect([route, bare.status === 401]).toEqual([route, access !== 'open']);
      if (access !== 'administrator' && access !== 'granted') continue;
      const asUser = await ask(method, path, USER);
      await asUser.body?.cancel();
      expect([route, asUser.status]).toEqual([route, 403]);
    }
  });
});
