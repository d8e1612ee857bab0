// Feedback, the learning log and approved pairs as rows. The port is LearningRepository in chat/learning/ports.ts.
import type {
  ActiveHiddenPrompt,
  ApprovedPair,
  FeedbackEntry,
  HiddenPrompt,
  LearningLogEntry,
  LearningRepository,
  Rating,
} from '../chat/learning/ports.js';
import type { Owner } from '../shared/owner.js';
import type { SqliteStore } from './sqlite-store.js';

const LOGS_KEPT = 50_000;

export class SqliteLearning implements LearningRepository {
  readonly #store: SqliteStore;

  constructor(store: SqliteStore) {
    this.#store = store;
  }

  saveFeedback(entry: FeedbackEntry, sessionId: string | null): Promise<void> {
    return this.#store.commit(() => {
      this.#store
        .prepare(
          `INSERT INTO feedback (task_id, owner, at, rating, comment, prompt, result, intent, tool_required, session_id)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          entry.taskId,
          entry.owner,
          entry.at,
          entry.rating,
          entry.comment,
          entry.prompt,
          entry.result,
          entry.intent,
          entry.toolRequired ? 1 : 0,
          sessionId,
        );
    });
  }

  feedback({
    limit,
    rating,
    viewer,
  }: {
    limit: number;
    rating?: Rating | undefined;
    viewer?: Owner | undefined;
  }): FeedbackEntry[] {
    return this.#store
      .prepare(
        `SELECT * FROM feedback WHERE (?1 IS NULL OR rating = ?1) AND (?2 IS NULL OR owner = ?2)
         ORDER BY pk DESC LIMIT ?3`,
      )
      .all(rating ?? null, viewer ?? null, limit)
      .map(toFeedback);
  }

  latestFeedback(taskIds: readonly string[]): Map<string, FeedbackEntry> {
    const rows = this.#store
      .prepare(
        `SELECT * FROM feedback WHERE pk IN (
           SELECT max(pk) FROM feedback WHERE task_id IN (SELECT value FROM json_each(?)) GROUP BY task_id)`,
      )
      .all(JSON.stringify(taskIds));
    return new Map(rows.map((row) => [String(row['task_id']), toFeedback(row)]));
  }

  feedbackCounts(): { up: number; down: number } {
    const counts = { up: 0, down: 0 };
    for (const row of this.#store.prepare('SELECT rating, count(*) AS n FROM feedback GROUP BY rating').all())
      counts[row['rating'] as Rating] = Number(row['n']);
    return counts;
  }

  saveLog(entry: LearningLogEntry, sessionId: string | null): Promise<void> {
    return this.#store.commitSoon(() => {
      const { changes, lastInsertRowid } = this.#store
        .prepare(
          'INSERT OR IGNORE INTO learning_log (task_id, at, intent, success, entry, session_id) VALUES (?, ?, ?, ?, ?, ?)',
        )
        .run(entry.taskId, entry.at, entry.intent, entry.success ? 1 : 0, JSON.stringify(entry), sessionId);
      if (changes === 1n)
        this.#store.prepare('DELETE FROM learning_log WHERE pk <= ?').run(Number(lastInsertRowid) - LOGS_KEPT);
    });
  }

  logs({
    limit,
    intent,
    success,
    tag,
  }: {
    limit: number;
    intent?: string | undefined;
    success?: boolean | undefined;
    tag?: string | undefined;
  }): LearningLogEntry[] {
    return this.#store
      .prepare(
        `SELECT entry FROM learning_log WHERE (?1 IS NULL OR intent = ?1) AND (?2 IS NULL OR success = ?2)
           AND (?3 IS NULL OR EXISTS (SELECT 1 FROM json_each(entry, '$.tags') WHERE value = ?3))
         ORDER BY pk DESC LIMIT ?4`,
      )
      .all(intent ?? null, success === undefined ? null : success ? 1 : 0, tag ?? null, limit)
      .map((row) => JSON.parse(String(row['entry'])));
  }

  approve(pair: ApprovedPair): Promise<void> {
    return this.#store.commit(() => {
      this.#store
        .prepare(
          `INSERT INTO approved_pairs (task_id, owner, intent, prompt, prompt_hash, approved_response, labels, session_id, at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (task_id, prompt_hash) DO UPDATE SET approved_response = excluded.approved_response, at = excluded.at,
             labels = excluded.labels, revoked_at = NULL`,
        )
        .run(
          pair.taskId,
          pair.owner,
          pair.intent,
          pair.prompt,
          pair.promptHash,
          pair.approvedResponse,
          JSON.stringify(pair.labels),
          pair.sessionId,
          pair.at,
        );
    });
  }

  revoke(taskId: string, at: number): Promise<void> {
    return this.#store.commit(() => {
      this.#store
        .prepare('UPDATE approved_pairs SET revoked_at = ? WHERE task_id = ? AND revoked_at IS NULL')
        .run(at, taskId);
    });
  }

  hiddenPrompts({
    limit,
    intent,
    minScore,
    of,
  }: {
    limit: number;
    intent?: string | undefined;
    minScore: number;
    of?: { owner: Owner; sessionId: string | null } | undefined;
  }): HiddenPrompt[] {
    return this.#store
      .prepare(
        `SELECT intent, prompt, prompt_hash, count(*) AS score, max(at) AS last_at, approved_response, labels
         FROM approved_pairs WHERE revoked_at IS NULL AND (?1 IS NULL OR intent = ?1)
           AND (?2 = 1 OR (owner IS ?6 AND (labels = '[]' OR session_id = ?3)))
         GROUP BY prompt_hash HAVING score >= ?4 ORDER BY last_at DESC, score DESC LIMIT ?5`,
      )
      .all(intent ?? null, of === undefined ? 1 : 0, of?.sessionId ?? null, minScore, limit, of?.owner ?? null)
      .map(toHiddenPrompt);
  }

  hiddenPrompt(promptHash: string): HiddenPrompt | undefined {
    // With max(), SQLite takes the other columns from the row that has it: the newest answer.
    const row = this.#store
      .prepare(
        `SELECT intent, prompt, prompt_hash, count(*) AS score, max(at) AS last_at, approved_response, labels
         FROM approved_pairs WHERE prompt_hash = ? AND revoked_at IS NULL GROUP BY prompt_hash`,
      )
      .get(promptHash);
    return row ? toHiddenPrompt(row) : undefined;
  }

  active(intent?: string): ActiveHiddenPrompt[] {
    const rows = intent
      ? this.#store.prepare('SELECT * FROM active_hidden_prompts WHERE intent = ?').all(intent)
      : this.#store.prepare('SELECT * FROM active_hidden_prompts ORDER BY activated_at DESC').all();
    return rows.map((row) => ({
      intent: String(row['intent']),
      prompt: String(row['prompt']),
      approvedResponse: String(row['approved_response']),
      promptHash: String(row['prompt_hash']),
      updatedAt: Number(row['updated_at']),
      activatedBy: String(row['activated_by']),
      activatedAt: Number(row['activated_at']),
    }));
  }

  activate(prompt: ActiveHiddenPrompt): Promise<void> {
    return this.#store.commit(() => {
      this.#store
        .prepare(
          `INSERT OR REPLACE INTO active_hidden_prompts
             (intent, prompt, approved_response, prompt_hash, updated_at, activated_by, activated_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          prompt.intent,
          prompt.prompt,
          prompt.approvedResponse,
          prompt.promptHash,
          prompt.updatedAt,
          prompt.activatedBy,
          prompt.activatedAt,
        );
    });
  }

