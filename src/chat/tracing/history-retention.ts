// How long traces, tasks and stored responses are kept. Deletes in small steps with pauses between them, so that nobody who
// waits for an answer waits for this. What is deleted is named by age and size alone, so that it may stop and begin anew.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../shared/clock.js';

const FIRST_MS = 60_000;
const EVERY_MS = 600_000;
const PAUSE_MS = 25;
const STEP_ROWS = 200;
const DAY_MS = 86_400_000;

/** Where a walk stands: `next` is handed to the following step, null where nothing is left to look at. */
export interface RetentionStep {
  removed: number;
  next: number | null;
}

/** Rows that may go once they are old. Each call is one short transaction. */
export interface AgingRows {
  /** Looks at `limit` rows from `from` on, oldest first; what is still running stays. */
  removeOld(createdBefore: number, from: number, limit: number): RetentionStep;
}

export interface SizedRows {
  /** Bytes of `limit` rows before `before` (null: of the newest), newest first. */
  bytesBefore(before: number | null, limit: number): { bytes: number; next: number | null };
  /** Deletes rows before `before`, oldest first; what is still running stays. */
  removeBefore(before: number, from: number, limit: number): RetentionStep;
}

export interface HistoryRetentionOptions {
  traces: AgingRows & SizedRows;
  tasks: AgingRows;
  responses: AgingRows;
  /** Days; 0 = for ever. */
  traceDays: number;
  /** 0 = without a bound. */
  traceBytes: number;
  taskDays: number;
  responseDays: number;
  /** Further old things, such as files; `everyMs` apart. */
  others?: { everyMs: number; remove: () => Promise<number> } | undefined;
  clock: Clock;
  stepRows?: number;
  onRemoved?: (removed: HistoryRemoved) => void;
  onFailure?: (error: unknown) => void;
}

export interface HistoryRemoved {
  traces: number;
  tasks: number;
  responses: number;
  others: number;
}

export class HistoryRetention {
  readonly #options: HistoryRetentionOptions;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #othersAt = 0;

  constructor(options: HistoryRetentionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#schedule(FIRST_MS);
  }

  async run(): Promise<HistoryRemoved> {
    const { traces, tasks, responses, traceDays, traceBytes, taskDays, responseDays, onRemoved } = this.#options;
    const removed = {
      traces: (await this.#removeOld(traces, traceDays)) + (await this.#removeBeyond(traces, traceBytes)),
      tasks: await this.#removeOld(tasks, taskDays),
      responses: await this.#removeOld(responses, responseDays),
      others: await this.#removeOthers(),
    };
    if (Object.values(removed).some((count) => count > 0)) onRemoved?.(removed);
    return removed;
  }

  /** The step under way ends; nothing further begins. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stop.abort();
    await this.#running;
  }

  async #removeOld(rows: AgingRows, days: number): Promise<number> {
    if (days === 0) return 0;
    const createdBefore = this.#options.clock.now() - days * DAY_MS;
    return this.#walk((from) => rows.removeOld(createdBefore, from, this.#stepRows));
  }

  async #removeOthers(): Promise<number> {
    const { others, clock } = this.#options;
    if (!others || clock.now() - this.#othersAt < others.everyMs) return 0;
    this.#othersAt = clock.now();
    return others.remove();
  }

  /** The newest that fit within `bytes` stay. */
  async #removeBeyond(rows: SizedRows, bytes: number): Promise<number> {
    if (bytes === 0) return 0;
    let sum = 0;
    let before: number | null = null;
    while (!this.#stop.signal.aborted) {
      const step = rows.bytesBefore(before, this.#stepRows);
      sum += step.bytes;
      // All that is looked at in the step that goes beyond the bound goes too.
      if (sum > bytes) break;
      if (step.next === null) return 0;
      before = step.next;
      await this.#pause();
    }
    const kept = before ?? Number.MAX_SAFE_INTEGER;
    return this.#walk((from) => rows.removeBefore(kept, from, this.#stepRows));
  }

  async #walk(step: (from: number) => RetentionStep): Promise<number> {
    let removed = 0;
    let from: number | null = 0;
    while (from !== null && !this.#stop.signal.aborted) {
      const done: RetentionStep = step(from);
      removed += done.removed;
      from = done.next;
      if (from !== null) await this.#pause();
    }
    return removed;
  }

  get #stepRows(): number {
    return this.#options.stepRows ?? STEP_ROWS;
  }

  async #pause(): Promise<void> {
    await sleep(PAUSE_MS, undefined, { signal: this.#stop.signal, ref: false }).catch(() => {});
  }

  #schedule(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#running = this.run()
        .catch((error) => this.#options.onFailure?.(error))
        .then(() => {
          if (!this.#stop.signal.aborted) this.#schedule(EVERY_MS);
        });
    }, delayMs);
    this.#timer.unref();
  }
}
