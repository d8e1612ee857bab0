import { describe, expect, it } from 'vitest';
import { TaskQueue } from './task-queue.js';

function queue(limit: number | null, maxWaiting = 100) {
  const ends = new Map<string, () => void>();
  const started: string[] = [];
  const made = new TaskQueue<string>({
    limit,
    maxWaiting,
    maxWaitingSize: 1_000,
    sizeOf: (item) => item.length,
    run: (item) => {
      started.push(item);
      return new Promise((resolve) => ends.set(item, resolve));
    },
  });
  const offer = (item: string) => {
    made.reserve();
    return made.offer(item);
  };
  const end = async (item: string) => {
    ends.get(item)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { made, started, offer, end };
}

describe('TaskQueue', () => {
  it('runs in order of arrival, as many as the limit allows', async () => {
    const { made, started, offer, end } = queue(2);
    expect(['a', 'b', 'c', 'd'].map(offer)).toEqual(['running', 'running', 'full', 'full']);
    expect(started).toEqual(['a', 'b']);
    await end('a');
    expect(started).toEqual(['a', 'b', 'c']);
    expect([...made.active]).toEqual(['b', 'c']);
    expect(made.waiting).toBe(1);
  });

  it('lets nobody overtake those that wait', async () => {
    const { made, started, offer, end } = queue(1);
    offer('a');
    made.pause();
    expect(offer('b')).toBe('paused');
    await end('a');
    made.resume();
    expect(started).toEqual(['a', 'b']);
    expect(offer('c')).toBe('full');
    await end('b');
    expect(started).toEqual(['a', 'b', 'c']);
  });

  it('runs everything where there is no limit', () => {
    const { started, offer } = queue(null);
    for (let n = 0; n < 50; n += 1) offer(String(n));
    expect(started).toHaveLength(50);
  });

  it('counts places of tasks that are on their way', () => {
    const { made, offer } = queue(1, 2);
    made.pause();
    offer('a');
    made.reserve();
    expect(() => made.reserve()).toThrowError(expect.objectContaining({ code: 'queue_full' }));
    made.release();
    made.reserve();
  });

  it('has an end for the size of what waits', async () => {
    const { made, offer, end } = queue(1);
    offer('a');
    offer('b'.repeat(1_000));
    expect(() => made.reserve()).toThrowError(expect.objectContaining({ code: 'queue_full' }));
    await end('a');
    expect(offer('c')).toBe('full');
    const long = 'd'.repeat(999);
    offer(long);
    expect(() => made.reserve()).toThrowError(expect.objectContaining({ code: 'queue_full' }));
    expect(made.purge()).toEqual(['c', long]);
    made.reserve();
  });

  it('starts nothing after it was closed, and waits for what runs', async () => {
    const { made, started, offer, end } = queue(1);
    offer('a');
    offer('b');
    const closed = made.close(10_000);
    await end('a');
    await closed;
    expect(started).toEqual(['a']);
    expect(() => made.reserve()).toThrowError(expect.objectContaining({ code: 'shutting_down' }));
  });
});
