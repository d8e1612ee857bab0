// kill -9 at every border of an import, and at random: after the next start the old version serves or the new one, no half
// folder is left, no process of any generation lives, and the import is taken up. `VENOM_KILL_ROUNDS` sets how often.
import { execFileSync } from 'node:child_process';
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
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startFakeUpstream, streams } from '../api/fake-upstream.js';
import { type NpmRegistry, startNpmRegistry } from '../stand-ins/npm-registry.js';
import { randomFrom } from '../stand-ins/seeded-random.js';
import { startProcess, type VenomProcess } from './venom-process.js';

const ROUNDS = Number(process.env['VENOM_KILL_ROUNDS'] ?? 3);
const RECONNECTS = ROUNDS * 2;
const SEED = Number(process.env['VENOM_KILL_SEED'] ?? Date.now() % 1_000_000);
const HELD_MS = 200;
const GONE_WITHIN_MS = 2_000;
const STEP_MS = 30_000;

/** Says its version; slow to start, so that it can be met while it starts; its child ignores the end of everything. */
const serverSource = (version: number) => `import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import held from 'held';
if (process.argv[2] !== 'child')
  spawn(process.execPath, [process.argv[1], 'child'], { stdio: 'inherit', detached: true });
process.on('SIGTERM', () => {});
setInterval(() => {}, 1000);
const tools = [{ name: 'version', description: 'Says its version.', inputSchema: { type: 'object' } }];
const results = {
  initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'tool', version: '${version}' } },
  'tools/list': { tools },
  'tools/call': { content: [{ type: 'text', text: String(held + ${version}) }] },
};
if (process.argv[2] !== 'child')
  setTimeout(() => createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, method } = JSON.parse(line);
    if (id === undefined) return;
    const result = results[method];
    const answer = result ? { result } : { error: { code: -32601, message: 'unknown' } };
    process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, ...answer }) + '\\n');
  }), ${HELD_MS});
`;

const root = mkdtempSync(join(tmpdir(), 'venom-mcp-kill-'));
const repository = join(root, 'repositories', 'tool');
const dataDir = join(root, 'data');
let registry: NpmRegistry;
let version = 0;

const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
    cwd: repository,
    encoding: 'utf8',
  }).trim();

function commitNext(): void {
  version += 1;
  writeFileSync(join(repository, 'server.mjs'), serverSource(version));
  writeFileSync(join(repository, 'package.json'), JSON.stringify({ name: 'tool', dependencies: { held: '1.0.0' } }));
  git('add', '-A');
  git('commit', '-q', '-m', `version ${version}`);
}

/** A folder of programs, with as much isolation as it is to have; git takes its time. */
function programs(...isolating: string[]): string {
  const bin = join(mkdtempSync(join(tmpdir(), 'venom-mcp-kill-path-')), 'bin');
  mkdirSync(bin);
  const find = (name: string) => execFileSync('which', [name], { encoding: 'utf8' }).trim();
  for (const name of ['npm', 'sh', 'prlimit', ...isolating]) symlinkSync(find(name), join(bin, name));
  symlinkSync(process.execPath, join(bin, 'node'));
  writeFileSync(join(bin, 'git'), `#!/bin/sh\n${find('sleep')} 0.05\nexec ${find('git')} "$@"\n`, { mode: 0o755 });
  return bin;
}

const found = (name: string) => {
  try {
    execFileSync('which', [name]);
    return [name];
  } catch {
    return [];
  }
};
const PLAIN = 2;
const TIERS = [
  programs(...found('bwrap'), ...found('unshare')),
  programs(...found('unshare')),
  programs(...found('setpriv')),
];

/** Whatever belongs to this test, by its arguments or its environment; zombies have neither. */
const processes = (): string[] =>
  readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return ['cmdline', 'environ'].some((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(root));
    } catch {
      return false;
    }
  });

/** A process may end while it is looked at. */
const described = (): string[] =>
  processes().map((pid) => {
    try {
      return `${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`;
    } catch {
      return pid;
    }
  });

const commandLineOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
};
const childrenOf = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');

const noneLeft = () => expect.poll(described, { timeout: GONE_WITHIN_MS, interval: 20 }).toEqual([]);

interface Operation {
  operation_id: string;
  status: string;
  attempt: number;
  error: string | null;
  result: { plan_id: string; hash: string } | null;
  steps: { name: string }[];
}

class Client {
  constructor(readonly venom: VenomProcess) {}

  async ask(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.venom.url}/api/v1${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    return (await response.json()) as Record<string, unknown>;
  }

