// What one file of tests leaves behind would be the next one's fault: they share a process.
import { afterAll, beforeAll, expect, vi } from 'vitest';

const held = () => ({
  environment: { ...process.env },
  folder: process.cwd(),
  listening: process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap' || name === 'ProcessWrap')
    .length,
  handlers: process.listenerCount('uncaughtException'),
});
let before: ReturnType<typeof held>;

beforeAll(() => {
  before = held();
});

// Registered first, so it is asked last.
afterAll(async () => {
  expect(vi.isFakeTimers()).toBe(false);
  await vi.waitFor(() => expect(held()).toEqual(before), { timeout: 5_000 });
});
