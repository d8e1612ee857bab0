// The one SQLite file: opened by one process, migrated forward, written in group commits whose fsync blocks nobody.
import { closeSync, existsSync, fdatasync, openSync, readSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { AppError } from '../shared/errors.js';
import { foldText } from '../shared/fold-text.js';
import { type BackupFile, copyBeforeUpdate, listBackups, makeBackup } from './backups.js';
import { makeDataFolder } from './data-folder.js';
import { first } from './migrations/001-first.js';
import { models } from './migrations/002-models.js';
import { tasks } from './migrations/003-tasks.js';
import { memory } from './migrations/004-memory.js';
import { learnedPhrases } from './migrations/005-learned-phrases.js';
import { responses } from './migrations/006-responses.js';
import { budgets } from './migrations/007-budgets.js';
import { skills } from './migrations/008-skills.js';
import { mcp } from './migrations/009-mcp.js';
import { labelReleases } from './migrations/010-label-releases.js';
import { taskPictures } from './migrations/011-task-pictures.js';
import { owners } from './migrations/012-owners.js';
import { goals } from './migrations/013-goals.js';
import { pictures } from './migrations/014-pictures.js';
import { sessionChoices } from './migrations/015-session-choices.js';
import { thoughts } from './migrations/016-thoughts.js';
import { questions } from './migrations/017-questions.js';
import { loadVectorExtension } from './vector-extension.js';

const MIGRATIONS = [
  first,
  models,
  tasks,
  memory,
  learnedPhrases,
  responses,
  budgets,
  skills,
  mcp,
  labelReleases,
  taskPictures,
  owners,
  goals,
  pictures,
  sessionChoices,
  thoughts,
  questions,
];
/** Of the tables, as this Venom knows them. */
export const SCHEMA_VERSION = MIGRATIONS.length;
const SOON_MS = 3;
/** Since the last commit: who comes now comes alone. */
const QUIET_MS = 5;
const CHECKED_WHOLE_BYTES = 33_554_432;
// Small pages: a turn changes a few hundred bytes on each of a handful of pages, and the log takes pages whole.
const PAGE_BYTES = 1_024;
// A start reads nearly everything once and none of it again, but what a cache has taken it keeps.
const STARTING_CACHE_KIB = 512;
const CACHE_KIB = 8_192;

const syncFile: (file: number) => Promise<void> = promisify(fdatasync);

interface QueuedWrite {
  work: () => unknown;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

export class SqliteStore {
  readonly path: string;
  /** Why there are no vector functions; null when there are. */
  readonly vectorsUnavailable: string | null;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #syncFile: (file: number) => Promise<void>;
  /** The write-ahead log, for its own fsync; opened when there is one. */
  #log: number | undefined;
  #syncing = false;
  #queue: QueuedWrite[] = [];
  #flushedAt = Number.NEGATIVE_INFINITY;
  #scheduled: NodeJS.Immediate | undefined;
  #soon: NodeJS.Timeout | undefined;
  #gathering = false;
  #closed = false;

  /**
   * @throws AppError `store_newer`, `store_corrupt` (with the restore command), `store_locked`, `store_unavailable`;
   * in each case the file is left as it was
   * @param sync  brings a file's bytes to the disk; replaced by tests
   */
  constructor(path: string, sync = syncFile) {
    this.path = path;
    this.#syncFile = sync;
    makeDataFolder(dirname(path));
    opened(path, () => refuseForeignFile(path));
    this.#db = opened(path, () => {
      const db = new DatabaseSync(path, { timeout: 1_500, allowExtension: true });
      try {
        // Exclusive: a second process on the same data is refused by the file lock, which dies with its owner.
        db.exec('PRAGMA locking_mode=EXCLUSIVE');
        const isNew = Number(db.prepare('PRAGMA page_count').get()?.['page_count']) === 0;
        if (isNew) db.exec(`PRAGMA page_size=${PAGE_BYTES}`);
        db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON');
        db.exec(`PRAGMA cache_size=-${STARTING_CACHE_KIB}`);
        db.exec('PRAGMA wal_autocheckpoint=8192; PRAGMA journal_size_limit=16777216; PRAGMA temp_store=MEMORY');
        db.exec('BEGIN IMMEDIATE; COMMIT');
        if (!isSound(db, path)) throw corrupt(path);
        migrate(db, path, isNew);
        db.function('fold', { deterministic: true }, (text) => (typeof text === 'string' ? foldText(text) : null));
        return db;
      } catch (error) {
        db.close();
        throw error;
      }
    });
    this.vectorsUnavailable = loadVectorExtension(this.#db);
  }

  /** A prepared statement, kept for the life of the store. Writes report `changes` as bigint. */
  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      // The text index leaves row ids beyond 2^53 behind, which any later write would fail to report.
      if (!/^\s*SELECT|\bRETURNING\b/i.test(sql)) statement.setReadBigInts(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /**
   * Runs `work` in the next group commit: everything asked for in one turn of the event loop shares one fsync. Where
   * nothing was written for a while, it is run at once.
   * Resolves when the commit is on disk. @throws AppError `insufficient_storage`, `store_unavailable`
   */
  commit<T>(work: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(new AppError('shutting_down', 'The store is closed.'));
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ work, resolve: resolve as (value: unknown) => void, reject });
      if (!this.#gathering) this.#flushWhenDue();
    });
  }

  /** What `ask` commits is one commit, also where nothing was written for a while. */
  together<T>(ask: () => T): T {
    if (this.#gathering) return ask();
    this.#gathering = true;
    try {
      return ask();
    } finally {
      this.#gathering = false;
      if (!this.#closed && this.#queue.length > 0) this.#flushWhenDue();
    }
  }

  /**
   * The same, but it may wait a few milliseconds for company: for writes nobody's first token depends on. Under load
   * many ends of answers share one fsync; a write that comes alone still leaves within `SOON_MS`.
   */
  commitSoon<T>(work: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(new AppError('shutting_down', 'The store is closed.'));
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ work, resolve: resolve as (value: unknown) => void, reject });
      if (!this.#scheduled) this.#soon ??= setTimeout(() => this.#flush(), SOON_MS);
    });
  }

  /** One transaction at once, on disk when it returns. */
  transaction<T>(work: () => T): T {
    return this.#transaction('BEGIN IMMEDIATE', work, 'COMMIT');
  }

  /** For what may be lost with the power, though not with the process: it is on its way to the disk when this returns. */
  write<T>(work: () => T): T {
    const result = this.#unsynced(work);
    if (!this.#syncing) void this.#sync([]);
    return result;
  }

  // The log is written, not yet synced: whoever calls this sees to that before anybody is told.
  #unsynced<T>(work: () => T): T {
    return this.#transaction('PRAGMA synchronous=NORMAL; BEGIN IMMEDIATE', work, 'COMMIT; PRAGMA synchronous=FULL');
  }

  #transaction<T>(begin: string, work: () => T, commit: string): T {
    try {
      this.#db.exec(begin);
      const result = work();
      this.#db.exec(commit);
      return result;
    } catch (error) {
      this.#rollback();
      throw asStoreError(error);
    }
  }

  /** The start is over: what is read from now on may be read again. */
  widenCache(): void {
    this.#db.exec(`PRAGMA cache_size=-${CACHE_KIB}`);
  }

  /** Changes tables; statements prepared on them before are forgotten. */
  define(sql: string): void {
    this.#statements.clear();
    this.#db.exec(sql);
  }

  #flushWhenDue(): void {
    // Alone, there is no company to wait for.
    if (performance.now() - this.#flushedAt > QUIET_MS) this.#flush();
    else this.#scheduled ??= setImmediate(() => this.#flush());
  }

  #flush(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    clearTimeout(this.#soon);
    this.#soon = undefined;
    // One fsync at a time; what comes while it runs shares the next one.
    if (this.#syncing || this.#queue.length === 0) return;
    this.#flushedAt = performance.now();
    const batch = this.#queue;
    this.#queue = [];
    const written: { write: QueuedWrite; result: unknown }[] = [];
    try {
      const results = this.#unsynced(() => batch.map(({ work }) => work()));
      for (const [index, write] of batch.entries()) written.push({ write, result: results[index] });
    } catch (error) {
      if (batch.length === 1) batch[0]?.reject(error);
      // One writer's mistake must not take the others with it.
      else
        for (const write of batch) {
          try {
            written.push({ write, result: this.#unsynced(write.work) });
          } catch (own) {
            write.reject(own);
          }
        }
    }
    void this.#sync(written);
  }

  /** Off this thread, so that answers go on while the disk works. Never rejects. */
  async #sync(written: { write: QueuedWrite; result: unknown }[]): Promise<void> {
    this.#syncing = true;
    try {
      this.#log ??= openSync(`${this.path}-wal`, 'r+');
      await this.#syncFile(this.#log);
      for (const { write, result } of written) write.resolve(result);
    } catch (error) {
      for (const { write } of written) write.reject(asStoreError(error));
    }
    this.#syncing = false;
    if (this.#closed) this.#closeLog();
    else this.#flush();
  }

  #closeLog(): void {
    if (this.#log !== undefined) closeSync(this.#log);
    this.#log = undefined;
  }

  #rollback(): void {
    try {
      // On a full disk SQLite has rolled back by itself.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      this.#db.exec('PRAGMA synchronous=FULL');
    } catch {
      // The first failure is the one to report.
    }
  }

  describe(): { path: string; sizeBytes: number; journalMode: string; synchronous: string; schemaVersion: number } {
    const pragma = (name: string) => Object.values(this.#db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    return {
      path: this.path,
      sizeBytes: statSync(this.path).size,
      journalMode: String(pragma('journal_mode')),
      synchronous: ['off', 'normal', 'full', 'extra'][Number(pragma('synchronous'))] ?? 'unknown',
      schemaVersion: Number(pragma('user_version')),
    };
  }

  /** A consistent copy while the store is in use. @throws AppError `insufficient_storage`, `conflict` */
  backUp(kind: 'daily' | 'manual', now: Date): Promise<BackupFile> {
    return makeBackup(this.#db, this.path, kind, now);
  }

  close(): void {
    if (this.#closed) return;
    clearImmediate(this.#scheduled);
    clearTimeout(this.#soon);
    this.#closed = true;
    for (const { work, resolve, reject } of this.#queue.splice(0)) {
      try {
        resolve(this.transaction(work));
      } catch (error) {
        reject(error);
      }
    }
    this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    this.#db.close();
    if (!this.#syncing) this.#closeLog();
  }
}

/**
 * A check of everything takes seconds where much is remembered, so in a large file memory's own tables are left out: damage
 * in them is met by the reads that touch it, and no turn of a conversation is among them.
 */
function isSound(db: DatabaseSync, path: string): boolean {
  if (statSync(path).size <= CHECKED_WHOLE_BYTES)
    return db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'] === 'ok';
  const tables = db
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'memor%'`)
    .all()
    .map((row) => String(row['name']));
  return ['sqlite_schema', ...tables].every((name) => {
    const check = db.prepare(`PRAGMA quick_check('${name.replaceAll("'", "''")}')`).get();
    return check?.['quick_check'] === 'ok';
  });
}

function migrate(db: DatabaseSync, path: string, isNew: boolean): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version > MIGRATIONS.length) throw newer(path, version);
  if (version === MIGRATIONS.length) return;
  if (!isNew) {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    copyBeforeUpdate(path, version + 1, new Date());
  }
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < version) continue;
    db.exec(`BEGIN IMMEDIATE; ${sql}; PRAGMA user_version=${index + 1}; COMMIT`);
  }
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
}

