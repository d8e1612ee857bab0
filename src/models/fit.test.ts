import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { correctionFrom, estimateFit, estimateQuantizations, type ModelShape } from './fit.js';

const SHAPE: ModelShape = {
  fileBytes: 4_000_000_000,
  layers: 32,
  kvHeads: 8,
  keyLength: 128,
  valueLength: 128,
  contextLength: 8_192,
  parameters: 7_000_000_000,
  quantization: 'Q4_K_M',
  vocabulary: 32_000,
};
const MACHINE = { availableBytes: 6e9, totalBytes: 16e9, vramFreeBytes: null, bytesPerSecond: 40e9 };

describe('estimateFit', () => {
  it('says for each context length what it takes and whether it fits', () => {
    const rows = estimateFit(SHAPE, { ...MACHINE, availableBytes: 4.9e9 });
    expect(rows.map(({ contextLength, verdict }) => [contextLength, verdict])).toEqual([
      [2_048, 'tight'],
      [4_096, 'tight'],
      [8_192, 'no'],
    ]);
    expect(rows[2]?.cacheBytes).toBe(32 * 8 * 256 * 2 * 8_192);
    expect(rows[0]?.tokensPerSecond).toBe(10);
  });

  it('counts layers for a GPU, and says nothing where there is none', () => {
    expect(estimateFit(SHAPE, MACHINE)[0]?.gpuLayers).toBeNull();
    // Half of weights and of the cache for four conversations.
    const half = estimateFit(SHAPE, { ...MACHINE, vramFreeBytes: 2.6e9 })[0]?.gpuLayers ?? 0;
    expect(half).toBeGreaterThan(14);
    expect(half).toBeLessThan(18);
    expect(estimateFit(SHAPE, { ...MACHINE, vramFreeBytes: 80e9 })[0]?.gpuLayers).toBe(32);
  });

  it('plans as many conversations as fit, as the engine does', () => {
    const rows = (availableBytes: number) =>
      estimateFit(SHAPE, { ...MACHINE, availableBytes }).map(({ conversations }) => conversations);
    expect(rows(16e9)).toEqual([4, 4, 4]);
    expect(rows(5.5e9)).toEqual([4, 2, 1]);
    const [row] = estimateFit(SHAPE, { ...MACHINE, availableBytes: 16e9 });
    expect(row?.totalBytes).toBe((row?.weightsBytes ?? 0) + (row?.cacheBytes ?? 0) + (row?.overheadBytes ?? 0));
    expect(row?.cacheBytes).toBe(32 * 8 * 256 * 2 * 2_048 * 4);
  });

  it('orders quantizations by size', () => {
    const sizes = estimateQuantizations(SHAPE, 4_096, MACHINE).map(({ weightsBytes }) => weightsBytes);
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
    expect(estimateQuantizations({ ...SHAPE, parameters: 0 }, 4_096, MACHINE)).toEqual([]);
  });

  it('errs less the second time, whatever was measured', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.3, max: 3.5, noNaN: true }),
        fc.double({ min: 0.3, max: 3.5, noNaN: true }),
        (m, s) => {
          const [first] = estimateFit(SHAPE, MACHINE);
          if (!first) return false;
          const measured = { memoryBytes: first.totalBytes * m, tokensPerSecond: (first.tokensPerSecond ?? 0) * s };
          const [second] = estimateFit(SHAPE, MACHINE, correctionFrom(first, measured));
          const error = (estimate: number, truth: number) => Math.abs(estimate - truth);
          return (
            error(second?.totalBytes ?? 0, measured.memoryBytes) <= error(first.totalBytes, measured.memoryBytes) + 1 &&
            error(second?.tokensPerSecond ?? 0, measured.tokensPerSecond) <=
              error(first.tokensPerSecond ?? 0, measured.tokensPerSecond) + 0.1
          );
        },
      ),
    );
  });
});