  async operation(id: string): Promise<Operation> {
    return (await this.ask('GET', `/models/operations/${id}`))['operation'] as Operation;
  }

  /** Looks until it is so, as often as it can. */
  async until(id: string, reached: (operation: Operation) => boolean): Promise<Operation> {
    for (const deadline = Date.now() + STEP_MS; Date.now() < deadline; ) {
      const now = await this.operation(id);
      if (reached(now)) return now;
    }
    throw new Error(`operation ${id} did not get there: ${JSON.stringify(await this.operation(id))}`);
  }

  ended = (id: string) => this.until(id, ({ status }) => status !== 'pending' && status !== 'in_progress');

  async start(method: string, path: string, body: unknown): Promise<string> {
    const answer = await this.ask(method, path, body);
    const operation = answer['operation'] as Operation | undefined;
    if (!operation) throw new Error(JSON.stringify(answer));
    return operation.operation_id;
  }

  plan = () =>
    this.start('POST', '/mcp/import', {
      name: 'tool',
      source: { kind: 'git', url: `file://${repository}`, entrypoint: 'node server.mjs' },
      allow_plain: true,
    });

  approve = ({ plan_id: id, hash }: NonNullable<Operation['result']>) =>
    this.start('POST', `/mcp/plans/${id}/approve`, { hash });

  async pid(): Promise<number | null> {
    return ((await this.ask('GET', '/mcp/servers/tool'))['server'] as { pid: number | null }).pid;
  }

  /** A client of the gateway has a process of its own while it is there. */
  async gatewaySession(): Promise<void> {
    const send = (method: string, body: object | undefined, session: Record<string, string>) =>
      fetch(`${this.venom.url}/mcp/tool`, {
        method,
        headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...session },
        ...(body ? { body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }) } : {}),
      });
    const before = processes().length;
    const opened = await send(
      'POST',
      {
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
      },
      {},
    );
    await opened.text();
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
    const listed = await send('POST', { method: 'tools/list', params: {} }, session);
    expect(await listed.text()).toContain('Says its version.');
    expect(processes().length).toBeGreaterThan(before);
    await (await send('DELETE', undefined, session)).text();
  }

  /** What the server that serves says, or why none does. */
  async serving(): Promise<string> {
    const answer = await this.ask('POST', '/mcp/call', { tool: 'tool__version', input: {} });
    return String(answer['text'] ?? answer['code']);
  }
}

let running: VenomProcess | undefined;
const start = async (tier: number, more: Record<string, string> = {}) => {
  running = await startProcess({
    VENOM_DATA_DIR: dataDir,
    MCP_GIT_FILE_ROOTS: join(root, 'repositories'),
    PATH: TIERS[tier] as string,
    npm_config_registry: registry.url,
    ...more,
  });
  return running;
};

const foldersIn = (path: string): string[] => (existsSync(path) ? readdirSync(path) : []);

/** Of the versions on disk, each is one of the server; what waits to be built belongs to a plan. */
async function expectTidy(client: Client): Promise<void> {
  const { server, former } = (await client.ask('GET', '/mcp/servers/tool')) as {
    server?: object;
    former?: object[];
  };
  const folders = foldersIn(join(dataDir, 'mcp/imports/tool')).filter((name) => name !== 'workspace');
  expect(folders, JSON.stringify(folders)).toHaveLength(server ? 1 + (former ?? []).length : 0);
  const { plans } = (await client.ask('GET', '/mcp/plans')) as { plans: { plan_id: string }[] };
  const waiting = plans.map((plan) => plan.plan_id);
  expect(foldersIn(join(dataDir, 'mcp/staging')).filter((name) => !waiting.includes(name))).toEqual([]);
}

/** Kills, starts again, and sees that everything is as if the import had not been cut or had gone through. */
async function killAndLook(
  { venom }: Client,
  { id, before, tier }: { id: string; before: string; tier: number },
): Promise<{ client: Client; operation: Operation }> {
  await venom.kill();
  await noneLeft();
  const client = new Client(await start(tier));
  expect([before, String(version)]).toContain(await client.serving());
  let operation = await client.ended(id);
  if (operation.status === 'interrupted') {
    await client.ask('POST', `/models/operations/${id}/retry`, {});
    operation = await client.ended(id);
  }
  expect(operation, JSON.stringify(operation)).toMatchObject({ status: 'completed' });
  return { client, operation };
}

async function agreeTo(client: Client, operation: Operation): Promise<void> {
  const planned = operation.result as NonNullable<Operation['result']>;
  expect(await client.ended(await client.approve(planned))).toMatchObject({ status: 'completed' });
}

