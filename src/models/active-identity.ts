// The active model and its engine as known now: for answers that must not wait for an engine that hangs.
import { waitAtMost } from '../shared/wait-at-most.js';
import { type RuntimeIdentity, runtimeIdentity } from './runtime-identity.js';

const WAIT_MS = 20;

export class ActiveIdentity {
  readonly #ask: () => Promise<RuntimeIdentity>;
  #known: RuntimeIdentity | undefined;
  #asking: Promise<void> | undefined;

  constructor(ask: () => Promise<RuntimeIdentity>) {
    this.#ask = ask;
  }

  async get(): Promise<RuntimeIdentity> {
    // Whoever comes while somebody waits already gets what was known.
    if (this.#asking && this.#known) return this.#known;
    this.#asking ??= this.#ask()
      .then((identity) => {
        this.#known = identity;
      })
      .finally(() => {
        this.#asking = undefined;
      });
    await waitAtMost(this.#asking, WAIT_MS);
    return this.#known ?? runtimeIdentity('unknown', '', null);
  }
}
