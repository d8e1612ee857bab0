import { describe, expect, it } from 'vitest';
import { EventLog } from './event-log.js';

const message = (text: string) => ({ jsonrpc: '2.0' as const, method: 'x', params: { text } });

describe('EventLog', () => {
  it('replays what came later on the same stream, and nothing of another', async () => {
    const log = new EventLog();
    const first = await log.storeEvent('a', message('1'));
    await log.storeEvent('b', message('of somebody else'));
    await log.storeEvent('a', message('2'));
    const sent: unknown[] = [];
    expect(await log.replayEventsAfter(first, { send: async (_id, event) => void sent.push(event) })).toBe('a');
    expect(sent).toEqual([message('2')]);
  });

  it('forgets the oldest, and says so', async () => {
    const log = new EventLog();
    const first = await log.storeEvent('a', message('1'));
    for (let index = 0; index < 600; index += 1) await log.storeEvent('a', message('x'));
    expect(await log.getStreamIdForEventId(first)).toBeUndefined();
    await expect(log.replayEventsAfter(first, { send: async () => {} })).rejects.toThrow();
  });

  it('is bounded in size too', async () => {
    const log = new EventLog();
    const first = await log.storeEvent('a', message('x'.repeat(3_000_000)));
    await log.storeEvent('a', message('x'.repeat(3_000_000)));
    expect(await log.getStreamIdForEventId(first)).toBeUndefined();
  });
});
