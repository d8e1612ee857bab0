import { describe, expect, it } from 'vitest';
import type { PlannedFile } from '../../models/ports.js';
import { ggufFiles, ggufVariants } from './gguf-files.js';

const files = (sizes: Record<string, number>): PlannedFile[] =>
  Object.entries(sizes).map(([path, sizeBytes]) => ({ path, url: `https://hub/${path}`, sizeBytes, sha256: null }));
const paths = (all: readonly PlannedFile[]) => all.map(({ path }) => path);

const usual = files({
  'README.md': 1,
  'm-Q8_0.gguf': 80,
  'm-Q4_K_M.gguf': 40,
  'm-UD-IQ2_XXS.gguf': 20,
  'mmproj-m-f16.gguf': 9,
  'big/m-BF16-00001-of-00002.gguf': 100,
  'big/m-BF16-00002-of-00002.gguf': 60,
});

describe('ggufFiles', () => {
  it('takes what most people want, and what was asked for with all its parts', () => {
    expect(paths(ggufFiles('o/m', usual, undefined))).toEqual(['m-Q4_K_M.gguf']);
    expect(paths(ggufFiles('o/m', usual, 'q8_0'))).toEqual(['m-Q8_0.gguf']);
    expect(paths(ggufFiles('o/m', usual, 'BF16'))).toEqual([
      'big/m-BF16-00001-of-00002.gguf',
      'big/m-BF16-00002-of-00002.gguf',
    ]);
    expect(() => ggufFiles('o/m', usual, 'Q3_K_S')).toThrow('o/m has no file for Q3_K_S.');
    expect(() => ggufFiles('o/m', files({ 'mmproj-f16.gguf': 1 }), undefined)).toThrow('has no GGUF file');
  });

  it('takes no parts of a model whose name only begins the same', () => {
    const twins = files({
      'a-00001-of-00002.gguf': 1,
      'a-00002-of-00002.gguf': 1,
      'a-long-00001-of-00001.gguf': 5,
    });
    expect(paths(ggufFiles('o/m', twins, 'a-00001-of-00002.gguf'))).toEqual([
      'a-00001-of-00002.gguf',
      'a-00002-of-00002.gguf',
    ]);
  });
});

describe('ggufVariants', () => {
  it('names each by its quantization, the parts of one together, smallest first', () => {
    expect(ggufVariants(usual, ggufFiles('o/m', usual, undefined))).toEqual([
      { name: 'UD-IQ2_XXS', sizeBytes: 20, chosen: false },
      { name: 'Q4_K_M', sizeBytes: 40, chosen: true },
      { name: 'Q8_0', sizeBytes: 80, chosen: false },
      { name: 'BF16', sizeBytes: 160, chosen: false },
    ]);
  });

  it('gives names that choose the very file, however alike they are', () => {
    const alike = files({
      'small-Q4_K_M.gguf': 1,
      'small-Q4_K.gguf': 2,
      'large-Q4_K_M.gguf': 3,
      'odd.gguf': 4,
      'x-Q4_0_4_8.gguf': 5,
      'x-Q4_0.gguf': 6,
    });
    const variants = ggufVariants(alike, []);
    expect(new Set(variants.map(({ name }) => name)).size).toBe(alike.length);
    for (const [index, { name }] of variants.entries())
      expect(paths(ggufFiles('o/m', alike, name)), name).toEqual([alike[index]?.path]);
  });
});
