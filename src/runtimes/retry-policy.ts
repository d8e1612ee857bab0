// Whether a call to a model server is made once more, and after how long. Pure: facts in, a decision with its reason out.
import type { ErrorCode } from '../shared/errors.js';

export interface RetryPolicy {
  /** Tries altogether; 1 = none is repeated. */
  attempts: number;
  /** Times the number of tries so far. */
  backOffMs: number;
  /** A server that asks for more than this is not waited for. */
  retryAfterMaxMs: number;
  statuses: readonly number[];
}

/** Gone before the first byte: nobody has seen anything of an answer yet. */
export type FailedAttempt =
  | { kind: 'status'; status: number; retryAfter: string | undefined }
  | { kind: 'failure'; code: ErrorCode };

export type RetryDecision = { kind: 'retry'; delayMs: number; reason: string } | { kind: 'give-up'; reason: string };

// A timeout is not among them: the engine may be working on the first one still.
const REPEATED: readonly ErrorCode[] = ['upstream_unreachable', 'upstream_reset'];

/**
 * @param tried  calls made so far, from 1
 * @param random  0 to 1, spreads those who failed together
 */
export function decideRetry(
  policy: RetryPolicy,
  tried: number,
  failed: FailedAttempt,
  now: number,
  random: number,
): RetryDecision {
  const why = failed.kind === 'status' ? `HTTP ${failed.status}` : failed.code;
  const repeated = failed.kind === 'status' ? policy.statuses.includes(failed.status) : REPEATED.includes(failed.code);
  if (!repeated) return { kind: 'give-up', reason: `${why} is not tried again` };
  if (tried >= policy.attempts) return { kind: 'give-up', reason: `${why} after ${tried} of ${policy.attempts} tries` };
  const asked = failed.kind === 'status' ? retryAfterMs(failed.retryAfter, now) : null;
  if (asked !== null && asked > policy.retryAfterMaxMs)
    return { kind: 'give-up', reason: `${why}, and the server asks for ${Math.round(asked / 1_000)} s` };
  const delayMs = asked ?? Math.round(policy.backOffMs * tried * (0.9 + 0.2 * random));
  return { kind: 'retry', delayMs, reason: why };
}

/** Seconds or a date. @returns milliseconds from now, at least 0; null when there is none or it cannot be read */
export function retryAfterMs(header: string | undefined, now: number): number | null {
  if (header === undefined) return null;
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

/** Of an answer that refuses, what the details of its error say: its status, and when to come back where it tells. */
export function refusalDetails(
  status: number,
  retryAfter: string | undefined,
  now: number,
): { status: number; retryAfterMs?: number } {
  const waitMs = retryAfterMs(retryAfter, now);
  return { status, ...(waitMs === null ? {} : { retryAfterMs: waitMs }) };
}
