// Which key may use which imported server, and whose files a tool sees: the same answer at every door. Two servers are
// imported and always allowed; one of them is granted to Anna's key, the other to nobody's.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { ownerOfKey } from '../../src/http/guard.js';
import { type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';

const ADMINISTRATOR = 'administrator-key-0123456789';
const ANNA = 'key-of-anna-0123456789';
const BEN = 'key-of-ben-0123456789';
const FAKE = resolve(import.meta.dirname, '../stand-ins/fake-mcp-server.mjs');
const ENDED = ['completed', 'failed', 'cancelled', 'COMPLETED', 'FAILED'];
const root = mkdtempSync(join(tmpdir(), 'venom-grants-'));
const environment = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };
let upstream: FakeUpstream;
let server: TestServer;

type Json = Record<string, never> & { [key: string]: Json };

const ask = (key: string, method: string, path: string, body?: unknown) =>
  fetch(`${server.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const json = async (key: string, method: string, path: string, body?: unknown) =>
  (await ask(key, method, path, body)).json() as Promise<Json>;
const api = (key: string, method: string, path: string, body?: unknown) => json(key, method, `/api/v1${path}`, body);

/** An operation or a task at its end. */
const ended = (key: string, path: string, field?: string) =>
  vi.waitFor(
    async () => {
      const answer = await api(key, 'GET', path);
      const found = (field === undefined ? answer : answer[field]) as Json;
      if (!found) throw new Error(JSON.stringify(answer));
      if (!ENDED.includes(String(found['status']))) throw new Error(`it is ${found['status']}`);
      return found;
    },
    { timeout: 30_000, interval: 20 },
  );

async function imported(name: string): Promise<void> {
  const settle = (answer: Json) =>
    ended(ADMINISTRATOR, `/models/operations/${answer['operation']?.['operation_id']}`, 'operation');
  const source = { kind: 'git', url: `file://${join(root, 'fake')}`, entrypoint: 'node server.mjs' };
  const { result } = await settle(await api(ADMINISTRATOR, 'POST', '/mcp/import', { name, source }));
  const approved = await settle(
    await api(ADMINISTRATOR, 'POST', `/mcp/plans/${result?.['plan_id']}/approve`, { hash: result?.['hash'] }),
  );
  expect(approved['status']).toBe('completed');
  for (const tool of ['echo', 'add'])
    await api(ADMINISTRATOR, 'POST', `/mcp/servers/${name}/tools/permission`, { tool, permission: 'always' });
  await api(ADMINISTRATOR, 'PUT', `/skills/${name}__echo/permission`, { permission: 'always' });
}

/** A model that calls this tool whether it was offered or not. */
function modelCalls(tool: string, input: object) {
  let called = false;
  upstream.behaviour = (body, response) => {
    const format = body['response_format'] as { json_schema?: { schema: { properties: object } } } | undefined;
    if (!format) return streams(['Done.'])(body, response);
    if (!('tool' in (format.json_schema?.schema.properties ?? {})))
      return streams([JSON.stringify(input)])(body, response);
    const choice = called ? 'none' : tool;
    called = true;
    return streams([JSON.stringify({ tool: choice })])(body, response);
  };
}

const callsOf = async (name: string) =>
  Number((await api(ADMINISTRATOR, 'GET', `/mcp/servers/${name}`))['server']?.['call_ms']?.['count'] ?? 0);

beforeAll(async () => {
  mkdirSync(join(root, 'fake'));
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd: join(root, 'fake') });
  git('init', '-q', '-b', 'main');
  copyFileSync(FAKE, join(root, 'fake', 'server.mjs'));
  writeFileSync(join(root, 'fake', 'package.json'), '{"name":"fake"}');
  git('add', '-A');
  git('commit', '-q', '-m', 'one');
  upstream = await startFakeUpstream();
  server = await startServer(
    {
      LLM_LOCAL_ENDPOINT: upstream.url,
      VENOM_API_KEY: ADMINISTRATOR,
      VENOM_USER_API_KEYS: `${ANNA}, ${BEN}`,
      USER_KEYS_CALL_TOOLS: 'true',
      USER_KEYS_APPROVE_TOOLS: 'true',
      USER_KEYS_MCP_SERVERS: `${ownerOfKey(ANNA)}/hers`,
      MCP_GIT_FILE_ROOTS: root,
    },
    undefined,
    environment,
  );
  await imported('hers');
  await imported('secret');
}, 60_000);
afterAll(async () => {
  await server.close();
  await upstream.close();
  rmSync(root, { recursive: true, force: true });
});

