// Which model a name means, where tags are left out and engines have the same names, and where it is gone.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gguf } from '../stand-ins/gguf.js';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';

const FILE = gguf({ dataBytes: 4_000 });
let upstream: FakeUpstream;
let server: TestServer;

beforeEach(async () => {
  upstream = await startFakeUpstream();
  const dataDir = mkdtempSync(join(tmpdir(), 'venom-names-'));
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url, LLM_WARMUP_ON_STARTUP: 'false' }, dataDir);
});
afterEach(async () => {
  await server.close();
  await upstream.close();
});

const call = async (path: string, body?: object, method = body ? 'POST' : 'GET') => {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method,
    ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const modelsDir = () => join(server.dataDir, 'models');

describe('names', { timeout: 30_000 }, () => {
  it('without a tag mean `:latest` where nothing is called just that', async () => {
    for (const id of ['smol:latest', 'host:5000/team/smol:latest', 'twice', 'twice:latest'])
      upstream.models.push({ id });
    await expect
      .poll(async () => (await call('/models/smol/config')).body['model_name'], { timeout: 20_000 })
      .toBe('smol:latest');
    expect((await call('/models/twice/config')).body['model_name']).toBe('twice');
    expect((await call('/models/host:5000%2Fteam%2Fsmol/config')).body['model_name']).toBe(
      'host:5000/team/smol:latest',
    );
    expect((await call('/models/switch', { name: 'smol' })).body['success']).toBe(true);
    expect((await call('/system/llm-runtime/active')).body['runtime']).toMatchObject({ model: 'smol:latest' });
    expect((await call('/models/smol:other/capabilities')).status).toBe(404);
  });

  it('that two engines have are told apart', async () => {
    mkdirSync(modelsDir(), { recursive: true });
    writeFileSync(join(modelsDir(), 'fake-model.gguf'), FILE);
    const runtimeOf = async (runtime: string) =>
      (await call(`/models/fake-model/runtime-capabilities?runtime=${runtime}`)).body['runtime_capabilities'];
    await expect
      .poll(() => runtimeOf('llama-cpp'), { timeout: 20_000 })
      .toMatchObject({ runtime_id: 'llama-cpp', endpoint: null });
    expect(await runtimeOf('openai-compatible')).toMatchObject({ runtime_id: 'openai-compatible' });
    expect((await call('/models/fake-model/capabilities?runtime=vllm')).status).toBe(404);
  });
});

it('the way back leads past a version whose model is gone', { timeout: 30_000 }, async () => {
  mkdirSync(modelsDir(), { recursive: true });
  const file = join(modelsDir(), 'short-lived.gguf');
  writeFileSync(file, FILE);
  await expect
    .poll(async () => (await call('/models/switch', { name: 'short-lived' })).status, { timeout: 20_000 })
    .toBe(200);
  for (const name of ['fake-model', 'short-lived', 'org/other']) await call('/models/switch', { name });
  rmSync(file);
  const { body } = await call('/models/rollback', {});
  await expect
    .poll(async () => (await call(`/models/operations/${body['operation_id']}`)).body['operation'], { timeout: 20_000 })
    .toMatchObject({ status: 'completed', model_name: 'fake-model' });
});
