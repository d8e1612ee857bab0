// Request traces as rows: what the list needs in columns, the rest as one document per request.
import type { RequestTrace, TracePage, TraceRepository } from '../chat/ports.js';
import { BoundedMap } from '../shared/bounded-map.js';
import { packTrace, unpackTrace } from './packed-trace.js';
import type { SqliteStore } from './sqlite-store.js';

/** The newest are asked for again and again, by every page that shows what is going on. */
const KEPT_UNPACKED = 200;
const KEPT_CHARS = 1_000_000;

export class SqliteTraces implements TraceRepository {
  readonly #store: SqliteStore;
  /** By request id: traces as they were last written or listed. */
  readonly unpacked = new BoundedMap<{ trace: RequestTrace; chars: number }>({
    entries: KEPT_UNPACKED,
    size: KEPT_CHARS,
    sizeOf: ({ chars }) => chars,
  });

  constructor(store: SqliteStore) {
    this.#store = store;
  }

  save(traces: Iterable<RequestTrace>): void {
    const upsert = this.#store.prepare(
      `INSERT INTO requests (request_id, owner, status, created_at, last_activity, trace) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (request_id) DO UPDATE SET status = excluded.status, last_activity = excluded.last_activity, trace = excluded.trace`,
    );
    this.#store.write(() => {
      for (const trace of traces) {
        const document = JSON.stringify(trace);
        const packed = packTrace(document);
        const { requestId, owner = null, status, createdAt, lastActivityAt } = trace;
        upsert.run(requestId, owner, status, Date.parse(createdAt), lastActivityAt, packed);
        this.unpacked.set(trace.requestId, { trace, chars: document.length });
      }
    });
  }

  list({ limit, offset, status, viewer = null }: TracePage): RequestTrace[] {
    const wanted = [...(status ? ['status = ?'] : []), ...(viewer === null ? [] : ['owner = ?'])];
    const where = wanted.length === 0 ? '' : `WHERE ${wanted.join(' AND ')}`;
    const rows = this.#store
      .prepare(`SELECT request_id FROM requests ${where} ORDER BY pk DESC LIMIT ? OFFSET ?`)
      .all(...(status ? [status] : []), ...(viewer === null ? [] : [viewer]), limit, offset);
    return rows.flatMap((row) => this.#listed(String(row['request_id'])) ?? []);
  }

  #listed(requestId: string): RequestTrace | undefined {
    const kept = this.unpacked.get(requestId);
    if (kept) return kept.trace;
    const row = this.#store.prepare('SELECT trace FROM requests WHERE request_id = ?').get(requestId);
    if (!row) return undefined;
    const document = unpackTrace(row['trace']);
    const trace = JSON.parse(document) as RequestTrace;
    this.unpacked.set(requestId, { trace, chars: document.length });
    return trace;
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

const toTrace = (row: Record<string, unknown>): RequestTrace => JSON.parse(unpackTrace(row['trace']));
