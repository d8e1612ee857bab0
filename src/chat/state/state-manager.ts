// StateManager: small state of the whole server that survives restarts. Writes are debounced, but for what a client is told
// of; `flush` at shutdown.
import { DebouncedWriter } from '../../shared/debounced-writer.js';
import type { StateRepository } from '../ports.js';

const SAVE_DELAY_MS = 200;

export class StateManager {
  readonly #values: Map<string, string>;
  readonly #writer: DebouncedWriter<string, string>;

  constructor(repository: StateRepository) {
    this.#values = repository.load();
    this.#writer = new DebouncedWriter(SAVE_DELAY_MS, (entries) => repository.save(entries));
  }

  get(key: string): string | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: string): void {
    if (this.#values.get(key) === value) return;
    this.#values.set(key, value);
    this.#writer.set(key, value);
  }

  /**
   * The same values for those who acknowledge what they set: on disk when `set` returns.
   * @throws AppError `insufficient_storage`, `store_unavailable`; it is tried again later
   */
  readonly kept = {
    get: (key: string): string | undefined => this.get(key),
    set: (key: string, value: string): void => {
      this.set(key, value);
      this.flush();
    },
  };

  flush(): void {
    this.#writer.flush();
  }
}
