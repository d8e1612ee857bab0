// Two models of the embedded engine on one machine, with memory for one and with memory for both; and how well memory is
// foretold. Needs VENOM_TEST_MODEL, the path of the starter model, and a build.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LlamaCppRuntime } from '../../src/runtimes/llama-cpp/llama-cpp-runtime.js';
import { startServer, type TestServer } from '../api/server.js';

const file = process.env['VENOM_TEST_MODEL'] ?? '';
const MB = 1_048_576;
const QUESTIONS = [
  ['What is the capital of France?', /Paris/],
  ['What is the capital of Germany?', /Berlin/],
  ['What is the capital of Japan?', /Tokyo/],
] as const;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-two-'));
  for (const name of ['one', 'two']) copyFileSync(file, join(folder, `${name}.gguf`));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const create = (memoryBytes: number) =>
  new LlamaCppRuntime({
    modelsDir: folder,
    workerPath: resolve(import.meta.dirname, '..', '..', 'dist', 'server', 'worker.js'),
    keepAlive: '-1',
    threads: 1,
    limits: { memoryBytes },
    measurements: { get: async () => null, set: async () => {} },
  });

async function ask(runtime: LlamaCppRuntime, model: string, text: string) {
  const options: LanguageModelV4CallOptions = {
    prompt: [
      { role: 'system', content: 'You are a helpful assistant.' },
      { role: 'user', content: [{ type: 'text', text }] },
    ],
    temperature: 0,
    maxOutputTokens: 40,
  };
  const { content, finishReason } = await runtime.languageModel(model).doGenerate(options);
  return {
    text: content.map((part) => (part.type === 'text' ? part.text : '')).join(''),
    finish: finishReason.unified,
  };
}

/** Each client asks its own model, one question after the other, three times round. */
async function twoClients(runtime: LlamaCppRuntime) {
  const client = async (model: string) => {
    for (let round = 0; round < 3; round += 1)
      for (const [question, expected] of QUESTIONS) {
        const answer = await ask(runtime, model, question);
        expect(answer).toMatchObject({ text: expect.stringMatching(expected), finish: 'stop' });
      }
  };
  await Promise.all([client('one'), client('two')]);
}

describe('two clients on two models', () => {
  it('with memory for one: no answer is cut, and models change a few times, not for every question', async () => {
    const runtime = create(1_000 * MB);
    await twoClients(runtime);
    const state = runtime.scheduler();
    console.info(`18 answers, memory for one: ${state.swaps} changes, ${state.loads} loads`);
    expect(state.loads).toBe(state.swaps + 1);
    expect(state.swaps).toBeGreaterThanOrEqual(1);
    // In the order of arrival it would be seventeen.
    expect(state.swaps).toBeLessThanOrEqual(8);
    expect(state.evictions.every(({ cause, reason }) => cause === 'room' && reason.includes('needs its room'))).toBe(
      true,
    );
    expect(await runtime.loaded()).toHaveLength(1);
    await runtime.close();
  });

  it('with memory for both: both stay, nothing changes, and each says what it takes', async () => {
    const runtime = create(0);
    await twoClients(runtime);
    expect(runtime.scheduler()).toMatchObject({ swaps: 0, loads: 2, evictions: [], queue: [] });
    const loaded = await runtime.loaded();
    expect(loaded.map(({ name }) => name).sort()).toEqual(['one', 'two']);
    for (const { sizeBytes, plannedBytes } of loaded) {
      console.info(
        `measured ${Math.round((sizeBytes ?? 0) / MB)} MB, planned ${Math.round((plannedBytes ?? 0) / MB)} MB`,
      );
      expect(Math.abs((sizeBytes ?? 0) / (plannedBytes ?? 1) - 1)).toBeLessThan(0.1);
    }
    await runtime.unload('one');
    expect((await runtime.loaded()).map(({ name }) => name)).toEqual(['two']);
    await runtime.close();
  });
});

