// Coalesces writes that may be lost in a crash (partial text, trace steps, counters) into one write per interval.
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
    this.#timer ??= setTimeout(() => this.flush(), this.#delayMs);
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
      this.#pending = new Map([...entries, ...this.#pending]);
      this.#timer = setTimeout(() => this.#retry(), this.#delayMs * 5);
      throw error;
    }
  }

  #retry(): void {
    this.#timer = undefined;
    try {
      this.flush();
    } catch {
      // The first failure was reported to its caller; flush has set the next try.
    }
  }
}
