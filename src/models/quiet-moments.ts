// Lets work that nobody waits for run only while no person waits for an answer, and stops it as soon as one does.
export interface QuietMomentsOptions {
  /** Whether a person waits for an answer now. */
  busy: () => boolean;
  /** How long nobody must have waited before anything begins: who has just read an answer often asks again. */
  quietMs: number;
  now: () => number;
}

const LOOK_EVERY_MS = 50;

export class QuietMoments {
  readonly #options: QuietMomentsOptions;
  #busyUntil = Number.NEGATIVE_INFINITY;

  constructor(options: QuietMomentsOptions) {
    this.#options = options;
  }

  /**
   * Waits for a quiet moment and does the work in it. Whoever comes meanwhile ends it by its signal, and it begins again in
   * the next one: it must not mind being done twice.
   * @throws what the work throws, and the signal's reason
   */
  async run<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      await this.#quiet(signal);
      const giveWay = new AbortController();
      const watch = setInterval(() => {
        if (this.#isBusy()) giveWay.abort();
      }, LOOK_EVERY_MS);
      try {
        return await work(AbortSignal.any([signal, giveWay.signal]));
      } catch (error) {
        signal.throwIfAborted();
        if (!giveWay.signal.aborted) throw error;
      } finally {
        clearInterval(watch);
      }
    }
  }

  async #quiet(signal: AbortSignal): Promise<void> {
    const { now, quietMs } = this.#options;
    // Who begins to wait has heard of no answer before, so the first moment counts as a busy one.
    if (this.#busyUntil === Number.NEGATIVE_INFINITY) this.#busyUntil = now();
    for (;;) {
      signal.throwIfAborted();
      if (!this.#isBusy() && now() - this.#busyUntil >= quietMs) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS).unref());
    }
  }

  #isBusy(): boolean {
    const busy = this.#options.busy();
    if (busy) this.#busyUntil = this.#options.now();
    return busy;
  }
}
