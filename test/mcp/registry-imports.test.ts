// Servers as a newcomer imports them, from the command line: packages by name from the registries this machine's npm, pip
// and uv are set up for, and repositories over a file and over smart HTTP; used in a chat, updated, rolled back, removed.
import { execFile, execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { type CommandLine, commandLine } from '../api/command-line.js';
import { type FakeUpstream, startFakeUpstream, streams } from '../api/fake-upstream.js';
import { startServer, type TestServer } from '../api/server.js';
import { TaskClient } from '../api/task-client.js';
import { type GitHost, startGitHost } from '../stand-ins/git-host.js';

const tools = process.env['VENOM_TEST_MCP'] ?? '';
const UV = join(tools, 'uv', 'bin', 'uv');
const REACH_MS = 30_000;
const root = mkdtempSync(join(tmpdir(), 'venom-registry-'));
const files = join(root, 'files');
const unreachable: { npm?: string; pypi?: string } = {};
let host: GitHost;
let upstream: FakeUpstream;
let server: TestServer;
let venom: CommandLine;

/** What the registries' clients of this machine are set up with, and nothing else of its environment. */
const clients = Object.fromEntries(
  Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined &&
      /^(HOME|LANG|PIP_.*|UV_.*|npm_config_(registry|userconfig|cafile)|https?_proxy|no_proxy|SSL_CERT_.*|NODE_EXTRA_CA_CERTS|REQUESTS_CA_BUNDLE)$/i.test(
        entry[0],
      ),
  ),
);

/** The programs of this machine, with uv or without. */
function path(withUv: boolean): string {
  const bin = mkdtempSync(join(root, 'path-'));
  for (const name of ['git', 'npm', 'python3', 'bwrap', 'unshare', 'prlimit', 'sync', 'sh', 'openssl']) {
    const found = (process.env['PATH'] ?? '')
      .split(':')
      .map((folder) => join(folder, name))
      .find(existsSync);
    if (found) symlinkSync(name === 'python3' ? pythonItself(found) : found, join(bin, name));
  }
  symlinkSync(process.execPath, join(bin, 'node'));
  if (withUv && existsSync(UV)) symlinkSync(UV, join(bin, 'uv'));
  return bin;
}

const pythonItself = (found: string) =>
  execFileSync(found, ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();

async function reach(command: string, args: string[]): Promise<string | undefined> {
  return promisify(execFile)(command, args, {
    timeout: REACH_MS,
    env: { ...clients, PATH: process.env['PATH'] ?? '' },
  }).then(
    () => undefined,
    (error: Error) => error.message.split('\n')[0] ?? 'unknown',
  );
}

function needs(context: TestContext, registry: 'npm' | 'pypi'): void {
  const why = unreachable[registry];
  context.skip(why !== undefined, `the registry cannot be reached: ${why}`);
}

async function restart(withUv: boolean): Promise<void> {
  const dataDir = server?.dataDir;
  await server?.close({ keepData: true });
  server = await startServer(
    { MCP_GIT_FILE_ROOTS: join(root, 'repositories'), LLM_LOCAL_ENDPOINT: upstream.url },
    dataDir,
    { ...clients, PATH: path(withUv), GIT_SSL_CAINFO: host.certificate },
  );
  venom = commandLine(server);
}

const call = async (tool: string, input: object) =>
  (await venom.run('mcp', 'call', tool, JSON.stringify(input))).out.trim();
const toolNames = async (name: string) =>
  (
    await venom.json<{ tools: { tool: string; state: string; hash: string; changes: object[] }[] }>(
      'mcp',
      'tools',
      name,
    )
  ).tools;

/** A model that is led: calls this tool once, then answers. @returns what the model was told */
async function chat(content: string, tool: string, input: object): Promise<string> {
  let called = false;
  upstream.behaviour = (body, response) => {
    const format = body['response_format'] as { json_schema?: { schema: { properties: object } } } | undefined;
    const properties = format?.json_schema?.schema.properties ?? {};
    if (!format) return streams(['Done.'])(body, response);
    if (!('tool' in properties)) return streams([JSON.stringify(input)])(body, response);
    const choice = called ? 'none' : tool;
    called = true;
    return streams([JSON.stringify({ tool: choice })])(body, response);
  };
  const client = new TaskClient(server.url);
  await fetch(`${client.url}/skills/${tool}/permission`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ permission: 'always' }),
  });
  expect(await client.run({ content, forced_intent: 'GENERAL_CHAT' })).toMatchObject({
    status: 'COMPLETED',
    result: 'Done.',
  });
  return JSON.stringify(upstream.requests.at(-1)?.['messages']);
}

