// The embedded runtime on the real starter model. Needs VENOM_TEST_MODEL, the path of its file, and a build.
import { copyFileSync, linkSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LlamaCppRuntime, type LlamaCppRuntimeOptions } from '../../src/runtimes/llama-cpp/llama-cpp-runtime.js';

const MODEL = 'SmolLM2-135M-Instruct-Q4_1';
const file = process.env['VENOM_TEST_MODEL'] ?? '';
const stored = new Map<string, string>();
let folder: string;
let runtime: LlamaCppRuntime;

const createRuntime = (keepAlive = '-1', modelsDir = folder, rest: Partial<LlamaCppRuntimeOptions> = {}) =>
  new LlamaCppRuntime({
    modelsDir,
    workerPath: resolve(import.meta.dirname, '..', '..', 'dist', 'server', 'worker.js'),
    keepAlive,
    measurements: {
      get: async (key) => stored.get(key) ?? null,
      set: async (key, value) => void stored.set(key, value),
    },
    ...rest,
  });

const question = (text: string, rest: Partial<LanguageModelV4CallOptions> = {}): LanguageModelV4CallOptions => ({
  prompt: [
    { role: 'system', content: 'You are a helpful assistant.' },
    { role: 'user', content: [{ type: 'text', text }] },
  ],
  temperature: 0,
  maxOutputTokens: 40,
  ...rest,
});

async function ask(options: LanguageModelV4CallOptions, on = runtime) {
  const { content, usage, finishReason } = await on.languageModel(MODEL).doGenerate(options);
  const text = content.map((part) => (part.type === 'text' ? part.text : '')).join('');
  return { text, usage, finish: finishReason.unified };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-model-'));
  copyFileSync(file, join(folder, `${MODEL}.gguf`));
  runtime = createRuntime();
});
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the embedded runtime', () => {
  it('knows the model from its header', async () => {
    expect(await runtime.listModels()).toMatchObject([
      { name: MODEL, quantization: 'Q4_1', chat: true, sizeBytes: 98_362_432 },
    ]);
  });

  it('answers, counts tokens, and measures its threads once', async () => {
    const { text, usage, finish } = await ask(question('What is the capital of France?'));
    expect(text).toContain('Paris');
    expect(finish).toBe('stop');
    expect(usage.inputTokens.total).toBeGreaterThan(10);
    expect(usage.outputTokens.total).toBeGreaterThan(3);
    expect([...stored.values()].map((value) => JSON.parse(value))).toMatchObject([
      { threads: expect.any(Number), tokensPerSecond: expect.any(Number) },
    ]);
    expect((await runtime.health()).details).toMatchObject({ loaded: MODEL, context_length: 4096 });
  });

  it('gives the same answer for the same seed', async () => {
    const options = question('Write one sentence about a fox.', { temperature: 1, seed: 42 });
    expect((await ask(options)).text).toBe((await ask(options)).text);
  });

  it('ends at a stop sequence and at the token limit', async () => {
    const { text } = await ask(question('What is the capital of France?', { stopSequences: [' Paris'] }));
    expect(text).toBe('The capital of France is');
    expect(await ask(question('Tell me a long story.', { maxOutputTokens: 5 }))).toMatchObject({
      finish: 'length',
      usage: { outputTokens: { total: 5 } },
    });
  });

  it('obeys a JSON schema', async () => {
    const schema = {
      type: 'object',
      properties: { city: { type: 'string' }, big: { type: 'boolean' } },
      required: ['city', 'big'],
      additionalProperties: false,
    } as const;
    const { text } = await ask(
      question('Paris as JSON', { responseFormat: { type: 'json', schema: schema as never }, maxOutputTokens: 120 }),
    );
    expect(JSON.parse(text)).toEqual({ city: expect.any(String), big: expect.any(Boolean) });
  });

  it('holds several conversations at once', async () => {
    const questions = [
      'What is the capital of France?',
      'What is the capital of Germany?',
      'What is the capital of Japan?',
    ];
    const answers = await Promise.all(questions.map((text) => ask(question(text))));
    expect(answers.map(({ text }) => /Paris|Berlin|Tokyo/.exec(text)?.[0])).toEqual(['Paris', 'Berlin', 'Tokyo']);
  });

  it('evaluates only what is new in the second turn of a long conversation', async () => {
    const long = `Remember this list: ${Array.from({ length: 200 }, (_, index) => `item${index}`).join(' ')}. Say OK.`;
    const first = await ask(question(long, { maxOutputTokens: 8 }));
    const second = await ask({
      ...question(''),
      prompt: [
        ...question(long).prompt,
        { role: 'assistant', content: [{ type: 'text', text: first.text }] },
        { role: 'user', content: [{ type: 'text', text: 'Thanks.' }] },
      ],
      maxOutputTokens: 8,
    });
    const total = second.usage.inputTokens.total ?? 0;
    expect(first.usage.inputTokens.total).toBeGreaterThan(500);
    expect(total - (second.usage.inputTokens.cacheRead ?? 0)).toBeLessThan(40);
  });

  it('stops within a token when it is cancelled', async () => {
    const abort = new AbortController();
    let tokens = 0;
    const run = (async () => {
      for await (const batch of await runtime.streamBatches(
        MODEL,
        question('Count to one thousand.', { maxOutputTokens: 1_000, abortSignal: abort.signal }),
      )) {
        tokens += batch.length;
        if (tokens >= 5) abort.abort();
      }
    })();
    await expect(run).rejects.toMatchObject({ code: 'cancelled' });
    expect(tokens).toBeLessThan(12);
    expect((await ask(question('What is the capital of France?'))).text).toContain('Paris');
  });

  it('answers at once after a storm of answers that nobody waited for', async () => {
    const storm = Array.from({ length: 50 }, async (_, index) => {
      const abort = AbortSignal.timeout(10 + ((index * 37) % 400));
      await ask(question(`Story ${index}`, { maxOutputTokens: 200, abortSignal: abort }));
    });
    for (const one of await Promise.allSettled(storm)) expect(one.status).toBe('rejected');
    const answers = await Promise.all(
      ['France', 'Germany', 'Japan', 'Italy', 'Spain'].map((name) => ask(question(`What is the capital of ${name}?`))),
    );
    expect(answers.filter(({ text }) => text !== '')).toHaveLength(5);
  });

  it('refuses a conversation beyond the context with the figures', async () => {
    await expect(ask(question('word '.repeat(6_000)))).rejects.toMatchObject({
      code: 'context_length_exceeded',
      message: expect.stringMatching(/too long: \d+ tokens > 4096/),
    });
  });

  it('survives the death of its process: a coded error, then a fresh one', async () => {
    const stream = await runtime.streamBatches(MODEL, question('Tell me a long story.', { maxOutputTokens: 500 }));
    const reading = (async () => {
      for await (const _batch of stream)
        process.kill(Number((await runtime.health()).details['process_id']), 'SIGKILL');
    })();
    await expect(reading).rejects.toMatchObject({ code: 'runtime_crashed' });
    expect((await ask(question('What is the capital of France?'))).text).toContain('Paris');
  });

  it('says that a chat template is broken, and leaves the model alone otherwise', async () => {
    const bytes = readFileSync(file);
    const at = bytes.indexOf('{% for message in messages');
    bytes.write('{% %%% message', at);
    const bad = mkdtempSync(join(tmpdir(), 'venom-template-'));
    writeFileSync(join(bad, 'broken.gguf'), bytes);
    const other = createRuntime('-1', bad);
    await expect(other.load('broken')).rejects.toMatchObject({
      code: 'invalid_model',
      message: expect.stringContaining('template'),
    });
    await runtime.load(MODEL);
    await other.close();
    rmSync(bad, { recursive: true, force: true });
  });

  it('unloads when it was idle for its keep-alive, and loads again', async () => {
    const brief = createRuntime('300ms');
    await ask(question('Hi', { maxOutputTokens: 2 }), brief);
    await expect.poll(async () => (await brief.health()).details['loaded'], { timeout: 5_000 }).toBe(null);
    expect((await ask(question('What is the capital of France?'), brief)).text).toContain('Paris');
    await brief.close();
  });
});

