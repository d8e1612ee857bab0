// Coalesces writes that may be lost in a crash (partial text, trace steps, counters) into one write per interval.
/** Values kept while writing fails; of more, the oldest are given up. */
const MAX_KEPT = 10_000;

export class DebouncedWriter<K, V> {
  readonly #delayMs: number;
  readonly #write: (entries: Map<K, V>) => void;
  #pending = new Map<K, V>();
  #timer: NodeJS.Timeout | undefined;

  /** `write` gets the newest value per key; it is called at most once per `delayMs` and by `flush`. */
  constructor(delayMs: number, write: (entries: Map<K, V>) => void) {
    this.#delayMs = delayMs;
    this.#write = write;
  }

  get(key: K): V | undefined {
    return this.#pending.get(key);
  }

  set(key: K, value: V): void {
    this.#pending.set(key, value);
    this.#timer ??= setTimeout(() => this.tryFlush(), this.#delayMs);
  }

  delete(key: K): void {
    this.#pending.delete(key);
  }

  /** Writes now; entries stay pending when the write throws, and the next flush tries again. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.size === 0) return;
    const entries = this.#pending;
    this.#pending = new Map();
    try {
      this.#write(entries);
    } catch (error) {
      this.#pending = newest([...entries, ...this.#pending]);
      this.#timer = setTimeout(() => this.tryFlush(), this.#delayMs * 5);
      throw error;
    }
  }

  /** For whoever cannot take a failure: what is written here may be lost, and must not end the process or a read. */
  tryFlush(): void {
    try {
      this.flush();
    } catch {
      // The next try is set; a disk that stays full shows itself in the writes that somebody waits for.
    }
  }
}

const newest = <K, V>(entries: [K, V][]): Map<K, V> => new Map([...new Map(entries)].slice(-MAX_KEPT));
