import { describe, expect, it } from 'vitest';
import { inTurn } from './in-turn';

describe('inTurn', () => {
  it('runs no more than so many, in order, and goes on after a failure', async () => {
    const turn = inTurn(2);
    const signal = new AbortController().signal;
    const began: number[] = [];
    const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
    const all = gates.map((gate, index) =>
      turn(() => {
        began.push(index);
        return gate.promise;
      }, signal).catch(() => 'failed'),
    );
    await Promise.resolve();
    expect(began).toEqual([0, 1]);
    gates[1]?.reject(new Error('no'));
    await expect.poll(() => began).toEqual([0, 1, 2]);
    for (const gate of gates) gate.resolve();
    expect(await Promise.all(all)).toEqual([undefined, 'failed', undefined, undefined]);
    expect(began).toEqual([0, 1, 2, 3]);
  });

  it('keeps no place for whoever has left', async () => {
    const turn = inTurn(1);
    const first = Promise.withResolvers<void>();
    const stays = new AbortController();
    const leaves = new AbortController();
    const running = turn(() => first.promise, stays.signal);
    const gone = turn(async () => 'never', leaves.signal);
    const last = turn(async () => 'last', stays.signal);
    leaves.abort(new Error('left'));
    await expect(gone).rejects.toThrow('left');
    first.resolve();
    await running;
    expect(await last).toBe('last');
    await expect(turn(async () => 'x', leaves.signal)).rejects.toThrow('left');
  });
});
