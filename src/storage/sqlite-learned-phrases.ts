// Learned phrases as rows: few, short, found by state.
import type { IntentId } from '../chat/intent.js';
import type { LearnedPhrase, LearnedPhraseRepository, LearnedPhraseState } from '../chat/intents/ports.js';
import type { SqliteStore } from './sqlite-store.js';

export class SqliteLearnedPhrases implements LearnedPhraseRepository {
  readonly #store: SqliteStore;

  constructor(store: SqliteStore) {
    this.#store = store;
  }

  propose(phrase: Omit<LearnedPhrase, 'state' | 'seen' | 'reviewedAt'>, limit: number): Promise<void> {
    const { id, phrase: text, key, intent, language, source, createdAt } = phrase;
    return this.#store.commitSoon(() => {
      this.#store
        .prepare(
          `INSERT INTO learned_phrases (id, key, phrase, intent, language, source, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (key) DO UPDATE SET seen = seen + 1`,
        )
        .run(id, key, text, intent, language, source, createdAt);
      // Rejected ones count as well: they are kept only so that the same is not proposed again.
      this.#store
        .prepare(
          `DELETE FROM learned_phrases WHERE state <> 'approved' AND pk NOT IN
           (SELECT pk FROM learned_phrases WHERE state <> 'approved' ORDER BY pk DESC LIMIT ?)`,
        )
        .run(limit);
    });
  }

  list({ state, limit, offset }: { state?: LearnedPhraseState | undefined; limit: number; offset: number }) {
    const rows = this.#store
      .prepare('SELECT * FROM learned_phrases WHERE state = ifnull(?, state) ORDER BY pk DESC LIMIT ? OFFSET ?')
      .all(state ?? null, limit, offset);
    const counted = this.#store
      .prepare('SELECT count(*) AS total FROM learned_phrases WHERE state = ifnull(?, state)')
      .get(state ?? null);
    return { phrases: rows.map(toPhrase), total: Number(counted?.['total']) };
  }

  get(id: string): LearnedPhrase | undefined {
    const row = this.#store.prepare('SELECT * FROM learned_phrases WHERE id = ?').get(id);
    return row && toPhrase(row);
  }

  approved(limit: number): LearnedPhrase[] {
    return this.#store
      .prepare(`SELECT * FROM learned_phrases WHERE state = 'approved' ORDER BY pk DESC LIMIT ?`)
      .all(limit)
      .map(toPhrase);
  }

  review(
    id: string,
    { state, intent, at }: { state: 'approved' | 'rejected'; intent?: IntentId | undefined; at: number },
  ): Promise<LearnedPhrase | undefined> {
    return this.#store.commit(() => {
      this.#store
        .prepare('UPDATE learned_phrases SET state = ?, intent = ifnull(?, intent), reviewed_at = ? WHERE id = ?')
        .run(state, intent ?? null, at, id);
      return this.get(id);
    });
  }

  remove(id: string): Promise<boolean> {
    return this.#store.commit(
      () => Number(this.#store.prepare('DELETE FROM learned_phrases WHERE id = ?').run(id).changes) > 0,
    );
  }
}

const toPhrase = (row: Record<string, unknown>): LearnedPhrase => ({
  id: String(row['id']),
  phrase: String(row['phrase']),
  key: String(row['key']),
  intent: String(row['intent']) as LearnedPhrase['intent'],
  language: String(row['language']) as LearnedPhrase['language'],
  source: String(row['source']) as LearnedPhrase['source'],
  state: String(row['state']) as LearnedPhraseState,
  seen: Number(row['seen']),
  createdAt: Number(row['created_at']),
  reviewedAt: row['reviewed_at'] === null ? null : Number(row['reviewed_at']),
});
