// A store with a past, and how long a durable commit takes on this disk.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { startVenom } from './processes.mjs';

const TURNS_PER_SESSION = 100;
const QUESTION = 'What is the capital of France, and what else should a visitor know about it?';
const ANSWER = 'token '.repeat(50);

/** A real store, made by the server itself, then filled with `turns` turns. */
export async function fillStore(dataDir, turns) {
  mkdirSync(dataDir, { recursive: true });
  await (await startVenom({ VENOM_DATA_DIR: dataDir })).stop();
  const db = new DatabaseSync(join(dataDir, 'venom.db'));
  const session = db.prepare(
    'INSERT INTO sessions (id, title, boot_id, created_at, updated_at, next_seq) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const message = db.prepare(
    'INSERT INTO messages (session_pk, seq, request_id, role, content, status, model, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const trace = db.prepare(
    'INSERT INTO requests (request_id, status, created_at, last_activity, trace) VALUES (?, ?, ?, ?, ?)',
  );
  db.exec('BEGIN');
  let pk = 0;
  for (let turn = 0; turn < turns; turn += 1) {
    const at = 1_750_000_000_000 + turn * 1_000;
    if (turn % TURNS_PER_SESSION === 0) {
      pk = Number(
        session.run(`bench-${turn / TURNS_PER_SESSION}`, QUESTION, 'bench', at, at, TURNS_PER_SESSION * 2 + 1)
          .lastInsertRowid,
      );
    }
    const requestId = `00000000-0000-7000-8000-${String(turn).padStart(12, '0')}`;
    const seq = (turn % TURNS_PER_SESSION) * 2 + 1;
    message.run(pk, seq, requestId, 'user', QUESTION, 'complete', null, at);
    message.run(pk, seq + 1, requestId, 'assistant', ANSWER, 'complete', 'bench', at);
    trace.run(
      requestId,
      'COMPLETED',
      at,
      at,
      JSON.stringify({
        requestId,
        status: 'COMPLETED',
        prompt: QUESTION,
        steps: [],
        createdAt: new Date(at).toISOString(),
      }),
    );
  }
  db.exec('COMMIT');
  db.close();
}

export async function commitTimes(dataDir, count) {
  mkdirSync(dataDir, { recursive: true });
  const db = new DatabaseSync(join(dataDir, 'commits.db'));
  db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)');
  const insert = db.prepare('INSERT INTO t (text) VALUES (?)');
  const times = [];
  for (let index = 0; index < count; index += 1) {
    const startedAt = performance.now();
    insert.run(ANSWER);
    times.push(performance.now() - startedAt);
  }
  db.close();
  return times;
}
