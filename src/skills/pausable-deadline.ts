// How long a call may work. The time a person takes to answer what it asks is not the call's.

export class PausableDeadline {
  readonly #end = new AbortController();
  #leftMs: number;
  #timer: NodeJS.Timeout | undefined;
  #startedAt = 0;
  #pauses = 0;

  constructor(milliseconds: number) {
    this.#leftMs = milliseconds;
    this.#start();
  }

  /** Aborts when the time is over. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** Each pause needs its own `resume`. */
  pause(): void {
    this.#pauses += 1;
    if (this.#pauses > 1) return;
    clearTimeout(this.#timer);
    this.#leftMs -= performance.now() - this.#startedAt;
  }

  resume(): void {
    this.#pauses -= 1;
    if (this.#pauses === 0) this.#start();
  }

  /** Nobody is interested any more. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#pauses += 1;
  }

  #start(): void {
    this.#startedAt = performance.now();
    this.#timer = setTimeout(
      () => this.#end.abort(new DOMException('The time is over.', 'TimeoutError')),
      Math.max(0, this.#leftMs),
    ).unref();
  }
}
