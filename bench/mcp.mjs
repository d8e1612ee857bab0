// MCP: what a tool call through Venom costs beside the bare library, how long an import takes to its first list of tools, and
// the choice of tools among a thousand. The same server for all, asked in turns in one run.
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { rolldown } from 'rolldown';
import { serverBundle } from '../scripts/build.mjs';
import { percentile } from './client.mjs';
import { startVenom } from './processes.mjs';

const FAKE = resolve(import.meta.dirname, '..', 'test', 'stand-ins', 'fake-mcp-server.mjs');
const ROUNDS = 5;
const CALLS = 200;
const TOOLS = 1_000;
const INPUT = { a: 20, b: 22 };
const agent = new Agent({ keepAlive: true });
const ms = (value) => `${value.toFixed(2)} ms`;

/** @param {string} folder  for bundles, repositories and data */
export async function benchMcp(folder, report) {
  mkdirSync(folder, { recursive: true });
  const rooms = await bundled(folder);
  await calls(folder, rooms, report);
  await choice(rooms, report);
  await imports(folder, report);
}

async function bundled(folder) {
  const names = [
    'isolation',
    'mcp-servers',
    'mcp-tools',
    'process-records',
    'proxy-generator',
    'server-launcher',
    'server-watch',
  ];
  const bundle = await rolldown({
    ...serverBundle(),
    input: {
      ...Object.fromEntries(names.map((name) => [name, `src/skills/mcp/${name}.ts`])),
      'skill-manager': 'src/skills/skill-manager.ts',
    },
  });
  await bundle.write({ dir: join(folder, 'rooms'), format: 'esm', entryFileNames: '[name].mjs' });
  await bundle.close();
  const modules = await Promise.all(
    [...names, 'skill-manager'].map((name) => import(join(folder, 'rooms', `${name}.mjs`))),
  );
  return Object.assign({}, ...modules);
}

async function calls(folder, rooms, report) {
  const raw = await bare();
  const own = await inProcess(folder, rooms);
  const http = await overHttp(folder);
  const ways = { raw: raw.call, own: own.call, http: http.call };
  const medians = { raw: [], own: [], http: [] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    const times = { raw: [], own: [], http: [] };
    for (let turn = 0; turn < CALLS; turn += 1)
      for (const [way, call] of Object.entries(ways)) {
        const startedAt = performance.now();
        await call();
        times[way].push(performance.now() - startedAt);
      }
    // The first one warms up.
    if (round > 0) for (const way of Object.keys(ways)) medians[way].push(percentile(times[way], 0.5));
  }
  await Promise.all([raw.close(), own.close(), http.close()]);
  const alone = percentile(medians.raw, 0.5);
  for (const [way, name, limit] of [
    ['own', 'in process', 0.3],
    ['http', 'over HTTP', 1],
  ]) {
    const added = percentile(medians[way], 0.5) - alone;
    report(
      `MCP tool call ${name} beside the bare library, p50, median of ${ROUNDS}`,
      `+${ms(added)} (${ms(alone)} alone)`,
      ms(limit),
      added <= limit,
    );
  }
}

async function bare() {
  const client = new Client({ name: 'bench', version: '1' });
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [FAKE] }));
  return { call: () => client.callTool({ name: 'add', arguments: INPUT }), close: () => client.close() };
}