async function expectServes(client: Client): Promise<void> {
  expect(await client.serving()).toBe(String(version));
}

beforeAll(async () => {
  registry = await startNpmRegistry('held', 'module.exports = 0;');
  registry.delayMs = HELD_MS;
  mkdirSync(repository, { recursive: true });
  git('init', '-q', '-b', 'main');
  commitNext();
});
afterAll(async () => {
  await registry.close();
  rmSync(root, { recursive: true, force: true });
  for (const bin of TIERS) rmSync(join(bin, '..'), { recursive: true, force: true });
});

afterEach(async () => {
  // A test that failed must not fail the next ones.
  if (running?.child.exitCode === null && running.child.signalCode === null) await running.kill();
});

const ended = ({ status }: Operation) => status === 'completed';
/** A short one may be over before it is seen. */
const reaches = (name: string) => (operation: Operation) => operation.steps.at(-1)?.name === name || ended(operation);
const PLAN_BORDERS = [
  ['fetch', reaches('fetch')],
  ['inspect', reaches('inspect')],
  ['the plan is there', ended],
] as const;
const IMPORT_BORDERS = [
  ['approved', () => true],
  ['build', reaches('build')],
  ['install', ({ steps }: Operation) => steps.filter(({ name }) => name === 'build').length === 2],
  ['probe', reaches('probe')],
  ['activate', reaches('activate')],
  ['activated', ended],
] as const;

it.skipIf(found('setpriv').length === 0)(
  'a server without isolation ends with us, also where what waits for our end was killed first',
  async () => {
    const client = new Client(await start(PLAIN));
    const { result } = await client.ended(await client.plan());
    await client.ended(await client.approve(result as NonNullable<Operation['result']>));
    await expectServes(client);
    const pid = (await client.pid()) as number;
    const guards = childrenOf(client.venom.child.pid as number).filter((each) =>
      commandLineOf(each).includes('venom-group-guard'),
    );
    expect(guards.length).toBeGreaterThan(0);
    for (const guard of guards) process.kill(Number(guard), 'SIGKILL');
    expect(processes()).toContain(String(pid));
    await client.venom.kill();
    // What it has started besides is ended by the next start.
    await expect.poll(() => processes().includes(String(pid)), { timeout: GONE_WITHIN_MS, interval: 5 }).toBe(false);
    const next = new Client(await start(PLAIN));
    await next.ask('DELETE', '/mcp/servers/tool');
    expect((await next.venom.stop()).code).toBe(0);
    await noneLeft();
  },
  60_000,
);

describe('an import that is cut by kill -9', () => {
  it.each(PLAN_BORDERS)(
    'at %s is planned again, and nothing of it is left',
    async (_name, border) => {
      const client = new Client(await start(0));
      const before = await client.serving();
      const id = await client.plan();
      await client.until(id, border);
      const { client: next, operation } = await killAndLook(client, { id, before, tier: 0 });
      await expectTidy(next);
      await agreeTo(next, operation);
      await expectServes(next);
      await expectTidy(next);
      commitNext();
      await next.venom.kill();
      await noneLeft();
    },
    60_000,
  );

  it.each(IMPORT_BORDERS)(
    'at %s is taken up',
    async (_name, border) => {
      const client = new Client(await start(0));
      const before = await client.serving();
      const { result } = await client.ended(await client.plan());
      const id = await client.approve(result as NonNullable<Operation['result']>);
      await client.until(id, border);
      const { client: next } = await killAndLook(client, { id, before, tier: 0 });
      await expectServes(next);
      await expectTidy(next);
      commitNext();
      await next.venom.kill();
      await noneLeft();
    },
    60_000,
  );

  it('while the server is removed leaves nothing or all of it', async () => {
    const client = new Client(await start(0));
    await client.serving();
    const removing = client.ask('DELETE', '/mcp/servers/tool').catch(() => {});
    await expect.poll(async () => (await client.ask('GET', '/mcp/servers'))['count'], { interval: 1 }).toBe(0);
    await client.venom.kill();
    await removing;
    await noneLeft();
    const next = new Client(await start(0));
    await expect.poll(() => foldersIn(join(dataDir, 'mcp/imports')), { timeout: 5_000 }).toEqual([]);
    await next.venom.kill();
    await noneLeft();
  }, 60_000);
});

