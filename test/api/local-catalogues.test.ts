// Models that need no hub: packages of the Python index, and files that lie on this machine already.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gguf } from '../stand-ins/gguf.js';
import { startServer, type TestServer } from './server.js';

const FILE = gguf({ dataBytes: 200_000 });
let folder: string;
let server: TestServer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'venom-folder-'));
  mkdirSync(join(folder, 'deeper'));
  writeFileSync(join(folder, 'deeper', 'found-Q4_K_M.gguf'), FILE);
  writeFileSync(join(folder, 'broken.gguf'), 'this is no model');
  server = await startServer({ MODELS_FOLDERS: folder, LLM_WARMUP_ON_STARTUP: 'false' });
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const call = async (path: string, body?: object, method = body ? 'POST' : 'GET') => {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method,
    ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const entries = async (path: string) => (await call(path)).body['models'] as Record<string, unknown>[];
const install = async (name: string, provider: string) => {
  const { body } = await call('/models/registry/install', { name, provider });
  for (;;) {
    const { operation } = (await call(`/models/operations/${body['operation_id']}`)).body as {
      operation: { status: string; error: string | null; error_code: string | null };
    };
    if (!['pending', 'in_progress'].includes(operation.status)) return operation;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
const modelsDir = () => join(server.dataDir, 'models');

describe('files on this machine', () => {
  it('are listed with size, quantization and what is wrong with them', async () => {
    const found = await entries('/models/trending?provider=local');
    expect(found).toMatchObject([
      {
        model_name: 'broken',
        installed: false,
        quantization: null,
        problem: expect.stringMatching(/GGUF/),
      },
      {
        model_name: 'found-Q4_K_M',
        provider: 'local',
        runtime: 'llama-cpp',
        installed: false,
        quantization: 'Q4_1',
        problem: null,
        description: join(folder, 'deeper', 'found-Q4_K_M.gguf'),
      },
    ]);
    expect(await entries('/models/search?provider=local&query=FOUND')).toMatchObject([{ model_name: 'found-Q4_K_M' }]);
    expect((await entries('/models/providers')).map(({ provider }) => provider)).toEqual(
      expect.arrayContaining(['local', 'python-index']),
    );
    // Seen at once, however fresh the last answer is.
    writeFileSync(join(folder, 'late.gguf'), FILE);
    expect((await entries('/models/trending?provider=local')).map(({ model_name }) => model_name)).toContain('late');
  });

  it('are taken over by a second name, not by a second copy, and the original outlives a removal', async () => {
    const original = join(folder, 'deeper', 'found-Q4_K_M.gguf');
    // Another one is active, so that this one may go.
    copyFileSync(original, join(modelsDir(), 'active.gguf'));
    const { body: plan } = await call('/models/preflight?name=found-Q4_K_M&provider=local&runtime=llama-cpp');
    expect(plan).toMatchObject({ verdict: 'warn', total_bytes: 0, fit: { verdict: 'yes' } });
    expect(await install('found-Q4_K_M', 'local')).toMatchObject({ status: 'completed' });
    const linked = join(modelsDir(), 'found-Q4_K_M.gguf');
    expect(statSync(linked).ino).toBe(statSync(original).ino);
    const { models } = (await call('/models')).body as { models: { name: string; provider: string }[] };
    expect(models).toMatchObject([{ name: 'active' }, { name: 'found-Q4_K_M', provider: 'llama-cpp' }]);
    const { operations } = (await call('/models/operations')).body as { operations: { result: { sha256: string } }[] };
    expect(operations[0]?.result.sha256).toBe(createHash('sha256').update(FILE).digest('hex'));
    await call('/models/registry/found-Q4_K_M', undefined, 'DELETE');
    await expect.poll(() => existsSync(linked)).toBe(false);
    expect(readFileSync(original).equals(FILE)).toBe(true);
  });

  it('do not take the place of the model that answers, whatever they are called', async () => {
    const active = async () => ((await call('/models')).body['active'] as { model: string }).model;
    copyFileSync(join(folder, 'deeper', 'found-Q4_K_M.gguf'), join(modelsDir(), 'zebra.gguf'));
    // The folder may have been looked at a moment before.
    await expect.poll(active, { timeout: 10_000 }).toBe('zebra');
    await install('found-Q4_K_M', 'local');
    expect(await active()).toBe('zebra');
  });

  it.each([
    ['broken', 'invalid_model'],
    ['nowhere', 'model_not_found'],
  ])('%s is refused with %s', async (name, code) => {
    expect(await install(name, 'local')).toMatchObject({ status: 'failed', error_code: code });
    expect(existsSync(join(modelsDir(), `${name}.gguf`))).toBe(false);
  });

  it('that lie in the models folder are installed already', async () => {
    copyFileSync(join(folder, 'deeper', 'found-Q4_K_M.gguf'), join(modelsDir(), 'mine.gguf'));
    const found = await entries('/models/search?provider=local&query=mine');
    expect(found).toMatchObject([{ model_name: 'mine', installed: true }]);
    expect(await install('mine', 'local')).toMatchObject({ status: 'failed', error_code: 'conflict' });
  });
});

describe('the Python package index', () => {
  it('is a catalogue with pinned files, and says before the first byte whether they fit', async () => {
    const found = await entries('/models/search?provider=python-index&query=smollm');
    expect(found).toMatchObject([
      { model_name: 'SmolLM2-135M-Instruct-Q4_1', licence: 'apache-2.0', quantization: 'Q4_1', installed: false },
    ]);
    const { body } = await call('/models/preflight?name=gemma-3-270m-q4_k_m&provider=python-index&runtime=llama-cpp');
    expect(body).toMatchObject({
      total_bytes: 253_113_024,
      licence: 'gemma',
      checksum_known: true,
      fit: { context_length: expect.any(Number), verdict: expect.stringMatching(/yes|tight|no/) },
    });
  });

  it.each([
    [{ name: 'x/y', provider: 'python-index' }],
    [{ name: 'x', provider: 'python-index', runtime: 'ollama' }],
    [{ name: 'x', provider: 'local', runtime: 'vllm' }],
  ])('refuses %j', async (body) => {
    expect((await call('/models/registry/install', body)).status).toBe(422);
  });
});