async function inProcess(folder, rooms) {
  const rows = new Map();
  const launch = {
    kind: 'stdio',
    command: process.execPath,
    args: [FAKE],
    cwd: folder,
    environment: {},
    secrets: {},
    network: false,
    readable: [dirname(FAKE)],
    writable: [folder],
  };
  rows.set('fake', {
    name: 'fake',
    title: 'fake',
    enabled: true,
    trusted: true,
    allowPlain: true,
    protocol: 'auto',
    active: {
      versionId: 'v1',
      createdAt: 0,
      source: { kind: 'config', location: FAKE, version: null },
      launch,
      directory: null,
      planHash: '',
      manifest: null,
    },
    former: [],
  });
  const launcher = new rooms.ServerLauncher({
    isolation: await rooms.Isolation.detect(process.env.PATH),
    secrets: { names: () => [], get: () => undefined, set: () => {}, delete: () => {} },
    environment: { PATH: process.env.PATH },
    records: new rooms.ProcessRecords(join(folder, 'run')),
    watch: new rooms.ServerWatch({ processes: 128, memoryBytes: 4e9, diskBytes: 4e9 }),
    version: '1',
    limits: { startMs: 30_000, callIdleMs: 30_000, callCeilingMs: 30_000 },
  });
  const servers = new rooms.McpServers({
    repository: { all: () => [...rows.values()], save: (row) => rows.set(row.name, row), delete: () => {} },
    launcher,
    now: Date.now,
    idleMs: 60_000,
    lifetimeMs: 600_000,
    onFailure: () => {},
  });
  await servers.refresh('fake');
  const { hash } = servers.tools('fake').find(({ definition }) => definition.name === 'add');
  servers.approveTool('fake', 'add', hash);
  const tools = new rooms.McpTools({ servers, generator: new rooms.ProxyGenerator(), reachesNetwork: () => false });
  const call = async () => {
    const { signal } = new AbortController();
    const outcome = await tools.call({
      name: 'fake__add',
      input: INPUT,
      sessionId: null,
      requestId: null,
      labels: [],
      signal,
    });
    if (outcome.failed) throw new Error(outcome.text);
  };
  return { call, close: () => servers.close() };
}

async function overHttp(folder) {
  const venom = await startVenom({ VENOM_DATA_DIR: join(folder, 'http'), RATE_LIMIT_BURST: '0' });
  await importConfig(venom.port, { fake: { command: process.execPath, args: [FAKE] } });
  const call = async () => {
    const { status } = await ask(venom.port, 'POST', '/mcp/call', { tool: 'fake__add', input: INPUT });
    if (status !== 'success') throw new Error('a tool call over HTTP failed');
  };
  return { call, close: () => venom.stop() };
}

async function importConfig(port, mcpServers) {
  const { operations } = await ask(port, 'POST', '/mcp/import/config', { config: { mcpServers } });
  await approved(port, operations[0]);
}

async function approved(port, planning) {
  const { result, error } = await ended(port, planning);
  if (!result) throw new Error(error);
  const { operation } = await ask(port, 'POST', `/mcp/plans/${result.plan_id}/approve`, { hash: result.hash });
  const imported = await ended(port, operation);
  if (imported.status !== 'completed') throw new Error(imported.error);
}

async function ended(port, { operation_id: id }) {
  for (;;) {
    const { operation } = await ask(port, 'GET', `/models/operations/${id}`);
    if (!['pending', 'in_progress'].includes(operation.status)) return operation;
    await new Promise((done) => setTimeout(done, 10));
  }
}

/** Fifty servers of twenty tools, and what somebody might say. */
async function choice({ SkillManager }, report) {
  const verbs = ['create', 'list', 'update', 'delete', 'search', 'send', 'archive', 'export', 'import', 'compare'];
  const things = ['invoice', 'calendar event', 'message', 'ticket', 'repository', 'photo', 'contract', 'playlist'];
  const tools = Array.from({ length: TOOLS }, (_, index) => {
    const verb = verbs[index % verbs.length];
    const thing = things[Math.floor(index / verbs.length) % things.length];
    const name = `server${Math.floor(index / 20)}__${verb}_${thing.replace(' ', '_')}_${index}`;
    return {
      name,
      title: `${verb} ${thing}`,
      description:
        `${verb} one ${thing} of the account, with its owner, its dates and the words it is found by.`.repeat(2),
      inputSchema: { type: 'object', properties: { id: { type: 'string' }, text: { type: 'string' } } },
      source: { kind: 'mcp', id: `server${Math.floor(index / 20)}` },
      readOnly: false,
      egress: true,
      permission: 'ask',
      hash: String(index),
    };
  });
  const manager = new SkillManager(
    {
      providers: [{ kind: 'mcp', tools: () => tools, call: async () => {} }],
      repository: { overrides: () => [], callCounts: () => new Map() },
      approvals: {},
      events: { publish: () => {} },
      sessionLabels: () => [],
    },
    { offeredTokens: 1_500, callTimeoutMs: 1_000, approvalWaitMs: 1_000, maxResultChars: 1_000 },
  );
  const texts = [
    'Please send a message about the contract to the owner',
    'What is in my calendar today, and which events were archived?',
    'Compare the two invoices of March and export them as a list',
    'Hello, how are you?',
  ];
  const times = [];
  for (let round = 0; round < 400; round += 1) {
    const text = texts[round % texts.length];
    const startedAt = performance.now();
    manager.toolsFor({ intent: 'GENERAL_CHAT', text, forcedTool: null, sessionId: null });
    if (round >= 40) times.push(performance.now() - startedAt);
  }
  const p50 = percentile(times, 0.5);
  const p99 = percentile(times, 0.99);
  report(`choice of tools among ${TOOLS}, p50 of ${times.length}`, `${ms(p50)} (p99 ${ms(p99)})`, '5 ms', p50 < 5);
}

