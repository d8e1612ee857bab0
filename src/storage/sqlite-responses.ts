// Answers of the Responses API as rows: bounded by age, number and size, the oldest go first.
import type { ResponseRepository, StoredResponse } from '../chat/responses/ports.js';
import type { AgingRows, RetentionStep } from '../chat/tracing/history-retention.js';
import type { Owner } from '../shared/owner.js';
import type { SqliteStore } from './sqlite-store.js';

export const RESPONSE_DAYS = 30;
const KEPT_MS = RESPONSE_DAYS * 86_400_000;
/** Of what is past its time, so that a save after a long pause does not do all of it. */
const MOST_OLD_PER_SAVE = 20;

export interface ResponseLimits {
  entries: number;
  bytes: number;
}

const LIMITS: ResponseLimits = { entries: 10_000, bytes: 268_435_456 };

export class SqliteResponses implements ResponseRepository, AgingRows {
  readonly #store: SqliteStore;
  readonly #limits: ResponseLimits;
  /** What is in the table, so that a save need not count it. */
  #entries: number;
  #bytes: number;

  constructor(store: SqliteStore, limits = LIMITS) {
    this.#store = store;
    this.#limits = limits;
    const sum = store.prepare('SELECT COUNT(*) AS entries, COALESCE(SUM(bytes), 0) AS bytes FROM responses').get();
    this.#entries = Number(sum?.['entries']);
    this.#bytes = Number(sum?.['bytes']);
  }

  async save({ id, owner, previousId, createdAt, ...document }: StoredResponse): Promise<void> {
    const text = JSON.stringify(document);
    const bytes = Buffer.byteLength(text);
    await this.#store.commit(() => {
      this.#store
        .prepare(
          'INSERT INTO responses (id, owner, previous_id, created_at, bytes, document) VALUES (?, ?, ?, ?, ?, ?)',
        )
        .run(id, owner, previousId, createdAt, bytes, text);
      this.#entries += 1;
      this.#bytes += bytes;
      this.#prune(createdAt);
    });
  }

  get(id: string): StoredResponse | undefined {
    const row = this.#store
      .prepare('SELECT owner, previous_id, created_at, document FROM responses WHERE id = ?')
      .get(id);
    if (!row) return undefined;
    return {
      id,
      owner: row['owner'] as Owner,
      previousId: row['previous_id'] === null ? null : String(row['previous_id']),
      createdAt: Number(row['created_at']),
      ...(JSON.parse(String(row['document'])) as Pick<StoredResponse, 'response' | 'input'>),
    };
  }

  remove(id: string): Promise<boolean> {
    return this.#store.commit(() => {
      const row = this.#store.prepare('SELECT pk, bytes FROM responses WHERE id = ?').get(id);
      if (row) this.#delete(row);
      return row !== undefined;
    });
  }

  removeOld(createdBefore: number, _from: number, limit: number): RetentionStep {
    const rows = this.#store
      .prepare('SELECT pk, bytes FROM responses WHERE created_at < ? ORDER BY pk LIMIT ?')
      .all(createdBefore, limit);
    if (rows.length === 0) return { removed: 0, next: null };
    this.#store.write(() => {
      for (const row of rows) this.#delete(row);
    });
    return { removed: rows.length, next: rows.length < limit ? null : Number(rows.at(-1)?.['pk']) };
  }

  #prune(now: number): void {
    const oldest = this.#store.prepare('SELECT pk, bytes, created_at FROM responses ORDER BY pk LIMIT 1');
    let old = 0;
    for (let row = oldest.get(); row; row = oldest.get()) {
      if (this.#entries <= this.#limits.entries && this.#bytes <= this.#limits.bytes) {
        if (now - Number(row['created_at']) <= KEPT_MS || old >= MOST_OLD_PER_SAVE) return;
        old += 1;
      }
      this.#delete(row);
    }
  }

  #delete(row: Record<string, unknown>): void {
    this.#store.prepare('DELETE FROM responses WHERE pk = ?').run(Number(row['pk']));
    this.#entries -= 1;
    this.#bytes -= Number(row['bytes']);
  }
}
