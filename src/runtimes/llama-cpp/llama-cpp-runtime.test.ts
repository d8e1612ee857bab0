// The embedded runtime on inference processes without a model: real processes, real files, no llama.cpp.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gguf } from '../../../test/stand-ins/gguf.js';
import { BACKGROUND } from '../runtime.js';
import { LlamaCppRuntime, type LlamaCppRuntimeOptions } from './llama-cpp-runtime.js';

const GB = 1_073_741_824;
const WAIT = { timeout: 20_000 };
let folder: string;
let runtime: LlamaCppRuntime;
const kept = new Map<string, string>();

function create(names: readonly string[], rest: Partial<LlamaCppRuntimeOptions> = {}) {
  for (const name of names) writeFileSync(join(folder, `${name}.gguf`), gguf());
  runtime = new LlamaCppRuntime({
    modelsDir: folder,
    workerPath: resolve(import.meta.dirname, '..', '..', '..', 'test', 'stand-ins', 'inference-worker.mjs'),
    keepAlive: '-1',
    measurements: { get: async () => null, set: async () => {} },
    availableMemoryBytes: async () => 8 * GB,
    keepAlives: {
      get: (model) => kept.get(model) ?? '',
      set: (model, keepAlive) => void kept.set(model, keepAlive),
    },
    ...rest,
  });
}

const question = (text: string, rest: Partial<LanguageModelV4CallOptions> = {}): LanguageModelV4CallOptions => ({
  prompt: [{ role: 'user', content: [{ type: 'text', text }] }],
  ...rest,
});

