// Request traces as rows: what the list needs in columns, the rest as one document per request.
import type { RequestTrace, TraceRepository, TraceStatus } from '../chat/ports.js';
import { packTrace, unpackTrace } from './packed-trace.js';
import type { SqliteStore } from './sqlite-store.js';

export class SqliteTraces implements TraceRepository {
  readonly #store: SqliteStore;

  constructor(store: SqliteStore) {
    this.#store = store;
  }

  save(traces: Iterable<RequestTrace>): void {
    const upsert = this.#store.prepare(
      `INSERT INTO requests (request_id, status, created_at, last_activity, trace) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (request_id) DO UPDATE SET status = excluded.status, last_activity = excluded.last_activity, trace = excluded.trace`,
    );
    this.#store.write(() => {
      for (const trace of traces) {
        upsert.run(trace.requestId, trace.status, Date.parse(trace.createdAt), trace.lastActivityAt, packTrace(trace));
      }
    });
  }

  list({ limit, offset, status }: { limit: number; offset: number; status?: TraceStatus | undefined }): RequestTrace[] {
    const rows = status
      ? this.#store
          .prepare('SELECT trace FROM requests WHERE status = ? ORDER BY pk DESC LIMIT ? OFFSET ?')
          .all(status, limit, offset)
      : this.#store.prepare('SELECT trace FROM requests ORDER BY pk DESC LIMIT ? OFFSET ?').all(limit, offset);
    return rows.map(toTrace);
  }

  get(requestId: string): RequestTrace | undefined {
    const row = this.#store.prepare('SELECT trace FROM requests WHERE request_id = ?').get(requestId);
    return row ? toTrace(row) : undefined;
  }

  running(): RequestTrace[] {
    return this.#store
      .prepare(`SELECT trace FROM requests WHERE status IN ('PENDING', 'PROCESSING') ORDER BY pk`)
      .all()
      .map(toTrace);
  }
}

const toTrace = (row: Record<string, unknown>): RequestTrace => unpackTrace(row['trace']) as RequestTrace;
