import { describe, expect, it } from 'vitest';
import { vectorsInOrder } from './vectors-in-order.js';

describe('vectors of a server', () => {
  it('come in the order of the inputs', () => {
    expect(vectorsInOrder('It', 2, [{ embedding: [1] }, { embedding: [2] }])).toEqual([[1], [2]]);
    expect(
      vectorsInOrder('It', 2, [
        { index: 1, embedding: [2] },
        { index: 0, embedding: [1] },
      ]),
    ).toEqual([[1], [2]]);
  });

  it.each([
    ['too few', [{ index: 0, embedding: [1] }]],
    ['none', []],
    ['too many', [{ embedding: [1] }, { embedding: [1] }, { embedding: [1] }]],
    [
      'one place twice',
      [
        { index: 0, embedding: [1] },
        { index: 0, embedding: [2] },
      ],
    ],
    [
      'a place of no input',
      [
        { index: 0, embedding: [1] },
        { index: 7, embedding: [2] },
      ],
    ],
    [
      'a place before the first',
      [
        { index: -1, embedding: [1] },
        { index: 1, embedding: [2] },
      ],
    ],
    ['an empty one', [{ embedding: [1] }, { embedding: [] }]],
  ])('are refused where they are not one for each input: %s', (_what, sent) => {
    expect(() => vectorsInOrder('It', 2, sent)).toThrow(expect.objectContaining({ code: 'upstream_protocol' }));
  });
});
