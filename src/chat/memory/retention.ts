// Deletes what is past its time: memory, lessons, and sessions with all that was made from them.
import type { Clock } from '../../shared/clock.js';

const FIRST_MS = 30_000;
const EVERY_MS = 600_000;
const DAY_MS = 86_400_000;

export interface RetentionOptions {
  expireMemory: () => Promise<number>;
  expireSessions: (createdBefore: number) => Promise<number>;
  /** Days; 0 = for ever. */
  sessionTtlDays: number;
  clock: Clock;
  onRemoved?: (removed: { memories: number; sessions: number }) => void;
  onFailure?: (error: unknown) => void;
}

export class Retention {
  readonly #options: RetentionOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#schedule(FIRST_MS);
  }

  async run(): Promise<{ memories: number; sessions: number }> {
    const { expireMemory, expireSessions, sessionTtlDays, clock, onRemoved } = this.#options;
    const memories = await expireMemory();
    const sessions = sessionTtlDays > 0 ? await expireSessions(clock.now() - sessionTtlDays * DAY_MS) : 0;
    if (memories + sessions > 0) onRemoved?.({ memories, sessions });
    return { memories, sessions };
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#running;
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#running = this.run()
        .catch((error) => this.#options.onFailure?.(error))
        .then(() => {
          if (this.#timer) this.#schedule(EVERY_MS);
        });
    }, delayMs);
    this.#timer.unref();
  }
}
