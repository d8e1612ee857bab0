// Answers of the Responses API as rows: bounded by age, number and size, the oldest go first.
import type { ResponseRepository, StoredResponse } from '../chat/responses/ports.js';
import type { SqliteStore } from './sqlite-store.js';

const KEPT_MS = 30 * 86_400_000;

export interface ResponseLimits {
  entries: number;
  bytes: number;
}

const LIMITS: ResponseLimits = { entries: 10_000, bytes: 268_435_456 };

export class SqliteResponses implements ResponseRepository {
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

  async save({ id, previousId, createdAt, ...document }: StoredResponse): Promise<void> {
    const text = JSON.stringify(document);
    const bytes = Buffer.byteLength(text);
    await this.#store.commit(() => {
      this.#store
        .prepare('INSERT INTO responses (id, previous_id, created_at, bytes, document) VALUES (?, ?, ?, ?, ?)')
        .run(id, previousId, createdAt, bytes, text);
      this.#entries += 1;
      this.#bytes += bytes;
      this.#prune(createdAt);
    });
  }

  get(id: string): StoredResponse | undefined {
    const row = this.#store.prepare('SELECT previous_id, created_at, document FROM responses WHERE id = ?').get(id);
    if (!row) return undefined;
    return {
      id,
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

  #prune(now: number): void {
    const oldest = this.#store.prepare('SELECT pk, bytes, created_at FROM responses ORDER BY pk LIMIT 1');
    for (let row = oldest.get(); row && this.#isTooMuch(Number(row['created_at']), now); row = oldest.get())
      this.#delete(row);
  }

  #isTooMuch(createdAt: number, now: number): boolean {
    return now - createdAt > KEPT_MS || this.#entries > this.#limits.entries || this.#bytes > this.#limits.bytes;
  }

  #delete(row: Record<string, unknown>): void {
    this.#store.prepare('DELETE FROM responses WHERE pk = ?').run(Number(row['pk']));
    this.#entries -= 1;
    this.#bytes -= Number(row['bytes']);
  }
}
