// ResultProcessor: what follows a turn and never delays it. Queued on disk, worked off in the background, tried again
// after failures, taken up after a crash.
import type { Clock } from '../../shared/clock.js';
import { toAppError } from '../../shared/errors.js';
import { waitAtMost } from '../../shared/wait-at-most.js';
import type { FinishedTurn, TurnResults } from '../turn-ports.js';
import type { ResultJob, ResultQueue, ResultStep } from './ports.js';

const TEXT_CHARS = 64_000;
const WAITING_LIMIT = 20_000;
const ATTEMPTS = 8;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 600_000;
const STEP_MS = 120_000;
/** How often it is looked whether the last person has got their answer, or a new one is waiting. */
const IDLE_LOOK_MS = 100;
/** Work that was put off for so long is done even while people are being answered. */
const STARVED_MS = 600_000;
const GIVEN_UP_KEPT_MS = 7 * 86_400_000;

export interface ResultProcessorOptions {
  queue: ResultQueue;
  steps: readonly ResultStep[];
  clock: Clock;
  /** Whether no person waits for an answer now. */
  idle: () => boolean;
  onFailure?: (failure: { requestId: string; step: string; error: unknown; final: boolean }) => void;
  onDone?: (step: string) => void;
}

export class ResultProcessor implements TurnResults {
  readonly #options: ResultProcessorOptions;
  readonly #lanes: readonly Lane[];
  readonly #closing = new AbortController();

  constructor(options: ResultProcessorOptions) {
    this.#options = options;
    const settle = (job: ResultJob, signal: AbortSignal, lane: 'light' | 'heavy') => this.#work(job, signal, lane);
    this.#lanes = [
      new Lane('light', options, this.#closing.signal, settle),
      new Lane('heavy', options, this.#closing.signal, settle),
    ];
  }

  /** Takes up what a former process left. */
  start(): void {
    void this.#options.queue.removeGivenUpBefore(this.#options.clock.now() - GIVEN_UP_KEPT_MS);
    for (const lane of this.#lanes) lane.wake();
  }

  /** Survives the process when it returns; nobody waits for the disk. */
  enqueue(turn: FinishedTurn): void {
    const { queue, clock } = this.#options;
    const { light, heavy } = queue.counts();
    // A queue that is never worked off must not fill the disk; the turns themselves are kept elsewhere.
    if (light + heavy >= WAITING_LIMIT) {
      this.#options.onFailure?.({
        requestId: turn.requestId,
        step: 'enqueue',
        error: new Error(`${WAITING_LIMIT} turns wait for their after-work`),
        final: true,
      });
      return;
    }
    queue.add(
      { ...turn, prompt: turn.prompt.slice(0, TEXT_CHARS), answer: turn.answer.slice(0, TEXT_CHARS) },
      clock.now(),
    );
    this.#lanes[0]?.wake();
  }

  counts(): { waiting: number; givenUp: number } {
    const { light, heavy, given_up } = this.#options.queue.counts();
    return { waiting: light + heavy, givenUp: given_up };
  }

