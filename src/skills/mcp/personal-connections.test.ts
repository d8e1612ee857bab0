import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { McpConnection } from './mcp-connection.js';
import { PersonalConnections } from './personal-connections.js';
import type { McpInteraction } from './ports.js';

/** One that a test ends, and on which it asks. */
class Opened {
  open = true;
  readonly #listeners: (() => void)[] = [];
  constructor(readonly asks: McpInteraction) {}
  onClose(listener: () => void) {
    this.#listeners.push(listener);
    return () => {};
  }
  async close() {
    this.open = false;
    for (const listener of this.#listeners) listener();
  }
  ask() {
    return this.asks.elicit?.({ message: '?' } as never, new AbortController().signal);
  }
}

let opened: Opened[];
let connections: PersonalConnections;
const answers = (name: string): McpInteraction => ({
  elicit: async () => ({ action: 'accept', content: { name } }),
});
const take = (server: string, owner: string | null, name = owner ?? 'house') =>
  connections.take(server, owner, answers(name), async (interaction) => {
    const connection = new Opened(interaction);
    opened.push(connection);
    return connection as unknown as McpConnection;
  });

beforeEach(() => {
  vi.useFakeTimers();
  opened = [];
  connections = new PersonalConnections({ idleMs: 1_000, lifetimeMs: 10_000, now: Date.now, onChange: () => {} });
});
afterEach(async () => {
  await connections.close();
  vi.useRealTimers();
});

describe('PersonalConnections', () => {
  it('gives a free one to the same person alone', async () => {
    const first = await take('s', 'user-a');
    first?.release();
    expect((await take('s', 'user-a'))?.connection).toBe(first?.connection);
    const other = await take('s', 'user-b');
    expect(other?.connection).not.toBe(first?.connection);
    other?.release();
    expect((await take('s', null))?.connection).not.toBe(other?.connection);
    expect(opened).toHaveLength(3);
  });

  it('gives no two calls the same one, and answers each as its own call does', async () => {
    await take('s', null, 'one');
    await take('s', null, 'two');
    expect(await Promise.all(opened.map((each) => each.ask()))).toMatchObject([
      { content: { name: 'one' } },
      { content: { name: 'two' } },
    ]);
  });

  it('answers nothing between calls, and in a later call as that one does', async () => {
    (await take('s', null, 'one'))?.release();
    expect(await opened[0]?.ask()).toEqual({ action: 'cancel' });
    await take('s', null, 'two');
    expect(opened).toHaveLength(1);
    expect(await opened[0]?.ask()).toMatchObject({ content: { name: 'two' } });
  });

  it('has no room for a fifth call of one server, until one is free', async () => {
    const leases = await Promise.all(['a', 'b', 'c', 'd'].map((owner) => take('s', owner)));
    expect(await take('s', 'e')).toBeUndefined();
    leases[1]?.release();
    expect(await take('s', 'e')).toBeDefined();
    expect(opened[1]?.open).toBe(false);
    expect(opened.filter(({ open }) => open)).toHaveLength(4);
  });

  it('ends one that nobody uses, and all of a server that is stopped', async () => {
    (await take('s', null))?.release();
    await vi.advanceTimersByTimeAsync(1_001);
    expect(opened[0]?.open).toBe(false);
    await take('s', null);
    await take('t', null);
    await connections.close('s');
    expect(opened.map(({ open }) => open)).toEqual([false, false, true]);
  });

  it('opens another where one has ended by itself', async () => {
    (await take('s', null))?.release();
    await opened[0]?.close();
    await take('s', null);
    expect(opened).toHaveLength(2);
  });
});
