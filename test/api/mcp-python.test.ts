// Servers of Python whose packages come from an index that only pip's own settings name: by pip, and by uv, which does not read
// them. Bundles of type uv, from the file to a call.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { findOnPath } from '../../src/skills/mcp/isolation.js';
import { bundle, manifestOf, signed } from '../stand-ins/bundles.js';
import { type PythonIndex, startPythonIndex } from '../stand-ins/python-index.js';
import { startServer, type TestServer } from './server.js';

const SERVER = readFileSync(resolve(import.meta.dirname, '../stand-ins/fake_mcp_server.py'), 'utf8');
const PROJECT = '[project]\nname = "greeter"\nversion = "1.0.0"\ndependencies = ["greeting>=1"]\n';
const root = mkdtempSync(join(tmpdir(), 'venom-python-'));
const path = process.env['PATH'] ?? '';
const uv = findOnPath('uv', [join(process.env['VENOM_TEST_MCP'] || '/nonexistent', 'uv/bin'), path].join(delimiter));
let index: PythonIndex;
let server: TestServer;

type Json = Record<string, never> & { [key: string]: Json };

async function ask(method: string, path: string, body?: unknown): Promise<Json> {
  const raw = body instanceof Uint8Array;
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method,
    ...(body === undefined
      ? {}
      : {
          headers: { 'content-type': raw ? 'application/octet-stream' : 'application/json' },
          body: raw ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body),
        }),
  });
  return (await response.json()) as Json;
}

const ended = (answer: Json): Promise<Json> =>
  vi.waitFor(
    async () => {
      const { operation } = await ask('GET', `/models/operations/${answer['operation']?.['operation_id']}`);
      if (['pending', 'in_progress'].includes(String(operation?.['status']))) throw new Error('it goes on');
      return operation as unknown as Json;
    },
    { timeout: 60_000, interval: 50 },
  );

async function planned(source: object): Promise<Json> {
  const { result, ...failed } = await ended(await ask('POST', '/mcp/import', { name: 'greeter', source }));
  const { plans } = await ask('GET', '/mcp/plans');
  return (plans as unknown as Json[]).find((plan) => plan['plan_id'] === result?.['plan_id']) ?? (failed as Json);
}
const approved = async (plan: Json) =>
  ended(await ask('POST', `/mcp/plans/${plan['plan_id']}/approve`, { hash: plan['hash'] }));
const uploaded = async (bytes: Buffer) =>
  (await ask('POST', '/mcp/bundles', new Uint8Array(bytes)))['bundle'] as unknown as string;

const uvBundle = (mcp_config?: object, more: { name: string; text: string }[] = []) =>
  bundle(
    manifestOf({
      manifest_version: '0.4',
      server: { type: 'uv', entry_point: 'src/server.py', ...(mcp_config ? { mcp_config } : {}) },
    }),
    [{ name: 'pyproject.toml', text: PROJECT }, { name: 'src/server.py', text: SERVER }, ...more],
  );

beforeAll(async () => {
  index = await startPythonIndex('greeting', '1.2.0', 'WORDS = "Good morning"\n');
  const repository = join(root, 'repository');
  mkdirSync(repository);
  writeFileSync(join(repository, 'server.py'), SERVER);
  writeFileSync(join(repository, 'pyproject.toml'), PROJECT);
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd: repository });
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-q', '-m', 'one');
});
afterAll(async () => {
  await index.close();
  rmSync(root, { recursive: true, force: true });
});

describe.each([
  ['pip', true, null],
  ['uv', uv !== null, uv],
] as const)('with %s', (tool, isThere, program) => {
  beforeEach(async () => {
    const home = mkdtempSync(join(root, 'home-'));
    mkdirSync(join(home, '.config/pip'), { recursive: true });
    // Said nowhere else.
    writeFileSync(join(home, '.config/pip/pip.conf'), `[global]\nindex-url = ${index.url}\n`);
    const bin = join(home, 'bin');
    mkdirSync(bin);
    if (program) copyFileSync(program, join(bin, 'uv'));
    const programs = path.split(delimiter).filter((folder) => !existsSync(join(folder, 'uv')));
    server = await startServer({ MCP_GIT_FILE_ROOTS: root }, undefined, {
      HOME: home,
      PATH: [bin, ...programs].join(delimiter),
    });
    index.asked.length = 0;
  });
  afterEach(() => server.close());

  it.skipIf(!isThere)('a repository is built from the index of pip.conf', async () => {
    const plan = await planned({ kind: 'git', url: `file://${join(root, 'repository')}` });
    expect(plan).toMatchObject({ dependencies: ['greeting>=1'], signature: null });
    expect(await approved(plan)).toMatchObject({ status: 'completed' });
    expect(index.asked.some((asked) => asked.endsWith('.whl'))).toBe(true);
    expect(await ask('POST', '/mcp/call', { tool: 'greeter__greet', input: {} })).toMatchObject({
      text: 'Good morning',
    });
    const { programs } = await ask('GET', '/mcp/doctor');
    expect([tool, programs?.['uv'] !== null]).toEqual([tool, tool === 'uv']);
  });

  it.skipIf(!isThere)('a bundle of type uv installs what its project needs, and runs without uv', async () => {
    const plan = await planned({ kind: 'bundle', bundle: await uploaded(uvBundle()) });
    expect(plan).toMatchObject({
      launch: { command: '{env}/bin/python', args: ['{source}/src/server.py'] },
      build: [{ command: ['{make-env}'] }, { command: ['{install}', 'greeting>=1'], network: true }],
      dependencies: ['greeting>=1'],
      signature: { state: 'unsigned', signer: null },
      permissions: { network: false },
    });
    expect(index.asked).toEqual([]);
    expect(await approved(plan)).toMatchObject({ status: 'completed', result: { tools: ['greet'] } });
    expect(await ask('POST', '/mcp/call', { tool: 'greeter__greet', input: {} })).toMatchObject({
      text: 'Good morning',
    });
  });
});

