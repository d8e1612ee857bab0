// Tries every model that was never tried as it is now, one after another, in quiet moments. What is left to do is looked up
// each time: a model without a report. So a crash loses nothing, and a model that is gone is forgotten by itself.
import type { ErrorCode } from '../shared/errors.js';
import type { InstalledModel } from './installed-models.js';
import type { ModelOperation } from './model-operation.js';
import type { QuietMoments } from './quiet-moments.js';

/** There may be new models, and room where there was none. */
const LOOK_EVERY_MS = 60_000;
/** After an installation its engine needs a moment to list what it got. */
const SOON_MS = 500;
const TRIES = 3;
/** After the first failure, and ten times as long after the next: perhaps the machine was busy with something else. */
const PAUSE_MS = 600_000;
/** Not the model's fault. */
const LATER: ReadonlySet<ErrorCode> = new Set(['insufficient_memory', 'runtime_busy', 'shutting_down', 'cancelled']);

export interface IdleProbesOptions {
  /** @see ModelManager.untried */
  untried: () => Promise<InstalledModel[]>;
  /** @see ModelManager.recordActive */
  recordActive: (signal: AbortSignal) => Promise<void>;
  start: (found: InstalledModel) => ModelOperation;
  settled: (operationId: string) => Promise<ModelOperation>;
  quiet: QuietMoments;
  /** How often a model was tried in vain, across restarts. */
  memory: { get(key: string): string | undefined; set(key: string, value: string): void };
  now: () => number;
  onFailure: (error: unknown) => void;
}

export class IdleProbes {
  readonly #options: IdleProbesOptions;
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  /** When a model that failed is tried again, on the clock of `now`. */
  readonly #notBefore = new Map<string, number>();

  constructor(options: IdleProbesOptions) {
    this.#options = options;
  }

  /** There may be something to do; returns at once. */
  wake(): void {
    if (this.#running) this.#again = true;
    else this.#sleep(SOON_MS);
  }

  /** What runs is the operations' affair, which are closed by themselves. */
  close(): void {
    this.#closing.abort();
    clearTimeout(this.#timer);
  }

  #sleep(delayMs: number): void {
    clearTimeout(this.#timer);
    if (this.#closing.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#again = false;
      this.#running = this.#work()
        .catch((error) => {
          if (!this.#closing.signal.aborted) this.#options.onFailure(error);
        })
        .finally(() => {
          this.#running = undefined;
          this.#sleep(this.#again ? SOON_MS : LOOK_EVERY_MS);
        });
    }, delayMs);
    this.#timer.unref();
  }

  async #work(): Promise<void> {
    const { signal } = this.#closing;
    const { quiet, recordActive, settled, start } = this.#options;
    await quiet.run(recordActive, signal);
    const postponed = new Set<string>();
    for (;;) {
      const found = await this.#next(postponed);
      if (!found) return;
      const key = keyOf(found);
      // Begun only when it can go on at once: an operation that waits tells nobody anything.
      await quiet.run(async () => {}, signal);
      const { status, error, result } = await settled(start(found).operationId);
      signal.throwIfAborted();
      if (status === 'completed') continue;
      postponed.add(key);
      if (status === 'cancelled' && result?.['gave_way_to'] === undefined) this.#count(found, TRIES);
      else if (error !== null && !LATER.has(error.code)) {
        const failed = this.#tries(found) + 1;
        this.#count(found, failed);
        this.#notBefore.set(key, this.#options.now() + PAUSE_MS * 10 ** (failed - 1));
      }
    }
  }

  async #next(postponed: ReadonlySet<string>): Promise<InstalledModel | undefined> {
    for (const found of await this.#options.untried()) {
      const { runtime, model } = found;
      const key = keyOf(found);
      if (postponed.has(key) || this.#tries(found) >= TRIES) continue;
      if (this.#options.now() < (this.#notBefore.get(key) ?? 0)) continue;
      // Where an engine does not say, its memory is its own affair.
      if (!runtime.roomFor || (await runtime.roomFor(model.name, this.#closing.signal).catch(() => false)))
        return found;
    }
    return undefined;
  }

  /** Of this very file: another one under the same name begins anew. */
  #tries(found: InstalledModel): number {
    const [size, tries] = (this.#options.memory.get(keyOf(found)) ?? '').split(' ');
    return size === String(found.model.sizeBytes) ? Number(tries) : 0;
  }

  #count(found: InstalledModel, tries: number): void {
    this.#options.memory.set(keyOf(found), `${found.model.sizeBytes} ${tries}`);
  }
}

const keyOf = ({ runtime, model }: InstalledModel): string => `probe_tries:${runtime.provider}:${model.name}`;
