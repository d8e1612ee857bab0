import { describe, expect, it } from 'vitest';
import { isBelow, isWithin } from './is-within.js';

describe('isWithin', () => {
  it.each([
    ['/a', '/a', true, false],
    ['/a', '/a/b', true, true],
    ['/a/', '/a/b/c', true, true],
    ['/', '/a', true, true],
    ['/a', '/a/..b', true, true],
    ['/a', '/ab', false, false],
    ['/a', '/', false, false],
    ['/a', '/a/../b', false, false],
    ['/a/b', '/a', false, false],
  ])('of %s and %s says %s, strictly below %s', (folder, path, within, below) => {
    expect([isWithin(folder, path), isBelow(folder, path)]).toEqual([within, below]);
  });
});
