// Marks in the table of state: how far work on the other tables has come.
import type { SqliteStore } from './sqlite-store.js';

type Mark = 'settled_up_to' | 'fts_up_to' | 'boot_id';

export const markOf = (store: SqliteStore, mark: Mark): string | undefined =>
  store.prepare('SELECT value FROM state WHERE key = ?').get(mark)?.['value'] as string | undefined;

/** Within the caller's transaction. */
export function setMark(store: SqliteStore, mark: Mark, value: string): void {
  store
    .prepare('INSERT INTO state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
    .run(mark, value);
}
