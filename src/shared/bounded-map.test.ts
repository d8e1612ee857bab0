import { describe, expect, it } from 'vitest';
import { BoundedMap } from './bounded-map.js';

describe('BoundedMap', () => {
  it('keeps so many entries, and lets go of what was not asked for longest', () => {
    const map = new BoundedMap<number>({ entries: 2 });
    map.set('a', 1);
    map.set('b', 2);
    expect(map.get('a')).toBe(1);
    map.set('c', 3);
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, 3]);
    for (let index = 0; index < 10_000; index += 1) map.set(`key ${index}`, index);
    expect(map.count).toBe(2);
  });

  it('keeps values that are together no larger than it may be', () => {
    const map = new BoundedMap<string>({ entries: 100, size: 10, sizeOf: ({ length }) => length });
    map.set('a', '1234');
    map.set('b', '1234');
    map.set('c', '1234');
    expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([undefined, '1234', '1234']);
    expect(map.size).toBe(8);
    map.set('c', '1');
    expect(map.size).toBe(5);
    map.set('large', '12345678901');
    expect([map.get('large'), map.get('b'), map.size]).toEqual([undefined, '1234', 5]);
    map.delete('never there');
    expect(map.size).toBe(5);
  });
});