const removed = async (name: string) => {
  await venom.run('mcp', 'remove', name);
  expect(existsSync(join(server.dataDir, 'mcp/imports', name))).toBe(false);
};

beforeAll(async () => {
  if (tools === '') throw new Error('VENOM_TEST_MCP must name the folder of the servers; `make test` does');
  for (const folder of ['files', 'repositories', 'tls']) mkdirSync(join(root, folder));
  writeFileSync(join(files, 'note.txt'), 'The kettle is blue.');
  [unreachable.npm, unreachable.pypi] = await Promise.all([
    reach('npm', ['view', '@modelcontextprotocol/server-memory', 'version']),
    reach('python3', [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--no-deps',
      '--dest',
      join(root, 'probe'),
      'mcp-server-time',
    ]),
  ]);
  host = await startGitHost(join(root, 'repositories'), join(root, 'tls'));
  upstream = await startFakeUpstream();
  await restart(true);
});
afterAll(async () => {
  await server.close();
  await upstream.close();
  await host.close();
  rmSync(root, { recursive: true, force: true });
});

describe('a package of npm', () => {
  it('everything: is imported, called and removed', async (context) => {
    needs(context, 'npm');
    await venom.run('mcp', 'import', 'npm:@modelcontextprotocol/server-everything', 'everything', '--yes');
    expect(await call('everything__get-sum', { a: 2, b: 40 })).toContain('42');
    await removed('everything');
  });

  it('filesystem: reads the folder it was given for a chat, and no other', async (context) => {
    needs(context, 'npm');
    const source = 'npm:@modelcontextprotocol/server-filesystem';
    await venom.run('mcp', 'import', source, 'files', '--write', files, '--arg', files, '--yes');
    const path = join(files, 'note.txt');
    expect(await chat('Call get_file_info of files for note.txt', 'files__get_file_info', { path })).toContain(
      'size: 19',
    );
    expect(await call('files__read_text_file', { path })).toBe('The kettle is blue.');
    expect(await call('files__read_text_file', { path: '/etc/passwd' })).not.toContain('root:');
    process.exitCode = 0;
    await removed('files');
  });

  it('memory: an older version is updated, rolled back, and keeps what it was told', async (context) => {
    needs(context, 'npm');
    await venom.run(
      'mcp',
      'import',
      'npm:@modelcontextprotocol/server-memory@2025.9.25',
      'memory',
      '--env',
      'MEMORY_FILE_PATH={workspace}/memory.jsonl',
      '--yes',
    );
    await call('memory__create_entities', {
      entities: [{ name: 'Ada', entityType: 'person', observations: ['counts'] }],
    });
    await venom.run('mcp', 'update', 'memory', '--yes');
    const { servers } = await venom.json<{ servers: { source: { version: string } }[] }>('mcp', 'list');
    expect(servers[0]?.source.version).not.toBe('2025.9.25');
    for (const { tool, state, hash } of await toolNames('memory'))
      if (state === 'quarantined') await venom.run('mcp', 'trust', 'memory', tool, hash);
    expect(await call('memory__search_nodes', { query: 'Ada' })).toContain('counts');
    await venom.run('mcp', 'rollback', 'memory');
    expect(await call('memory__search_nodes', { query: 'Ada' })).toContain('counts');
    await removed('memory');
  });

  it('that does not exist says so', async (context) => {
    needs(context, 'npm');
    await expect(
      venom.run('mcp', 'import', 'npm:@modelcontextprotocol/no-such-server-here', 'none'),
    ).rejects.toMatchObject({
      message: expect.stringContaining('does not know'),
    });
  });
});

describe.each([true, false])('a package of the Python index, with uv: %s', (withUv) => {
  it('time: the newest version is pinned, imported, called and removed', async (context) => {
    needs(context, 'pypi');
    context.skip(withUv && !existsSync(UV), 'uv is not at hand');
    await restart(withUv);
    const name = withUv ? 'clock' : 'clock-by-pip';
    const { notes } = await venom.run('mcp', 'import', 'pypi:mcp-server-time', name, '--yes');
    expect(notes).toMatch(/mcp-server-time at \d+\.\d+/);
    expect(await call(`${name}__get_current_time`, { timezone: 'Europe/Warsaw' })).toContain('Europe/Warsaw');
    await removed(name);
  });
});

