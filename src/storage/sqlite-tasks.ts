// Tasks as rows. The port is TaskRepository in chat/tasks/task.ts.
import type { Picture, Task, TaskPage, TaskRepository, TaskStatus } from '../chat/tasks/task.js';
import { ownerOfSession, ownName } from '../shared/owner.js';
import type { SqlitePictures } from './sqlite-pictures.js';
import type { SqliteStore } from './sqlite-store.js';

interface TaskRow {
  seq: number;
  id: string;
  status: TaskStatus;
  created_at: number;
  request: string;
  result: string | null;
  logs: string;
  context_history: string;
  context_used: string | null;
}

const TASK = 'SELECT seq, id, status, created_at, request, result, logs, context_history, context_used FROM tasks';

const COUNTED = 1_000;

export class SqliteTasks implements TaskRepository {
  readonly #store: SqliteStore;
  readonly #pictures: SqlitePictures;
  /** Parts that are on disk, by task. */
  readonly #parts = new Map<string, number>();

  constructor(store: SqliteStore, pictures: SqlitePictures) {
    this.#store = store;
    this.#pictures = pictures;
  }

  insert(task: Task, idempotencyKey: string | null): Promise<void> {
    const { pictures = [], ...request } = task.request;
    return this.#store.commit(() => {
      const { lastInsertRowid } = this.#store
        .prepare(
          `INSERT INTO tasks (id, owner, status, session_id, idempotency_key, created_at, request, result, logs, context_history, context_used)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          task.id,
          task.request.owner ?? null,
          task.status,
          task.request.sessionId,
          idempotencyKey,
          task.createdAt,
          JSON.stringify(request),
          task.result,
          JSON.stringify(task.logs),
          JSON.stringify(task.context),
          json(task.contextUsed),
        );
      task.seq = Number(lastInsertRowid);
      this.#pictures.add(task.id, pictures);
    });
  }

  markProcessing(id: string): Promise<void> {
    return this.#store.commit(() => {
      this.#store.prepare(`UPDATE tasks SET status = 'PROCESSING' WHERE id = ?`).run(id);
    });
  }

  pictures(id: string): Picture[] {
    return this.#pictures.of(id);
  }

  pictureBytes(): number {
    return this.#pictures.waitingBytes();
  }

  appendParts(parts: ReadonlyMap<string, string>): void {
    const insert = this.#store.prepare('INSERT INTO task_parts (task_id, n, text) VALUES (?, ?, ?)');
    this.#store.write(() => {
      for (const [id, text] of parts) {
        const n = this.#parts.get(id) ?? 0;
        insert.run(id, n, text);
        this.#parts.set(id, n + 1);
      }
    });
  }

  save(tasks: readonly Task[]): Promise<void> {
    return this.#store.commit(() => {
      const update = this.#store.prepare(
        `UPDATE tasks SET status = ?, result = ?, logs = ?, context_history = ?, context_used = ?, finished_at = ? WHERE id = ?`,
      );
      for (const task of tasks) {
        const ended = task.status === 'COMPLETED' || task.status === 'FAILED';
        update.run(
          task.status,
          task.result,
          JSON.stringify(task.logs),
          JSON.stringify(task.context),
          json(task.contextUsed),
          ended ? Date.now() : null,
          task.id,
        );
        if (ended && task.request.images > 0 && !canResume(task)) this.#pictures.settle(task.id);
        if (this.#parts.delete(task.id)) this.#store.prepare('DELETE FROM task_parts WHERE task_id = ?').run(task.id);
      }
    });
  }

  get(id: string): Task | undefined {
    const row = this.#store.prepare(`${TASK} WHERE id = ?`).get(id);
    return row ? toTask(row) : undefined;
  }

  idOf(idempotencyKey: string): string | undefined {
    return this.#store.prepare('SELECT id FROM tasks WHERE idempotency_key = ?').get(idempotencyKey)?.['id'] as
      | string
      | undefined;
  }

  list({ limit, offset, beforeSeq, viewer = null }: TaskPage): Task[] {
    const own = viewer === null ? [] : [viewer];
    return this.#store
      .prepare(`${TASK} WHERE seq < ? ${viewer === null ? '' : 'AND owner = ?'} ORDER BY seq DESC LIMIT ? OFFSET ?`)
      .all(beforeSeq ?? Number.MAX_SAFE_INTEGER, ...own, limit, offset)
      .map((row) => toTask(row));
  }

  unfinished(): Task[] {
    const rows = this.#store.prepare(`${TASK} WHERE status IN ('PENDING', 'PROCESSING') ORDER BY seq`).all();
    return rows.map((row) => {
      const task = toTask(row);
      const parts = this.#store.prepare('SELECT text FROM task_parts WHERE task_id = ? ORDER BY n').all(task.id);
      if (parts.length > 0) {
        task.result = parts.map((part) => part['text']).join('');
        this.#parts.set(task.id, parts.length);
      }
      return task;
    });
  }

  /** Of the newest thousand. */
  counts(): Record<TaskStatus, number> {
    const counts = { PENDING: 0, PROCESSING: 0, COMPLETED: 0, FAILED: 0 };
    const rows = this.#store
      .prepare('SELECT status, count(*) AS n FROM (SELECT status FROM tasks ORDER BY seq DESC LIMIT ?) GROUP BY status')
      .all(COUNTED);
    for (const row of rows) counts[row['status'] as TaskStatus] = Number(row['n']);
    return counts;
  }

  /** Newest first; null = of no session and the house, or a place as `placeOf` names it. */
  ofSession(place: string | null, limit: number): Task[] {
    const owner = ownerOfSession(place);
    // What a user asks outside of sessions is kept without one.
    const sessionId = owner !== null && place === ownName(owner, '') ? null : place;
    return this.#store
      .prepare(`${TASK} WHERE session_id IS ? AND owner IS ? ORDER BY seq DESC LIMIT ?`)
      .all(sessionId, owner, limit)
      .map((row) => toTask(row));
  }

  countOfSession(sessionId: string): number {
    return Number(
      this.#store.prepare('SELECT count(*) AS n FROM tasks WHERE session_id = ?').get(sessionId)?.['n'] ?? 0,
    );
  }
}

/** Of those that were cut off nothing is thrown away. */
const canResume = ({ context }: Task): boolean =>
  (context['llm_runtime'] as { error?: { error_code?: string } | null } | undefined)?.error?.error_code ===
  'interrupted';

function toTask(columns: Record<string, unknown>): Task {
  const row = columns as unknown as TaskRow;
  return {
    id: row.id,
    seq: row.seq,
    request: JSON.parse(row.request),
    status: row.status,
    result: row.result,
    logs: JSON.parse(row.logs),
    context: JSON.parse(row.context_history),
    contextUsed: row.context_used === null ? null : JSON.parse(row.context_used),
    createdAt: row.created_at,
  };
}

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));
