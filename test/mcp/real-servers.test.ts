// Real MCP servers: those of npm in their sandbox, and a Python one from a Git repository with wheels that are at hand.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Isolation } from '../../src/skills/mcp/isolation.js';
import type { McpConnection } from '../../src/skills/mcp/mcp-connection.js';
import { ProcessRecords } from '../../src/skills/mcp/process-records.js';
import { ServerLauncher } from '../../src/skills/mcp/server-launcher.js';
import { ServerWatch } from '../../src/skills/mcp/server-watch.js';
import { StderrLog } from '../../src/skills/mcp/stderr-log.js';
import { toOutcome } from '../../src/skills/mcp/tool-result.js';
import { startServer, type TestServer } from '../api/server.js';
import { noLogins } from '../stand-ins/no-logins.js';

const tools = process.env['VENOM_TEST_MCP'] ?? '';
const dir = mkdtempSync(join(tmpdir(), 'venom-real-mcp-'));
const environment = {
  PATH: process.env['PATH'] ?? '',
  HOME: process.env['HOME'] ?? '',
  PIP_NO_INDEX: '1',
  PIP_FIND_LINKS: join(tools, 'wheels'),
  UV_OFFLINE: '1',
  UV_FIND_LINKS: join(tools, 'wheels'),
};
const open: McpConnection[] = [];

beforeAll(() => {
  if (tools === '') throw new Error('VENOM_TEST_MCP must name the folder of the servers; `make test` does');
});
afterAll(async () => {
  await Promise.all(open.map((connection) => connection.close()));
  rmSync(dir, { recursive: true, force: true });
});

const alive = (text: string) =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
    } catch {
      return false;
    }
  });

async function connect(name: string, args: string[] = [], own: Record<string, string> = {}): Promise<McpConnection> {
  const workspace = join(dir, name);
  mkdirSync(workspace, { recursive: true });
  const launcher = new ServerLauncher({
    authorizations: noLogins(),
    isolation: await Isolation.detect(environment.PATH),
    secrets: { names: () => [], get: () => undefined, set: () => {}, delete: () => {} },
    environment,
    records: new ProcessRecords(join(dir, 'run')),
    watch: new ServerWatch({ processes: 128, memoryBytes: 4e9, diskBytes: 4e9 }),
    version: '0',
    limits: { startMs: 30_000, callIdleMs: 10_000, callCeilingMs: 30_000 },
  });
  const connection = await launcher.open({
    server: name,
    launch: {
      kind: 'stdio',
      command: process.execPath,
      args: [join(tools, 'node/node_modules/@modelcontextprotocol', `server-${name}`, 'dist/index.js'), ...args],
      cwd: workspace,
      environment: own,
      secrets: {},
      network: false,
      readable: [join(tools, 'node')],
      writable: [workspace],
    },
    trusted: false,
    allowPlain: true,
    protocol: 'auto',
    log: new StderrLog(),
  });
  open.push(connection);
  return connection;
}

const textOf = async (connection: McpConnection, name: string, input: Record<string, unknown>) =>
  toOutcome((await connection.callTool({ name, arguments: input })) as Parameters<typeof toOutcome>[0], []);

describe('servers of npm', () => {
  it('everything: tools, pictures, resources, prompts and completions come through', async () => {
    const connection = await connect('everything');
    expect((await connection.listTools()).tools.length).toBeGreaterThan(5);
    expect(await textOf(connection, 'echo', { message: 'hello' })).toMatchObject({
      text: 'Echo: hello',
      failed: false,
    });
    const picture = await textOf(connection, 'get-tiny-image', {});
    expect(picture.text).toMatch(/\[image image\/png, \d+ bytes\]/);
    expect(picture.structured).toMatchObject({
      content: expect.arrayContaining([expect.objectContaining({ type: 'image' })]),
    });
    expect((await textOf(connection, 'get-structured-content', { location: 'New York' })).structured).toHaveProperty(
      'temperature',
    );
    const { resources } = await connection.listResources();
    expect(resources.length).toBeGreaterThan(0);
    expect(await connection.readResource({ uri: String(resources[0]?.uri) })).toHaveProperty('contents');
    const { prompts } = await connection.listPrompts();
    expect(prompts.length).toBeGreaterThan(0);
    expect(await connection.getPrompt({ name: String(prompts[0]?.name) })).toHaveProperty('messages');
  });

  it('everything: progress is told, and a call can be cancelled', async () => {
    const connection = await connect('everything');
    const seen: number[] = [];
    await connection.callTool(
      { name: 'trigger-long-running-operation', arguments: { duration: 1, steps: 4 } },
      { onProgress: ({ progress }) => seen.push(progress) },
    );
    expect(seen.length).toBeGreaterThan(1);
    const stop = new AbortController();
    const call = connection.callTool(
      { name: 'trigger-long-running-operation', arguments: { duration: 60, steps: 2 } },
      { signal: stop.signal },
    );
    setTimeout(() => stop.abort(), 100);
    await expect(call).rejects.toMatchObject({ code: 'cancelled' });
    expect(await textOf(connection, 'echo', { message: 'on' })).toMatchObject({ text: 'Echo: on' });
  });

  it('filesystem: works in its folder and nowhere else', async () => {
    const folder = join(dir, 'filesystem');
    const connection = await connect('filesystem', [folder]);
    expect(await textOf(connection, 'write_file', { path: join(folder, 'a.txt'), content: 'kept' })).toMatchObject({
      failed: false,
    });
    expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe('kept');
    expect((await textOf(connection, 'read_text_file', { path: '/etc/passwd' })).failed).toBe(true);
  });

  it('memory: keeps what it is told', async () => {
    const connection = await connect('memory', [], { MEMORY_FILE_PATH: join(dir, 'memory', 'memory.jsonl') });
    await textOf(connection, 'create_entities', {
      entities: [{ name: 'Ada', entityType: 'person', observations: ['counts'] }],
    });
    expect((await textOf(connection, 'search_nodes', { query: 'Ada' })).text).toContain('counts');
  });
});

