// Who waits in this process for a person, and until when.

export class WaitingAnswers<A> {
  readonly #waiting = new Map<string, (answer: A) => void>();

  get size(): number {
    return this.#waiting.size;
  }

  has(id: string): boolean {
    return this.#waiting.has(id);
  }

  /** Whether anybody waited for it. */
  give(id: string, answer: A): boolean {
    const waiter = this.#waiting.get(id);
    waiter?.(answer);
    return waiter !== undefined;
  }

  /** Undefined after `waitMs` without an answer; fails with the signal's reason. Waits as soon as it returns. */
  wait(id: string, waitMs: number, signal: AbortSignal): { answer: Promise<A | undefined>; forget: () => void } {
    let forget = () => {};
    const answer = new Promise<A | undefined>((resolve, reject) => {
      const stop = () => {
        forget();
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        forget();
        resolve(undefined);
      }, waitMs);
      forget = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
        this.#waiting.delete(id);
      };
      this.#waiting.set(id, (given) => {
        forget();
        resolve(given);
      });
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
    answer.catch(() => {});
    return { answer, forget };
  }
}
