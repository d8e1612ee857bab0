// Text of an answer on its way out of the inference process: stop sequences are held back, small pieces travel together.

const FLUSH_MS = 12;

export class TextOut {
  readonly #send: (text: string) => void;
  readonly #stops: readonly string[];
  readonly #longest: number;
  #held = '';
  #stopped = false;
  #unsent = '';
  #sentAt = 0;

  constructor(send: (text: string) => void, stops: readonly string[]) {
    this.#send = send;
    this.#stops = stops;
    this.#longest = Math.max(0, ...stops.map(({ length }) => length));
  }

  /** Whether a stop sequence was met. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Whether a stop sequence was met. */
  push(text: string): boolean {
    if (this.#longest === 0) {
      this.#emit(text);
      return false;
    }
    this.#held += text;
    const at = Math.min(...this.#stops.map((stop) => this.#held.indexOf(stop)).filter((index) => index >= 0));
    if (Number.isFinite(at)) {
      this.#emit(this.#held.slice(0, at));
      this.#held = '';
      this.#stopped = true;
      return true;
    }
    const keep = this.#partialStop();
    this.#emit(this.#held.slice(0, this.#held.length - keep));
    this.#held = this.#held.slice(this.#held.length - keep);
    return false;
  }

  end(): void {
    this.#unsent += this.#held;
    this.#held = '';
    this.#flush();
  }

  #partialStop(): number {
    for (let length = Math.min(this.#longest - 1, this.#held.length); length > 0; length -= 1) {
      const tail = this.#held.slice(-length);
      if (this.#stops.some((stop) => stop.startsWith(tail))) return length;
    }
    return 0;
  }

  #emit(text: string): void {
    if (text === '') return;
    this.#unsent += text;
    if (performance.now() - this.#sentAt >= FLUSH_MS) this.#flush();
  }

  #flush(): void {
    if (this.#unsent === '') return;
    this.#send(this.#unsent);
    this.#unsent = '';
    this.#sentAt = performance.now();
  }
}
