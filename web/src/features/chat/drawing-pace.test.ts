import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DrawingPace } from './drawing-pace';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('DrawingPace', () => {
  it('draws once for many words that come together', () => {
    const draw = vi.fn();
    const pace = new DrawingPace(draw);
    for (let word = 0; word < 100; word += 1) pace.soon();
    expect(draw).not.toHaveBeenCalled();
    vi.advanceTimersByTime(40);
    expect(draw).toHaveBeenCalledTimes(1);
  });

  it('draws less often when drawing takes long, and still draws', () => {
    let drawn = 0;
    const pace = new DrawingPace(() => {
      drawn += 1;
      vi.setSystemTime(Date.now());
      vi.advanceTimersByTime(0);
      // What drawing takes.
      const until = performance.now() + 100;
      while (performance.now() < until) vi.advanceTimersByTime(10);
    });
    for (let ms = 0; ms < 5_000; ms += 20) {
      pace.soon();
      vi.advanceTimersByTime(20);
    }
    expect(drawn).toBeGreaterThan(3);
    expect(drawn).toBeLessThan(30);
  });

  it('draws at once what cannot wait, and not a second time', () => {
    const draw = vi.fn();
    const pace = new DrawingPace(draw);
    pace.soon();
    pace.now();
    expect(draw).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(5_000);
    expect(draw).toHaveBeenCalledTimes(1);
  });
});
