import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PausableDeadline } from './pausable-deadline.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('does not count the time in which it is paused, by however many', () => {
  const deadline = new PausableDeadline(100);
  vi.advanceTimersByTime(60);
  deadline.pause();
  deadline.pause();
  vi.advanceTimersByTime(1_000);
  deadline.resume();
  vi.advanceTimersByTime(1_000);
  deadline.resume();
  vi.advanceTimersByTime(39);
  expect(deadline.signal.aborted).toBe(false);
  vi.advanceTimersByTime(2);
  expect(deadline.signal.aborted).toBe(true);
});

it('ends nothing once it is dropped, also in a pause', () => {
  const deadline = new PausableDeadline(100);
  deadline.pause();
  deadline.drop();
  deadline.resume();
  vi.advanceTimersByTime(1_000);
  expect(deadline.signal.aborted).toBe(false);
});
