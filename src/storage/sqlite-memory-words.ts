// Memory's text index: chunks by the stems of their words. Common words are left out of a query, so that a search in a
// large memory stays fast and "what is the" finds nothing.
import type { SqliteStore } from './sqlite-store.js';
import { queryStems, saysNothing, wordStems } from './word-stems.js';

const TERMS_ASKED = 8;
const FUNCTION_WORD_WEIGHT = 0.05;
/** Ranking costs by the row: of a large memory only the rarest words are asked for, together in so many rows. */
const ROWS_RANKED = 1_500;
/** Of the sessions' common index only one owner's rows are ranked, but all of a word's are read. */
const OWNED_ROWS_READ = 10_000;
const FREQUENCIES_KEPT = 20_000;
/** Frequencies are remembered for so many changes of the index. */
const CHANGES_UNTIL_STALE = 500;

export interface FoundByWords {
  chunkPk: number;
  /** Share of the query's weight that the chunk's words carry, 0..1. */
  coverage: number;
}

export class SqliteMemoryWords {
  readonly #store: SqliteStore;
  readonly #frequencies = new Map<string, number>();
  #rows = new Map<'global' | 'owned', number>();
  #changes = 0;

  constructor(store: SqliteStore) {
    this.#store = store;
  }

  /** Within a transaction of the caller's. */
  add(chunkPk: number, owner: number, text: string): void {
    const content = wordStems(text).join(' ');
    if (owner === 0)
      this.#store.prepare('INSERT INTO memory_fts_global (rowid, content) VALUES (?, ?)').run(chunkPk, content);
    else
      this.#store
        .prepare('INSERT INTO memory_fts_owned (rowid, owner, content) VALUES (?, ?, ?)')
        .run(chunkPk, ownerToken(owner), content);
    this.#changed();
  }

  remove(chunkPk: number, owner: number): void {
    this.#store.prepare(`DELETE FROM memory_fts_${owner === 0 ? 'global' : 'owned'} WHERE rowid = ?`).run(chunkPk);
    this.#changed();
  }

  /** Best first. */
  find(text: string, owner: number, limit: number): FoundByWords[] {
    const index = owner === 0 ? 'global' : 'owned';
    const weighted = this.#weighted(text, index);
    const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
    const asked = rarest(weighted, owner === 0 ? ROWS_RANKED : OWNED_ROWS_READ);
    if (asked.length === 0) return [];
    const words = asked.map(({ stem }) => `"${stem}"`).join(' OR ');
    const rows =
      index === 'global'
        ? this.#store
            .prepare(
              `SELECT f.rowid AS pk, c.text FROM memory_fts_global f JOIN memory_chunks c ON c.pk = f.rowid
               WHERE memory_fts_global MATCH ? ORDER BY rank LIMIT ?`,
            )
            .all(words, limit)
        : this.#store
            .prepare(
              `SELECT f.rowid AS pk, c.text FROM memory_fts_owned f JOIN memory_chunks c ON c.pk = f.rowid
               WHERE memory_fts_owned MATCH ? AND c.owner = ? ORDER BY bm25(memory_fts_owned, 0.0, 1.0) LIMIT ?`,
            )
            .all(`owner:"${ownerToken(owner)}" AND content:(${words})`, owner, limit);
    return rows.map((row) => {
      const stems = new Set(wordStems(String(row['text'])));
      const carried = weighted.reduce((sum, { stem, weight }) => sum + (stems.has(stem) ? weight : 0), 0);
      return { chunkPk: Number(row['pk']), coverage: total === 0 ? 0 : carried / total };
    });
  }

  /** Rare words weigh more; a word nobody ever said weighs most, because nothing here can answer to it. */
  #weighted(text: string, index: 'global' | 'owned'): { stem: string; rows: number; weight: number }[] {
    const all = this.#rowsOf(index);
    return queryStems(text).map((stem) => {
      const rows = this.#frequency(stem, index);
      const weight = Math.log(1 + all / (rows + 0.5));
      return { stem, rows, weight: saysNothing(stem) ? weight * FUNCTION_WORD_WEIGHT : weight };
    });
  }

  #frequency(stem: string, index: 'global' | 'owned'): number {
    const key = `${index} ${stem}`;
    let rows = this.#frequencies.get(key);
    if (rows === undefined) {
      const row = this.#store.prepare(`SELECT doc FROM memory_terms_${index} WHERE term = ?`).get(stem);
      rows = Number(row?.['doc'] ?? 0);
      if (this.#frequencies.size >= FREQUENCIES_KEPT) this.#frequencies.clear();
      this.#frequencies.set(key, rows);
    }
    return rows;
  }

  #rowsOf(index: 'global' | 'owned'): number {
    let rows = this.#rows.get(index);
    if (rows === undefined) {
      const condition = index === 'global' ? 'owner = 0' : 'owner <> 0';
      rows = Number(this.#store.prepare(`SELECT count(*) AS n FROM memory_chunks WHERE ${condition}`).get()?.['n']);
      this.#rows.set(index, rows);
    }
    return rows;
  }

  // A small index changes its character with every row, a large one does not.
  #changed(): void {
    this.#changes += 1;
    if (this.#changes < CHANGES_UNTIL_STALE && Math.max(0, ...this.#rows.values()) > CHANGES_UNTIL_STALE * 10) return;
    this.#changes = 0;
    this.#frequencies.clear();
    this.#rows.clear();
  }
}

function rarest<T extends { rows: number; weight: number }>(words: readonly T[], rowsRanked: number): T[] {
  const chosen: T[] = [];
  let rows = 0;
  for (const word of words.filter(({ rows }) => rows > 0).sort((a, b) => b.weight - a.weight)) {
    rows += word.rows;
    // The rarest is always asked for.
    if (chosen.length > 0 && (chosen.length >= TERMS_ASKED || rows > rowsRanked)) break;
    chosen.push(word);
  }
  return chosen;
}

/** No stem is as long, so nothing that is said can be taken for it. */
const ownerToken = (owner: number): string => `ownedby${owner < 0 ? 'all' : owner}`;
