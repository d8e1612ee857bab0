// Turns whose after-work is still to be done, as rows. The port is ResultQueue in chat/results/ports.ts.
import type { ResultJob, ResultLane, ResultQueue } from '../chat/results/ports.js';
import type { FinishedTurn } from '../chat/turn-ports.js';
import { SqliteSessionContext } from './sqlite-session-context.js';
import type { SqliteStore } from './sqlite-store.js';

export class SqliteResults implements ResultQueue {
  readonly #store: SqliteStore;
  readonly #sessionContext: SqliteSessionContext;

  constructor(store: SqliteStore) {
    this.#store = store;
    this.#sessionContext = new SqliteSessionContext(store);
  }

  add(turn: FinishedTurn, now: number): void {
    this.#store.write(() => {
      this.#store
        .prepare(
          `INSERT INTO result_jobs (request_id, lane, turn, due_at, created_at) VALUES (?, 'light', ?, ?, ?)
           ON CONFLICT (request_id) DO NOTHING`,
        )
        .run(turn.requestId, JSON.stringify(turn), now, now);
      // The next turn of the session must know of them, so they do not wait for the queue.
      if (turn.sessionId !== null) this.#sessionContext.addLabels(turn.sessionId, turn.labels, now);
    });
  }

  next(lane: ResultLane, now: number): { job: ResultJob | null; nextDueAt: number | null } {
    const row = this.#store.prepare('SELECT * FROM result_jobs WHERE lane = ? ORDER BY due_at, pk LIMIT 1').get(lane);
    if (!row) return { job: null, nextDueAt: null };
    const dueAt = Number(row['due_at']);
    return dueAt > now ? { job: null, nextDueAt: dueAt } : { job: toJob(row), nextDueAt: dueAt };
  }

  save(job: ResultJob, lane: ResultLane, dueAt: number, error: string | null): Promise<void> {
    return this.#store.commitSoon(() => {
      this.#store
        .prepare('UPDATE result_jobs SET lane = ?, done = ?, attempts = ?, due_at = ?, error = ? WHERE request_id = ?')
        .run(lane, JSON.stringify(job.done), job.attempts, dueAt, error, job.requestId);
    });
  }

  remove(requestId: string): Promise<void> {
    return this.#store.commitSoon(() => {
      this.#store.prepare('DELETE FROM result_jobs WHERE request_id = ?').run(requestId);
    });
  }

  removeSession(sessionId: string): Promise<number> {
    return this.#store.commit(() =>
      Number(
        this.#store.prepare(`DELETE FROM result_jobs WHERE json_extract(turn, '$.sessionId') = ?`).run(sessionId)
          .changes,
      ),
    );
  }

  removeGivenUpBefore(createdBefore: number): Promise<number> {
    return this.#store.commitSoon(() =>
      Number(
        this.#store.prepare(`DELETE FROM result_jobs WHERE lane = 'given_up' AND created_at < ?`).run(createdBefore)
          .changes,
      ),
    );
  }

  counts(): Record<ResultLane, number> {
    const counts: Record<ResultLane, number> = { light: 0, heavy: 0, given_up: 0 };
    for (const row of this.#store.prepare('SELECT lane, count(*) AS n FROM result_jobs GROUP BY lane').all())
      counts[row['lane'] as ResultLane] = Number(row['n']);
    return counts;
  }
}

const toJob = (row: Record<string, unknown>): ResultJob => ({
  requestId: String(row['request_id']),
  turn: JSON.parse(String(row['turn'])) as FinishedTurn,
  done: JSON.parse(String(row['done'])),
  attempts: Number(row['attempts']),
  createdAt: Number(row['created_at']),
});
