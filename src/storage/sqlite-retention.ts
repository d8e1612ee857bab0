// Old rows of traces, tasks and responses, deleted a few at a time. The port is in chat/tracing/history-retention.ts.
import type { AgingRows, RetentionStep, SizedRows } from '../chat/tracing/history-retention.js';
import type { SqliteStore } from './sqlite-store.js';

const RUNNING = `status IN ('PENDING', 'PROCESSING')`;

interface AgingTable {
  name: 'requests' | 'tasks';
  key: 'pk' | 'seq';
  /** Whether a row may go at all. */
  mayGo: string;
  /** When its time began. */
  since: string;
}

const REQUESTS: AgingTable = { name: 'requests', key: 'pk', mayGo: `NOT ${RUNNING}`, since: 'created_at' };
const TASKS: AgingTable = {
  name: 'tasks',
  key: 'seq',
  mayGo: `NOT ${RUNNING}`,
  since: 'coalesce(finished_at, created_at)',
};

/** Keys grow with time, so a walk from the oldest ends at the first row that is young. */
class AgingSqliteRows implements AgingRows {
  protected readonly store: SqliteStore;
  readonly #table: AgingTable;

  constructor(store: SqliteStore, table: AgingTable) {
    this.store = store;
    this.#table = table;
  }

  removeOld(createdBefore: number, from: number, limit: number): RetentionStep {
    const { name, key, mayGo, since } = this.#table;
    const rows = this.store
      .prepare(
        `SELECT ${key} AS key, created_at, (${mayGo} AND ${since} < ?) AS old FROM ${name} WHERE ${key} > ? ORDER BY ${key} LIMIT ?`,
      )
      .all(createdBefore, from, limit);
    const removed = this.remove(rows.filter((row) => row['old'] === 1).map((row) => Number(row['key'])));
    const last = rows.at(-1);
    const isEnd = !last || rows.length < limit || Number(last['created_at']) >= createdBefore;
    return { removed, next: isEnd ? null : Number(last['key']) };
  }

  protected remove(keys: readonly number[]): number {
    if (keys.length === 0) return 0;
    const { name, key } = this.#table;
    const remove = this.store.prepare(`DELETE FROM ${name} WHERE ${key} = ?`);
    this.store.write(() => {
      for (const one of keys) remove.run(one);
    });
    return keys.length;
  }
}

export class AgingTraces extends AgingSqliteRows implements SizedRows {
  constructor(store: SqliteStore) {
    super(store, REQUESTS);
  }

  bytesBefore(before: number | null, limit: number): { bytes: number; next: number | null } {
    const row = this.store
      .prepare(
        `SELECT count(*) AS rows, coalesce(sum(bytes), 0) AS bytes, min(pk) AS next
         FROM (SELECT pk, length(trace) AS bytes FROM requests WHERE pk < ? ORDER BY pk DESC LIMIT ?)`,
      )
      .get(before ?? Number.MAX_SAFE_INTEGER, limit);
    return {
      bytes: Number(row?.['bytes'] ?? 0),
      next: Number(row?.['rows'] ?? 0) < limit ? null : Number(row?.['next']),
    };
  }

  removeBefore(before: number, from: number, limit: number): RetentionStep {
    const rows = this.store
      .prepare(`SELECT pk, ${RUNNING} AS running FROM requests WHERE pk > ? AND pk < ? ORDER BY pk LIMIT ?`)
      .all(from, before, limit);
    const removed = this.remove(rows.filter((row) => row['running'] === 0).map((row) => Number(row['pk'])));
    const last = rows.at(-1);
    return { removed, next: !last || rows.length < limit ? null : Number(last['pk']) };
  }
}

/** A task's row alone: what was said in its session is the session's. */
export class AgingTasks extends AgingSqliteRows {
  constructor(store: SqliteStore) {
    super(store, TASKS);
  }
}
