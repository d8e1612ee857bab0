import type { Token } from 'node-llama-cpp';
import { describe, expect, it } from 'vitest';
import { ConversationSlots } from './conversation-slots.js';

const tokens = (...ids: number[]) => ids as Token[];
const holding = (...ids: number[]) => ({ contextTokens: tokens(...ids), nextTokenIndex: ids.length });
const never = new AbortController().signal;

describe('ConversationSlots', () => {
  it('goes on where most of the prompt is known, and leaves the history of others alone', async () => {
    const [mine, others, fresh] = [holding(1, 2, 3), holding(7, 8, 9, 10), holding()];
    const slots = new ConversationSlots([mine, others, fresh]);
    expect((await slots.take(tokens(1, 2, 3, 4), never))?.sequence).toBe(mine);
    expect((await slots.take(tokens(7, 1), never))?.sequence).toBe(fresh);
    expect((await slots.take(tokens(5), never))?.sequence).toBe(others);
  });

  it('lets nobody wait for ever, however many gave up before', async () => {
    const slots = new ConversationSlots([holding()]);
    const first = await slots.take([], never);
    const stop = new AbortController();
    const gaveUp = Array.from({ length: 20 }, () => slots.take([], stop.signal));
    const patient = slots.take([], never);
    stop.abort();
    for (const one of await Promise.all(gaveUp)) slots.giveBack(one);
    slots.giveBack(first);
    expect(await patient).toBe(first);
  });

  it('passes on the place of one that gives up as it is woken', async () => {
    const slots = new ConversationSlots([holding()]);
    const first = await slots.take([], never);
    const stop = new AbortController();
    const hasty = slots.take([], stop.signal);
    const patient = slots.take([], never);
    slots.giveBack(first);
    stop.abort();
    const nothing = await hasty;
    expect(nothing).toBeUndefined();
    slots.giveBack(nothing);
    expect(await patient).toBe(first);
  });
});
