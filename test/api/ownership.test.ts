// What a user's key makes is its own. Every way in which the holder of another user's key (B) could come to what somebody
// else's key (A) made is tried here: by lists, by ids, by guessing names, by what models are given, and by what is told.

import { tmpdir } from 'node:os';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { accessOf } from '../../src/http/roles.js';
import { startFixture } from '../conformance/fixture-endpoint.js';
import { RemoteServers } from '../stand-ins/imported-servers.js';
import { importAsking, leadsTo } from './asking-server.js';
import { type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';

const ADMINISTRATOR = 'administrator-key-0123456789';
const A = 'key-of-anna-0123456789';
const B = 'key-of-ben-0123456789';
/** Said by A, and by nobody else. */
const SECRET = 'swordfish';
const NAME = 'diary';

let upstream: FakeUpstream;
let server: TestServer;

const ask = (key: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  fetch(`${server.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const json = async (key: string, method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  (await ask(key, method, path, body, headers)).json() as Promise<Record<string, never>>;
const text = async (key: string, method: string, path: string, body?: unknown) =>
  (await ask(key, method, path, body)).text();

async function submit(key: string, body: object, headers: Record<string, string> = {}): Promise<string> {
  const { task_id: id } = await json(key, 'POST', '/api/v1/tasks', body, headers);
  await vi.waitFor(
    async () => {
      const { status } = await json(key, 'GET', `/api/v1/tasks/${id}`);
      if (status !== 'COMPLETED') throw new Error(`the task is ${status}`);
    },
    { timeout: 10_000 },
  );
  return id as unknown as string;
}

async function direct(key: string, content: string, session: string, headers: Record<string, string> = {}) {
  const body = { content, session_id: session };
  const answer = await ask(key, 'POST', '/api/v1/llm/simple/stream', body, headers);
  return {
    id: answer.headers.get('x-request-id') ?? '',
    session: answer.headers.get('x-session-id'),
    text: await answer.text(),
  };
}

let messageId = 0;
async function mcp(key: string, method: string, params: object): Promise<string> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const named = params as { name?: string; uri?: string };
  messageId += 1;
  const answer = await ask(
    key,
    'POST',
    '/mcp',
    { jsonrpc: '2.0', id: messageId, method, params: { ...params, _meta } },
    {
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(named.name || named.uri ? { 'mcp-name': named.name ?? named.uri ?? '' } : {}),
    },
  );
  return answer.text();
}
const tool = (key: string, name: string, input: object) => mcp(key, 'tools/call', { name, arguments: input });

/** What A has made, by the parameters of routes. */
const made = {
  session_id: NAME,
  task_id: '',
  request_id: '',
  memory_id: '',
  file_id: '',
  response_id: '',
  approval_id: '',
  question_id: '',
  goal_id: '',
};
const NOBODYS: Record<keyof typeof made, string> = {
  session_id: 'nobodys-diary',
  task_id: '01a20e0d-0000-7000-8000-000000000001',
  request_id: '01a20e0d-0000-7000-8000-000000000002',
  memory_id: '01a20e0d-0000-7000-8000-000000000003',
  file_id: '01a20e0d-0000-7000-8000-000000000004',
  response_id: 'resp_01a20e0d000070008000000000000005',
  approval_id: '01a20e0d-0000-4000-8000-000000000006',
  question_id: '01a20e0d-0000-4000-8000-000000000008',
  goal_id: '01a20e0d-0000-4000-8000-000000000007',
};
let ownerA = '';

beforeAll(async () => {
  upstream = await startFakeUpstream();
  server = await startServer(
    {
      LLM_LOCAL_ENDPOINT: upstream.url,
      VENOM_API_KEY: ADMINISTRATOR,
      VENOM_USER_API_KEYS: `${A}, ${B}`,
      USER_KEYS_APPROVE_TOOLS: 'true',
      USER_KEYS_CALL_TOOLS: 'true',
      RATE_LIMIT_BURST: '0',
      USER_KEYS_MCP_SERVERS: 'modern',
      MCP_GIT_FILE_ROOTS: tmpdir(),
    },
    undefined,
    { PATH: process.env['PATH'] ?? '' },
  );
  await importAsking(server.url, 'modern', { key: ADMINISTRATOR });
  made.request_id = (await direct(A, `My word is ${SECRET}.`, NAME)).id;
  made.task_id = await submit(A, { content: `Remember that my ${SECRET} is blue`, session_id: NAME });
  await submit(A, { content: `What rhymes with ${SECRET}?` });
  const memory = { text: `The ${SECRET} lives in the harbour`, scope: 'global', pinned: true };
  made.memory_id = (await json(A, 'POST', '/api/v1/memory/ingest', memory))['memory_id'] as unknown as string;
  const uploaded = await fetch(`${server.url}/api/v1/knowledge/files?name=harbour.txt`, {
    method: 'POST',
    headers: { authorization: `Bearer ${A}`, 'content-type': 'text/plain' },
    body: `Everything about the ${SECRET} in the harbour.`,
  });
  made.file_id = ((await uploaded.json()) as { file: { file_id: string } }).file?.file_id ?? '';
  const answered = await json(A, 'POST', '/v1/responses', { model: 'fake-model', input: `Tell of the ${SECRET}` });
  made.response_id = answered['id'] as unknown as string;
  await text(A, 'POST', '/v1/chat/completions', {
    model: 'fake-model',
    messages: [{ role: 'user', content: `${SECRET} over the wire` }],
  });
  // One goal is reached, and one stays open; neither belongs to a session.
  const usual = upstream.behaviour;
  upstream.behaviour = (body, response) =>
    JSON.stringify(body['messages']).includes('open the harbour')
      ? streams([''])(body, response)
      : usual(body, response);
  await submit(A, {
    content: `Start a campaign:\n- tell a joke about a ${SECRET}\n- open the harbour of the ${SECRET}`,
    forced_intent: 'START_CAMPAIGN',
  });
  upstream.behaviour = usual;
  const { goals } = (await json(A, 'GET', '/api/v1/goals')) as unknown as { goals: { goal_id: string }[] };
  made.goal_id = goals[0]?.goal_id ?? '';
  await text(A, 'POST', '/api/v1/feedback', { task_id: made.task_id, rating: 'up' });
  await text(A, 'POST', '/api/v1/feedback', { task_id: made.task_id, rating: 'down', comment: `The ${SECRET} is red` });
  const known = await json(ADMINISTRATOR, 'GET', '/api/v1/sessions');
  ownerA = (known['sessions'] as unknown as { session_id: string }[])[0]?.session_id.split('~')[0] ?? '';
}, 60_000);
afterAll(async () => {
  await server.close();
  await upstream.close();
});

it('is told to its owner under the names it was given', async () => {
  expect(ownerA).toMatch(/^user-[0-9a-f]{16}$/);
  const { sessions } = (await json(A, 'GET', '/api/v1/sessions')) as unknown as { sessions: { session_id: string }[] };
  expect(sessions.map(({ session_id }) => session_id)).toEqual([NAME]);
  expect((await direct(A, 'And more', NAME)).session).toBe(NAME);
  for (const path of [
    `/api/v1/sessions/${NAME}/export`,
    `/api/v1/tasks/${made.task_id}`,
    `/api/v1/tasks/${made.task_id}/stream`,
    `/api/v1/memory/session/${NAME}`,
    `/api/v1/memory/export`,
    `/api/v1/history/requests/${made.request_id}`,
    `/api/v1/receipts?session_id=${NAME}`,
  ]) {
    const told = await text(A, 'GET', path);
    expect([path, told.includes(SECRET) || /receipts|stream/.test(path), told.includes(`${ownerA}~`)]).toEqual([
      path,
      true,
      false,
    ]);
  }
});

it('is seen by the administrator, who sees whose it is', async () => {
  const list = await text(ADMINISTRATOR, 'GET', '/api/v1/sessions');
  expect(list).toContain(`${ownerA}~${NAME}`);
  expect(await text(ADMINISTRATOR, 'GET', `/api/v1/sessions/${ownerA}~${NAME}/export`)).toContain(SECRET);
  expect((await ask(ADMINISTRATOR, 'GET', `/api/v1/tasks/${made.task_id}`)).status).toBe(200);
  expect(await text(ADMINISTRATOR, 'GET', '/api/v1/memory')).toContain(`"owner":"${ownerA}"`);
  // The administrator has a session of the same name, and it is another.
  expect((await ask(ADMINISTRATOR, 'GET', `/api/v1/sessions/${NAME}`)).status).toBe(404);
});

describe('another key', () => {
  it('finds it in no list, search, export or figure', async () => {
    for (const [method, path, body] of [
      ['GET', '/api/v1/sessions'],
      ['GET', `/api/v1/sessions?q=${SECRET}`],
      ['GET', '/api/v1/tasks?limit=200'],
      ['GET', '/api/v1/history/requests?limit=200'],
      ['GET', '/api/v1/memory?limit=200'],
      ['GET', '/api/v1/memory?scope=global'],
      ['GET', `/api/v1/memory?session_id=${NAME}`],
      ['GET', '/api/v1/memory/export'],
      ['POST', '/api/v1/memory/search', { query: 'who lives in the harbour', limit: 50 }],
      ['POST', '/api/v1/memory/search', { query: 'remember that my is blue', session_id: NAME, limit: 50 }],
      ['GET', '/api/v1/knowledge/files'],
      ['GET', '/api/v1/feedback/logs'],
      ['GET', '/api/v1/lessons'],
      ['GET', '/api/v1/skills/approvals'],
      ['GET', '/api/v1/skills/questions'],
      ['GET', '/api/v1/goals'],
      ['GET', `/api/v1/memory/session/${NAME}`],
      ['GET', `/api/v1/sessions/${NAME}/messages`],
      ['GET', '/api/v1/metrics'],
      ['GET', '/api/v1/system/llm-runtime/queue-snapshot'],
      ['POST', '/api/v1/skills/memory__recall/call', { input: { query: 'who lives in the harbour' } }],
    ] as const)
      expect([path, (await text(B, method, path, body)).toLowerCase().includes(SECRET)]).toEqual([path, false]);
    // The same lists hold it for its owner: what was looked for is there.
    for (const path of [
      '/api/v1/memory?limit=200',
      `/api/v1/sessions?q=${SECRET}`,
      '/api/v1/feedback/logs',
      '/api/v1/lessons',
      '/api/v1/goals',
    ])
      expect([path, (await text(A, 'GET', path)).includes(SECRET)]).toEqual([path, true]);
    expect((await json(B, 'GET', '/api/v1/sessions'))['total']).toBe(0);
    expect((await json(B, 'GET', '/api/v1/memory'))['total']).toBe(0);
  });

  it('gets for its ids, by every route there is, what an unknown id gets', async () => {
    const before = await text(ADMINISTRATOR, 'GET', '/api/v1/memory/export');
    const bodies: Record<string, object> = {
      'PATCH /api/v1/sessions/:session_id': { title: 'Mine now' },
      'POST /api/v1/sessions/:session_id/truncate': { from_seq: 1 },
      'POST /api/v1/skills/approvals/:approval_id': { decision: 'deny' },
      'POST /api/v1/skills/questions/:question_id': { action: 'decline' },
    };
    made.approval_id = await waitingApproval();
    made.question_id = await waitingQuestion();
    let tried = 0;
    for (const route of server.venom.http.routeNames) {
      const [method = '', url = ''] = route.split(' ');
      const parameter = /:(\w+)/.exec(url)?.[1] as keyof typeof made | undefined;
      if (method === 'HEAD' || !['own', 'granted'].includes(accessOf(method, url) ?? '')) continue;
      if (parameter === undefined || (parameter as string) === 'name') continue;
      // A parameter that is not known here belongs into `made`.
      expect([route, made[parameter]]).toEqual([route, expect.stringMatching(/./)]);
      const answer = async (id: string) => {
        const response = await ask(B, method, url.replace(`:${parameter}`, id), bodies[route]);
        const shown = (await response.text()).replaceAll(id, 'ID').replace(/"request_id":"[^"]*"/g, '');
        return { route, status: response.status, shown };
      };
      expect(await answer(made[parameter])).toEqual(await answer(NOBODYS[parameter]));
      tried += 1;
    }
    expect(tried).toBeGreaterThanOrEqual(25);
    // And nothing has happened to it.
    expect(await text(ADMINISTRATOR, 'GET', '/api/v1/memory/export')).toBe(before);
    expect(await text(A, 'GET', `/api/v1/sessions/${NAME}/messages`)).toContain(SECRET);
    expect((await json(A, 'GET', `/api/v1/sessions/${NAME}`))['title']).not.toBe('Mine now');
    expect((await ask(A, 'GET', `/v1/responses/${made.response_id}`)).status).toBe(200);
    expect((await json(A, 'GET', `/api/v1/skills/approvals/${made.approval_id}`))['approval']).toMatchObject({
      state: 'waiting',
    });
    await ask(A, 'POST', `/api/v1/skills/approvals/${made.approval_id}`, { decision: 'deny' });
    expect((await json(A, 'GET', `/api/v1/skills/questions/${made.question_id}`))['question']).toMatchObject({
      state: 'waiting',
      session_id: NAME,
    });
    expect((await ask(A, 'POST', `/api/v1/skills/questions/${made.question_id}`, { action: 'decline' })).status).toBe(
      200,
    );
  });

  it('does not go on with its campaign, and is not told of it in a report', async () => {
    const other = await submit(B, { content: 'Continue the campaign', forced_intent: 'START_CAMPAIGN' });
    expect((await json(B, 'GET', `/api/v1/tasks/${other}`))['result']).toContain('There are no open goals here.');
    const report = await submit(B, { content: 'Status report please', forced_intent: 'STATUS_REPORT' });
    const told = await text(B, 'GET', `/api/v1/tasks/${report}`);
    expect(told).toContain('**Goals**');
    expect(told).not.toContain(SECRET);
    expect(await text(B, 'GET', '/api/v1/goals')).not.toContain(SECRET);
    const own = (await json(A, 'GET', '/api/v1/goals')) as unknown as { goals: { session_id: null; text: string }[] };
    expect(own.goals[0]).toMatchObject({ session_id: null, text: expect.stringContaining(SECRET) });
    const ownReport = await submit(A, { content: 'Status report please', forced_intent: 'STATUS_REPORT' });
    expect(await text(A, 'GET', `/api/v1/tasks/${ownReport}`)).toContain('done: Start a campaign');
    expect(await text(ADMINISTRATOR, 'GET', '/api/v1/goals')).toContain(SECRET);
  });

  it('cannot write down the name under which it is kept', async () => {
    for (const name of [`${ownerA}~${NAME}`, `${ownerA}%7E${NAME}`, `${ownerA}~`, 'user-0000000000000000~x']) {
      const statuses = [
        (await ask(B, 'GET', `/api/v1/sessions/${name}`)).status,
        (await ask(B, 'GET', `/api/v1/memory?session_id=${name}`)).status,
        (await ask(B, 'GET', `/api/v1/receipts?session_id=${name}`)).status,
        (await ask(B, 'POST', '/api/v1/llm/simple/stream', { content: 'Hi', session_id: decodeURIComponent(name) }))
          .status,
        (await ask(B, 'POST', '/api/v1/tasks', { content: 'Hi', session_id: decodeURIComponent(name) })).status,
      ];
      expect([name, statuses.every((status) => status === 400 || status === 422)]).toEqual([name, true]);
      expect(await tool(B, 'sessions_read', { session_id: decodeURIComponent(name) })).not.toContain(SECRET);
      expect(
        await mcp(B, 'resources/read', { uri: `venom://sessions/${encodeURIComponent(decodeURIComponent(name))}` }),
      ).not.toContain(SECRET);
    }
  });

  it('that gives its session the same name has another session, whose model hears nothing of it', async () => {
    upstream.requests.length = 0;
    await direct(B, 'What is my word?', NAME);
    await submit(B, { content: 'What lives in the harbour and what is my word?', session_id: NAME });
    await submit(B, { content: 'What lives in the harbour, is it blue or red?' });
    await text(B, 'POST', '/v1/responses', {
      model: 'fake-model',
      input: 'Go on',
      previous_response_id: made.response_id,
    });
    expect(upstream.requests.length).toBeGreaterThanOrEqual(3);
    expect(JSON.stringify(upstream.requests).toLowerCase()).not.toContain(SECRET);
    // For its owner the same questions bring it up.
    upstream.requests.length = 0;
    await submit(A, { content: 'What lives in the harbour, is it blue or red?' });
    expect(JSON.stringify(upstream.requests).toLowerCase()).toContain(SECRET);
    // Nor does the house's model hear of it.
    upstream.requests.length = 0;
    await submit(ADMINISTRATOR, { content: 'What lives in the harbour, is it blue or red?' });
    expect(JSON.stringify(upstream.requests).toLowerCase()).not.toContain(SECRET);
    expect((await json(B, 'DELETE', `/api/v1/sessions/${NAME}`))['status']).toBe('success');
    expect((await ask(A, 'GET', `/api/v1/sessions/${NAME}`)).status).toBe(200);
  });

  it('does not get its answer for the same Idempotency-Key, nor by its place in a stream', async () => {
    const key = { 'idempotency-key': 'the-same-key' };
    upstream.behaviour = streams(['for ', 'anna ', SECRET]);
    const first = await direct(A, 'One', NAME, key);
    const task = await submit(A, { content: 'Two' }, key);
    upstream.behaviour = streams(['for ', 'ben']);
    const second = await direct(B, 'One', NAME, key);
    expect(second.id).not.toBe(first.id);
    expect(second.text).not.toContain(SECRET);
    expect(await submit(B, { content: 'Two' }, key)).not.toBe(task);
    expect((await direct(A, 'One', NAME, key)).id).toBe(first.id);
    const resumed = await ask(
      B,
      'POST',
      '/api/v1/llm/simple/stream',
      { content: 'One' },
      { 'last-event-id': `${first.id}:0.0` },
    );
    expect(resumed.status).toBe(404);
    await ask(B, 'DELETE', `/api/v1/sessions/${NAME}`);
  });

  it('hears of it neither through MCP nor over the WebSocket', async () => {
    for (const answer of [
      await tool(B, 'sessions_list', {}),
      await tool(B, 'sessions_read', { session_id: NAME }),
      await tool(B, 'memory_list', {}),
      await tool(B, 'memory_search', { query: 'who lives in the harbour', session_id: NAME }),
      await tool(B, 'memory_forget', { memory_id: made.memory_id }),
      await mcp(B, 'resources/list', {}),
      await mcp(B, 'resources/read', { uri: `venom://sessions/${NAME}` }),
      await mcp(B, 'prompts/get', { name: 'summarise_session', arguments: { session_id: NAME } }),
      await mcp(B, 'completion/complete', {
        ref: { type: 'ref/prompt', name: 'summarise_session' },
        argument: { name: 'session_id', value: NAME.slice(0, 3) },
      }),
    ]) {
      expect(answer.toLowerCase()).not.toContain(SECRET);
      expect(answer).not.toContain(ownerA);
      expect(answer).not.toContain(`"${NAME}"`);
    }
    expect(await tool(A, 'sessions_read', { session_id: NAME })).toContain(SECRET);
    expect(await tool(A, 'sessions_list', {})).toContain(NAME);
    expect(await mcp(A, 'resources/read', { uri: `venom://sessions/${NAME}` })).toContain(SECRET);

    const told = await Promise.all([A, B, ADMINISTRATOR].map(listen));
    await submit(A, { content: `Say ${SECRET}`, session_id: NAME });
    await submit(A, { content: 'help' });
    await vi.waitFor(() => expect(told[2]?.join('')).toContain('RENDER_WIDGET'));
    await vi.waitFor(() => expect(told[0]?.join('')).toContain('RENDER_WIDGET'));
    expect(told[0]?.join('')).toContain(SECRET);
    expect(told[0]?.join('')).not.toContain(`${ownerA}~`);
    expect(told[1]?.map((event) => JSON.parse(event).type)).toEqual([]);
    await submit(B, { content: 'Say hello' });
    await vi.waitFor(() => expect(told[1]?.join('')).toContain('TASK_COMPLETED'));
    expect(told[0]?.join('')).not.toContain('Say hello');
  });
});

