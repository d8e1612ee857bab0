// What a failure says about the server it came from, and whether another one should be asked. Pure.
import { type AppError, type ErrorCode, toAppError } from '../../shared/errors.js';

/**
 * `away`: nobody is home, leave it out at once. `faulty`: it failed on this one; several in a row leave it out.
 * `elsewhere`: it is well, but not for this: it has no such model, or no place. `question`: the request itself is at
 * fault, and every server would say so.
 */
export type FailureKind = 'away' | 'faulty' | 'elsewhere' | 'question';

const AWAY: ReadonlySet<ErrorCode> = new Set([
  'upstream_unreachable',
  'upstream_timeout',
  'upstream_reset',
  'upstream_protocol',
  'upstream_truncated',
  'upstream_redirect',
  'provider_unavailable',
]);
const ELSEWHERE: ReadonlySet<ErrorCode> = new Set(['runtime_busy', 'insufficient_memory', 'model_not_found']);

export function judgeFailure(thrown: unknown): { kind: FailureKind; error: AppError } {
  const error = toAppError(thrown);
  // Its circuit for this one model is open; with the others it is well.
  if (error.code === 'provider_unavailable' && error.details?.['model'] !== undefined)
    return { kind: 'elsewhere', error };
  if (AWAY.has(error.code)) return { kind: 'away', error };
  if (ELSEWHERE.has(error.code)) return { kind: 'elsewhere', error };
  if (error.code === 'runtime_crashed') return { kind: 'faulty', error };
  const status = Number(error.details?.['status']);
  if (error.code === 'upstream_rejected') return { kind: judgeStatus(status), error };
  return { kind: 'question', error };
}

export function judgeStatus(status: number): FailureKind {
  if ([502, 503, 504].includes(status)) return 'away';
  if ([404, 408, 429].includes(status)) return 'elsewhere';
  // A wrong key of one member is not the next one's.
  if (status >= 500 || [401, 403].includes(status)) return 'faulty';
  return 'question';
}
