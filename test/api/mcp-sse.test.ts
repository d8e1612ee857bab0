// Remote MCP servers that know only the transport of 2024: found out by itself, remembered, and given up when they learn better.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { SseMcp } from '../stand-ins/sse-mcp.js';
import { startServer, type TestServer } from './server.js';

let server: TestServer;
let remote: SseMcp;

type Json = Record<string, never> & { [key: string]: Json };

async function ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }> {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Json };
}

const ended = (operation: Json | undefined): Promise<Json> =>
  vi.waitFor(
    async () => {
      const { body } = await ask('GET', `/models/operations/${operation?.['operation_id']}`);
      const now = (body['operation'] ?? body) as Json;
      expect(['pending', 'in_progress']).not.toContain(String(now['status']));
      return now;
    },
    { timeout: 20_000, interval: 20 },
  );

async function imported(name: string, url = remote.url): Promise<Json> {
  const source = { kind: 'remote', url, allow_private: true };
  const planned = await ended((await ask('POST', '/mcp/import', { name, source })).body['operation']);
  const plans = (await ask('GET', '/mcp/plans')).body['plans'] as unknown as Json[];
  const plan = plans.find((known) => known['plan_id'] === planned['result']?.['plan_id']);
  if (!plan) throw new Error(`no plan: ${JSON.stringify(planned)}`);
  return ended((await ask('POST', `/mcp/plans/${plan['plan_id']}/approve`, { hash: plan['hash'] })).body['operation']);
}

const shown = async (name: string) => (await ask('GET', `/mcp/servers/${name}`)).body['server'];
const echo = async (name: string, text: string) =>
  (await ask('POST', '/mcp/call', { tool: `${name}__echo`, input: { text } })).body;

beforeAll(async () => {
  remote = await SseMcp.start();
  server = await startServer();
});
afterAll(async () => {
  await server.close();
  await remote.close();
});

describe('a server of 2024', () => {
  it.each([400, 404, 405])('that answers %i to the new way is reached by the old one', async (refusal) => {
    remote.refusal = refusal;
    const name = `old-${refusal}`;
    expect(await imported(name)).toMatchObject({ status: 'completed', result: { tools: ['echo'] } });
    expect(await echo(name, 'hello')).toMatchObject({ status: 'success', text: 'old hello' });
    expect(await shown(name)).toMatchObject({ transport: 'sse', era: 'legacy', state: 'running' });
  });

  it('is asked the old way first from then on, also after a restart', async () => {
    await server.close({ keepData: true });
    server = await startServer({}, server.dataDir);
    const before = remote.asked.length;
    expect(await echo('old-405', 'again')).toMatchObject({ text: 'old again' });
    expect(remote.asked.slice(before)).not.toContain('POST /sse');
  });

  it('whose stream ends is connected anew by the next call, in a session of its own', async () => {
    expect(await echo('old-405', 'one')).toMatchObject({ text: 'old one' });
    remote.endStreams();
    await vi.waitFor(async () => expect((await shown('old-405'))?.['state']).not.toBe('running'), { timeout: 5_000 });
    expect(await echo('old-405', 'two')).toMatchObject({ text: 'old two' });
  });

  it('holds no stream once it is stopped', async () => {
    for (const name of ['old-400', 'old-404', 'old-405']) await ask('POST', `/mcp/servers/${name}/disable`);
    await vi.waitFor(() => expect(remote.streams).toBe(0), { timeout: 5_000 });
    for (const name of ['old-400', 'old-404', 'old-405']) await ask('POST', `/mcp/servers/${name}/enable`);
  });

  it('that names another origin for messages gets none', async () => {
    const other = await SseMcp.start();
    other.foreign = remote.url.replace('/sse', '/messages');
    const before = remote.asked.length;
    expect(await imported('wandering', other.url)).toMatchObject({ status: 'failed' });
    expect(remote.asked.slice(before)).toEqual([]);
    await other.close();
  });

  it('that has learned the new way is reached by it', async () => {
    remote.streamable = true;
    await ask('POST', '/mcp/servers/old-405/restart');
    const answer = await echo('old-405', 'better');
    expect(answer).toMatchObject({ status: 'success', text: 'new better' });
    expect(await shown('old-405')).toMatchObject({ transport: 'http' });
    remote.streamable = false;
  });

  it('that refuses for another reason is not tried the old way', async () => {
    remote.refusal = 403;
    const before = remote.asked.length;
    expect(await imported('closed')).toMatchObject({ status: 'failed', error_code: 'upstream_rejected' });
    expect(remote.asked.slice(before)).not.toContain('GET /sse');
    remote.refusal = 405;
  });
});
