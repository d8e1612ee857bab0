// A server that asks, imported into a Venom whose model does what the test says.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, vi } from 'vitest';
import { type FakeUpstream, streams } from './fake-upstream.js';

const ASKING = resolve(import.meta.dirname, '../stand-ins/asking-mcp-server.mjs');

type Json = Record<string, never> & { [key: string]: Json };

/** Imported from Git, as `legacy` or `modern` where no name is given; its tools run without a yes. */
export async function importAsking(
  url: string,
  era: 'legacy' | 'modern',
  { key = '', name = era, readable = [] }: { key?: string; name?: string; readable?: readonly string[] } = {},
): Promise<void> {
  const ask = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        ...(key ? { authorization: `Bearer ${key}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
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
  const repository = mkdtempSync(join(tmpdir(), `venom-asking-${era}-`));
  copyFileSync(ASKING, join(repository, 'server.mjs'));
  writeFileSync(join(repository, 'package.json'), '{"name":"asking"}');
  for (const args of [
    ['init', '-q', '-b', 'main'],
    ['add', '-A'],
    ['-c', 'user.name=t', '-c', 'user.email=t@example.org', 'commit', '-q', '-m', 'one'],
  ])
    execFileSync('git', args, { cwd: repository });
  const { operation } = await ask('POST', '/mcp/import', {
    name,
    title: `Asking ${name}`,
    source: { kind: 'git', url: `file://${repository}`, entrypoint: `node server.mjs ${era}` },
    readable,
  });
  const { result } = await ended(operation?.['operation_id']);
  const approved = await ask('POST', `/mcp/plans/${result?.['plan_id']}/approve`, { hash: result?.['hash'] });
  expect((await ended(approved['operation']?.['operation_id']))['status']).toBe('completed');
  rmSync(repository, { recursive: true, force: true });
  for (const tool of ['book', 'twice', 'login', 'nested', 'sample', 'roots'])
    await ask('PUT', `/skills/${name}__${tool}/permission`, { permission: 'always' });
}

/** The model calls the tool once in each turn, then answers. @returns what it has read of the tool's answers since */
export function leadsTo(upstream: FakeUpstream, tool: string | null): () => string {
  let read = '';
  upstream.behaviour = (body, response) => {
    if (
      JSON.stringify(body['messages']).includes('Name a fruit.') &&
      !JSON.stringify(body['messages']).includes('was told')
    )
      return streams(['A pear.'])(body, response);
    const messages = JSON.stringify(body['messages']);
    const answered = messages.includes('was told');
    if (answered) read += messages;
    const format = body['response_format'] as { json_schema?: { schema: { properties: object } } } | undefined;
    if (!format) return streams(['Done.'])(body, response);
    if (!('tool' in (format.json_schema?.schema.properties ?? {})))
      return streams(['{"day": "today"}'])(body, response);
    return streams([JSON.stringify({ tool: answered || tool === null ? 'none' : tool })])(body, response);
  };
  return () => read;
}