  deactivate(intent: string | undefined, promptHash: string | undefined): Promise<void> {
    return this.#store.commit(() => {
      this.#store
        .prepare(
          'DELETE FROM active_hidden_prompts WHERE (?1 IS NULL OR intent = ?1) AND (?2 IS NULL OR prompt_hash = ?2) AND (?1 IS NOT NULL OR ?2 IS NOT NULL)',
        )
        .run(intent ?? null, promptHash ?? null);
    });
  }

  forgetSession(sessionId: string): Promise<void> {
    return this.#store.commit(() => {
      for (const table of ['feedback', 'learning_log'])
        this.#store.prepare(`DELETE FROM ${table} WHERE session_id = ?`).run(sessionId);
      this.#store.prepare(`DELETE FROM approved_pairs WHERE session_id = ? AND labels <> '[]'`).run(sessionId);
    });
  }
}

const toHiddenPrompt = (row: Record<string, unknown>): HiddenPrompt => ({
  intent: String(row['intent']),
  prompt: String(row['prompt']),
  approvedResponse: String(row['approved_response']),
  promptHash: String(row['prompt_hash']),
  score: Number(row['score']),
  lastAt: Number(row['last_at']),
  labels: JSON.parse(String(row['labels'])),
});

const toFeedback = (row: Record<string, unknown>): FeedbackEntry => ({
  taskId: String(row['task_id']),
  owner: row['owner'] as Owner,
  at: Number(row['at']),
  rating: row['rating'] as Rating,
  comment: row['comment'] as string | null,
  prompt: String(row['prompt']),
  result: String(row['result']),
  intent: row['intent'] as FeedbackEntry['intent'],
  toolRequired: Number(row['tool_required']) === 1,
});
