// Labels that stick to a session, apart from its row: a question is labelled before its session exists.
import type { LabelRelease, LabelReleases, SessionLabels } from '../routing/ports.js';
import type { SqliteStore } from './sqlite-store.js';

const RELEASES_SHOWN = 1_000;

export class SqliteSessionLabels implements SessionLabels, LabelReleases {
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
  /**
   * At once, not with the next group commit: a label that is found again right after this must not be taken for one that is
   * still there. What is on its way to the disk at this moment stays in force.
   */
  release(sessionId: string, { labels, reason, at }: LabelRelease): void {
    this.#store.transaction(() => {
      const remove = this.#store.prepare('DELETE FROM session_labels WHERE session_id = ? AND label = ?');
      for (const label of labels) remove.run(sessionId, label);
      const row = this.#store.prepare('SELECT labels FROM session_context WHERE session_id = ?').get(sessionId);
      if (row) {
        const kept = (JSON.parse(String(row['labels'])) as string[]).filter((label) => !labels.includes(label));
        this.#store
          .prepare(
            `UPDATE session_context SET labels = ?, summary = NULL, summary_up_to_seq = 0, updated_at = ?
             WHERE session_id = ?`,
          )
          .run(JSON.stringify(kept), at, sessionId);
      }
      this.#store
        .prepare('INSERT INTO label_releases (session_id, labels, reason, at) VALUES (?, ?, ?, ?)')
        .run(sessionId, JSON.stringify(labels), reason, at);
    });
  }

  releases(sessionId: string): LabelRelease[] {
    return this.#store
      .prepare(`SELECT labels, reason, at FROM label_releases WHERE session_id = ? ORDER BY pk LIMIT ${RELEASES_SHOWN}`)
      .all(sessionId)
      .map((row) => ({
        labels: JSON.parse(String(row['labels'])) as string[],
        reason: String(row['reason']),
        at: Number(row['at']),
      }));
  }
}