// The version and the magic stand in the first 100 bytes, so a file of another program or of a newer Venom is refused
// before SQLite opens, and perhaps recovers, anything.
function refuseForeignFile(path: string): void {
  if (!existsSync(path) || statSync(path).size === 0) return;
  const header = Buffer.alloc(100);
  const file = openSync(path, 'r');
  const read = readSync(file, header, 0, 100, 0);
  closeSync(file);
  if (read < 100 || header.toString('latin1', 0, 16) !== 'SQLite format 3\0') throw corrupt(path);
  const version = header.readUInt32BE(60);
  if (version > MIGRATIONS.length) throw newer(path, version);
}

function opened<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (error instanceof AppError) throw error;
    const code = (error as { errcode?: number }).errcode;
    if (code !== undefined && ((code & 0xff) === 5 || (code & 0xff) === 6)) {
      throw new AppError('store_locked', `Another Venom is using ${path}; stop it first or set VENOM_DATA_DIR.`, {
        cause: error,
      });
    }
    if (code !== undefined && ((code & 0xff) === 11 || (code & 0xff) === 26)) throw corrupt(path, error);
    throw new AppError('store_unavailable', `The database ${path} cannot be opened: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function corrupt(path: string, cause?: unknown): AppError {
  const newest = listBackups(path).find(({ kind }) => kind !== 'replaced');
  const mend = newest
    ? `restore the newest backup with: venom restore ${newest.name}`
    : `there is no backup; to start empty: mv '${path}' '${path}.damaged' && rm -f '${path}-wal'`;
  return new AppError('store_corrupt', `The database ${path} is damaged and was left untouched; ${mend}`, { cause });
}

const newer = (path: string, version: number): AppError =>
  new AppError(
    'store_newer',
    `The database ${path} was written by a newer Venom (schema ${version}, this one knows ${MIGRATIONS.length}); it was left untouched. Update Venom.`,
  );

function asStoreError(error: unknown): unknown {
  if (error instanceof AppError) return error;
  const { errcode: code, code: system } = error as { errcode?: number; code?: string };
  if (code === undefined && system === undefined) return error;
  if (system === 'ENOSPC' || (code !== undefined && (code & 0xff) === 13))
    return new AppError('insufficient_storage', 'The disk is full; nothing was written.', { cause: error });
  return new AppError('store_unavailable', 'The database did not take the write.', { cause: error });
}
