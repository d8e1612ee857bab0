// Lists of other places, kept for a while: one request at a time for each, told again where the place is gone, and never
// waited for longer than a page may wait. What comes too late for one page is there for the next.
import { AppError, toAppError } from '../shared/errors.js';
import { waitAtMost } from '../shared/wait-at-most.js';

const FRESH_MS = 30 * 60_000;
/** For the place itself, which goes on being asked when a page has gone without it. */
const LONG_DEADLINE_MS = 10_000;
const LISTS = 200;

export interface Listing<T> {
  items: T[];
  /** True when this is the last good copy, or nothing at all. */
  stale: boolean;
  error: string | null;
}

export interface AwaitedListing<T> extends Listing<T> {
  /** It is being asked still. */
  pending: boolean;
}

export interface Question<T> {
  /** The same for the same question. */
  key: string;
  /** For messages. */
  place: string;
  ask: (signal: AbortSignal) => Promise<T[]>;
  /** How long the page waits. */
  waitMs: number;
  /**
   * A place that failed so short a time ago is not asked again; and one that failed at all is not waited for until it has
   * answered. Asked and waited for each time where absent.
   */
  restMs?: number | undefined;
  freshMs?: number | undefined;
}

export class RememberedListings<T> {
  readonly #now: () => number;
  readonly #kept = new Map<string, { at: number; items: T[] }>();
  readonly #asked = new Map<string, Promise<T[]>>();
  /** The last failure of each place that has not answered since. */
  readonly #failed = new Map<string, { at: number; message: string }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Never throws: a failure is told beside what was kept. */
  async get({ key, place, ask, waitMs, restMs, freshMs = FRESH_MS }: Question<T>): Promise<AwaitedListing<T>> {
    const former = this.#kept.get(key);
    const told = (stale: boolean, error: string | null, pending = false): AwaitedListing<T> => ({
      items: this.#kept.get(key)?.items ?? former?.items ?? [],
      stale,
      error,
      pending,
    });
    if (former && this.#now() - former.at < freshMs) return told(false, null);
    const failed = restMs === undefined ? undefined : this.#failed.get(place);
    const underWay = this.#asked.get(key);
    if (failed && !underWay && this.#now() - failed.at < (restMs ?? 0)) return told(true, failed.message);
    const asking = underWay ?? this.#start(key, place, ask);
    if (!(await waitAtMost(asking, failed ? 0 : waitMs))) return told(true, failed?.message ?? late(place), true);
    return asking.then(
      () => told(false, null),
      (error) => told(true, asTimeout(error, place).message),
    );
  }

  #start(key: string, place: string, ask: (signal: AbortSignal) => Promise<T[]>): Promise<T[]> {
    const asking = Promise.resolve()
      .then(() => ask(AbortSignal.timeout(LONG_DEADLINE_MS)))
      .then(
        (items) => {
          if (this.#kept.size >= LISTS) this.#kept.delete(this.#kept.keys().next().value as string);
          this.#kept.set(key, { at: this.#now(), items });
          this.#failed.delete(place);
          return items;
        },
        (error) => {
          this.#failed.set(place, { at: this.#now(), message: asTimeout(error, place).message });
          throw error;
        },
      )
      .finally(() => this.#asked.delete(key));
    // Who waits hears of it; when nobody does any more, it is no fault of the process.
    asking.catch(() => {});
    this.#asked.set(key, asking);
    return asking;
  }
}

const late = (place: string): string => `${place} did not answer in time.`;

/** What ended because nobody waited longer is the place's lateness. */
export const asTimeout = (error: unknown, place: string): AppError =>
  (error as Error)?.name === 'TimeoutError' || (error as Error)?.name === 'AbortError'
    ? new AppError('upstream_timeout', late(place), { cause: error })
    : toAppError(error);
