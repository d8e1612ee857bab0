import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateFit } from '../../models/fit.js';
import type { GgufHeader } from './gguf-check.js';
import { memoryNeed, planLoad } from './memory-estimate.js';
import { ModelMeasurements } from './model-measurements.js';

const MB = 1_048_576;
const HEADER: GgufHeader = {
  architecture: 'llama',
  name: null,
  quantization: 'Q4_1',
  contextLength: 8_192,
  layers: 30,
  embeddingLength: 576,
  heads: 9,
  kvHeads: 3,
  keyLength: 64,
  valueLength: 64,
  hasChatTemplate: true,
  templateNamesTools: false,
  thoughts: null,
  pooling: false,
  parameters: 135_000_000,
  vocabulary: 49_152,
  tensors: 272,
  fileBytes: 98_362_432,
};

describe('planLoad', () => {
  it('reserves what "Will it run here?" shows, whatever is free', () => {
    fc.assert(
      fc.property(fc.integer({ min: 480, max: 4_000 }), (megabytes) => {
        const availableBytes = megabytes * MB;
        const machine = { availableBytes, totalBytes: 8e9, vramFreeBytes: null, bytesPerSecond: null };
        const shown = estimateFit(HEADER, machine).find(({ contextLength }) => contextLength === 4_096);
        const { totalBytes, conversations } = planLoad(HEADER, availableBytes);
        expect({ totalBytes, conversations }).toEqual({
          totalBytes: shown?.totalBytes,
          conversations: shown?.conversations,
        });
      }),
    );
  });

  it('gives up conversations first, then length, and then says what is missing', () => {
    const plan = (megabytes: number) => {
      const { conversations, contextLength } = planLoad(HEADER, megabytes * MB);
      return [conversations, contextLength];
    };
    expect([plan(2_000), plan(600), plan(480), plan(430), plan(400)]).toEqual([
      [4, 4_096],
      [2, 4_096],
      [1, 4_096],
      [1, 2_048],
      [1, 1_024],
    ]);
    expect(() => planLoad(HEADER, 100 * MB)).toThrow(/needs \d+ MB of memory, but 100 MB are available/);
    expect(() => planLoad(HEADER, 430 * MB, { contextLength: 4_096 })).toThrow(/needs/);
    expect(planLoad(HEADER, 2_000 * MB, { conversations: 8 }).conversations).toBe(8);
    expect(planLoad(HEADER, 2_000 * MB, { embedding: true }).conversations).toBe(1);
  });

  it('tells the scheduler what is wanted and what would do', () => {
    const { wantedBytes, leastBytes } = memoryNeed(HEADER);
    expect(wantedBytes).toBe(planLoad(HEADER, wantedBytes).totalBytes);
    expect(planLoad(HEADER, leastBytes)).toMatchObject({
      conversations: 1,
      contextLength: 512,
      totalBytes: leastBytes,
    });
    const fixed = memoryNeed(HEADER, { contextLength: 4_096 });
    expect(fixed.leastBytes).toBe(fixed.wantedBytes);
  });
});

describe('ModelMeasurements', () => {
  it('adds what is measured to what is known, and corrects by it within bounds', async () => {
    const stored = new Map<string, string>();
    const store = {
      get: async (key: string) => stored.get(key) ?? null,
      set: async (key: string, value: string) => void stored.set(key, value),
    };
    const measurements = new ModelMeasurements(store);
    expect(await measurements.memoryCorrection('a', 1)).toBe(1);
    await measurements.add('a', 1, { threads: 2, tokensPerSecond: 90 });
    await measurements.add('a', 1, { plannedBytes: 100, memoryBytes: 120 });
    expect(await measurements.get('a', 1)).toMatchObject({ threads: 2, tokensPerSecond: 90, memoryBytes: 120 });
    expect(await measurements.memoryCorrection('a', 1)).toBe(1.2);
    expect(await measurements.memoryCorrection('a', 2)).toBe(1);
    await measurements.add('a', 1, { plannedBytes: 100, memoryBytes: 10 });
    expect(await measurements.memoryCorrection('a', 1)).toBe(0.8);
  });
});
