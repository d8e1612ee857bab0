// Which model a name means: without its tag, and where two engines hold it; and versions whose engines no longer have them, through the whole server.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gguf } from '../stand-ins/gguf.js';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';

let upstream: FakeUpstream;
let server: TestServer;
let file: string;

beforeEach(async () => {
  upstream = await startFakeUpstream();
  upstream.models.splice(0, upstream.models.length, { id: 'twin' }, { id: 'other' }, { id: 'third' });
  const dataDir = mkdtempSync(join(tmpdir(), 'venom-twins-'));
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url, LLM_WARMUP_ON_STARTUP: 'false' }, dataDir);
  file = join(dataDir, 'models', 'twin.gguf');
  writeFileSync(file, gguf({ dataBytes: 4_000 }));
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

describe('a name that two engines have', () => {
  it.each(['capabilities', 'config', 'runtime-capabilities'])(
    'is told apart by runtime and provider in %s',
    async (view) => {
      const runtimeOf = ({ body }: Awaited<ReturnType<typeof call>>) =>
        body['runtime'] ?? (body['runtime_capabilities'] as { runtime_id: string }).runtime_id;
      expect(runtimeOf(await call(`/models/twin/${view}?runtime=openai-compatible`))).toBe('openai-compatible');
      expect(runtimeOf(await call(`/models/twin/${view}?provider=llama-cpp`))).toBe('llama-cpp');
      // Whoever answers for it is told of, and that is who was chosen last.
      await call('/models/switch', { name: 'twin', runtime: 'openai-compatible' });
      expect(runtimeOf(await call(`/models/twin/${view}`))).toBe('openai-compatible');
      await call('/models/switch', { name: 'twin', runtime: 'llama-cpp' });
      const answer = await call(`/models/twin/${view}`);
      expect(runtimeOf(answer)).toBe('llama-cpp');
      if (view !== 'runtime-capabilities') expect(answer.body['also_on']).toEqual(['openai-compatible']);
    },
  );

  it('keeps parameters of one apart from those of the other', async () => {
    await call('/models/twin/config?runtime=openai-compatible', { params: { temperature: 0.1 } });
    const temperature = async (runtime: string) =>
      ((await call(`/models/twin/config?runtime=${runtime}`)).body['current_values'] as Record<string, number>)[
        'temperature'
      ];
    expect(await temperature('openai-compatible')).toBe(0.1);
    expect(await temperature('llama-cpp')).not.toBe(0.1);
  });

  it('is not removed before it is said which one is meant, and then only that one', async () => {
    await call('/models/switch', { name: 'other' });
    for (const path of ['/models/twin', '/models/twin?runtime=']) {
      const { status, body } = await call(path, undefined, 'DELETE');
      expect([status, body['code']]).toEqual([409, 'ambiguous_model']);
      expect(body['details']).toEqual({
        candidates: [
          { name: 'twin', runtime: 'llama-cpp' },
          { name: 'twin', runtime: 'openai-compatible' },
        ],
      });
    }
    expect(existsSync(file)).toBe(true);
    // A server of others removes its models itself.
    expect((await call('/models/twin?runtime=openai-compatible', undefined, 'DELETE')).status).toBe(404);
    expect((await call('/models/twin?runtime=vllm', undefined, 'DELETE')).body['detail']).toContain('vllm');
    expect((await call('/models/twin?provider=llama-cpp', undefined, 'DELETE')).status).toBe(200);
    expect(existsSync(file)).toBe(false);
  });

  it('may be removed from the engine that does not answer with it', async () => {
    await call('/models/switch', { name: 'twin', runtime: 'llama-cpp' });
    expect((await call('/models/twin?runtime=llama-cpp', undefined, 'DELETE')).status).toBe(400);
    await call('/models/switch', { name: 'twin', runtime: 'openai-compatible' });
    expect((await call('/models/twin?runtime=llama-cpp', undefined, 'DELETE')).status).toBe(200);
    expect(upstream.models).toHaveLength(3);
  });

  it('says who has it when the engine that is named has not', async () => {
    expect(await call('/models/third/capabilities?runtime=llama-cpp')).toMatchObject({
      status: 404,
      body: { code: 'model_not_found', detail: 'llama-cpp has no model called third; openai-compatible has one.' },
    });
  });

  it('is verified where there is a file to read', async () => {
    await call('/models/switch', { name: 'twin', runtime: 'openai-compatible' });
    expect(readFileSync(file).length).toBeGreaterThan(4_000);
    expect((await call('/models/verify', { name: 'twin' })).body['code']).toBe('unsupported');
    expect((await call('/models/verify', { name: 'twin', runtime: 'llama-cpp' })).status).toBe(200);
  });
});

describe('a name without a tag', () => {
  it('means `:latest` where nothing is called just that', async () => {
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
  }, 30_000);
});

describe('the way back', () => {
  const ended = async (id: string) => {
    const operation = async () =>
      (await call(`/models/operations/${id}`)).body['operation'] as {
        status: string;
        model_name: string;
        error_code: string | null;
        result: Record<string, unknown>;
      };
    await expect.poll(async () => (await operation()).status).not.toMatch(/pending|in_progress/);
    return operation();
  };

  it('passes over what its engine no longer has, and says so when nothing is left', async () => {
    for (const name of ['third', 'other']) await call('/models/switch', { name, runtime: 'openai-compatible' });
    await call('/models/switch', { name: 'twin', runtime: 'llama-cpp' });
    await call('/models/switch', { name: 'third', runtime: 'openai-compatible' });
    // Served before: twin, whose file is deleted behind our back, and before it other.
    rmSync(file);
    const back = await call('/models/rollback', {});
    expect(back.status).toBe(200);
    const done = await ended(String(back.body['operation_id']));
    expect(done).toMatchObject({ status: 'completed', model_name: 'other' });
    expect((await call('/models')).body['active']).toMatchObject({ model: 'other' });

    upstream.models.splice(0, upstream.models.length, { id: 'other' });
    await expect
      .poll(async () => (await call('/models')).body['models'], { timeout: 10_000, interval: 500 })
      .toHaveLength(1);
    expect(await call('/models/rollback', {})).toMatchObject({ status: 409, body: { code: 'no_former_version' } });
    expect((await call('/models')).body['active']).toMatchObject({ model: 'other', status: 'online' });
  }, 20_000);
});