describe('in a chat', () => {
  /** How often the server was called by a turn whose model insists on its tool. */
  async function calledIn(key: string, name: string, more: object): Promise<number> {
    modelCalls(`${name}__echo`, { text: 'hello' });
    const before = await callsOf(name);
    const { task_id: id } = await api(key, 'POST', '/tasks', { content: `Call ${name}__echo with hello`, ...more });
    expect(await ended(key, `/tasks/${id}`)).toMatchObject({ status: 'COMPLETED' });
    return (await callsOf(name)) - before;
  }

  it.each([
    ['of a session', { session_id: 'talk' }],
    ['without a session', {}],
  ])('a turn %s calls what was granted, and nothing else', async (_which, more) => {
    expect(await calledIn(ADMINISTRATOR, 'secret', more)).toBe(1);
    expect(await calledIn(ANNA, 'hers', more)).toBe(1);
    const asked = upstream.requests.length;
    expect(await calledIn(ANNA, 'secret', more)).toBe(0);
    expect(await calledIn(BEN, 'hers', more)).toBe(0);
    // Not even its definition went to the model; Anna's own other one may.
    const sent = upstream.requests.slice(asked).map((body) => JSON.stringify(body));
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.filter((body) => body.includes('secret__add'))).toEqual([]);
  });

  it('a tool that is named as such is called, where it was granted; elsewhere there is none', async () => {
    const forcedBy = async (key: string, name: string) => {
      modelCalls(`${name}__echo`, { text: 'hello' });
      const before = await callsOf(name);
      const asking = { content: 'Say hello', forced_tool: `${name}__echo` };
      const { task_id: id } = await api(key, 'POST', '/tasks', asking);
      const { status, context_history: history } = await ended(key, `/tasks/${id}`);
      return [status, history?.['llm_runtime']?.['error']?.['error_code'] ?? null, (await callsOf(name)) - before];
    };
    expect(await forcedBy(ADMINISTRATOR, 'secret')).toEqual(['COMPLETED', null, 1]);
    expect(await forcedBy(ANNA, 'hers')).toEqual(['COMPLETED', null, 1]);
    expect(await forcedBy(ANNA, 'secret')).toEqual(['FAILED', 'forced_tool_unknown', 0]);
    expect(await forcedBy(BEN, 'hers')).toEqual(['FAILED', 'forced_tool_unknown', 0]);
  });

  it("the house's question in a user's session calls what that user was granted", async () => {
    const sessionId = `${ownerOfKey(BEN)}~talk`;
    expect(await calledIn(ADMINISTRATOR, 'secret', { session_id: sessionId })).toBe(0);
  });
});