describe('what is for everybody', () => {
  it('is what the house remembers for all, which users read and do not delete', async () => {
    const { memory_id: id } = await json(ADMINISTRATOR, 'POST', '/api/v1/memory/ingest', {
      text: 'The library opens at nine',
      scope: 'global',
    });
    expect(await text(B, 'GET', '/api/v1/memory')).toContain('library');
    expect(await text(B, 'POST', '/api/v1/memory/search', { query: 'library opens' })).toContain('library');
    const refused = await ask(B, 'DELETE', `/api/v1/memory/entries/${id}`);
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([403, 'forbidden']);
    expect((await ask(A, 'DELETE', `/api/v1/memory/entries/${made.memory_id}`)).status).toBe(200);
  });

  it('is not what the house said in its own conversations', async () => {
    await submit(ADMINISTRATOR, { content: 'The vault code is heliotrope', session_id: 'house' });
    const task = await submit(ADMINISTRATOR, { content: 'Tell me about heliotrope in the garden' });
    await text(ADMINISTRATOR, 'POST', '/api/v1/feedback', {
      task_id: task,
      rating: 'down',
      comment: 'heliotrope is a colour',
    });
    upstream.requests.length = 0;
    await submit(B, { content: 'Tell me about heliotrope in the garden, what is it', session_id: 'house' });
    // The word stands in the question alone; the house's own better answer may be on its way at the same time.
    const ofB = upstream.requests
      .map((request) => JSON.stringify(request))
      .filter((request) => request.includes('what is it'));
    expect(ofB.length).toBeGreaterThan(0);
    expect(ofB.join('')).not.toMatch(/vault|a colour/);
    for (const path of [
      '/api/v1/sessions',
      '/api/v1/tasks',
      '/api/v1/lessons',
      '/api/v1/feedback/logs',
      '/api/v1/memory',
    ])
      expect([path, /vault|a colour/.test(await text(B, 'GET', path))]).toEqual([path, false]);
  });
});

