// Writes that may be lost: few of them, and no failure of theirs ends the process.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DebouncedWriter } from './debounced-writer.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('DebouncedWriter', () => {
  it('writes the newest value of each key once', () => {
    const writes: [string, number][][] = [];
    const writer = new DebouncedWriter<string, number>(100, (entries) => writes.push([...entries]));
    writer.set('a', 1);
    writer.set('b', 2);
    writer.set('a', 3);
    vi.advanceTimersByTime(100);
    expect(writes).toEqual([
      [
        ['a', 3],
        ['b', 2],
      ],
    ]);
  });

  it('keeps what a full disk did not take, throws at nobody, and writes it later', () => {
    let full = true;
    const written = new Map<string, number>();
    const writer = new DebouncedWriter<string, number>(100, (entries) => {
      if (full) throw new Error('disk full');
      for (const [key, value] of entries) written.set(key, value);
    });
    writer.set('a', 1);
    // A timer's failure would end the process.
    expect(() => vi.advanceTimersByTime(100)).not.toThrow();
    writer.set('a', 2);
    expect(() => vi.advanceTimersByTime(600)).not.toThrow();
    expect(() => writer.flush()).toThrow('disk full');
    full = false;
    vi.advanceTimersByTime(500);
    expect(written).toEqual(new Map([['a', 2]]));
  });

  it('does not grow without bound while nothing can be written', () => {
    const sizes: number[] = [];
    const writer = new DebouncedWriter<number, number>(100, (entries) => {
      sizes.push(entries.size);
      throw new Error('disk full');
    });
    for (let key = 0; key < 25_000; key += 1) {
      writer.set(key, key);
      if (key % 5_000 === 0) vi.advanceTimersByTime(500);
    }
    vi.advanceTimersByTime(500);
    vi.advanceTimersByTime(500);
    expect(sizes.at(-1)).toBe(10_000);
    expect(writer.get(24_999)).toBe(24_999);
  });
});
