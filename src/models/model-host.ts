// What ResourceGuard needs from the engine whose models it keeps, and how it waits for memory that was given back.
import type { AppError } from '../shared/errors.js';

/** A model in memory, as the engine hands it over. */
export interface HostedModel {
  /** Answers it can write at once. */
  readonly conversations: number;
  readonly processId: number | undefined;
  /** What it takes now, and what of that would be free without it. */
  measure(): Promise<{ bytes: number; freesBytes: number }>;
  /** Called once when it is gone without having been told to, such as a crash. */
  onGone(listener: () => void): void;
  /** Resolves when its process is gone. */
  end(): Promise<void>;
}

/** The engine behind a guard. */
export interface ModelHost<M extends HostedModel> {
  /** @param roomBytes what it may take. @throws AppError; `cancelled` when the signal ends it */
  load(name: string, roomBytes: number, signal: AbortSignal): Promise<M>;
  freeBytes(): Promise<number>;
  /** Whether a failed load looks like memory that ran out, so that a second try with more of it is worth it. */
  ranOutOfMemory(error: AppError): boolean;
  /** Which models answer at the moment, whenever that changes: they share the cores. */
  onBusy?(models: readonly M[]): void;
}

/** How long freed memory may take until it is seen to be free, while somebody waits for it, and while nobody does. */
const SETTLE_LIMIT_MS = 3_000;
const SETTLE_UNWATCHED_MS = 1_000;
const SETTLE_POLL_MS = 25;
/** Of what a model gave back; the rest of the machine does not stand still meanwhile. */
export const SETTLED_SHARE = 0.8;

/**
 * Resolves when so much is seen to be free, or what is wanted of it, or after a while all the same.
 *
 * @param state  asked again each time: `watched` while somebody waits for a model
 */
export async function freed(
  host: Pick<ModelHost<HostedModel>, 'freeBytes'>,
  expectedBytes: number,
  state: () => { wantedBytes: number; watched: boolean; givenUp: boolean },
): Promise<void> {
  const startedAt = performance.now();
  for (;;) {
    const { wantedBytes, watched, givenUp } = state();
    const limitMs = watched ? SETTLE_LIMIT_MS : SETTLE_UNWATCHED_MS;
    if (givenUp || performance.now() - startedAt >= limitMs) return;
    if ((await host.freeBytes()) >= Math.min(expectedBytes, wantedBytes)) return;
    await new Promise((resolve) => setTimeout(resolve, SETTLE_POLL_MS));
  }
}