const LOCKED_INDEX = 'https://elsewhere.invalid/simple';
const LOCKS = {
  'uv.lock': (version: string, hash: string) => `version = 1
revision = 3
requires-python = ">=3.9"

[[package]]
name = "greeter"
version = "1.0.0"
source = { virtual = "." }
dependencies = [{ name = "greeting" }]

[package.metadata]
requires-dist = [{ name = "greeting", specifier = ">=1" }]

[[package]]
name = "greeting"
version = "${version}"
source = { registry = "${LOCKED_INDEX}" }
wheels = [
    { url = "https://elsewhere.invalid/greeting-${version}-py3-none-any.whl", hash = "sha256:${hash}", size = 900 },
]
`,
  'pylock.toml': (version: string, hash: string) => `lock-version = "1.0"
created-by = "hand"

[[packages]]
name = "greeting"
version = "${version}"
index = "${LOCKED_INDEX}"
wheels = [{ name = "greeting-${version}-py3-none-any.whl", url = "https://elsewhere.invalid/x.whl", hashes = { sha256 = "${hash}" } }]
`,
  'requirements.txt': (version: string, hash: string) =>
    `--index-url ${LOCKED_INDEX}\ngreeting==${version} \\\n    --hash=sha256:${hash}  # via nobody\n`,
} as const;
type LockName = keyof typeof LOCKS;

describe.each([
  ['pip', true, null],
  ['uv', uv !== null, uv],
] as const)('a repository with a lock file, with %s', { timeout: 60_000 }, (tool, isThere, program) => {
  const repository = join(root, `locked-${tool}`);
  let locked: PythonIndex;

  function commit(files: Record<string, string>) {
    rmSync(repository, { recursive: true, force: true });
    mkdirSync(repository);
    const all = { 'server.py': SERVER, 'pyproject.toml': PROJECT, ...files };
    for (const [name, text] of Object.entries(all)) writeFileSync(join(repository, name), text);
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd: repository });
    git('init', '-q', '-b', 'main');
    git('add', '-A');
    git('commit', '-q', '-m', 'one');
  }
  const source = (more: object = {}) => ({ kind: 'git', url: `file://${repository}`, ...more });

  beforeAll(async () => {
    locked = await startPythonIndex('greeting', '1.2.0', 'WORDS = "as locked"\n', { '2.0.0': 'WORDS = "newest"\n' });
    const bin = join(mkdtempSync(join(root, 'home-')), 'bin');
    mkdirSync(bin);
    if (program) copyFileSync(program, join(bin, 'uv'));
    const programs = path.split(delimiter).filter((folder) => !existsSync(join(folder, 'uv')));
    server = await startServer({ MCP_GIT_FILE_ROOTS: root }, undefined, {
      HOME: join(bin, '..'),
      PATH: [bin, ...programs].join(delimiter),
      PIP_INDEX_URL: locked.url,
    });
  });
  afterAll(async () => {
    await server.close();
    await locked.close();
  });
  const greeting = () => ask('POST', '/mcp/call', { tool: 'greeter__greet', input: {} });

  const used = (Object.keys(LOCKS) as LockName[]).filter((file) => tool === 'uv' || file !== 'uv.lock');
  it.skipIf(!isThere).each(used)('gets exactly what %s names, from the index of this machine', async (file) => {
    commit({ [file]: LOCKS[file]('1.2.0', locked.hash('1.2.0')) });
    const plan = await planned(source());
    expect(plan).toMatchObject({
      lock: { file, packages: 1 },
      dependencies: ['greeting==1.2.0'],
      warnings: [],
      build: [{}, { network: false }, { title: expect.stringContaining(file), network: true }],
    });
    expect(await approved(plan)).toMatchObject({ status: 'completed' });
    expect(await greeting()).toMatchObject({ text: 'as locked' });
  });

  it.skipIf(!isThere).each(used)('is not built when what comes is not what %s has the hash of', async (file) => {
    commit({ [file]: LOCKS[file]('1.2.0', 'a'.repeat(64)) });
    const operation = await approved(await planned(source()));
    expect(operation).toMatchObject({ status: 'failed', error_code: 'mcp_import_failed' });
    expect(String(operation['error'])).toMatch(/hash/i);
  });

  it.skipIf(!isThere).each(used)(
    'whose %s is out of date is refused, and imported without it by choice',
    async (file) => {
      const stale = LOCKS[file]('1.2.0', locked.hash('1.2.0'));
      commit({ [file]: stale, 'pyproject.toml': PROJECT.replace('"greeting>=1"', '"greeting>=1", "weather"') });
      const failed = await planned(source());
      expect(failed).toMatchObject({ status: 'failed', error_code: 'mcp_lock_mismatch' });
      expect(String(failed['error'])).toContain('weather');
      commit({ [file]: stale.replace('>=1', '>=1.1'), 'pyproject.toml': PROJECT.replace('>=1', '>=2') });
      const plan = await planned(source({ ignore_lock: true }));
      expect(plan).toMatchObject({ lock: null, warnings: [expect.stringContaining('left aside, as you asked')] });
      expect(await approved(plan)).toMatchObject({ status: 'completed' });
      expect(await greeting()).toMatchObject({ text: 'newest' });
    },
  );

  it.skipIf(!isThere)('of uv says in the plan what becomes of it where uv is not there', async () => {
    commit({ 'uv.lock': LOCKS['uv.lock']('1.2.0', locked.hash('1.2.0')) });
    expect(await planned(source())).toMatchObject(
      tool === 'uv'
        ? { lock: { file: 'uv.lock' }, warnings: [] }
        : { lock: null, warnings: [expect.stringContaining('uv is not here')] },
    );
  });
});