describe('the whole server', () => {
  let server: TestServer;
  const call = async (path: string, json?: unknown) => {
    const init = json === undefined ? {} : { method: 'POST', body: JSON.stringify(json) };
    const response = await fetch(`${server.url}/api/v1${path}`, {
      ...init,
      ...(json === undefined ? {} : { headers: { 'content-type': 'application/json' } }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('foretells the memory of a model, and errs less once it was tried here', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'venom-foretell-'));
    server = await startServer({ LLM_WARMUP_ON_STARTUP: 'false' }, dataDir);
    for (const name of ['one', 'two']) copyFileSync(file, join(dataDir, 'models', `${name}.gguf`));
    interface Planned {
      first_estimate_bytes: number;
      second_estimate_bytes: number;
      conversations: number;
      context_length: number;
    }
    const before = await call('/models/one/fit');
    const first = before.body['planned'] as Planned;
    expect(first).toMatchObject({ conversations: 4, context_length: 4_096 });
    expect(first.second_estimate_bytes).toBe(first.first_estimate_bytes);
    expect(await call('/models/activate', { name: 'one', runtime: 'llama-cpp' })).toMatchObject({ status: 200 });

    const after = await call('/models/one/fit');
    const second = after.body['planned'] as Planned;
    const { memory_bytes: measured } = after.body['measured'] as { memory_bytes: number };
    const error = (bytes: number) => Math.abs(bytes - measured);
    console.info(
      `measured ${Math.round(measured / MB)} MB; first estimate ${Math.round(first.first_estimate_bytes / MB)} MB, second ${Math.round(second.second_estimate_bytes / MB)} MB`,
    );
    expect(second.first_estimate_bytes).toBe(first.first_estimate_bytes);
    expect(error(second.second_estimate_bytes)).toBeLessThan(error(second.first_estimate_bytes));
    expect(error(second.first_estimate_bytes) / measured).toBeLessThan(0.1);
  });

  it('knows better after a model was merely loaded, too', async () => {
    const before = (await call('/models/two/fit')).body;
    expect(before).toMatchObject({ measured: null, correction: { memory: 1 } });
    await (
      await fetch(`${server.url}/api/v1/llm/simple/stream`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ content: 'Hi', model: 'two', max_tokens: 2 }),
      })
    ).text();
    const after = (await call('/models/two/fit')).body;
    const { memory_bytes: measured } = after['measured'] as { memory_bytes: number };
    const planned = after['planned'] as Record<string, number>;
    expect(Math.abs((planned['second_estimate_bytes'] ?? 0) / measured - 1)).toBeLessThan(0.001);
    expect(planned['first_estimate_bytes']).toBe((before['planned'] as Record<string, number>)['first_estimate_bytes']);
  });

  it('tries a model on request, and the active one stays', async () => {
    const measured = async () =>
      ((await call('/models/two/capabilities')).body['capabilities'] as { measured: Record<string, unknown> | null })
        .measured;
    const active = async () => (await call('/system/llm-servers/active')).body['active_model'];
    expect(await measured()).toBeNull();
    const before = await active();
    const { operation_id } = (await call('/models/probe', { name: 'two' })).body;
    await expect
      .poll(async () => (await call(`/models/operations/${operation_id}`)).body['operation'], { timeout: 30_000 })
      .toMatchObject({ operation_type: 'probe', status: 'completed' });
    expect(await measured()).toMatchObject({
      tokens_per_second: expect.any(Number),
      results: expect.arrayContaining([expect.objectContaining({ name: 'answers', status: 'verified' })]),
    });
    expect(await active()).toBe(before);
  });

  it('shows every loaded model, the queue and why something had to go', async () => {
    await expect
      .poll(async () => (await call('/models/loaded')).body['models'], { timeout: 20_000 })
      .toMatchObject([
        { name: 'one', runtime: 'llama-cpp', size_bytes: expect.any(Number), planned_bytes: expect.any(Number) },
        { name: 'two', runtime: 'llama-cpp', expires_at: null, answers: 0 },
      ]);
    expect(await call('/models/keep-alive', { name: 'two', keep_alive: '0' })).toMatchObject({ status: 200 });
    await expect
      .poll(async () => (await call('/system/llm-runtime/queue-snapshot')).body, { timeout: 20_000 })
      .toMatchObject({
        status: 'success',
        runtime: 'llama-cpp',
        queue: {
          status: { waiting: 0, limit: 64, running: 0 },
          diagnostics: {
            introspection: {
              loaded: [{ name: 'one', state: 'ready', conversations: 4 }],
              swaps: 0,
              evictions: [{ model: 'two', cause: 'idle', at: expect.stringMatching(/Z$/) }],
            },
          },
        },
        traffic: { scopes: { interactive: { waiting: 0 }, background: { waiting: 0 } }, error: null },
      });
    expect(await call('/models/keep-alive', { name: 'two', keep_alive: 'soon' })).toMatchObject({
      status: 400,
      body: { code: 'invalid_input' },
    });
    await server.close();
  });
});
