// The gate: which tasks run and which wait. Capacity is checked and taken in one step, so it is never exceeded.
import { AppError } from '../../shared/errors.js';

export interface TaskQueueOptions<T> {
  /** How many run at once; null = no limit. */
  limit: number | null;
  maxWaiting: number;
  /** Together with `sizeOf`: what waits is held in memory, so its size has an end too. */
  maxWaitingSize: number;
  sizeOf: (item: T) => number;
  /** Never rejects. */
  run: (item: T) => Promise<void>;
}

export class TaskQueue<T> {
  readonly #options: TaskQueueOptions<T>;
  readonly #active = new Set<T>();
  /** In order of arrival. */
  readonly #waiting = new Set<T>();
  #waitingSize = 0;
  /** Places of tasks that are being written to disk. */
  #reserved = 0;
  #paused = false;
  #closed = false;
  #idle: (() => void) | undefined;
  /** Called when the pause is over. */
  readonly #resumed = new Set<() => void>();

  constructor(options: TaskQueueOptions<T>) {
    this.#options = options;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get limit(): number | null {
    return this.#options.limit;
  }

  get active(): ReadonlySet<T> {
    return this.#active;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** A place for a task to come; give it back by `offer` or `release`. @throws AppError `queue_full`, `shutting_down` */
  reserve(): void {
    if (this.#closed) throw new AppError('shutting_down', 'The server is stopping.');
    const { maxWaiting, maxWaitingSize } = this.#options;
    if (this.#waiting.size + this.#reserved >= maxWaiting || this.#waitingSize >= maxWaitingSize)
      throw new AppError('queue_full', `${this.#waiting.size} tasks are waiting already.`);
    this.#reserved += 1;
  }

  release(): void {
    this.#reserved -= 1;
  }

  /** Takes a reserved place: runs at once where there is room. */
  offer(item: T): 'running' | 'paused' | 'full' {
    this.#reserved -= 1;
    return this.enqueue(item);
  }

  /** For tasks that were accepted by a former process: they need no place. */
  enqueue(item: T): 'running' | 'paused' | 'full' {
    if (!this.#paused && !this.#closed && this.#hasRoom() && this.#waiting.size === 0) {
      this.#start(item);
      return 'running';
    }
    this.#waiting.add(item);
    this.#waitingSize += this.#options.sizeOf(item);
    return this.#paused ? 'paused' : 'full';
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#pump();
    for (const goOn of this.#resumed) goOn();
    this.#resumed.clear();
  }

  /** For work that can wait between two of its parts; at once where there is no pause. @throws the signal's reason */
  async whenResumed(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#paused) return;
    await new Promise<void>((resolve, reject) => {
      const stop = () => {
        this.#resumed.delete(goOn);
        reject(signal.reason);
      };
      const goOn = () => {
        signal.removeEventListener('abort', stop);
        resolve();
      };
      this.#resumed.add(goOn);
      signal.addEventListener('abort', stop, { once: true });
    });
  }

  /** Takes everything that waits; none of it will run. */
  purge(): T[] {
    const removed = [...this.#waiting];
    this.#waiting.clear();
    this.#waitingSize = 0;
    return removed;
  }

  /** Starts nothing more; resolves when what runs has ended, or after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    if (this.#active.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
      timer = setTimeout(resolve, graceMs);
    });
    clearTimeout(timer);
  }

  #hasRoom(): boolean {
    return this.#options.limit === null || this.#active.size < this.#options.limit;
  }

  #start(item: T): void {
    this.#active.add(item);
    void this.#options.run(item).finally(() => {
      this.#active.delete(item);
      if (this.#active.size === 0) this.#idle?.();
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#paused || this.#closed) return;
    for (const item of this.#waiting) {
      if (!this.#hasRoom()) return;
      this.#waiting.delete(item);
      this.#waitingSize -= this.#options.sizeOf(item);
      this.#start(item);
    }
  }
}