async function imports(folder, report) {
  const tools = join(process.env.VENOM_CACHE_DIR ?? join(homedir(), '.cache'), 'venom', 'test-tools', 'mcp');
  if (!existsSync(join(tools, 'wheels', '.complete')) || !existsSync(join(tools, 'uv', '.complete'))) {
    console.log('  skipped imports of MCP servers: no packages at hand; run `make test` first');
    return;
  }
  const repositories = join(folder, 'repositories');
  const python = repository(join(repositories, 'python'), {
    'requirements.txt': 'mcp==2.3.0\n',
    'server.py':
      'from mcp.server import MCPServer\nserver = MCPServer("sums")\n@server.tool()\ndef add(a: int, b: int) -> int:\n    """Adds."""\n    return a + b\nserver.run()\n',
  });
  const node = repository(join(repositories, 'node'), {
    'package.json': JSON.stringify({ name: 'fake' }),
    'server.mjs': FAKE,
  });
  const wheels = {
    PIP_NO_INDEX: '1',
    PIP_FIND_LINKS: join(tools, 'wheels'),
    UV_OFFLINE: '1',
    UV_FIND_LINKS: join(tools, 'wheels'),
  };
  const without = (process.env.PATH ?? '').split(delimiter).filter((path) => !existsSync(join(path, 'uv')));
  const path = without.join(delimiter);
  for (const [what, address, entrypoint, env, limit] of [
    [
      'Python server, with uv',
      python,
      'python server.py',
      { ...wheels, PATH: join(tools, 'uv', 'bin') + delimiter + path },
      6,
    ],
    ['Python server, without uv', python, 'python server.py', { ...wheels, PATH: path }, 30],
    ['Node server', node, 'node server.mjs', { PATH: path }, 4],
  ]) {
    const data = join(folder, `import-${randomUUID()}`);
    const venom = await startVenom({ VENOM_DATA_DIR: data, MCP_GIT_FILE_ROOTS: repositories, ...env });
    const startedAt = performance.now();
    const source = { kind: 'git', url: `file://${address}`, entrypoint };
    const { operation } = await ask(venom.port, 'POST', '/mcp/import', { name: 'bench', source, allow_plain: true });
    await approved(venom.port, operation);
    const { tools: listed } = await ask(venom.port, 'GET', '/mcp/servers/bench/tools');
    const seconds = (performance.now() - startedAt) / 1_000;
    report(
      `import of a ${what}, to its first list of tools`,
      `${seconds.toFixed(1)} s`,
      `${limit} s`,
      seconds <= limit && listed.length > 0,
    );
    await venom.stop();
  }
}

/** Contents by name; a path stands for the file there. */
function repository(folder, files) {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files))
    if (content === FAKE) copyFileSync(FAKE, join(folder, name));
    else writeFileSync(join(folder, name), content);
  const git = (...args) =>
    execFileSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@example.org', ...args], { cwd: folder });
  git('init', '-q');
  git('add', '-A');
  git('commit', '-q', '-m', 'one');
  return folder;
}

function ask(port, method, path, body) {
  const text = body === undefined ? '' : JSON.stringify(body);
  return new Promise((done, fail) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const sent = request({ agent, host: '127.0.0.1', port, path: `/api/v1${path}`, method, headers }, (response) => {
      let answer = '';
      response.on('data', (bytes) => {
        answer += bytes;
      });
      response.on('end', () => done(JSON.parse(answer)));
    });
    sent.on('error', fail);
    sent.end(text);
  });
}
