import { describe, expect, it } from 'vitest';
import { readAhead } from './read-ahead.js';

async function* counting(log: string[], until: number) {
  try {
    for (let n = 1; n <= until; n += 1) {
      log.push(`made ${n}`);
      yield n;
    }
  } finally {
    log.push('closed');
  }
}

describe('reading ahead', () => {
  it('asks for the first value before anybody reads, and for no other', async () => {
    const log: string[] = [];
    await readAhead(Promise.resolve(counting(log, 3)));
    expect(log).toEqual(['made 1']);
  });

  it('gives every value once, in order', async () => {
    const seen: number[] = [];
    for await (const value of await readAhead(Promise.resolve(counting([], 3)))) seen.push(value);
    expect(seen).toEqual([1, 2, 3]);
  });

  it('closes the source when its reader leaves', async () => {
    const log: string[] = [];
    for await (const _ of await readAhead(Promise.resolve(counting(log, 3)))) break;
    expect(log).toEqual(['made 1', 'closed']);
  });

  it('keeps an early failure for the reader', async () => {
    const failing = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('broken')) }) };
    const stream = await readAhead<number>(Promise.resolve(failing));
    await new Promise((resolve) => setImmediate(resolve));
    await expect(stream[Symbol.asyncIterator]().next()).rejects.toThrow('broken');
  });

  it('rejects where there is no source', async () => {
    await expect(readAhead(Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  });
});