describe('at /mcp', () => {
  const client = async (key: string, path: string, mode: 'legacy' | 'modern') => {
    const connected = new Client(
      { name: 'test', version: '1' },
      { versionNegotiation: { mode: mode === 'modern' ? { pin: '2026-07-28' } : 'legacy' } },
    );
    await connected.connect(
      new StreamableHTTPClientTransport(new URL(`${server.url}${path}`), {
        requestInit: { headers: { authorization: `Bearer ${key}` } },
      }),
    );
    return connected;
  };

  it.each(['legacy', 'modern'] as const)('`chat` calls what was granted, and nothing else (%s)', async (mode) => {
    const called = async (key: string, name: string) => {
      modelCalls(`${name}__echo`, { text: 'hello' });
      const before = await callsOf(name);
      const connected = await client(key, '/mcp', mode);
      await connected.callTool({
        name: 'chat',
        arguments: { message: `Call ${name}__echo with hello`, mode: 'normal' },
      });
      await connected.close();
      return (await callsOf(name)) - before;
    };
    expect([await called(ADMINISTRATOR, 'secret'), await called(ANNA, 'hers')]).toEqual([1, 1]);
    expect([await called(ANNA, 'secret'), await called(BEN, 'hers')]).toEqual([0, 0]);
  });

  it.each(['legacy', 'modern'] as const)(
    'the gateway answers what was granted, and nothing else (%s)',
    async (mode) => {
      const reached = (key: string, name: string) =>
        client(key, `/mcp/${name}`, mode).then(
          async (connected) => {
            await connected.callTool({ name: 'echo', arguments: { text: 'hello' } });
            await connected.close();
            return 'answered';
          },
          () => 'refused',
        );
      expect([await reached(ADMINISTRATOR, 'secret'), await reached(ANNA, 'hers')]).toEqual(['answered', 'answered']);
      expect([await reached(ANNA, 'secret'), await reached(BEN, 'hers')]).toEqual(['refused', 'refused']);
      const joined = async (key: string) => {
        const connected = await client(key, '/mcp/all', mode);
        const { tools } = await connected.listTools();
        await expect(connected.callTool({ name: 'secret__echo', arguments: { text: 'x' } })).rejects.toThrow();
        await connected.close();
        return [...new Set(tools.map(({ name }) => name.split('__')[0]))];
      };
      expect(await joined(ANNA)).toEqual(['hers']);
      expect((await ask(BEN, 'POST', '/mcp/all', {})).status).toBe(403);
    },
  );
});