async function ask(model: string, text: string, rest: Partial<LanguageModelV4CallOptions> = {}) {
  const { content } = await runtime.languageModel(model).doGenerate(question(text, rest));
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-runtime-'));
  kept.clear();
});
afterEach(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

// Every model is a process, and processes start slowly on a busy machine.
describe('LlamaCppRuntime', { timeout: 60_000 }, () => {
  it('cuts no answer of two clients on two models with a place for one, and changes them rarely', async () => {
    create(['a', 'b'], { limits: { loadedModels: 1 } });
    const client = async (model: string) => {
      for (let turn = 0; turn < 6; turn += 1) expect(await ask(model, '5')).toBe('word '.repeat(5));
    };
    await Promise.all([client('a'), client('b')]);
    const { swaps, evictions } = runtime.scheduler();
    // In the order of arrival it would be eleven.
    expect(swaps).toBeGreaterThan(0);
    expect(swaps).toBeLessThanOrEqual(3);
    expect(evictions.every(({ cause }) => cause === 'room')).toBe(true);
  });

  it('holds both where there is room for both, and lets them share the cores while both answer', async () => {
    create(['a', 'b']);
    await Promise.all([ask('a', '1'), ask('b', '1')]);
    const [a, b] = await Promise.all([ask('a', '200'), ask('b', 'threads')]);
    expect(a).toBe('word '.repeat(200));
    const share = String(Math.max(1, Math.floor(cpus().length / 2)));
    expect(cpus().length > 1 ? b.trim().split(' ').at(-1) : share).toBe(share);
    expect((await ask('b', 'threads')).trim().split(' ').at(-1)).toBe('0');
    expect(runtime.scheduler()).toMatchObject({ swaps: 0, loaded: [{ name: 'a' }, { name: 'b' }] });
    expect((await runtime.loaded()).map(({ name }) => name)).toEqual(['a', 'b']);
    const { details } = await runtime.health();
    expect((details['models'] as { name: string }[]).map(({ name }) => name).sort()).toEqual(['a', 'b']);
    expect(['a', 'b']).toContain(details['loaded']);
  });

  it('frees what is idle and tries once more when a load is killed as if memory had run out', async () => {
    create(['a', 'killed-once']);
    await ask('a', '1');
    expect(await ask('killed-once', '2')).toBe('word word ');
    expect(runtime.scheduler().evictions).toMatchObject([{ model: 'a', cause: 'out-of-memory' }]);
  });

  it('does not repeat a load that failed for another reason, and leaves a model alone that dies again and again', async () => {
    create(['refused', 'mortal', 'a']);
    await expect(ask('refused', '1')).rejects.toMatchObject({ code: 'invalid_model' });
    expect(runtime.scheduler().loads).toBe(1);
    for (let death = 0; death < 5; death += 1)
      await expect(ask('mortal', '1')).rejects.toMatchObject({ code: 'runtime_crashed' });
    await expect(ask('mortal', '1')).rejects.toMatchObject({ message: expect.stringContaining('left alone') });
    expect(await ask('a', '1')).toBe('word ');
  });

  it('hands on calls of tools piece by piece and whole, each with an id of its own', async () => {
    create(['a']);
    const tools = ['one', 'two'].map((name) => ({ type: 'function' as const, name, inputSchema: {} }));
    const parts: LanguageModelV4StreamPart[] = [];
    for await (const batch of await runtime.streamBatches('a', question('Hi', { tools }))) parts.push(...batch);
    const ids = parts.flatMap((part) => (part.type === 'tool-input-start' ? [part.id] : []));
    expect(new Set(ids).size).toBe(2);
    const of = (index: number, name: string) => {
      const id = ids[index];
      const whole = { index, id, type: 'function', function: { name, arguments: '{"a": 1}' } };
      return [
        { type: 'tool-input-start', id, toolName: name },
        { type: 'tool-input-delta', id, delta: '{"a":' },
        { type: 'tool-input-delta', id, delta: ' 1}' },
        { type: 'tool-input-end', id },
        { type: 'raw', rawValue: { toolCalls: [whole] } },
        { type: 'tool-call', toolCallId: id, toolName: name, input: '{"a": 1}' },
      ];
    };
    expect(parts.slice(0, -1)).toEqual([
      { type: 'text-delta', id: 'text', delta: 'So: ' },
      ...of(0, 'one'),
      ...of(1, 'two'),
    ]);
    expect(parts.at(-1)).toMatchObject({ type: 'finish', finishReason: { unified: 'tool-calls' } });
    expect(await runtime.version()).toBe('stand-in 1');
    expect((await runtime.health()).details).toMatchObject({ tool_calls: 'generic' });
  });

  it('a death in one process is an error of its own answers only', async () => {
    create(['a', 'b']);
    const [other] = await Promise.all([
      ask('b', '40'),
      expect(ask('a', 'die')).rejects.toMatchObject({ code: 'runtime_crashed' }),
    ]);
    expect(other).toBe('word '.repeat(40));
    expect(await ask('a', '1')).toBe('word ');
  });

  it('gives its place back when a client leaves before it reads', async () => {
    create(['a', 'b'], { limits: { loadedModels: 1 } });
    const leaves = new AbortController();
    await runtime.streamBatches('a', question('1000', { abortSignal: leaves.signal }));
    expect(runtime.scheduler().loaded).toMatchObject([{ name: 'a', answers: 1 }]);
    leaves.abort();
    expect(await ask('b', '1')).toBe('word ');
  });

  it('lets background work wait for people', async () => {
    create(['a'], { conversations: 1 });
    await ask('a', '1');
    const order: string[] = [];
    const ends = new AbortController();
    const first = ask('a', '100000', { abortSignal: ends.signal }).catch((error) => error.code);
    await expect.poll(() => runtime.scheduler().loaded, WAIT).toMatchObject([{ answers: 1 }]);
    const background = ask('a', '1', { providerOptions: BACKGROUND }).then(() => order.push('background'));
    await expect.poll(() => runtime.scheduler().queue, WAIT).toMatchObject([{ serviceClass: 'background' }]);
    const person = ask('a', '1').then(() => order.push('person'));
    await expect.poll(() => runtime.scheduler().queue, WAIT).toHaveLength(2);
    ends.abort();
    expect(await first).toBe('cancelled');
    await Promise.all([background, person]);
    expect(order).toEqual(['person', 'background']);
  });

  it('makes vectors in the class it is asked for', async () => {
    create(['a', 'b'], { limits: { loadedModels: 1 } });
    await ask('a', '1');
    const leaves = new AbortController();
    const background = runtime.embed('b', ['text'], leaves.signal, { background: true }).catch((error) => error.code);
    await expect
      .poll(() => runtime.scheduler().waiting, WAIT)
      .toMatchObject([{ model: 'b', reason: expect.stringContaining('this is background work') }]);
    leaves.abort();
    expect(await background).toBe('cancelled');
    expect(await runtime.embed('b', ['one', 'two'])).toEqual({
      vectors: [
        [1, 0],
        [1, 0],
      ],
      tokens: 1,
    });
  });

  it('says whether there is room, and throws nothing out for work that may not', async () => {
    create(['a', 'b'], { limits: { loadedModels: 1 } });
    expect(await runtime.roomFor('b')).toBe(true);
    await ask('a', '1');
    expect([await runtime.roomFor('a'), await runtime.roomFor('b')]).toEqual([true, false]);
    await expect(runtime.load('b', undefined, { evict: false })).rejects.toMatchObject({ code: 'insufficient_memory' });
    expect((await runtime.loaded()).map(({ name }) => name)).toEqual(['a']);
    await runtime.unload('a');
    await runtime.load('b', undefined, { evict: false });
    expect((await runtime.loaded()).map(({ name }) => name)).toEqual(['b']);
  });

  it('refuses beyond its queue', async () => {
    create(['a'], { conversations: 1, limits: { queued: 1 } });
    await ask('a', '1');
    const answers = await Promise.allSettled([ask('a', '200'), ask('a', '1'), ask('a', '1')]);
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(answers.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'runtime_busy' } });
  });

  it('keeps each model as long as was set for it, and says until when', async () => {
    create(['a', 'b']);
    await Promise.all([ask('a', '1'), ask('b', '1')]);
    await runtime.keepAlive('a', '1h');
    const hour = (await runtime.loaded()).map(({ name, expiresAt }) => [name, expiresAt && expiresAt > Date.now()]);
    expect(hour).toEqual([
      ['a', true],
      ['b', null],
    ]);
    await runtime.keepAlive('a', '0');
    await expect.poll(async () => (await runtime.loaded()).map(({ name }) => name), WAIT).toEqual(['b']);
    await expect(runtime.keepAlive('b', 'soon')).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(runtime.keepAlive('none', '1h')).rejects.toMatchObject({ code: 'model_not_found' });
    await ask('b', '1', { providerOptions: { venom: { keepAlive: '20ms' } } });
    await expect.poll(async () => runtime.loaded(), WAIT).toEqual([]);
  });

  it('refuses a wrong LLM_KEEP_ALIVE at start', () => {
    create([]);
    expect(() => create([], { keepAlive: 'soon' })).toThrow(/LLM_KEEP_ALIVE: soon is no duration/);
  });
});
