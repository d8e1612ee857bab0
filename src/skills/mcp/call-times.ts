// How long a server's calls take, of the last few hundred.

const KEPT = 500;

export class CallTimes {
  readonly #milliseconds: number[] = [];
  #count = 0;

  add(milliseconds: number): void {
    this.#milliseconds[this.#count % KEPT] = milliseconds;
    this.#count += 1;
  }

  /** `count` is of all calls; null before the first. */
  summary(): { p50: number; p99: number; count: number } | null {
    if (this.#count === 0) return null;
    const sorted = this.#milliseconds.toSorted((a, b) => a - b);
    const at = (part: number) => Math.round((sorted[Math.floor((sorted.length - 1) * part)] ?? 0) * 100) / 100;
    return { p50: at(0.5), p99: at(0.99), count: this.#count };
  }
}
