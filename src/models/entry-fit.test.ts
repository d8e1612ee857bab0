import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateEntry, judgeShape, offeredBytes } from './entry-fit.js';
import type { ModelShape } from './fit.js';
import type { CatalogEntry } from './ports.js';

const entry = (fields: Partial<CatalogEntry>): CatalogEntry => ({
  provider: 'huggingface',
  modelName: 'org/model',
  displayName: 'model',
  sizeBytes: null,
  runtime: 'llama-cpp',
  tags: [],
  downloads: null,
  likes: null,
  description: null,
  licence: null,
  gated: false,
  ...fields,
});
const GIGA = 1e9;
const laptop = { availableBytes: 12 * GIGA, totalBytes: 16 * GIGA, vramFreeBytes: null, bytesPerSecond: null };
/** Llama 3.1 8B at Q4_K_M, from its header. */
const LLAMA: ModelShape = {
  fileBytes: 4_920_734_272,
  layers: 32,
  kvHeads: 8,
  keyLength: 128,
  valueLength: 128,
  contextLength: 131_072,
  parameters: 8_030_261_248,
  quantization: 'Q4_K_M',
  vocabulary: 128_256,
};

describe('estimateEntry', () => {
  it.each([
    ['org/Small-1B-GGUF', laptop, 'good'],
    ['org/Llama-3.1-8B-Instruct-GGUF', laptop, 'good'],
    // There is memory, but 14B take a processor more than 200 ms for each token.
    ['org/Phi-4-14B-GGUF', { ...laptop, availableBytes: 14 * GIGA }, 'slow'],
    ['org/Qwen3-30B-A3B-GGUF', { ...laptop, availableBytes: 26 * GIGA }, 'good'],
    ['org/Qwen2.5-32B-GGUF', { ...laptop, availableBytes: 26 * GIGA }, 'slow'],
    ['org/Phi-4-14B-GGUF', laptop, 'tight'],
    ['org/Llama-3.3-70B-GGUF', laptop, 'no'],
    ['org/Llama-3.3-70B-GGUF', { ...laptop, vramFreeBytes: 80 * GIGA }, 'good'],
  ])('%s is judged by the weights its name counts', (modelName, machine, verdict) => {
    expect(estimateEntry(entry({ modelName }), machine, true)).toMatchObject({
      verdict,
      basis: 'listing',
      reason: null,
      of: 'Q4_K_M',
      availableBytes: machine.availableBytes,
    });
  });

  it('goes by the size that is told before the count of weights', () => {
    expect(estimateEntry(entry({ modelName: 'big:70b', sizeBytes: GIGA }), laptop, true).verdict).toBe('good');
    expect(offeredBytes(entry({ sizeBytes: 5, parameters: 7 * GIGA }))).toEqual({ bytes: 5, of: null });
  });

  it('judges the smallest of several sizes and says which', () => {
    const fit = estimateEntry(entry({ modelName: 'llama3.2', sizes: ['1b', '3b'], parameters: GIGA }), laptop, true);
    expect(fit).toMatchObject({ verdict: 'good', of: '1b' });
  });

  it.each([
    [entry({}), true, 'size_unknown'],
    [entry({ modelName: 'org/M-7B', runtime: 'vllm' }), true, 'needs_gpu'],
    [entry({ modelName: 'm:7b', runtime: 'ollama' }), false, 'elsewhere'],
    [entry({ sizeBytes: 5, problem: 'It is damaged.' }), true, 'unusable'],
  ])('says why nobody can tell: %#', (unknown, here, reason) => {
    expect(estimateEntry(unknown, laptop, here)).toMatchObject({ verdict: 'unknown', reason, totalBytes: null });
  });

  it('counts video memory for vLLM, and nothing else', () => {
    const inVllm = (vramFreeBytes: number) =>
      estimateEntry(entry({ modelName: 'org/M-7B', runtime: 'vllm' }), { ...laptop, vramFreeBytes }, true);
    expect([inVllm(24 * GIGA), inVllm(15 * GIGA), inVllm(8 * GIGA)].map(({ verdict }) => verdict)).toEqual([
      'good',
      'tight',
      'no',
    ]);
    expect(inVllm(24 * GIGA).availableBytes).toBe(24 * GIGA);
  });

  it('comes close to what the header says', () => {
    const guessed = estimateEntry(entry({ modelName: 'org/Llama-3.1-8B-GGUF' }), laptop, true);
    const read = judgeShape({ ...LLAMA, contextLength: 4_096 }, laptop, { name: 'x', of: 'Q4_K_M' });
    expect(read).toMatchObject({ verdict: 'good', basis: 'header' });
    expect((guessed.totalBytes ?? 0) / (read.totalBytes ?? 1)).toBeGreaterThan(0.85);
    expect((guessed.totalBytes ?? 0) / (read.totalBytes ?? 1)).toBeLessThan(1.15);
  });

  it('knows where the header could decide otherwise', () => {
    const near = (availableBytes: number) =>
      estimateEntry(entry({ modelName: 'org/M-8B' }), { ...laptop, availableBytes }, true).close;
    expect([near(100 * GIGA), near(6 * GIGA), near(GIGA)]).toEqual([false, true, false]);
  });

  it('never calls more memory a worse place', () => {
    const order = ['no', 'tight', 'slow', 'good'];
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 100, noNaN: true }),
        fc.double({ min: 0.1, max: 200, noNaN: true }),
        fc.double({ min: 0, max: 200, noNaN: true }),
        (billions, gigabytes, more) => {
          const at = (availableBytes: number) =>
            order.indexOf(
              estimateEntry(entry({ parameters: billions * GIGA }), { ...laptop, availableBytes }, true).verdict,
            );
          return at((gigabytes + more) * GIGA) >= at(gigabytes * GIGA);
        },
      ),
    );
  });
});