describe('in the API', () => {
  const mcpTools = (answer: Json) =>
    (answer['tools'] as unknown as { name: string; source: { kind: string; id: string } }[])
      .filter(({ source }) => source.kind === 'mcp')
      .map(({ source }) => source.id);

  it('lists have what was granted, for the administrator everything', async () => {
    for (const [key, servers] of [
      [ADMINISTRATOR, ['hers', 'secret']],
      [ANNA, ['hers']],
      [BEN, []],
    ] as const) {
      expect([...new Set(mcpTools(await api(key, 'GET', '/skills')))]).toEqual(servers);
      expect([...new Set(mcpTools(await api(key, 'GET', '/skills?q=echo')))].sort()).toEqual(servers);
      const listed = await api(key, 'GET', '/mcp/servers');
      expect((listed['servers'] as unknown as Json[]).map(({ name }) => name)).toEqual(servers);
      expect(listed['count']).toBe(servers.length);
    }
  });

  it('what was not granted answers as what does not exist', async () => {
    const answer = async (key: string, method: string, path: string, body?: unknown) => {
      const response = await ask(key, method, `/api/v1${path}`, body);
      return `${response.status} ${(await response.text()).replaceAll('nobodys', 'secret').replace(/"request_id":"[^"]*"/, '')}`;
    };
    for (const [method, path, body] of [
      ['GET', '/mcp/servers/NAME'],
      ['GET', '/mcp/servers/NAME/tools'],
      ['GET', '/mcp/servers/NAME/types'],
      ['GET', '/mcp/servers/NAME/definitions'],
      ['GET', '/skills/NAME__echo'],
      ['POST', '/skills/NAME__echo/call', { input: { text: 'x' }, approved: true }],
    ] as const) {
      const refused = await answer(ANNA, method, path.replace('NAME', 'secret'), body);
      expect(refused, path).toMatch(/^404 /);
      expect(refused).toBe(await answer(ANNA, method, path.replace('NAME', 'nobodys'), body));
      expect(await answer(ANNA, method, path.replace('NAME', 'hers'), body), path).toMatch(/^200 /);
      expect(await answer(BEN, method, path.replace('NAME', 'hers'), body), path).toMatch(/^404 /);
      expect(await answer(ADMINISTRATOR, method, path.replace('NAME', 'secret'), body), path).toMatch(/^200 /);
    }
  });

  it('a user sees what a server is, and nothing of how it is run; an administrator both', async () => {
    const operated = ['pid', 'memory_bytes', 'isolation', 'source', 'call_ms', 'restarts', 'listed_at', 'era'];
    await api(ADMINISTRATOR, 'POST', '/mcp/call', { tool: 'hers__echo', input: { text: 'x' } });
    // A program that crashed has an exit code and a reason.
    await api(ADMINISTRATOR, 'POST', '/mcp/call', { tool: 'hers__crash', input: {} });
    const { server: whole } = await api(ADMINISTRATOR, 'GET', '/mcp/servers/hers');
    expect(whole).toMatchObject({ last_error: { code: 'mcp_crashed' }, source: { location: expect.any(String) } });
    for (const path of [
      '/mcp/servers/hers',
      '/mcp/servers',
      '/mcp/servers/hers/tools',
      '/mcp/servers/hers/definitions',
    ]) {
      const text = await (await ask(ANNA, 'GET', `/api/v1${path}`)).text();
      expect(text, path).not.toContain(root);
      expect(text, path).not.toContain('mcp_crashed');
    }
    const shown = (await api(ANNA, 'GET', '/mcp/servers/hers'))['server'] as unknown as Json;
    expect(shown).toMatchObject({
      name: 'hers',
      title: 'hers',
      enabled: true,
      tools: whole?.['tools'],
      last_error: null,
    });
    expect(operated.filter((field) => shown[field] !== null)).toEqual([]);
    expect(operated.filter((field) => whole?.[field] === undefined)).toEqual([]);
    expect((await ask(ANNA, 'GET', '/api/v1/mcp/servers/hers/logs')).status).toBe(403);
    expect((await ask(ANNA, 'POST', '/api/v1/mcp/servers/hers/definitions/approve', {})).status).toBe(403);
  });

  it('words that wait for the administrator are not shown to users, nor tools that were switched off', async () => {
    await api(ADMINISTRATOR, 'POST', '/mcp/servers/hers/tools/permission', { tool: 'write', permission: 'never' });
    const names = async (key: string) =>
      ((await api(key, 'GET', '/mcp/servers/hers/tools'))['tools'] as unknown as { tool: string }[]).map(
        ({ tool }) => tool,
      );
    expect(await names(ADMINISTRATOR)).toContain('write');
    expect(await names(ANNA)).not.toContain('write');
    expect(await names(ANNA)).toContain('echo');
  });

  it('a user is told that a server does not start, and not what of the house is missing', async () => {
    const told = await (async () => {
      await api(ADMINISTRATOR, 'PUT', '/mcp/secrets/house-key', { value: 'x' });
      const source = { kind: 'git', url: `file://${join(root, 'fake')}`, entrypoint: 'node server.mjs' };
      const settle = (answer: Json) =>
        ended(ADMINISTRATOR, `/models/operations/${answer['operation']?.['operation_id']}`, 'operation');
      const secrets = { KEY: 'house-key' };
      const { result } = await settle(
        await api(ADMINISTRATOR, 'POST', '/mcp/import', { name: 'hers', source, secrets }),
      );
      await settle(
        await api(ADMINISTRATOR, 'POST', `/mcp/plans/${result?.['plan_id']}/approve`, { hash: result?.['hash'] }),
      );
      await api(ADMINISTRATOR, 'DELETE', '/mcp/secrets/house-key');
      await api(ADMINISTRATOR, 'POST', '/mcp/servers/hers/restart');
      const call = (key: string) =>
        api(key, 'POST', '/skills/hers__echo/call', { input: { text: 'x' }, approved: true });
      const gateway = async (key: string) => {
        const response = await ask(key, 'POST', '/mcp/hers', {
          jsonrpc: '2.0',
          id: 1,
          method: 'initialize',
          params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
        });
        return response.text();
      };
      const answers = {
        anna: [JSON.stringify(await call(ANNA)), await gateway(ANNA)],
        administrator: JSON.stringify(await call(ADMINISTRATOR)),
      };
      await api(ADMINISTRATOR, 'POST', '/mcp/servers/hers/rollback');
      return answers;
    })();
    expect(told.administrator).toContain('house-key');
    for (const each of told.anna) {
      expect(each).not.toContain('house-key');
      expect(each).toContain('an administrator can see why');
    }
  });

  it('neither operations nor events tell of servers that were not granted', async () => {
    const { operations } = await api(ADMINISTRATOR, 'GET', '/models/operations?limit=50');
    const ids = (operations as unknown as Json[])
      .filter(({ operation_type: type }) => String(type).startsWith('mcp_'))
      .map(({ operation_id: id }) => id);
    expect(ids.length).toBeGreaterThanOrEqual(4);
    expect((await api(ANNA, 'GET', '/models/operations?limit=50'))['count']).toBe(0);
    for (const path of [`/models/operations/${ids[0]}`, `/models/operations/${ids[0]}/stream`])
      expect((await ask(ANNA, 'GET', `/api/v1${path}`)).status).toBe(404);
    const heard = await Promise.all([ADMINISTRATOR, ANNA, BEN].map(listen));
    await api(ADMINISTRATOR, 'POST', '/mcp/servers/secret/disable');
    await api(ADMINISTRATOR, 'POST', '/mcp/servers/secret/enable');
    await api(ADMINISTRATOR, 'POST', '/mcp/servers/hers/disable');
    await api(ADMINISTRATOR, 'POST', '/mcp/servers/hers/enable');
    const served = (events: string[]) => [
      ...new Set(
        events.flatMap((event) => {
          const { type, data } = JSON.parse(event) as { type: string; data: { name: string } };
          return type === 'MCP_SERVER' ? [data.name] : [];
        }),
      ),
    ];
    await vi.waitFor(() => expect(served(heard[0] ?? [])).toEqual(['secret', 'hers']));
    await vi.waitFor(() => expect(served(heard[1] ?? [])).toEqual(['hers']));
    expect(served(heard[2] ?? [])).toEqual([]);
  });
});

