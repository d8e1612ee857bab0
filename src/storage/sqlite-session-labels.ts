// Labels that stick to a session, apart from its row: a question is labelled before its session exists.
import type { SessionLabels } from '../routing/ports.js';
import type { SqliteStore } from './sqlite-store.js';

export class SqliteSessionLabels implements SessionLabels {
  readonly #store: SqliteStore;
  /** Not on disk yet, and in force already. */
  readonly #coming = new Map<string, Set<string>>();
  readonly #onFailure: (error: unknown) => void;

  /** A label that cannot be written stays in force until the process ends, and `onFailure` hears of it. */
  constructor(store: SqliteStore, onFailure: (error: unknown) => void) {
    this.#store = store;
    this.#onFailure = onFailure;
  }

  of(sessionId: string): readonly string[] {
    const stored = this.#store
      .prepare('SELECT label FROM session_labels WHERE session_id = ?')
      .all(sessionId)
      .map((row) => String(row['label']));
    const coming = this.#coming.get(sessionId);
    return coming ? [...new Set([...stored, ...coming])] : stored;
  }

  add(sessionId: string, labels: readonly string[]): void {
    const known = new Set(this.of(sessionId));
    const fresh = labels.filter((label) => !known.has(label));
    if (fresh.length === 0) return;
    const coming = this.#coming.get(sessionId) ?? new Set();
    for (const label of fresh) coming.add(label);
    this.#coming.set(sessionId, coming);
    // The same group commit as the question's, or one before it.
    this.#store
      .commit(() => {
        const insert = this.#store.prepare('INSERT OR IGNORE INTO session_labels (session_id, label) VALUES (?, ?)');
        for (const label of fresh) insert.run(sessionId, label);
      })
      .then(() => {
        for (const label of fresh) coming.delete(label);
        if (coming.size === 0) this.#coming.delete(sessionId);
      })
      .catch(this.#onFailure);
  }
}
