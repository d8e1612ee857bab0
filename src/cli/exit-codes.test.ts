import { describe, expect, it } from 'vitest';
import { exitCodeOf } from './exit-codes.js';

describe('exitCodeOf', () => {
  it.each([
    ['invalid_input', 2],
    ['provider_unavailable', 3],
    ['cancelled', 130],
    ['task_not_found', 1],
    ['internal', 1],
  ] as const)('says %s with %i', (code, exit) => {
    expect(exitCodeOf(code)).toBe(exit);
  });
});
