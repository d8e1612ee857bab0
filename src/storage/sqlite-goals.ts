// Goals of campaigns as rows. The port is GoalRepository in chat/campaign/goal.ts.
import type { Goal, GoalQuery, GoalRepository, GoalStatus } from '../chat/campaign/goal.js';
import { type Owner, ownName } from '../shared/owner.js';
import type { SqliteStore } from './sqlite-store.js';

interface GoalRow {
  id: string;
  campaign_id: string;
  session_id: string | null;
  n: number;
  text: string;
  status: GoalStatus;
  result: string | null;
  error: string | null;
  labels: string;
  created_at: number;
  updated_at: number;
}

const GOAL =
  'SELECT id, campaign_id, session_id, n, text, status, result, error, labels, created_at, updated_at FROM goals';

export class SqliteGoals implements GoalRepository {
  readonly #store: SqliteStore;

  constructor(store: SqliteStore) {
    this.#store = store;
  }

  add(goals: readonly Goal[]): Promise<void> {
    return this.#store.commit(() => {
      const insert = this.#store.prepare(
        `INSERT INTO goals (id, campaign_id, session_id, n, text, status, result, error, labels, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      );
      for (const goal of goals)
        insert.run(
          goal.id,
          goal.campaignId,
          goal.sessionId,
          goal.number,
          goal.text,
          goal.status,
          goal.result,
          json(goal.error),
          JSON.stringify(goal.labels),
          goal.createdAt,
          goal.updatedAt,
        );
    });
  }

  update(goal: Goal): Promise<boolean> {
    return this.#store.commit(() => {
      const { changes } = this.#store
        .prepare('UPDATE goals SET status = ?, result = ?, error = ?, labels = ?, updated_at = ? WHERE id = ?')
        .run(goal.status, goal.result, json(goal.error), JSON.stringify(goal.labels), goal.updatedAt, goal.id);
      return Number(changes) === 1;
    });
  }

  adopt(ids: readonly string[], campaignId: string): Promise<void> {
    return this.#store.commit(() => {
      const update = this.#store.prepare(
        `UPDATE goals SET campaign_id = ?, n = ?, status = 'PENDING', error = NULL WHERE id = ?`,
      );
      for (const [index, id] of ids.entries()) update.run(campaignId, index + 1, id);
    });
  }

  ofCampaign(campaignId: string): Goal[] {
    return this.#goals('WHERE campaign_id = ? ORDER BY n', campaignId);
  }

  open(sessionId: string | null, limit: number): Goal[] {
    return this.#goals(`WHERE session_id IS ? AND status <> 'COMPLETED' ORDER BY pk LIMIT ?`, sessionId, limit);
  }

  ofSession(sessionId: string | null, limit: number): Goal[] {
    return this.#goals('WHERE session_id IS ? ORDER BY pk DESC LIMIT ?', sessionId, limit);
  }

  list({ sessionId, status, limit, viewer }: GoalQuery): Goal[] {
    return this.#goals(
      `WHERE (?1 IS NULL OR session_id = ?1) AND (?2 IS NULL OR status = ?2) AND (?4 IS NULL OR substr(session_id, 1, length(?4)) = ?4) ORDER BY pk DESC LIMIT ?3`,
      sessionId ?? null,
      status ?? null,
      limit,
      ownPrefix(viewer),
    );
  }

  giveUp(id: string, viewer: Owner): Promise<'removed' | 'running' | 'unknown'> {
    return this.#store.commit(() => {
      const row = this.#store
        .prepare('SELECT status FROM goals WHERE id = ?2 AND (?1 IS NULL OR substr(session_id, 1, length(?1)) = ?1)')
        .get(ownPrefix(viewer), id);
      if (!row) return 'unknown';
      if (row['status'] === 'IN_PROGRESS') return 'running';
      this.#store.prepare('DELETE FROM goals WHERE id = ?').run(id);
      return 'removed';
    });
  }

  counts(viewer: Owner): Record<GoalStatus, number> {
    const counts = { PENDING: 0, IN_PROGRESS: 0, COMPLETED: 0, FAILED: 0 };
    const rows = this.#store
      .prepare(
        'SELECT status, count(*) AS n FROM goals WHERE ?1 IS NULL OR substr(session_id, 1, length(?1)) = ?1 GROUP BY status',
      )
      .all(ownPrefix(viewer));
    for (const row of rows) counts[row['status'] as GoalStatus] = Number(row['n']);
    return counts;
  }

  releaseRunning(): void {
    this.#store.write(() => {
      this.#store.prepare(`UPDATE goals SET status = 'PENDING' WHERE status = 'IN_PROGRESS'`).run();
    });
  }

  #goals(which: string, ...values: (string | number | null)[]): Goal[] {
    return this.#store
      .prepare(`${GOAL} ${which}`)
      .all(...values)
      .map((row) => toGoal(row as unknown as GoalRow));
  }
}

const toGoal = (row: GoalRow): Goal => ({
  id: row.id,
  campaignId: row.campaign_id,
  sessionId: row.session_id,
  number: row.n,
  text: row.text,
  status: row.status,
  result: row.result,
  error: row.error === null ? null : JSON.parse(row.error),
  labels: JSON.parse(row.labels),
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

/** What the session of a goal begins with where it is the viewer's; null: the house sees all. */
const ownPrefix = (viewer: Owner): string | null => (viewer === null ? null : ownName(viewer, ''));
