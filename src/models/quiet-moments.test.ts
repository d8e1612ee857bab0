import { describe, expect, it } from 'vitest';
import { QuietMoments } from './quiet-moments.js';

function setUp(quietMs = 0) {
  let busy = false;
  const quiet = new QuietMoments({ busy: () => busy, quietMs, now: () => performance.now() });
  return {
    quiet,
    setBusy: (value: boolean) => {
      busy = value;
    },
  };
}

const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

describe('QuietMoments', () => {
  it('begins only when nobody waits any more, and for a while before', async () => {
    const { quiet, setBusy } = setUp(300);
    setBusy(true);
    let begunAt = 0;
    const running = quiet.run(async () => {
      begunAt = performance.now();
    }, new AbortController().signal);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(begunAt).toBe(0);
    const freeAt = performance.now();
    setBusy(false);
    await running;
    // It looked a moment before, at most one look ago.
    expect(begunAt - freeAt).toBeGreaterThan(150);
  });

  it('stops for whoever comes, and does it again afterwards', async () => {
    const { quiet, setBusy } = setUp();
    let tries = 0;
    const running = quiet.run(async (signal) => {
      tries += 1;
      if (tries === 1) {
        setBusy(true);
        await untilAborted(signal).finally(() => setBusy(false));
      }
      return 'done';
    }, new AbortController().signal);
    expect(await running).toBe('done');
    expect(tries).toBe(2);
  });

  it('hands on what fails by itself, and ends with its signal while it waits or works', async () => {
    const { quiet, setBusy } = setUp();
    const never = new AbortController().signal;
    await expect(quiet.run(() => Promise.reject(new Error('broken')), never)).rejects.toThrow('broken');
    const stop = new AbortController();
    const working = quiet.run(untilAborted, stop.signal);
    setTimeout(() => stop.abort(new Error('stopped')), 20);
    await expect(working).rejects.toThrow('stopped');
    setBusy(true);
    await expect(quiet.run(async () => 'never', stop.signal)).rejects.toThrow('stopped');
  });
});
