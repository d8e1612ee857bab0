// A pull is judged by the disk that Ollama keeps its weights on, together with everything else that is under way there.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diskOf } from '../../src/machine/usage-meter.js';
import { startServer, type TestServer } from './server.js';

let folder: string;
let ollama: Server;
let url: string;
let server: TestServer;
/** Layer sizes the registry tells, by model; a model that is missing is one it does not know. */
let registry: Record<string, number[]>;
/** What each pull announces, in bytes. */
let announced: Record<string, number>;
let installed: { name: string; size: number; digest: string }[];
let pulls: { model: string; response: ServerResponse }[];

const digest = (index: number) => `sha256:${String(index).padStart(64, '0')}`;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'venom-ollama-'));
  registry = {};
  announced = {};
  installed = [];
  pulls = [];
  ollama = createServer(async (request, response) => {
    const path = request.url ?? '';
    let body = '';
    for await (const piece of request) body += piece;
    const model = /^\/v2\/library\/([^/]+)\/manifests\/latest$/.exec(path)?.[1];
    const layers = model === undefined ? undefined : registry[model];
    if (path === '/api/version') response.end('{"version":"0.6.8"}');
    else if (path === '/api/tags') response.end(JSON.stringify({ models: installed }));
    else if (path === '/api/pull') {
      const asked = JSON.parse(body).model as string;
      pulls.push({ model: asked, response });
      const total = announced[asked] ?? 1_000;
      response.write(`${JSON.stringify({ status: 'pulling', digest: digest(9), total, completed: 0 })}\n`);
    } else if (layers)
      response.end(JSON.stringify({ layers: layers.map((size, index) => ({ digest: digest(index), size })) }));
    else response.writeHead(404).end('{}');
  });
  await new Promise<void>((resolve) => ollama.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(ollama.address() as AddressInfo).port}`;
  server = await startServer(
    {
      OLLAMA_ENDPOINT: url,
      OLLAMA_REGISTRY_ENDPOINT: url,
      OLLAMA_RETRY_MAX_ATTEMPTS: '1',
      LLM_WARMUP_ON_STARTUP: 'false',
    },
    undefined,
    { OLLAMA_MODELS: folder },
  );
});
afterEach(async () => {
  ollama.closeAllConnections();
  await server.close();
  await new Promise((resolve) => ollama.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const call = async (path: string, body?: object) => {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method: body ? 'POST' : 'GET',
    ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
  });
  return (await response.json()) as Record<string, unknown>;
};
interface Op {
  status: string;
  error: string | null;
  error_code: string | null;
  total_bytes: number | null;
}
const pull = async (name: string) =>
  String((await call('/models/registry/install', { name, provider: 'ollama', runtime: 'ollama' }))['operation_id']);
const operation = async (id: string) => (await call(`/models/operations/${id}`))['operation'] as Op;
const preflight = (name: string) => call(`/models/preflight?name=${name}&provider=ollama&runtime=ollama`);
const free = async () => (await diskOf(folder)).freeBytes;

describe('a pull of Ollama', () => {
  it('of two that fit alone but not together, the second is refused with the sum before it begins', async () => {
    const size = Math.floor((await free()) * 0.6);
    registry = { one: [size], two: [size] };
    announced = { one: size };
    expect(await preflight('two')).toMatchObject({
      total_bytes: size,
      disk: { needed_bytes: size, reserved_bytes: 0 },
    });
    const first = await pull('one');
    await expect.poll(async () => (await operation(first)).total_bytes).toBe(size);
    const judged = await preflight('two');
    expect(judged).toMatchObject({ verdict: 'no', disk: { reserved_bytes: size } });
    expect((judged['disk'] as { after_bytes: number }).after_bytes).toBeLessThan(0);
    const second = await pull('two');
    await expect.poll(async () => (await operation(second)).status).toBe('failed');
    const { error_code, error } = await operation(second);
    expect(error_code).toBe('insufficient_storage');
    expect(error).toContain(`together ${Math.round((size * 2) / 1_000_000)} MB`);
    expect(pulls.map(({ model }) => model)).toEqual(['one']);
    await call(`/models/operations/${first}/cancel`, {});
    await expect.poll(async () => (await operation(first)).status).toBe('cancelled');
    expect(await preflight('two')).toMatchObject({ disk: { reserved_bytes: 0 } });
  });

  it('whose size nobody knew is refused as soon as it says that it does not fit, and Ollama is stopped', async () => {
    announced = { huge: (await free()) * 2 };
    expect(await preflight('huge')).toMatchObject({ total_bytes: 0, fit: null });
    const id = await pull('huge');
    await expect.poll(async () => (await operation(id)).status).toBe('failed');
    expect(await operation(id)).toMatchObject({ error_code: 'insufficient_storage' });
    await expect.poll(() => pulls[0]?.response.destroyed).toBe(true);
  });

  it('that finds the disk full on the way ends with its name, and goes on when there is room again', async () => {
    const id = await pull('late');
    await expect.poll(() => pulls.length).toBe(1);
    pulls[0]?.response.end(
      `${JSON.stringify({ error: 'write /models/blobs/sha256-9-partial: no space left on device' })}\n`,
    );
    await expect.poll(async () => (await operation(id)).status).toBe('failed');
    expect(await operation(id)).toMatchObject({
      error_code: 'insufficient_storage',
      error: 'The disk of Ollama is full.',
    });
    await call(`/models/operations/${id}/retry`, {});
    await expect.poll(() => pulls.length).toBe(2);
    installed = [{ name: 'late:latest', size: 1_000, digest: digest(9) }];
    pulls[1]?.response.end(`${JSON.stringify({ status: 'success' })}\n`);
    await expect.poll(async () => (await operation(id)).status).toBe('completed');
  });

  it('needs only what Ollama does not have yet', async () => {
    registry = { shared: [1_000, 2_000] };
    mkdirSync(join(folder, 'blobs'));
    writeFileSync(join(folder, 'blobs', digest(1).replace(':', '-')), Buffer.alloc(2_000));
    expect(await preflight('shared')).toMatchObject({ disk: { needed_bytes: 1_000 } });
  });
});
