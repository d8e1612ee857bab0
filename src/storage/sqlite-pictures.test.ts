import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { first } from './migrations/001-first.js';
import { tasks } from './migrations/003-tasks.js';
import { taskPictures } from './migrations/011-task-pictures.js';
import { goals } from './migrations/013-goals.js';
import { pictures } from './migrations/014-pictures.js';

function earlier(): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  db.exec(`PRAGMA foreign_keys=ON; ${first} ${tasks} ${taskPictures}`);
  db.exec(`
    INSERT INTO sessions (id, boot_id, created_at, updated_at, next_seq) VALUES ('s', 'b', 1, 1, 3);
    INSERT INTO messages (session_pk, seq, request_id, role, content, status, created_at)
      VALUES (1, 1, 't', 'user', 'What?', 'complete', 1), (1, 2, 't', 'assistant', '', 'streaming', 1);
    INSERT INTO tasks (id, status, session_id, created_at, request, logs, context_history)
      VALUES ('t', 'PENDING', 's', 1, '{}', '[]', '{}'), ('u', 'PENDING', NULL, 1, '{}', '[]', '{}');
    INSERT INTO task_pictures (task_id, n, media_type, bytes)
      VALUES ('t', 0, 'image/png', x'01'), ('t', 1, 'image/png', x'02'), ('u', 0, 'image/gif', x'03');`);
  return db;
}
const count = (db: DatabaseSync, table: string) =>
  Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);

describe('the migration of pictures', () => {
  it('brings along those of tasks that wait, in their order', () => {
    const db = earlier();
    db.exec(goals + pictures);
    const rows = db
      .prepare(
        `SELECT t.request_id, t.n, p.media_type, hex(p.bytes) AS bytes, t.kept FROM turn_pictures t JOIN pictures p ON p.hash = t.hash ORDER BY t.request_id, t.n`,
      )
      .all()
      .map((row) => Object.values(row));
    expect(rows).toEqual([
      ['t', 0, 'image/png', '01', 0],
      ['t', 1, 'image/png', '02', 0],
      ['u', 0, 'image/gif', '03', 0],
    ]);
  });

  it('lets them and goals go with whatever they belong to', () => {
    const db = earlier();
    db.exec(goals + pictures);
    const goal = db.prepare(
      `INSERT INTO goals (id, campaign_id, session_id, n, text, status, labels, created_at, updated_at) VALUES (?, ?, ?, 1, 'g', 'PENDING', '[]', 1, 1)`,
    );
    goal.run('g1', 't', 's');
    goal.run('g2', 'u', null);
    // A task that waits needs its picture, whatever becomes of its message.
    db.exec(`DELETE FROM sessions`);
    expect([count(db, 'pictures'), count(db, 'goals')]).toEqual([3, 1]);
    db.exec(`DELETE FROM tasks`);
    expect([count(db, 'pictures'), count(db, 'turn_pictures'), count(db, 'goals')]).toEqual([0, 0, 0]);
  });
});
