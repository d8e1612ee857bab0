// What is kept beside a session's messages: its running summary and the labels of all that was said in it.
import type { SessionContextRepository, SessionSummaryText } from '../chat/context/ports.js';
import type { SqliteStore } from './sqlite-store.js';

const LABELS_KEPT = 64;

export class SqliteSessionContext implements SessionContextRepository {
  readonly #store: SqliteStore;
  readonly #further: (sessionId: string) => readonly string[];

  /** `further` = labels of a session that are kept elsewhere, such as what routing found in its texts. */
  constructor(store: SqliteStore, further: (sessionId: string) => readonly string[] = () => []) {
    this.#store = store;
    this.#further = further;
  }

  summary(sessionId: string): SessionSummaryText | null {
    const row = this.#store
      .prepare(
        'SELECT summary, summary_up_to_seq, summary_made_by, updated_at FROM session_context WHERE session_id = ?',
      )
      .get(sessionId);
    if (!row || row['summary'] === null) return null;
    return {
      text: String(row['summary']),
      upToSeq: Number(row['summary_up_to_seq']),
      madeBy: String(row['summary_made_by']),
      updatedAt: Number(row['updated_at']),
    };
  }

  saveSummary(sessionId: string, summary: SessionSummaryText): Promise<void> {
    return this.#store.commitSoon(() => {
      // A session that was deleted or cut while its summary was being written keeps none of it.
      const covered = this.#store
        .prepare('SELECT 1 FROM messages WHERE session_pk = (SELECT pk FROM sessions WHERE id = ?) AND seq = ?')
        .get(sessionId, summary.upToSeq);
      if (!covered) return;
      this.#store
        .prepare(
          `INSERT INTO session_context (session_id, summary, summary_up_to_seq, summary_made_by, updated_at) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (session_id) DO UPDATE SET summary = excluded.summary, summary_up_to_seq = excluded.summary_up_to_seq,
             summary_made_by = excluded.summary_made_by, updated_at = excluded.updated_at`,
        )
        .run(sessionId, summary.text, summary.upToSeq, summary.madeBy, summary.updatedAt);
    });
  }

  labels(sessionId: string): string[] {
    const row = this.#store.prepare('SELECT labels FROM session_context WHERE session_id = ?').get(sessionId);
    const own: string[] = row ? JSON.parse(String(row['labels'])) : [];
    return [...new Set([...own, ...this.#further(sessionId)])];
  }

  /** Joins a transaction of the caller's, or is one of its own. */
  addLabels(sessionId: string, labels: readonly string[], now: number): void {
    if (labels.length === 0) return;
    const all = [...new Set([...this.labels(sessionId), ...labels])].slice(0, LABELS_KEPT);
    this.#store
      .prepare(
        `INSERT INTO session_context (session_id, labels, updated_at) VALUES (?, ?, ?)
         ON CONFLICT (session_id) DO UPDATE SET labels = excluded.labels, updated_at = excluded.updated_at`,
      )
      .run(sessionId, JSON.stringify(all), now);
  }

  forget(sessionId: string, fromSeq?: number): Promise<void> {
    return this.#store.commit(() => {
      if (fromSeq === undefined) this.#store.prepare('DELETE FROM session_context WHERE session_id = ?').run(sessionId);
      else
        this.#store
          .prepare(
            `UPDATE session_context SET summary = NULL, summary_up_to_seq = 0 WHERE session_id = ? AND summary_up_to_seq >= ?`,
          )
          .run(sessionId, fromSeq);
    });
  }
}
