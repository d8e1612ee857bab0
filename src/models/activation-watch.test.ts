// When a new version is given up: three failures of the engine in a row, within ten minutes, unless it is pinned.
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../shared/errors.js';
import { ActivationWatch } from './activation-watch.js';

const FREE = { pinned: false };

function watch() {
  const clock = { ms: 1_000_000 };
  const watched = new ActivationWatch(() => clock.ms);
  const outcomes = (...failures: (ErrorCode | null)[]) => failures.map((failure) => watched.outcome(failure, FREE));
  return { watched, clock, outcomes };
}

describe('ActivationWatch', () => {
  it('asks to go back at the third failure in a row, and only once', () => {
    const { watched, outcomes } = watch();
    watched.begin();
    expect(outcomes('runtime_crashed', 'upstream_truncated', 'runtime_crashed', 'runtime_crashed')).toEqual([
      null,
      null,
      '3 answers in a row failed with runtime_crashed',
      null,
    ]);
  });

  it('begins anew after an answer that went well, or failed for the question', () => {
    const { watched, outcomes } = watch();
    watched.begin();
    expect(outcomes('runtime_crashed', 'runtime_crashed', null, 'runtime_crashed', 'runtime_crashed')).toEqual(
      Array(5).fill(null),
    );
    expect(outcomes('upstream_rejected', 'runtime_crashed', 'runtime_crashed')).toEqual(Array(3).fill(null));
  });

  it('does not judge a version that was not activated, or longer than ten minutes ago', () => {
    const { watched, clock, outcomes } = watch();
    expect(outcomes('runtime_crashed', 'runtime_crashed', 'runtime_crashed')).toEqual(Array(3).fill(null));
    watched.begin();
    clock.ms += 600_000;
    expect(outcomes('runtime_crashed', 'runtime_crashed')).toEqual([null, null]);
    clock.ms += 1;
    expect(outcomes('runtime_crashed', 'runtime_crashed', 'runtime_crashed')).toEqual(Array(3).fill(null));
  });

  it('leaves a pinned version in its place, and goes back once it is not pinned any more', () => {
    const { watched } = watch();
    watched.begin();
    for (let failures = 0; failures < 5; failures += 1)
      expect(watched.outcome('runtime_crashed', { pinned: true })).toBeNull();
    expect(watched.outcome('runtime_crashed', FREE)).toMatch(/^3 answers/);
  });
});
