import { describe, expect, it } from 'vitest';
import { EventLog, EventLogBudget } from './event-log.js';

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

  it('shares a bound with the logs of all other sessions, and gives back what it held when its session ends', async () => {
    const budget = new EventLogBudget();
    const logs = Array.from({ length: 50 }, () => new EventLog(budget));
    const large = message('y'.repeat(500_000));
    for (const log of logs) for (let sent = 0; sent < 7; sent += 1) await log.storeEvent('s', large);
    // 50 sessions of seven half-megabyte messages would be 175 million characters.
    expect(budget.chars).toBeGreaterThan(60_000_000);
    expect(budget.chars).toBeLessThan(64_000_000 + 50 * 501_000);
    for (const log of logs) log.clear();
    await logs[0]?.storeEvent('s', large);
    expect(budget.chars).toBe(0);
  });
});
