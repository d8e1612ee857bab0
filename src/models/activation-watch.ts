// Counts failed answers right after an activation, to say when the former version should come back. Decides only; whoever
// is told acts.
import type { ErrorCode } from '../shared/errors.js';

/** This many failures in a row of the engine. */
const FAILURES_TO_ROLL_BACK = 3;
const WATCH_MS = 10 * 60_000;
/** Of these the model may be the reason; not of a question that no model could answer. */
const ENGINE_FAILURES: ReadonlySet<ErrorCode> = new Set([
  'runtime_crashed',
  'invalid_model',
  'insufficient_memory',
  'upstream_protocol',
  'upstream_truncated',
]);

export class ActivationWatch {
  readonly #now: () => number;
  #watched: { until: number; failures: number } | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A version was activated. */
  begin(): void {
    this.#watched = { until: this.#now() + WATCH_MS, failures: 0 };
  }

  /**
   * How an answer of the activated version ended.
   * @param pinned  a person wants just this version, whatever it does
   * @returns why to go back, once; null where there is no reason to
   */
  outcome(failure: ErrorCode | null, { pinned }: { pinned: boolean }): string | null {
    const watched = this.#watched;
    if (!watched) return null;
    if (this.#now() > watched.until) {
      this.#watched = undefined;
      return null;
    }
    watched.failures = failure !== null && ENGINE_FAILURES.has(failure) ? watched.failures + 1 : 0;
    if (watched.failures < FAILURES_TO_ROLL_BACK || pinned) return null;
    this.#watched = undefined;
    return `${FAILURES_TO_ROLL_BACK} answers in a row failed with ${failure}`;
  }
}