  /** Resolves when nothing is due any more; for tests and for the end of a process. */
  async drained(): Promise<void> {
    for (const lane of this.#lanes) await lane.drained();
  }

  /** Finishes what is cheap, at most for `milliseconds`; the rest is on disk and goes on after the next start. */
  async close(milliseconds: number): Promise<void> {
    await waitAtMost(this.#lanes[0]?.drained() ?? Promise.resolve(), milliseconds);
    this.#closing.abort();
    await Promise.all(this.#lanes.map((lane) => lane.ended()));
  }

  async #work(job: ResultJob, signal: AbortSignal, lane: 'light' | 'heavy'): Promise<void> {
    const { queue, steps, clock } = this.#options;
    const done = new Set(job.done);
    let failure: { step: string; error: unknown } | undefined;
    for (const step of steps.filter((candidate) => candidate.lane === lane && !done.has(candidate.name))) {
      try {
        await step.run(job.turn, signal);
        done.add(step.name);
        this.#options.onDone?.(step.name);
      } catch (error) {
        // Stopped for a person's sake or by the end of the process: not its failure.
        if (signal.aborted) {
          await queue.save({ ...job, done: [...done] }, lane, clock.now(), null);
          return;
        }
        failure ??= { step: step.name, error };
      }
    }
    if (failure) return this.#retry({ ...job, done: [...done] }, lane, failure);
    const more = lane === 'light' && steps.some((step) => step.lane === 'heavy');
    if (!more) return queue.remove(job.requestId);
    await queue.save({ ...job, done: [...done], attempts: 0 }, 'heavy', clock.now(), null);
    this.#lanes[1]?.wake();
  }

  async #retry(job: ResultJob, lane: 'light' | 'heavy', failure: { step: string; error: unknown }): Promise<void> {
    const { queue, clock, onFailure } = this.#options;
    const attempts = job.attempts + 1;
    const final = attempts >= ATTEMPTS;
    onFailure?.({ requestId: job.requestId, ...failure, final });
    const { code, message } = toAppError(failure.error);
    const delayMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 4 ** (attempts - 1));
    await queue.save(
      { ...job, attempts },
      final ? 'given_up' : lane,
      clock.now() + delayMs,
      `${failure.step}: ${code}: ${message}`,
    );
  }
}

/** One job after the other; the heavy lane only while nobody waits, and gives way when somebody does. */
class Lane {
  readonly #lane: 'light' | 'heavy';
  readonly #options: ResultProcessorOptions;
  readonly #closing: AbortSignal;
  readonly #work: (job: ResultJob, signal: AbortSignal, lane: 'light' | 'heavy') => Promise<void>;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #again = false;

  constructor(
    lane: 'light' | 'heavy',
    options: ResultProcessorOptions,
    closing: AbortSignal,
    work: (job: ResultJob, signal: AbortSignal, lane: 'light' | 'heavy') => Promise<void>,
  ) {
    this.#lane = lane;
    this.#options = options;
    this.#closing = closing;
    this.#work = work;
  }

  wake(): void {
    if (this.#closing.aborted) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#again = false;
    // Not in the breath of whoever enqueues: the end of the turn is told first.
    this.#running = new Promise((resolve) => setImmediate(resolve))
      .then(() => this.#run())
      .catch((error) => {
        // The queue itself could not be read or written, as on a full disk.
        this.#options.onFailure?.({ requestId: '', step: this.#lane, error, final: false });
        return LONGEST_RETRY_MS / 20;
      })
      .then((delayMs) => {
        this.#running = undefined;
        if (this.#closing.aborted) return;
        if (this.#again) this.wake();
        else if (delayMs !== null) {
          this.#timer = setTimeout(() => this.wake(), delayMs);
          this.#timer.unref();
        }
      });
  }

  async drained(): Promise<void> {
    for (;;) {
      await this.#running;
      const { job } = this.#options.queue.next(this.#lane, this.#options.clock.now());
      if (!job || this.#closing.aborted) return;
      this.wake();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async ended(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Milliseconds until it is worth looking again; null until somebody says so. */
  async #run(): Promise<number | null> {
    const { queue, clock, idle } = this.#options;
    for (;;) {
      if (this.#closing.aborted) return null;
      const now = clock.now();
      const { job, nextDueAt } = queue.next(this.#lane, now);
      if (!job) return nextDueAt === null ? null : Math.max(1, nextDueAt - now);
      const starved = now - job.createdAt > STARVED_MS;
      const mayGiveWay = this.#lane === 'heavy' && !starved;
      if (mayGiveWay && !idle()) return IDLE_LOOK_MS;
      const giveWay = new AbortController();
      const watch = mayGiveWay
        ? setInterval(() => {
            if (!idle()) giveWay.abort();
          }, IDLE_LOOK_MS)
        : undefined;
      // Not AbortSignal.timeout: it would outlive each of thousands of short jobs by two minutes.
      const limit = setTimeout(() => giveWay.abort(), STEP_MS);
      try {
        await this.#work(job, AbortSignal.any([this.#closing, giveWay.signal]), this.#lane);
      } finally {
        clearInterval(watch);
        clearTimeout(limit);
      }
    }
  }
}