describe('several models with memory for one', () => {
  const names = ['a', 'b', 'c'];
  const swaps = async (on: LlamaCppRuntime) => Number((await on.health()).details['swaps']);

  it('serves A B C A B C with two swaps, cuts nobody, and forgets who left', async () => {
    const shared = mkdtempSync(join(tmpdir(), 'venom-models-'));
    for (const name of names) linkSync(join(folder, `${MODEL}.gguf`), join(shared, `${name}.gguf`));
    const many = createRuntime('-1', shared, { limits: { loadedModels: 1 } });
    const say = async (name: string, signal?: AbortSignal) => {
      const { content } = await many
        .languageModel(name)
        .doGenerate({ ...question('What is the capital of France?'), ...(signal ? { abortSignal: signal } : {}) });
      return content.map((part) => (part.type === 'text' ? part.text : '')).join('');
    };
    await say('a');
    const gone = new AbortController();
    const left = say('c', gone.signal).catch((error) => error.code);
    const before = await swaps(many);
    gone.abort();
    expect(await left).toBe('cancelled');
    const answers = await Promise.all([...names, ...names].map((name) => say(name)));
    expect(answers).toHaveLength(6);
    for (const answer of answers) expect(answer).toMatch(/Paris/);
    expect((await swaps(many)) - before).toBe(2);
    await many.close();
    rmSync(shared, { recursive: true, force: true });
  });
});