const commit = (folder: string, message: string) => {
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
      cwd: folder,
      stdio: 'pipe',
    });
  if (!existsSync(join(folder, '.git'))) git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-q', '-m', message);
};

const PYTHON = `from mcp.server import MCPServer
server = MCPServer("sums")
@server.tool()
def add(a: int, b: int) -> int:
    """Adds two whole numbers."""
    return a + b
server.run()
`;

describe('a repository', () => {
  it.for(['file', 'https'])(
    'with a Python server, over %s: import, chat, update with a diff, roll back, remove',
    async (scheme, context) => {
      needs(context, 'pypi');
      const repository = join(root, 'repositories', scheme);
      mkdirSync(repository);
      writeFileSync(join(repository, 'requirements.txt'), 'mcp==2.3.0\n');
      writeFileSync(join(repository, 'server.py'), PYTHON);
      commit(repository, 'one');
      await restart(true);
      const address = scheme === 'file' ? `file://${repository}` : `${host.url}/${scheme}/.git`;
      await venom.run('mcp', 'import', address, 'sums', '--entrypoint', 'python server.py', '--yes');
      expect(await chat('Use sums to add the two whole numbers 2 and 40', 'sums__add', { a: 2, b: 40 })).toContain(
        '42',
      );
      writeFileSync(
        join(repository, 'server.py'),
        PYTHON.replace('Adds two whole numbers.', 'Adds two whole numbers, fast.'),
      );
      commit(repository, 'two');
      expect((await venom.run('mcp', 'update', 'sums', '--yes')).out).toContain('to be looked at again: add');
      const [add] = await toolNames('sums');
      expect(add).toMatchObject({
        state: 'quarantined',
        changes: [{ field: 'description', before: 'Adds two whole numbers.', after: 'Adds two whole numbers, fast.' }],
      });
      await expect(call('sums__add', { a: 1, b: 1 })).rejects.toMatchObject({ code: 'tool_quarantined' });
      await venom.run('mcp', 'trust', 'sums', 'add', String(add?.hash));
      expect(await call('sums__add', { a: 1, b: 1 })).toBe('2');
      await venom.run('mcp', 'rollback', 'sums');
      expect((await toolNames('sums'))[0]).toMatchObject({ state: 'approved', changes: [] });
      expect(await call('sums__add', { a: 1, b: 2 })).toBe('3');
      await removed('sums');
    },
  );

  it('with a Node server and a lock file is imported exactly as locked', async (context) => {
    needs(context, 'npm');
    const repository = join(root, 'repositories', 'node');
    mkdirSync(repository);
    writeFileSync(
      join(repository, 'package.json'),
      JSON.stringify({
        name: 'shout',
        version: '1.0.0',
        type: 'module',
        bin: 'server.js',
        dependencies: { '@modelcontextprotocol/sdk': '1.27.1' },
      }),
    );
    writeFileSync(
      join(repository, 'server.js'),
      `import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { z } from 'zod';
const server = new McpServer({ name: 'shout', version: '1.0.0' });
server.registerTool('shout', { description: 'Says it louder.', inputSchema: { text: z.string() } },
  async ({ text }) => ({ content: [{ type: 'text', text: text.toUpperCase() }] }));
await server.connect(new StdioServerTransport());
`,
    );
    execFileSync('npm', ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: repository,
      stdio: 'pipe',
    });
    commit(repository, 'one');
    const { notes } = await venom.run('mcp', 'import', `${host.url}/node/.git`, 'shout', '--yes');
    expect(notes).toContain('npm ci');
    expect(await call('shout__shout', { text: 'quiet' })).toBe('QUIET');
    const [version = ''] = readdirSync(join(server.dataDir, 'mcp/imports/shout')).filter(
      (name) => name !== 'workspace',
    );
    const installed = join(
      server.dataDir,
      'mcp/imports/shout',
      version,
      'source/node_modules/@modelcontextprotocol/sdk/package.json',
    );
    expect(JSON.parse(readFileSync(installed, 'utf8'))).toMatchObject({ version: '1.27.1' });
    await removed('shout');
  });
});
