// A cloud provider that keeps failing is left alone for a while, and then tried by one request alone before the others go
// back to it. Each for itself: one that is down is no reason to mistrust the others.
import { Circuit, type Settle } from '../runtimes/circuit.js';

const FAILURES_IN_A_ROW = 5;
const REST_MS = 60_000;

export class ProviderRest {
  readonly #now: () => number;
  readonly #circuits = new Map<string, Circuit>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether nobody may ask it now: it rests, or the one that tries whether it is well again has no answer yet. */
  resting(provider: string): boolean {
    return this.#circuits.get(provider)?.admits === false;
  }

  /** Before each attempt; null where it rests. After a rest one failure is enough for the next. */
  enter(provider: string): Settle | null {
    let circuit = this.#circuits.get(provider);
    if (!circuit) {
      circuit = new Circuit({ failuresToOpen: FAILURES_IN_A_ROW, openMs: REST_MS, now: this.#now });
      this.#circuits.set(provider, circuit);
    }
    return circuit.enter();
  }

  /** What was held against it is over, as with a new key. */
  forget(provider: string): void {
    this.#circuits.delete(provider);
  }
}
