import { describe, expect, it } from 'vitest';
import { decideRetry, retryAfterMs } from './retry-policy.js';

const policy = { attempts: 3, backOffMs: 100, retryAfterMaxMs: 5_000, statuses: [429, 503] };
const status = (code: number, retryAfter?: string) => ({ kind: 'status' as const, status: code, retryAfter });
const decide = (tried: number, failed: Parameters<typeof decideRetry>[2]) => decideRetry(policy, tried, failed, 0, 0.5);

describe('decideRetry', () => {
  it('waits longer each time, and not for ever', () => {
    expect(decide(1, status(503))).toEqual({ kind: 'retry', delayMs: 100, reason: 'HTTP 503' });
    expect(decide(2, status(503))).toMatchObject({ kind: 'retry', delayMs: 200 });
    expect(decide(3, status(503))).toEqual({ kind: 'give-up', reason: 'HTTP 503 after 3 of 3 tries' });
  });

  it('heeds Retry-After up to a bound', () => {
    expect(decide(1, status(429, '2'))).toMatchObject({ kind: 'retry', delayMs: 2_000 });
    expect(decide(1, status(429, '99999999999'))).toMatchObject({ kind: 'give-up' });
    expect(decide(1, status(429, 'soon'))).toMatchObject({ kind: 'retry', delayMs: 100 });
  });

  it('repeats what was refused or cut, and nothing that may be under way or is wrong', () => {
    expect(decide(1, { kind: 'failure', code: 'upstream_unreachable' })).toMatchObject({ kind: 'retry' });
    expect(decide(1, { kind: 'failure', code: 'upstream_reset' })).toMatchObject({ kind: 'retry' });
    expect(decide(1, { kind: 'failure', code: 'upstream_timeout' })).toMatchObject({ kind: 'give-up' });
    expect(decide(1, status(400))).toMatchObject({ kind: 'give-up' });
  });
});

describe('retryAfterMs', () => {
  it('reads seconds and dates', () => {
    expect(retryAfterMs('1.5', 0)).toBe(1_500);
    expect(retryAfterMs('Thu, 01 Jan 1970 00:00:10 GMT', 4_000)).toBe(6_000);
    expect(retryAfterMs('Thu, 01 Jan 1970 00:00:10 GMT', 60_000)).toBe(0);
    expect(retryAfterMs('-3', 0)).not.toBe(-3_000);
    expect(retryAfterMs(undefined, 0)).toBeNull();
  });
});
