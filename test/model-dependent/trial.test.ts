// A model is tried by itself once it is here, and nobody waits for that. Needs VENOM_TEST_MODEL, the path of the starter
// model, and a build.
import { copyFileSync, linkSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readEvents, startServer, type TestServer, textOf } from '../api/server.js';

const MODEL = 'SmolLM2-135M-Instruct-Q4_1';
const file = process.env['VENOM_TEST_MODEL'] ?? '';
const LONG = { timeout: 60_000, interval: 100 };
let dataDir: string;
let server: TestServer;

const start = async (env: Record<string, string> = {}) => {
  server = await startServer(
    // Two threads beside other processes of a busy machine can be a hundred times slower than one.
    { MODEL_AUTO_PROBE: 'true', VENOM_STARTER_MODEL: file, LLAMA_THREADS: '1', ...env },
    dataDir,
  );
};
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'venom-trial-'));
  await start();
  await server.venom.prepare();
});
afterEach(async () => {
  await server.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const get = async (path: string) =>
  (await (await fetch(`${server.url}/api/v1${path}`)).json()) as Record<string, unknown>;
const post = async (path: string, body: object) =>
  fetch(`${server.url}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
interface Op {
  model_name: string;
  operation_type: string;
  status: string;
  attempt: number;
}
const trials = async () =>
  ((await get('/models/operations?limit=50'))['operations'] as Op[])
    .filter(({ operation_type }) => operation_type === 'probe')
    .map(({ model_name, status, attempt }) => ({ model_name, status, attempt }));
const measured = async (name = MODEL) =>
  ((await get(`/models/${name}/capabilities`))['capabilities'] as { measured: { results: unknown[] } | null }).measured;
const ask = async (question: string, model?: string) =>
  textOf(await readEvents(await post('/llm/simple/stream', { content: question, model, temperature: 0 })));
const loaded = async () => ((await get('/models/loaded'))['models'] as { name: string }[]).map(({ name }) => name);

it('the starter is a version at once, measured a little later, across people who ask and a restart', async () => {
  expect((await get('/models/versions'))['versions']).toMatchObject([
    { version_id: `llama-cpp/${MODEL}@b179c9523d0e`, active: true, source: null },
  ]);
  expect(await measured()).toBeNull();
  expect(await trials()).toEqual([]);
  await expect.poll(trials, LONG).toMatchObject([{ model_name: MODEL, status: 'in_progress' }]);
  expect(await ask('What is the capital of France?')).toContain('Paris');
  // It has given way, and waits for another quiet moment.
  expect(await trials()).toMatchObject([{ status: 'in_progress', attempt: 1 }]);
  await server.close({ keepData: true });
  await start();
  await server.venom.prepare();
  await expect.poll(trials, LONG).toMatchObject([{ model_name: MODEL, status: 'completed', attempt: 2 }]);
  expect(await measured()).toMatchObject({
    tokens_per_second: expect.any(Number),
    memory_bytes: expect.any(Number),
    results: expect.arrayContaining([
      expect.objectContaining({ name: 'json_schema', status: 'verified' }),
      expect.objectContaining({ name: 'languages', status: 'verified', reason: expect.stringContaining('en') }),
    ]),
  });
  const fit = await get(`/models/${MODEL}/fit`);
  expect(fit['estimates']).toMatchObject([{ tokens_per_second: expect.any(Number) }, {}, {}]);
  expect((await get('/models/versions'))['versions']).toHaveLength(1);
});

it('another model is tried beside the one in use and leaves memory again, or waits until there is room', async () => {
  await expect.poll(() => measured(), LONG).not.toBeNull();
  copyFileSync(file, join(dataDir, 'second-source.gguf'));
  linkSync(join(dataDir, 'second-source.gguf'), join(dataDir, 'models', 'second.gguf'));
  await post('/models/verify', { name: 'second' });
  // Whatever was brought here is known by its manifest; this one only lies there, and is nobody's wish to try.
  expect((await trials()).map(({ model_name }) => model_name)).toEqual([MODEL]);
  await server.close({ keepData: true });
  rmSync(join(dataDir, 'models', 'second.gguf'));
  await start({ MODELS_FOLDERS: dataDir, LLAMA_MAX_LOADED_MODELS: '1' });
  await server.venom.prepare();
  const install = await post('/models/registry/install', { name: 'second-source', provider: 'local' });
  expect(install.status).toBe(200);
  await expect.poll(async () => (await get('/models'))['count'], LONG).toBe(2);
  await new Promise((resolve) => setTimeout(resolve, 7_000));
  expect(await measured('second-source')).toBeNull();
  expect(await loaded()).toEqual([MODEL]);
  await server.close({ keepData: true });
  await start({ MODELS_FOLDERS: dataDir });
  await server.venom.prepare();
  await expect.poll(() => measured('second-source'), LONG).not.toBeNull();
  await expect.poll(loaded, LONG).toEqual([MODEL]);
});
