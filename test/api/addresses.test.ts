// Addresses: what a known one says to a method it does not know, and ids of sessions that have to be encoded in one.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SUMMARIES } from '../../src/http/api-summaries.js';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.js';
import { readEvents, startServer, type TestServer, textOf } from './server.js';

let upstream: FakeUpstream;
let server: TestServer;
beforeAll(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url });
});
afterAll(async () => {
  await server.close();
  await upstream.close();
});

const ask = async (path: string, init: RequestInit = {}) => {
  const response = await fetch(server.url + path, init);
  return { status: response.status, allow: response.headers.get('allow'), body: await response.json() };
};

describe('a method that an address does not know', () => {
  it.each([
    ['GET', '/api/v1/queue/pause', 'POST'],
    ['GET', '/api/v1/llm/simple/stream', 'POST'],
    ['POST', '/api/v1/system/status', 'GET, HEAD'],
    ['DELETE', '/api/v1/tasks', 'GET, HEAD, POST'],
    ['PUT', '/api/v1/tasks/00000000-0000-4000-8000-000000000000/', 'GET, HEAD'],
    ['POST', '/api/v1/models/qwen%2Fsmall', 'DELETE'],
    ['PATCH', '/healthz?x=1', 'GET, HEAD'],
  ])('%s %s is 405, in the words of the original, with what it knows', async (method, path, allow) => {
    const answer = await ask(path, { method });
    expect(answer).toMatchObject({ status: 405, allow });
    expect(answer.body).toEqual({
      detail: 'Method Not Allowed',
      code: 'method_not_allowed',
      request_id: expect.any(String),
    });
  });

  it('says so in the form of each API', async () => {
    expect(await ask('/v1/chat/completions')).toMatchObject({
      status: 405,
      allow: 'POST',
      body: { error: { message: 'Method Not Allowed', type: 'invalid_request_error', code: 'method_not_allowed' } },
    });
    expect(await ask('/v1/messages')).toMatchObject({
      status: 405,
      body: { type: 'error', error: { type: 'invalid_request_error', message: 'Method Not Allowed' } },
    });
    expect(await ask('/api/chat')).toMatchObject({ status: 405, body: { error: 'Method Not Allowed' } });
  });

  it('is 404 where no method is known', async () => {
    expect(await ask('/api/v1/nowhere', { method: 'POST' })).toMatchObject({ status: 404, allow: null });
    expect(await ask('/nowhere', { method: 'POST' })).toMatchObject({ status: 404, allow: null });
  });

  it('tells nobody without a key which addresses there are', async () => {
    const closed = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url, VENOM_API_KEY: 'a-key-that-is-long-enough' });
    try {
      const { status, headers } = await fetch(`${closed.url}/api/v1/queue/pause`);
      expect({ status, allow: headers.get('allow') }).toEqual({ status: 401, allow: null });
    } finally {
      await closed.close();
    }
  });
});

describe('ids of sessions', () => {
  const IDS = [
    'zażółć gęślą',
    'a/b/../c',
    '会话 №1 🦊',
    '100%',
    'a?b#c&d=e',
    '"quoted" <b>',
    `${'x'.repeat(499)}é`,
    '..%2F..',
    '🦊'.repeat(250),
  ];

  it.each(IDS)('may be %s, everywhere', async (id) => {
    const post = (path: string, body: object) =>
      fetch(server.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const at = `/api/v1/sessions/${encodeURIComponent(id)}`;
    const answer = await post('/api/v1/llm/simple/stream', { content: 'Hello there', session_id: id });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-session-id')).toBe(/^[ -~]+$/.test(id) ? id : encodeURIComponent(id));
    expect(textOf(await readEvents(answer))).toBe('Hello world');
    expect((await ask(`${at}/messages`)).body).toMatchObject({ count: 2 });
    expect((await ask(`/api/v1/memory/session/${encodeURIComponent(id)}`)).body).toMatchObject({
      session_id: id,
      count: 2,
    });
    const task = await post('/api/v1/tasks', { content: 'What is a fox?', session_id: id });
    expect(task.status).toBe(201);
    const { sessions } = (await ask(`/api/v1/sessions?limit=200`)).body;
    expect(sessions.map(({ session_id }: { session_id: string }) => session_id)).toContain(id);
    const exported = await fetch(`${server.url}${at}/export?format=markdown`);
    expect(exported.status).toBe(200);
    expect(exported.headers.get('content-disposition')).toMatch(/^attachment; filename="venom-[\w-]{1,100}\.md"$/);
    expect((await post('/api/v1/memory/ingest', { text: 'Foxes are red.', session_id: id })).status).toBe(201);
    expect((await ask(at, { method: 'DELETE' })).status).toBe(200);
    expect((await ask(`${at}/messages`)).body).toMatchObject({ count: 0 });
  });

  it.each(['', 'a\nb', 'a\u0000b', 'a\u0085b', 'a\u2028b', 'x'.repeat(501)])('is refused as %j', async (id) => {
    const { status } = await fetch(`${server.url}/api/v1/sessions/${encodeURIComponent(id) || '%00'}/messages`);
    expect(status).toBe(422);
  });

  it('are found by MCP clients', async () => {
    const id = 'zażółć/1';
    await readEvents(
      await fetch(`${server.url}/api/v1/llm/simple/stream`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ content: 'Hello there', session_id: id }),
      }),
    );
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`)));
    try {
      const { resources } = await client.listResources();
      const uri = resources.find(({ uri }) => uri.includes(encodeURIComponent(id)))?.uri as string;
      expect(JSON.stringify(await client.readResource({ uri }))).toContain('Hello world');
      const read = await client.callTool({ name: 'sessions_read', arguments: { session_id: id } });
      expect(JSON.stringify(read)).toContain('Hello world');
    } finally {
      await client.close();
    }
  });
});

describe('/openapi.json', () => {
  it('says how each route fails, and with which number it succeeds', async () => {
    const { paths } = (await ask('/openapi.json')).body as {
      paths: Record<string, Record<string, { responses: Record<string, object> }>>;
    };
    for (const [path, methods] of Object.entries(paths))
      for (const [method, { responses }] of Object.entries(methods))
        expect([`${method} ${path}`, Object.keys(responses)]).toEqual([
          `${method} ${path}`,
          expect.arrayContaining(['default', expect.stringMatching(/^20[0-9]$/)]),
        ]);
    const made = paths['/api/v1/tasks']?.['post']?.responses ?? {};
    expect(Object.keys(made).sort()).toEqual(['201', '422', '429', 'default']);
  });

  it('says of each operation what it is for, under one name of its own, and of none that is not there', async () => {
    const { paths } = (await ask('/openapi.json')).body as {
      paths: Record<string, Record<string, { summary?: string; operationId: string; tags: string[] }>>;
    };
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ ...operation, id: `${method.toUpperCase()} ${path}` })),
    );
    // A new route gets its line in api-summaries.ts.
    expect(operations.filter(({ summary }) => !summary).map(({ id }) => id)).toEqual([]);
    expect(operations.map(({ id }) => id).sort()).toEqual(Object.keys(SUMMARIES).sort());
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    expect(operations.every(({ operationId, tags }) => /^[a-z][\w]*$/.test(operationId) && tags.length === 1)).toBe(
      true,
    );
  });
});
