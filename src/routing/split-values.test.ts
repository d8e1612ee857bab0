import { describe, expect, it } from 'vitest';
import { splitKinds } from './split-values.js';

describe('splitKinds', () => {
  it.each([
    [['my card: 4111 1111', '1111 1111, thanks'], ['payment_card']],
    [['4111', '1111', '1111', '1111'], ['payment_card']],
    [['write to jan.kowalski@', 'example.com'], ['email']],
    [[`${'long '.repeat(400)}sk-proj-abcdefgh`, `ijklmnopqrst0123 ${'and '.repeat(400)}`], ['api_key']],
  ])('finds what is whole only when %j are put together', async (texts, kinds) => {
    expect(await splitKinds(texts, {})).toEqual(kinds);
  });

  it.each([
    [['How are you?', 'And the ships?']],
    [['4111 1111 1111 1111', 'is whole in one of them']],
    [['It was in 1999', '2000 ships came']],
    [[]],
    [['']],
  ])('leaves %j alone', async (texts) => {
    expect(await splitKinds(texts, {})).toEqual([]);
  });
});