describe('a Python server from Git', () => {
  const repository = join(dir, 'repositories', 'sums');
  let server: TestServer;
  type Answer = Record<string, unknown>;

  const ask = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${server.url}/api/v1${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    return (await response.json()) as Answer;
  };
  const operation = async (id: unknown) => (await ask('GET', `/models/operations/${id}`))['operation'] as Answer;
  const until = async (id: unknown, reached: (operation: Answer) => boolean) => {
    for (
      const deadline = Date.now() + 100_000;
      Date.now() < deadline;
      await new Promise((done) => setTimeout(done, 100))
    ) {
      const now = await operation(id);
      if (reached(now)) return now;
    }
    throw new Error('the operation did not get there');
  };
  const ended = (id: unknown) => until(id, ({ status }) => status !== 'pending' && status !== 'in_progress');
  const idOf = (answer: Answer) => (answer['operation'] as Answer)['operation_id'];

  beforeAll(async () => {
    mkdirSync(repository, { recursive: true });
    writeFileSync(join(repository, 'requirements.txt'), 'mcp==2.3.0\n');
    writeFileSync(
      join(repository, 'server.py'),
      [
        'from mcp.server import MCPServer',
        'server = MCPServer("sums")',
        '@server.tool()',
        'def add(a: int, b: int) -> int:',
        '    """Adds two whole numbers."""',
        '    return a + b',
        'server.run()',
        '',
      ].join('\n'),
    );
    writeFileSync(join(repository, 'setup.py'), `open(${JSON.stringify(join(dir, 'ran'))}, "w")\n`);
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd: repository });
    git('init', '-q');
    git('add', '-A');
    git('commit', '-q', '-m', 'one');
    server = await startServer({ MCP_GIT_FILE_ROOTS: join(dir, 'repositories') }, undefined, environment);
  });
  afterAll(() => server.close());

  it('is imported, also when the import is interrupted by a stop of Venom, and answers in the era it speaks', async () => {
    const request = {
      name: 'sums',
      source: { kind: 'git', url: `file://${repository}`, entrypoint: 'python server.py' },
    };
    const planned = await ended(idOf(await ask('POST', '/mcp/import', request)));
    expect(planned).toMatchObject({ status: 'completed' });
    const { plan_id: planId, hash } = planned['result'] as { plan_id: string; hash: string };
    const importing = idOf(await ask('POST', `/mcp/plans/${planId}/approve`, { hash }));
    await until(importing, ({ message }) => String(message).startsWith('Install'));
    const { dataDir } = server;
    await server.close({ keepData: true });
    server = await startServer({ MCP_GIT_FILE_ROOTS: join(dir, 'repositories') }, dataDir, environment);
    expect(await ended(importing)).toMatchObject({ status: 'completed', attempt: 2, result: { tools: ['add'] } });
    expect(await ask('POST', '/mcp/call', { tool: 'sums__add', input: { a: 2, b: 40 } })).toMatchObject({
      status: 'success',
      structured: { result: 42 },
    });
    expect(await ask('POST', '/mcp/call', { tool: 'sums__add', input: { a: '2', b: 40 } })).toMatchObject({
      code: 'invalid_input',
    });
    expect((await ask('GET', '/mcp/servers/sums'))['server']).toMatchObject({
      era: 'modern',
      state: 'running',
      restarts: 0,
    });
    expect(readdirSync(dir)).not.toContain('ran');
    expect(alive(dataDir).length).toBeGreaterThan(0);
    await server.close({ keepData: true });
    expect(alive(dataDir)).toEqual([]);
    server = await startServer({}, dataDir, environment);
  });
});
