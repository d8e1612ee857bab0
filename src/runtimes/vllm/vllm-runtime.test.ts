import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import { afterEach, describe, expect, it } from 'vitest';
import { startVllm, type VllmStandIn, type VllmStandInOptions } from '../../../test/stand-ins/vllm.js';
import { VllmClient } from './vllm-client.js';
import { VllmRuntime } from './vllm-runtime.js';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function create(options: VllmStandInOptions = {}): Promise<{ vllm: VllmStandIn; runtime: VllmRuntime }> {
  const vllm = await startVllm(options);
  const runtime = new VllmRuntime(
    new VllmClient({
      endpoint: vllm.url,
      apiKey: options.apiKey ?? '',
      connectTimeoutMs: 1_000,
      idleTimeoutMs: 1_000,
    }),
  );
  closing.push(
    () => vllm.close(),
    () => runtime.close(),
  );
  return { vllm, runtime };
}

const ask = async (runtime: VllmRuntime, options: Partial<LanguageModelV4CallOptions> = {}, model = 'base') => {
  const parts = [];
  const batches = await runtime.streamBatches(model, {
    prompt: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
    ...options,
  });
  for await (const batch of batches) parts.push(...batch);
  return parts;
};
const textOf = (parts: Awaited<ReturnType<typeof ask>>) =>
  parts.map((part) => (part.type === 'text-delta' ? part.delta : '')).join('');

describe('VllmRuntime', () => {
  it('knows models, their context, and which are adapters of another', async () => {
    const { runtime } = await create();
    expect(await runtime.listModels()).toMatchObject([{ name: 'base' }, { name: 'sql-lora', baseModel: 'base' }]);
    expect((await runtime.listModels())[0]).not.toHaveProperty('baseModel');
    expect(await runtime.describeModel('base')).toMatchObject({ contextLength: 4_096, family: 'org/base' });
    expect(await runtime.describeModel('sql-lora')).toMatchObject({
      contextLength: 4_096,
      family: 'base',
      capabilities: ['completion', 'adapter'],
    });
    expect(await runtime.describeModel('nope')).toBeNull();
  });

  it('streams text, reasoning and usage', async () => {
    const { runtime } = await create();
    const parts = await ask(runtime);
    expect(textOf(parts)).toBe('Hello from vLLM');
    expect(parts).toContainEqual({ type: 'reasoning-delta', id: 'reasoning', delta: 'Thinking' });
    expect(parts.at(-1)).toMatchObject({
      type: 'finish',
      finishReason: { unified: 'stop' },
      usage: { inputTokens: { total: 5 }, outputTokens: { total: 3 } },
    });
  });

  it('uses its names for parameters, and leaves room for the prompt', async () => {
    const { vllm, runtime } = await create();
    await runtime.listModels();
    await ask(runtime, {
      maxOutputTokens: 4_000,
      topK: 20,
      providerOptions: { venom: { repeatPenalty: 1.2, keepAlive: '-1', think: false } },
    });
    expect(vllm.requests[0]).toMatchObject({
      max_tokens: 1_024,
      top_k: 20,
      repetition_penalty: 1.2,
      chat_template_kwargs: { enable_thinking: false },
    });
    for (const foreign of ['repeat_penalty', 'keep_alive', 'think', 'format'])
      expect(vllm.requests[0]).not.toHaveProperty(foreign);
  });

  it('asks for JSON by schema in the form that every version takes', async () => {
    const { vllm, runtime } = await create();
    const schema = { type: 'object', properties: { city: { type: 'string' } } } as const;
    await ask(runtime, { responseFormat: { type: 'json', schema } });
    await ask(runtime, { providerOptions: { venom: { format: schema } } });
    const expected = { type: 'json_schema', json_schema: { name: 'answer', schema } };
    expect(vllm.requests.map((body) => body['response_format'])).toEqual([expected, expected]);
  });

  it('sleeps and wakes: unload, load, and by itself when somebody asks', async () => {
    const { vllm, runtime } = await create();
    expect(await runtime.loaded()).toMatchObject([{ name: 'base' }]);
    await runtime.unload('base');
    expect(vllm.sleeping).toBe(true);
    expect(await runtime.loaded()).toEqual([]);
    expect(textOf(await ask(runtime))).toBe('Hello from vLLM');
    expect(vllm.sleeping).toBe(false);
    // Somebody else sent it to sleep.
    vllm.sleeping = true;
    expect(textOf(await ask(runtime))).toBe('Hello from vLLM');
    await runtime.unloadAll();
    expect(vllm.sleeping).toBe(true);
    await runtime.load('base');
    expect(vllm.sleeping).toBe(false);
    await expect(runtime.load('nope')).rejects.toMatchObject({ code: 'model_not_found' });
  });

  it('has room for work nobody asked for only while it is awake and nobody waits in its queue', async () => {
    const { vllm, runtime } = await create();
    expect(await runtime.roomFor('base')).toBe(true);
    vllm.load = { running: 2, waiting: 1, kvCacheUsage: 0.9 };
    expect(await runtime.roomFor('base')).toBe(false);
    vllm.sleeping = true;
    expect(await runtime.roomFor('base')).toBe(false);
    await expect(runtime.load('base', undefined, { evict: false })).rejects.toMatchObject({
      code: 'insufficient_memory',
    });
    expect(vllm.sleeping).toBe(true);
  });

  it('leaves a server alone that was awake before, or that cannot sleep', async () => {
    const { vllm, runtime } = await create();
    await ask(runtime);
    await runtime.unloadAll();
    expect(vllm.sleeping).toBe(false);
    const other = await create({ sleepMode: false });
    await expect(other.runtime.unload('base')).rejects.toMatchObject({ code: 'unsupported' });
    await other.runtime.load('base');
  });

  it('waits for answers to end before it sends the server to sleep', async () => {
    const { vllm, runtime } = await create();
    vllm.load = { running: 1, waiting: 0, kvCacheUsage: 0.5 };
    const unloading = runtime.unload('base');
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(vllm.sleeping).toBe(false);
    vllm.load = { running: 0, waiting: 0, kvCacheUsage: 0 };
    await unloading;
    expect(vllm.sleeping).toBe(true);
  });

  it('says how it is: version, load, sleep; and what is wrong', async () => {
    const { vllm, runtime } = await create();
    vllm.load = { running: 3, waiting: 2, kvCacheUsage: 0.5 };
    expect(await runtime.health()).toMatchObject({
      state: 'online',
      details: {
        version: '0.15.1',
        models: 2,
        sleeping: false,
        requests_running: 3,
        requests_waiting: 2,
        kv_cache_usage: 0.5,
      },
    });
    await vllm.close();
    expect(await runtime.health()).toMatchObject({ state: 'offline' });
  });

  it('counts tokens, embeds in order, and names what is not served', async () => {
    const { runtime } = await create({ apiKey: 'secret' });
    expect(await runtime.countTokens('base', 'one two three')).toBe(3);
    expect(await runtime.embed('base', ['a', 'bbb'])).toEqual({
      vectors: [
        [1, 1],
        [3, 1],
      ],
      tokens: 2,
    });
    await expect(ask(runtime, {}, 'nope')).rejects.toMatchObject({ code: 'model_not_found' });
    await expect(ask(runtime, { maxOutputTokens: 5_000 })).rejects.toMatchObject({
      code: 'context_length_exceeded',
      message: expect.stringContaining('maximum context length'),
    });
  });
});
