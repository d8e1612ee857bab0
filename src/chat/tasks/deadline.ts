// The longest a task may run. While it is held by somebody's pause, its time stands still.

export class Deadline {
  readonly #onOver: () => void;
  #leftMs: number;
  #since = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(timeMs: number, onOver: () => void) {
    this.#leftMs = timeMs;
    this.#onOver = onOver;
    this.go();
  }

  go(): void {
    if (this.#timer) return;
    this.#since = performance.now();
    this.#timer = setTimeout(this.#onOver, this.#leftMs);
  }

  hold(): void {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#leftMs = Math.max(0, this.#leftMs - (performance.now() - this.#since));
  }
}
