// A cloud provider that keeps failing is left alone for a while. Each for itself: one that is down is no reason to mistrust
// the others.

const FAILURES_IN_A_ROW = 5;
const REST_MS = 60_000;

export class ProviderRest {
  readonly #now: () => number;
  readonly #failures = new Map<string, { count: number; until: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  resting(provider: string): boolean {
    const known = this.#failures.get(provider);
    return known !== undefined && known.until > this.#now();
  }

  succeeded(provider: string): void {
    this.#failures.delete(provider);
  }

  /** After a rest one failure is enough for the next. */
  failed(provider: string): void {
    const count = (this.#failures.get(provider)?.count ?? 0) + 1;
    this.#failures.set(provider, { count, until: count >= FAILURES_IN_A_ROW ? this.#now() + REST_MS : 0 });
  }
}
