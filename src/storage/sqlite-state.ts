// Small values that outlive the process, such as the active model and what was measured once.
import type { StateRepository } from '../chat/ports.js';
import type { SqliteStore } from './sqlite-store.js';

export class SqliteState implements StateRepository {
  readonly #store: SqliteStore;

  constructor(store: SqliteStore) {
    this.#store = store;
  }

  load(): Map<string, string> {
    return new Map(
      this.#store
        .prepare('SELECT key, value FROM state')
        .all()
        .map((row) => [String(row['key']), String(row['value'])]),
    );
  }

  save(entries: ReadonlyMap<string, string>): void {
    const upsert = this.#store.prepare(
      'INSERT INTO state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    );
    this.#store.transaction(() => {
      for (const [key, value] of entries) upsert.run(key, value);
    });
  }
}
