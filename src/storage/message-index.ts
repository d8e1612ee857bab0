// The index of messages by their words (FTS5). It is derived, so it is brought up to date when somebody searches and costs a
// turn nothing.
import { markOf, setMark } from './marks.js';
import type { SqliteStore } from './sqlite-store.js';

const MOST_WORDS = 16;

export class MessageIndex {
  readonly #store: SqliteStore;
  readonly #writing: () => readonly number[];

  /** @param writing  rows of answers that are being written: each would be found by half its words for ever */
  constructor(store: SqliteStore, writing: () => readonly number[]) {
    this.#store = store;
    this.#writing = writing;
  }

  bringUpToDate(): void {
    const indexed = this.#indexedUpTo();
    const upTo = Math.min(newestMessage(this.#store), ...this.#writing().map((pk) => pk - 1));
    if (upTo <= indexed) return;
    this.#store.transaction(() => {
      this.#store
        .prepare(
          'INSERT INTO messages_fts (rowid, content) SELECT pk, fold(content) FROM messages WHERE pk > ? AND pk <= ?',
        )
        .run(indexed, upTo);
      setMark(this.#store, 'fts_up_to', String(upTo));
    });
  }

  /** Before the rows themselves go; both numbers are of messages within the session, and included. */
  remove(sessionPk: number, fromSeq: number, toSeq: number): void {
    this.#store
      .prepare(
        'DELETE FROM messages_fts WHERE rowid IN (SELECT pk FROM messages WHERE session_pk = ? AND seq >= ? AND seq <= ? AND pk <= ?)',
      )
      .run(sessionPk, fromSeq, toSeq, this.#indexedUpTo());
  }

  #indexedUpTo(): number {
    return Number(markOf(this.#store, 'fts_up_to') ?? 0);
  }
}

/** The key of the newest message's row; 0 where there is none. */
export const newestMessage = (store: SqliteStore): number =>
  Number(store.prepare('SELECT coalesce(max(pk), 0) AS pk FROM messages').get()?.['pk']);

/** Words as prefixes, all of them; FTS5's own operators are not offered to the person who types. Empty without any word. */
export const wordsQuery = (text: string): string =>
  (text.match(/[\p{L}\p{N}]+/gu) ?? [])
    .slice(0, MOST_WORDS)
    .map((word) => `"${word}"*`)
    .join(' ');