describe('tools that a user may call or approve', () => {
  it('are those that start nothing, in their own conversations, and never for everybody', async () => {
    const call = (name: string, body: object) => ask(B, 'POST', `/api/v1/skills/${name}/call`, body);
    expect((await call('time__now', {})).status).toBe(200);
    for (const name of ['shell__run', 'git__status', 'git__log']) {
      const { status } = await call(name, { input: {}, approved: true });
      expect([name, [403, 404].includes(status)]).toEqual([name, true]);
    }
    await call('memory__memorize', { input: { content: 'Ben likes plums' }, approved: true });
    expect(await text(A, 'GET', '/api/v1/memory')).not.toContain('plums');
    expect(await text(B, 'GET', '/api/v1/memory')).toContain('plums');
    const id = await waitingApproval();
    expect((await ask(A, 'POST', `/api/v1/skills/approvals/${id}`, { decision: 'always' })).status).toBe(403);
    expect((await ask(A, 'POST', `/api/v1/skills/approvals/${id}`, { decision: 'deny' })).status).toBe(200);
    expect((await ask(A, 'PUT', '/api/v1/skills/file__write_file/permission', { permission: 'always' })).status).toBe(
      403,
    );
  });
});

describe('imported MCP servers', () => {
  let fixture: Awaited<ReturnType<typeof startFixture>>;
  let imported: RemoteServers;
  let venom: TestServer;
  beforeAll(async () => {
    fixture = await startFixture();
    imported = new RemoteServers({
      shared: { url: fixture.url, protocol: 'modern' },
      annas: { url: fixture.url, protocol: 'modern' },
      house: { url: fixture.url, protocol: 'modern' },
    });
    venom = await startServer(
      {
        VENOM_API_KEY: ADMINISTRATOR,
        VENOM_USER_API_KEYS: `${A}, ${B}`,
        USER_KEYS_MCP_SERVERS: `shared, ${ownerA}/annas`,
      },
      undefined,
      {},
      { importedServers: imported },
    );
  });
  afterAll(async () => {
    await venom.close();
    await imported.close();
    await fixture.close();
  });

  const client = async (key: string, name: string, mode: 'legacy' | 'modern') => {
    const connected = new Client(
      { name: 'test', version: '1' },
      { versionNegotiation: { mode: mode === 'modern' ? { pin: '2026-07-28' } : 'legacy' } },
    );
    await connected.connect(
      new StreamableHTTPClientTransport(new URL(`${venom.url}/mcp/${name}`), {
        requestInit: { headers: { authorization: `Bearer ${key}` } },
      }),
    );
    return connected;
  };

  it('answer the keys that were named for them; for others they do not exist', async () => {
    const reached = async (key: string, name: string) => {
      const answer = await fetch(`${venom.url}/mcp/${name}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'initialize',
          params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
        }),
      });
      const shown = (await answer.text()).replaceAll(name, 'NAME').replace(/"request_id":"[^"]*"/, '');
      return answer.status === 200 ? 200 : `${answer.status} ${shown}`;
    };
    for (const name of ['shared', 'annas', 'house']) expect(await reached(ADMINISTRATOR, name)).toBe(200);
    expect([await reached(A, 'shared'), await reached(A, 'annas'), await reached(B, 'shared')]).toEqual([
      200, 200, 200,
    ]);
    const unknown = await reached(B, 'nobodys');
    expect(unknown).toMatch(/^404 /);
    expect([await reached(B, 'annas'), await reached(B, 'house'), await reached(A, 'house')]).toEqual([
      unknown,
      unknown,
      unknown,
    ]);
  });

  it.each(['legacy', 'modern'] as const)('are joined for each key as it may use them (%s)', async (mode) => {
    const serversOf = async (key: string) => {
      const connected = await client(key, 'all', mode);
      const { tools } = await connected.listTools();
      const refused = await connected
        .callTool({ name: 'house__test_simple_text', arguments: {} })
        .then(() => 'answered')
        .catch(() => 'refused');
      await connected.close();
      return [...new Set(tools.map(({ name }) => name.split('__')[0])), refused];
    };
    expect(await serversOf(ADMINISTRATOR)).toEqual(['annas', 'house', 'shared', 'answered']);
    expect(await serversOf(A)).toEqual(['annas', 'shared', 'refused']);
    expect(await serversOf(B)).toEqual(['shared', 'refused']);
  });

  it('and what else a key may do are told to whoever holds it', async () => {
    const access = async (key: string) =>
      (await fetch(`${venom.url}/api/v1/system/access`, { headers: { authorization: `Bearer ${key}` } })).json();
    expect(await access(A)).toMatchObject({
      role: 'user',
      id: ownerA,
      may: { approve_tools: false, call_tools: false, mcp_servers: ['annas', 'shared'] },
      user_keys: null,
    });
    const { user_keys: ids } = (await access(ADMINISTRATOR)) as { user_keys: string[] };
    expect(ids).toContain(ownerA);
    expect(JSON.stringify(ids)).not.toContain(A);
  });
});

/** A model of A's wants to write a file, and A is asked. */
async function waitingApproval(): Promise<string> {
  let called = false;
  upstream.behaviour = (body, response) => {
    const format = body['response_format'] as { json_schema?: { schema: { properties: object } } } | undefined;
    if (!format) return streams(['Done.'])(body, response);
    if (!('tool' in (format.json_schema?.schema.properties ?? {})))
      return streams([JSON.stringify({ file_path: 'x.txt', content: SECRET })])(body, response);
    const choice = called ? 'none' : 'file__write_file';
    called = true;
    return streams([JSON.stringify({ tool: choice })])(body, response);
  };
  await json(A, 'POST', '/api/v1/tasks', { content: 'Write the file x.txt with my word', forced_tool: 'file' });
  return vi.waitFor(
    async () => {
      const { approvals } = (await json(A, 'GET', '/api/v1/skills/approvals?state=waiting')) as unknown as {
        approvals: { approval_id: string }[];
      };
      if (!approvals[0]) throw new Error('nothing waits');
      return approvals[0].approval_id;
    },
    { timeout: 10_000 },
  );
}

/** A server that A was granted asks A. */
async function waitingQuestion(): Promise<string> {
  leadsTo(upstream, 'modern__book');
  await json(A, 'POST', '/api/v1/tasks', { content: 'Book', forced_tool: 'modern__book', session_id: NAME });
  return vi.waitFor(
    async () => {
      const { questions } = (await json(A, 'GET', '/api/v1/skills/questions?state=waiting')) as unknown as {
        questions: { question_id: string }[];
      };
      if (!questions[0]) throw new Error('nothing waits');
      return questions[0].question_id;
    },
    { timeout: 10_000 },
  );
}

async function listen(key: string): Promise<string[]> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/events`, [`venom-key.${key}`]);
  const events: string[] = [];
  await new Promise((resolve, reject) => {
    socket.on('open', resolve);
    socket.on('error', reject);
  });
  socket.on('message', (data) => events.push(String(data)));
  await ask(key, 'GET', '/api/v1/sessions');
  events.length = 0;
  return events;
}
