import { describe, expect, it, vi } from 'vitest';
import { estimatedTokens, ModelTokens } from './model-tokens.js';

const withEngine = (countTokens?: (model: string, text: string, signal?: AbortSignal) => Promise<number | null>) =>
  new ModelTokens({ find: async () => ({ runtime: { countTokens } }) as never });

describe('ModelTokens', () => {
  it('asks the engine once for the same text', async () => {
    const countTokens = vi.fn(async () => 7);
    const tokens = withEngine(countTokens);
    expect(await tokens.count('m', 'the same text')).toBe(7);
    expect(await tokens.count('m', 'the same text')).toBe(7);
    expect(await tokens.count('other', 'the same text')).toBe(7);
    expect(countTokens).toHaveBeenCalledTimes(2);
  });

  it('estimates where the engine has no tokenizer to lend, is not loaded, fails, or takes too long', async () => {
    const text = 'twelve chars';
    expect(await withEngine().count('m', text)).toBe(estimatedTokens(text));
    expect(await withEngine(async () => null).count('m', text)).toBe(4);
    expect(
      await withEngine(async () => {
        throw new Error('away');
      }).count('m', text),
    ).toBe(4);
    const slow = withEngine(
      (_model, _text, signal) =>
        new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
    );
    expect(await slow.count('m', text)).toBe(4);
  });

  it('remembers no more than two million characters of text, however many were counted', async () => {
    const tokens = withEngine(async () => 7);
    for (let text = 0; text < 1_000; text += 1) await tokens.count('m', `${text} ${'x'.repeat(3_900)}`);
    expect(tokens.rememberedChars).toBeGreaterThan(1_900_000);
    expect(tokens.rememberedChars).toBeLessThanOrEqual(2_000_000);
  });
});