it('a call that waits for a yes is waited for after kill -9, is made once, and leaves no process', async () => {
  const upstream = await startFakeUpstream();
  let chosen = 0;
  upstream.behaviour = (body, response) => {
    const format = body['response_format'] as { json_schema?: { schema: { properties: object } } } | undefined;
    if (!format) return streams(['Done.'])(body, response);
    if (!('tool' in (format.json_schema?.schema.properties ?? {}))) return streams(['{}'])(body, response);
    // Once in each of the two runs of the task.
    chosen += 1;
    return streams([JSON.stringify({ tool: chosen <= 2 ? 'tool__version' : 'none' })])(body, response);
  };
  const settings = { LLM_LOCAL_ENDPOINT: upstream.url };
  const client = new Client(await start(0, settings));
  const planned = await client.ended(await client.plan());
  await agreeTo(client, planned);
  const callsOf = async (asked: Client) =>
    ((await asked.ask('GET', '/mcp/servers/tool'))['server'] as { call_ms: { count: number } | null }).call_ms?.count ??
    0;
  const waiting = async (asked: Client) =>
    (await asked.ask('GET', '/skills/approvals?state=waiting'))['approvals'] as { approval_id: string }[];
  const { task_id: id } = await client.ask('POST', '/tasks', { content: 'Say it', forced_tool: 'tool__version' });
  await expect.poll(async () => (await waiting(client)).length, { timeout: STEP_MS }).toBe(1);
  const [asked] = await waiting(client);
  await client.venom.kill();
  await noneLeft();
  const next = new Client(await start(0, settings));
  expect((await waiting(next)).map(({ approval_id: each }) => each)).toEqual([asked?.approval_id]);
  expect(await callsOf(next)).toBe(0);
  await next.ask('POST', `/skills/approvals/${asked?.approval_id}`, { decision: 'once' });
  await expect
    .poll(async () => (await next.ask('GET', `/tasks/${id}`))['status'], { timeout: STEP_MS })
    .toBe('COMPLETED');
  expect(await callsOf(next)).toBe(1);
  expect(await waiting(next)).toEqual([]);
  await next.ask('DELETE', '/mcp/servers/tool');
  expect((await next.venom.stop()).code).toBe(0);
  await noneLeft();
  await upstream.close();
}, 120_000);

it(`is consistent after ${ROUNDS} random kills, in every kind of isolation`, {
  timeout: 60_000 + ROUNDS * 40_000,
}, async () => {
  console.log(`seed ${SEED}: replay with VENOM_KILL_SEED=${SEED}`);
  const random = randomFrom(SEED);
  let cut = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const tier = round % TIERS.length;
    const client = new Client(await start(tier));
    const before = await client.serving();
    const planning = await client.plan();
    let id = planning;
    const carryOut = (async () => {
      const { result } = await client.ended(planning);
      id = await client.approve(result as NonNullable<Operation['result']>);
      await client.ended(id);
    })().catch(() => {
      // Killed in the middle.
    });
    await Promise.race([carryOut, new Promise((done) => setTimeout(done, 20 + random() * 4_000))]);
    const next = await killAndLook(client, { id, before, tier });
    await carryOut;
    if (next.operation.attempt > 1) cut += 1;
    if (id === planning) await agreeTo(next.client, next.operation);
    await expectServes(next.client);
    await expectTidy(next.client);
    commitNext();
    if (random() < 0.5) await next.client.venom.kill();
    else expect((await next.client.venom.stop()).code).toBe(0);
    await noneLeft();
  }
  console.log(`${ROUNDS} random kills, ${cut} of them in the middle of an operation`);
});

it(`leaves no process behind in ${RECONNECTS} reconnects`, { timeout: 60_000 + RECONNECTS * 10_000 }, async () => {
  const random = randomFrom(SEED);
  const client = new Client(await start(0));
  const { result } = await client.ended(await client.plan());
  await client.ended(await client.approve(result as NonNullable<Operation['result']>));
  await expectServes(client);
  const own = processes().length;
  for (let round = 0; round < RECONNECTS; round += 1) {
    const way = random();
    if (way < 0.3) await client.ask('POST', '/mcp/servers/tool/restart', {});
    else if (way < 0.6) {
      process.kill((await client.pid()) as number, 'SIGKILL');
      await expect.poll(() => client.pid()).toBeNull();
      // Five crashes in a minute are a loop; a person's restart forgets them.
      await client.ask('POST', '/mcp/servers/tool/restart', {});
    } else await client.gatewaySession();
    expect(await client.serving()).toBe(String(version));
    await expect.poll(() => processes().length, { timeout: GONE_WITHIN_MS }).toBeLessThanOrEqual(own);
  }
  expect((await client.venom.stop()).code).toBe(0);
  await noneLeft();
});
