import { describe, expect, it } from 'vitest';
import { unknownParams, withBodyParams } from './call-params.js';

describe('unknownParams', () => {
  it.each([
    ['temprature', true],
    ['topP', true],
    ['maxTokens', true],
    ['max_new_tokens', true],
    ['num_ctx', true],
    ['repetition_penalty', true],
    ['mirostat_tau', true],
    ['typical_p', true],
    ['reasoning_effort', true],
    ['template', false],
    ['topic', false],
    ['user', false],
    ['metadata', false],
    ['mode', false],
    ['temperature', false],
  ])('%s: %s', (name, unknown) => {
    expect(unknownParams({ [name]: 1 }, new Set(['temperature']))).toEqual(unknown ? [name] : []);
  });

  it('is bounded, whatever a body holds', () => {
    const body = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`penalty_${index}_${'x'.repeat(500)}`, 1]),
    );
    const names = unknownParams(body, new Set());
    expect(names.length).toBe(20);
    expect(Math.max(...names.map(({ length }) => length))).toBe(60);
  });
});

describe('withBodyParams', () => {
  it('replaces the parameters and nothing else', () => {
    expect(
      withBodyParams({ model: 'm', user: 'u', temperature: 9, top_k: 3, max_tokens: 5 }, { temperature: 2 }),
    ).toEqual({ model: 'm', user: 'u', temperature: 2 });
  });
});
