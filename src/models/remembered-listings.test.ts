import { describe, expect, it } from 'vitest';
import { RememberedListings } from './remembered-listings.js';

function place() {
  let now = 1;
  let { promise, resolve, reject } = Promise.withResolvers<string[]>();
  const lists = new RememberedListings<string>(() => now);
  let asked = 0;
  return {
    lists,
    get asked() {
      return asked;
    },
    answer: (items: string[]) => resolve(items),
    fail: (error: Error) => reject(error),
    later: (milliseconds: number) => {
      now += milliseconds;
      ({ promise, resolve, reject } = Promise.withResolvers<string[]>());
    },
    get: (waitMs: number, restMs?: number) =>
      lists.get({
        key: 'k',
        restMs,
        place: 'hub',
        waitMs,
        ask: () => {
          asked += 1;
          return promise;
        },
      }),
  };
}

describe('RememberedListings', () => {
  it('lets a page go without a late answer, and has it for the next', async () => {
    const hub = place();
    expect(await hub.get(1)).toEqual({
      items: [],
      stale: true,
      error: 'hub did not answer in time.',
      pending: true,
    });
    hub.answer(['a']);
    expect(await hub.get(1_000)).toEqual({ items: ['a'], stale: false, error: null, pending: false });
    expect(hub.asked).toBe(1);
  });

  it('asks once for however many wait', async () => {
    const hub = place();
    const both = Promise.all([hub.get(1_000), hub.get(1_000)]);
    hub.answer(['a']);
    expect((await both).map(({ items }) => items)).toEqual([['a'], ['a']]);
    expect(hub.asked).toBe(1);
  });

  it('tells the last good copy where the place is gone, and says so', async () => {
    const hub = place();
    hub.answer(['a']);
    await hub.get(1_000);
    hub.later(31 * 60_000);
    hub.fail(new Error('gone'));
    expect(await hub.get(1_000)).toMatchObject({
      items: ['a'],
      stale: true,
      error: expect.any(String),
      pending: false,
    });
    hub.later(0);
    hub.answer(['b']);
    expect(await hub.get(1_000)).toMatchObject({ items: ['b'], stale: false });
  });

  it('neither asks nor waits for a place that has just failed, until it has answered again', async () => {
    const hub = place();
    hub.fail(new Error('gone'));
    expect(await hub.get(1_000, 3_000)).toMatchObject({ stale: true, pending: false });
    expect(await hub.get(1_000, 3_000)).toMatchObject({ error: expect.any(String), pending: false });
    expect(hub.asked).toBe(1);
    hub.later(3_001);
    expect(await hub.get(1e9, 3_000)).toMatchObject({ error: expect.any(String), pending: true });
    hub.answer(['a']);
    await expect.poll(() => hub.get(1_000, 3_000)).toMatchObject({ items: ['a'], stale: false, error: null });
    expect(hub.asked).toBe(2);
  });

  it('takes a source that throws at once for a failing one', async () => {
    const lists = new RememberedListings<string>(() => 1);
    const ask = () => {
      throw new Error('no');
    };
    expect(await lists.get({ key: 'k', place: 'hub', waitMs: 1_000, ask })).toMatchObject({ items: [], stale: true });
  });
});