describe('the files of tools', () => {
  const written = async (key: string, path: string, content: string) =>
    (await api(key, 'POST', '/skills/file__write_file/call', { input: { file_path: path, content }, approved: true }))[
      'status'
    ];
  const read = async (key: string, path: string) => {
    const answer = await api(key, 'POST', '/skills/file__read_file/call', { input: { file_path: path } });
    return answer['status'] === ('success' as unknown as Json) ? answer['text'] : answer['error_code'];
  };

  it('are those of the key that calls, by hand', async () => {
    for (const [key, words] of [
      [ADMINISTRATOR, 'of the house'],
      [ANNA, 'of Anna'],
    ] as const)
      expect(await written(key, 'notes/diary.txt', words)).toBe('success');
    expect(readFileSync(join(server.dataDir, 'workspace/notes/diary.txt'), 'utf8')).toBe('of the house');
    expect(await read(ANNA, 'notes/diary.txt')).toContain('of Anna');
    expect(await read(ADMINISTRATOR, 'notes/diary.txt')).toContain('of the house');
    expect(await read(BEN, 'notes/diary.txt')).toBe('not_found');
    for (const path of [
      `../${ownerOfKey(ANNA)}/notes/diary.txt`,
      join(server.dataDir, 'workspaces', ownerOfKey(ANNA), 'notes/diary.txt'),
      '../../workspace/notes/diary.txt',
    ])
      expect([path, await read(BEN, path)]).toEqual([path, 'forbidden']);
  });

  it('are those of the key that chats', async () => {
    const readIn = async (key: string, more: object) => {
      modelCalls('file__read_file', { file_path: 'notes/diary.txt' });
      const from = upstream.requests.length;
      const { task_id: id } = await api(key, 'POST', '/tasks', {
        content: 'Read the file notes/diary.txt',
        forced_intent: 'FILE_OPERATION',
        ...more,
      });
      await ended(key, `/tasks/${id}`);
      const told = JSON.stringify(upstream.requests.slice(from));
      return ['of the house', 'of Anna'].filter((words) => told.includes(words));
    };
    for (const more of [{ session_id: 'files' }, {}]) {
      expect(await readIn(ADMINISTRATOR, more)).toEqual(['of the house']);
      expect(await readIn(ANNA, more)).toEqual(['of Anna']);
      expect(await readIn(BEN, more)).toEqual([]);
    }
  });
});

async function listen(key: string): Promise<string[]> {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/events`, [`venom-key.${key}`]);
  const events: string[] = [];
  await new Promise((done, fail) => {
    socket.on('open', done);
    socket.on('error', fail);
  });
  socket.on('message', (data) => events.push(String(data)));
  return events;
}
