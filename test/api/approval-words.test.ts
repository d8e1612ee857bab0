// A call of an imported server's tool that waits for a person, as that person meets it: by names, with what the server claims
// marked as its claim, and with nothing hidden in it.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { commandLine } from './command-line.js';
import { type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';

const FAKE = resolve(import.meta.dirname, '../stand-ins/fake-mcp-server.mjs');
const roots = mkdtempSync(join(tmpdir(), 'venom-words-'));
const repository = join(roots, 'shop');
let upstream: FakeUpstream;
let server: TestServer;

type Json = Record<string, never> & { [key: string]: Json };

const ask = async (method: string, path: string, body?: unknown) => {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return (await response.json()) as Json;
};
const ended = (id: unknown) =>
  vi.waitFor(
    async () => {
      const { operation } = await ask('GET', `/models/operations/${id}`);
      expect(['pending', 'in_progress']).not.toContain(String(operation?.['status']));
      return operation as unknown as Json;
    },
    { timeout: 30_000, interval: 50 },
  );
const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd: repository });

async function imported(): Promise<void> {
  const { operation } = await ask('POST', '/mcp/import', {
    name: 'shop',
    title: 'Corner shop',
    source: { kind: 'git', url: `file://${repository}`, entrypoint: 'node server.mjs' },
  });
  const { result } = await ended(operation?.['operation_id']);
  const approved = await ask('POST', `/mcp/plans/${result?.['plan_id']}/approve`, { hash: result?.['hash'] });
  expect((await ended(approved['operation']?.['operation_id']))['status']).toBe('completed');
}

beforeAll(async () => {
  mkdirSync(repository);
  git('init', '-q', '-b', 'main');
  copyFileSync(FAKE, join(repository, 'server.mjs'));
  const code = readFileSync(join(repository, 'server.mjs'), 'utf8')
    .replace(
      "name: 'add',",
      "name: 'add', title: 'Order goods', annotations: { destructiveHint: true, openWorldHint: true },",
    )
    .replace("a: { type: 'number' }", "a: { type: 'number', title: 'How many' }");
  writeFileSync(join(repository, 'server.mjs'), code);
  writeFileSync(join(repository, 'package.json'), '{"name":"shop"}');
  git('add', '-A');
  git('commit', '-q', '-m', 'one');
  upstream = await startFakeUpstream();
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url, MCP_GIT_FILE_ROOTS: roots }, undefined, {
    PATH: process.env['PATH'] ?? '',
  });
  await imported();
}, 60_000);
afterAll(async () => {
  await server.close();
  await upstream.close();
  rmSync(roots, { recursive: true, force: true });
});

it('is told by names, with its arguments, and with the claims of the server as claims', async () => {
  let called = false;
  upstream.behaviour = (body, response) => {
    const format = body['response_format'] as { json_schema?: { schema: { properties: object } } } | undefined;
    if (!format) return streams(['Ordered.'])(body, response);
    if (!('tool' in (format.json_schema?.schema.properties ?? {})))
      return streams(['{"a": 3, "b": 4, "note": "be\\u202equick"}'])(body, response);
    const tool = called ? 'none' : 'shop__add';
    called = true;
    return streams([JSON.stringify({ tool })])(body, response);
  };
  const { task_id: id } = await ask('POST', '/tasks', { content: 'Call shop__add', forced_tool: 'shop__add' });
  const approval = await vi.waitFor(async () => {
    const { approvals } = await ask('GET', '/skills/approvals?state=waiting');
    const [first] = approvals as unknown as Json[];
    if (!first) throw new Error('nothing waits');
    return first;
  });
  expect(approval).toMatchObject({
    tool: 'shop__add',
    title: 'Order goods',
    source: { kind: 'mcp', id: 'shop', title: 'Corner shop' },
    description: 'Adds two numbers.',
    claims: { read_only: null, destructive: true, idempotent: null, open_world: true },
    arguments: { a: 3, b: 4 },
    argument_titles: { a: 'How many' },
    read_only: false,
  });
  const { out } = await commandLine(server).run('skills', 'approvals');
  expect(out).toContain('Order goods (shop__add), a tool of the MCP server Corner shop');
  expect(out).toContain('the server itself says, unchecked: may delete or overwrite, reaches out');
  expect(out).toContain('How many: 3');
  expect(out).toContain('note: be<U+202E>quick');
  const task = await ask('GET', `/tasks/${id}`);
  expect(JSON.stringify(task)).toContain('Order goods (shop__add) waits for your yes.');
  // A definition that has changed since is not shown as the one that is asked about.
  writeFileSync(
    join(repository, 'server.mjs'),
    readFileSync(join(repository, 'server.mjs'), 'utf8').replace('Adds two numbers.', 'Does something else.'),
  );
  git('commit', '-q', '-a', '-m', 'two');
  await imported();
  const later = await ask('GET', `/skills/approvals/${approval['approval_id']}`);
  expect(later['approval']).toMatchObject({ title: 'Order goods', source: null, claims: null, description: null });
  await ask('POST', `/skills/approvals/${approval['approval_id']}`, { decision: 'deny' });
}, 60_000);

it('is told so in lists of tools, too', async () => {
  const { tools } = await ask('GET', '/mcp/servers/shop/tools');
  expect((tools as unknown as Json[]).find(({ tool }) => String(tool) === 'add')).toMatchObject({
    title: 'Order goods',
    claims: { destructive: true },
  });
  const { out } = await commandLine(server).run('mcp', 'tools', 'shop');
  expect(out).toMatch(/Order goods +add +quarantined +ask +may destroy/);
});
