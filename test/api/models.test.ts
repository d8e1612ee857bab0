// Models and system as clients of the original read them.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.js';
import { readEvents, startServer, type TestServer } from './server.js';

let upstream: FakeUpstream;
let server: TestServer;
let url: string;

beforeAll(async () => {
  upstream = await startFakeUpstream();
  const dataDir = mkdtempSync(join(tmpdir(), 'venom-test-'));
  mkdirSync(join(dataDir, 'models'));
  writeFileSync(join(dataDir, 'models', 'hostile.gguf'), Buffer.concat([Buffer.from('GGUF'), Buffer.alloc(64, 0xff)]));
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url }, dataDir);
  url = `${server.url}/api/v1`;
});
afterAll(async () => {
  await server.close();
  await upstream.close();
});

const get = async (path: string) => (await fetch(url + path)).json() as Promise<Record<string, unknown>>;
const post = (path: string, body: object) =>
  fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

describe('GET /models', () => {
  it('lists the models of every engine and the active one', async () => {
    const answer = await get('/models');
    expect(answer).toMatchObject({
      success: true,
      count: 3,
      active: { provider: 'openai-compatible', model: 'fake-model', status: 'online' },
    });
    expect(Object.keys(answer['providers'] as object).sort()).toEqual(['llama-cpp', 'openai-compatible']);
    expect((answer['models'] as { name: string; active: boolean }[]).find(({ active }) => active)?.name).toBe(
      'fake-model',
    );
  });

  it('names a hostile file, says why, and no engine touches it', async () => {
    const { models } = await get('/models');
    expect((models as { name: string }[]).find(({ name }) => name === 'hostile')).toMatchObject({
      chat_compatible: false,
      chat_block_reason: expect.stringContaining('no valid GGUF'),
    });
    const startedAt = performance.now();
    const events = await readEvents(await post('/llm/simple/stream', { content: 'Hi', model: 'hostile' }));
    expect(performance.now() - startedAt).toBeLessThan(100);
    expect(events.at(-1)).toMatchObject({ event: 'error', data: { code: 'invalid_model' } });
    const openAi = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'hostile', messages: [{ role: 'user', content: 'Hi' }], stream: true }),
    });
    expect(openAi.status).toBe(400);
    expect(await openAi.json()).toMatchObject({ error: { code: 'invalid_model' } });
    const { runtimes } = await get('/system/info');
    expect((runtimes as { details: object }[])[0]?.details).toMatchObject({ loaded: null });
  });

  it('switches the active model, and remembers it', async () => {
    expect((await post('/models/switch', { name: 'org/other' })).status).toBe(200);
    expect(await get('/system/llm-runtime/active')).toMatchObject({
      runtime: { model: 'org/other', label: expect.stringMatching(/^other · openai-compatible @ 127\.0\.0\.1:\d+$/) },
    });
    await post('/models/switch', { name: 'fake-model' });
  });
});

describe('what pages poll', () => {
  it('what is not there is not found, whatever its body; names may hold a slash, encoded or not', async () => {
    for (const path of ['/models/fake-model/nothing', '/models/a/b/c']) {
      const answer = await post(path, {});
      expect([path, answer.status, ((await answer.json()) as { code: string }).code]).toEqual([path, 404, 'not_found']);
    }
    // These are there for other methods.
    for (const path of ['/models/nothing', '/models/fake-model/fit']) expect((await post(path, {})).status).toBe(405);
    for (const name of ['org/other', 'org%2Fother']) {
      expect((await post(`/models/${name}/config`, { params: 'none' })).status).toBe(422);
      expect((await post(`/models/${name}/config`, { params: { temperature: 9 } })).status).toBe(400);
      expect((await post(`/models/${name}/config`, { params: { temperature: 0.5 } })).status).toBe(200);
      expect(await get(`/models/${name}/config`)).toMatchObject({ current_values: { temperature: 0.5 } });
      expect(await get(`/models/${name}/capabilities`)).toMatchObject({ success: true, model_name: 'org/other' });
      expect(await get(`/models/${name}/runtime-capabilities`)).toMatchObject({ success: true });
      expect((await post(`/models/${name}/config`, { params: {} })).status).toBe(200);
      expect(await get(`/models/${name}/config`)).toMatchObject({ current_values: { temperature: 0.7 } });
    }
  });

  it('usage without a GPU has nulls, not zeroes', async () => {
    const { usage } = await get('/models/usage');
    expect(usage).toMatchObject({
      gpu_usage_percent: null,
      vram_total_mb: null,
      disk_limit_gb: 50,
      memory_total_gb: expect.any(Number),
    });
  });

  it('status keeps one boot id', async () => {
    const first = await get('/system/status');
    expect(first).toMatchObject({
      status: 'success',
      boot_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      vram_usage_mb: null,
      system_healthy: true,
    });
    expect((await get('/system/status'))['boot_id']).toBe(first['boot_id']);
  });

  it('lists a server that somebody else looks after, to switch to and not to stop', async () => {
    const { servers } = await get('/system/llm-servers');
    expect((servers as { name: string }[]).find(({ name }) => name === 'openai-compatible')).toMatchObject({
      active: true,
      status: 'online',
      endpoint: upstream.url,
      supports: { start: false, stop: false, restart: false },
    });
  });

  it('the active server and the options have the fields of the contract', async () => {
    const active = await get('/system/llm-servers/active');
    expect(Object.keys(active).sort()).toEqual(
      [
        'status',
        'active_server',
        'active_endpoint',
        'active_model',
        'config_hash',
        'runtime_id',
        'source_type',
        'requested_model_alias',
        'resolved_model_id',
        'resolution_reason',
        'last_models',
        'runtime_switch_policy',
        'runtime_switch_gate',
        'last_runtime_switch',
        'mode_contracts',
      ].sort(),
    );
    expect(active['config_hash']).toMatch(/^[0-9a-f]{12}$/);
    const options = await get('/system/llm-runtime/options');
    expect(options).toMatchObject({
      selector_flow: ['server', 'model', 'adapter'],
      auto_heal: null,
      model_audit: { issues_count: 1 },
    });
    expect((options['runtimes'] as { runtime_id: string }[]).map(({ runtime_id }) => runtime_id)).toEqual([
      'llama-cpp',
      'openai-compatible',
      'ollama',
      'vllm',
      'multi_runtime',
      'onnx',
      'openai',
      'google',
    ]);
  });

  it('a history of requests that can be filtered, and refuses what it does not know', async () => {
    await readEvents(await post('/llm/simple/stream', { content: 'Hi' }));
    const all = (await (await fetch(`${url}/history/requests?status=COMPLETED`)).json()) as Record<string, unknown>[];
    expect(all[0]).toMatchObject({
      status: 'COMPLETED',
      prompt: 'Hi',
      created_at: expect.stringMatching(/\+00:00$/),
      result: null,
    });
    expect((await fetch(`${url}/history/requests?status=ODD`)).status).toBe(400);
    expect((await fetch(`${url}/history/requests?limit=0`)).status).toBe(422);
    expect((await fetch(`${url}/history/requests/00000000-0000-4000-8000-000000000000`)).status).toBe(404);
    expect((await fetch(`${url}/history/requests/no-uuid`)).status).toBe(422);
  });

  it('metrics for Prometheus', async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(text).toMatch(/^venom_http_requests_total\{/m);
    expect(text).toContain('venom_live_answers 0');
  });
});