describe('a bundle', () => {
  beforeAll(async () => {
    server = await startServer({}, undefined, { HOME: root, PATH: path });
  });
  afterAll(() => server.close());

  it('of type uv keeps the arguments of its own, and says what of it is not used', async () => {
    const config = {
      command: 'uv',
      args: ['run', '--directory', '$'.concat('{__dirname}'), 'src/server.py', 'dear', 'friend'],
    };
    const lock = { name: 'poetry.lock', text: '' };
    expect(await planned({ kind: 'bundle', bundle: await uploaded(uvBundle(config, [lock])) })).toMatchObject({
      launch: { args: ['{source}/src/server.py', 'dear', 'friend'] },
      lock: null,
      warnings: [expect.stringContaining('poetry.lock is not used')],
    });
  });

  it.each([
    ['without a project', [{ name: 'src/server.py', text: SERVER }], 'pyproject.toml'],
    [
      'that needs something from elsewhere',
      [
        { name: 'src/server.py', text: SERVER },
        { name: 'pyproject.toml', text: PROJECT.replace('greeting>=1', 'greeting @ https://evil.example/x.whl') },
      ],
      'no package with bounds',
    ],
  ])('of type uv %s is refused', async (_what, files, why) => {
    const manifest = manifestOf({ manifest_version: '0.4', server: { type: 'uv', entry_point: 'src/server.py' } });
    const failed = await planned({ kind: 'bundle', bundle: await uploaded(bundle(manifest, files)) });
    expect(failed).toMatchObject({ status: 'failed', error_code: 'mcp_import_failed' });
    expect(String(failed['message'])).toContain(why);
  });

  it.skipIf(findOnPath('openssl', path) === null)(
    'shows whose signature it has, and is refused where that is of other bytes',
    async () => {
      execFileSync(
        'openssl',
        [
          'req',
          '-x509',
          '-newkey',
          'rsa:2048',
          '-nodes',
          '-keyout',
          'me.key',
          '-out',
          'me.pem',
          '-subj',
          '/CN=Me',
          '-days',
          '3',
        ],
        { cwd: root, stdio: 'pipe' },
      );
      const whole = signed(uvBundle(), { folder: root, name: 'me' });
      expect(await planned({ kind: 'bundle', bundle: await uploaded(whole) })).toMatchObject({
        signature: { state: 'not_verified', reason: 'self_signed', signer: { subject: 'Me', issuer: 'Me' } },
      });
      const [archived] = [uvBundle().length];
      const moved = Buffer.concat([
        uvBundle({ command: 'uv', args: ['run', 'src/server.py', 'x'] }),
        whole.subarray(archived),
      ]);
      const failed = await planned({ kind: 'bundle', bundle: await uploaded(moved) });
      expect(failed).toMatchObject({ status: 'failed', error_code: 'mcp_import_failed' });
      expect(String(failed['message'])).toContain('signature is not of these bytes');
    },
  );
});
