import { describe, expect, it } from 'vitest';
import { TokenBudget } from './token-budget.js';

const budget = (tokens: number) => new TokenBudget(tokens, (text) => text.length);

describe('TokenBudget', () => {
  it('takes a list from its beginning up to the first that does not fit, with one heading', async () => {
    const made = budget(100);
    const list = await made.takeList('head', ['a'.repeat(5), 'b'.repeat(50), 'c'.repeat(5)], 20);
    expect(list).toEqual({ taken: 1, droppedTokens: 55 });
    expect([made.used, made.left]).toEqual([9, 91]);
  });

  it('spends on a list no more than what is left, however large its share', async () => {
    const made = budget(10);
    expect(await made.takeList('', ['a'.repeat(6), 'b'.repeat(6)], 1_000)).toEqual({ taken: 1, droppedTokens: 6 });
    expect(made.left).toBe(4);
    expect(made.take(5)).toBe(false);
    expect(made.take(4)).toBe(true);
  });

  it('goes below nothing for what must go in, and then takes nothing more', async () => {
    const made = budget(5);
    made.spend(8);
    expect(made.left).toBe(-3);
    expect(made.take(1)).toBe(false);
    expect(await made.takeList('head', ['a'], 100)).toEqual({ taken: 0, droppedTokens: 5 });
    expect(made.used).toBe(8);
  });
});
