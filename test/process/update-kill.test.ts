// A database of the first version is brought up to date by a server that is killed again and again on its way.
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { first } from '../../src/storage/migrations/001-first.js';
import { SCHEMA_VERSION } from '../../src/storage/sqlite-store.js';
import { beginProcess, startProcess } from './venom-process.js';

const SESSIONS = 200;
const TURNS = 20;
const ROUNDS = 14;
/** By then a server listens, also on a busy machine. */
const LATE_MS = 2_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-update-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** With enough in it for the copy and the migrations to take their time. */
function writeFirstVersion(path: string): void {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA page_size=1024; PRAGMA journal_mode=WAL; BEGIN; ${first}; PRAGMA user_version=1`);
  const session = db.prepare(
    `INSERT INTO sessions (id, title, boot_id, created_at, updated_at, next_seq) VALUES (?, NULL, 'b', 1, ?, ?)`,
  );
  const message = db.prepare(
    `INSERT INTO messages (session_pk, seq, request_id, role, content, status, created_at) VALUES (?, ?, ?, ?, ?, 'complete', 1)`,
  );
  for (let n = 1; n <= SESSIONS; n += 1) {
    session.run(`s-${n}`, n, 2 * TURNS + 1);
    for (let turn = 0; turn < TURNS; turn += 1) {
      message.run(n, 2 * turn + 1, `r-${n}-${turn}`, 'user', `question ${n} ${turn} ${'x'.repeat(500)}`);
      message.run(n, 2 * turn + 2, `r-${n}-${turn}`, 'assistant', `answer ${n} ${turn}`);
    }
  }
  db.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
}

/** What was reached when it was killed; the file is read as it lies there. */
function versionOf(path: string): number {
  const db = new DatabaseSync(path);
  try {
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    expect(db.prepare('SELECT count(*) AS n FROM messages').get()?.['n']).toBe(SESSIONS * TURNS * 2);
    return Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  } finally {
    db.close();
  }
}

it('an update that is killed on its way goes on at the next start, and everything is there', async () => {
  const path = join(folder, 'venom.db');
  const original = join(folder, 'first-version.db');
  writeFirstVersion(original);
  // Halved towards the moment of the update: a kill before it, one after it, and ever more of them in it.
  let [tooEarlyMs, tooLateMs] = [0, LATE_MS];
  const reached: number[] = [];
  const beginAnew = () => {
    rmSync(`${path}-wal`, { force: true });
    copyFileSync(original, path);
  };
  beginAnew();
  for (let round = 0; round < ROUNDS; round += 1) {
    const delayMs = (tooEarlyMs + tooLateMs) / 2;
    const child = beginProcess({ VENOM_DATA_DIR: folder });
    const exited = once(child, 'exit');
    await pause(delayMs);
    child.kill('SIGKILL');
    await exited;
    const version = versionOf(path);
    // What was begun is gone on with; what was done is done again.
    if (version < SCHEMA_VERSION) tooEarlyMs = delayMs;
    else {
      tooLateMs = delayMs;
      beginAnew();
    }
    reached.push(version);
  }
  console.log(`versions reached before the kills: ${reached.join(' ')}`);
  const venom = await startProcess({ VENOM_DATA_DIR: folder });
  for (const n of [1, SESSIONS]) {
    const url = `${venom.url}/api/v1/sessions/s-${n}/messages?limit=${2 * TURNS}`;
    const { messages } = (await (await fetch(url)).json()) as { messages: { content: string }[] };
    expect(messages.map(({ content }) => content.replace(/ x+$/, ''))).toEqual(
      Array.from({ length: TURNS }, (_, turn) => [`question ${n} ${turn}`, `answer ${n} ${turn}`]).flat(),
    );
  }
  const { total } = (await (await fetch(`${venom.url}/api/v1/sessions?limit=1`)).json()) as { total: number };
  expect(total).toBe(SESSIONS);
  expect((await venom.stop()).code).toBe(0);
  expect(versionOf(path)).toBe(SCHEMA_VERSION);
  // What was there before the update is kept, whole, and nothing half is left beside it.
  const copies = readdirSync(join(folder, 'backups'));
  expect(copies.length).toBeGreaterThan(0);
  for (const copy of copies) versionOf(join(folder, 'backups', copy));
}, 120_000);
