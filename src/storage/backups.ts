// Copies of the database beside it: made while it is in use, listed, removed, and brought back while it is not.
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { open, rename, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../shared/errors.js';

/**
 * Why a copy was made: each day by itself, because somebody asked, before an update changed the tables, or because a
 * restored copy took its place.
 */
export type BackupKind = 'daily' | 'manual' | 'before_update' | 'replaced';

export interface BackupFile {
  /** Of the file in the folder of backups. */
  name: string;
  kind: BackupKind;
  createdAt: Date;
  sizeBytes: number;
}

const PREFIXES: readonly (readonly [prefix: string, kind: BackupKind])[] = [
  ['venom-before-', 'before_update'],
  ['venom-manual-', 'manual'],
  ['venom-replaced-', 'replaced'],
  ['venom-', 'daily'],
];
const DAILY_KEPT = 3;
/** What somebody asked for is removed by nobody else, so there is an end to how many there can be. */
const MANUAL_KEPT = 20;
const PAGES_PER_STEP = 100;
const COPY_TRIES = 10;
const COPY_PAUSE_MS = 10;
/** Results of SQLite. */
const OK = 0;
const BUSY = 5;
const LOCKED = 6;
const SPARE_BYTES = 64 * 1_048_576;
const NAME = /^venom-[\w.-]{1,80}\.db$/;

export const backupFolder = (storePath: string): string => join(dirname(storePath), 'backups');

/** Newest first. */
export function listBackups(storePath: string): BackupFile[] {
  const folder = backupFolder(storePath);
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).flatMap((name): BackupFile[] => {
    const found = PREFIXES.find(([prefix]) => name.startsWith(prefix));
    if (!found || !NAME.test(name)) return [];
    const stats = statSync(join(folder, name), { throwIfNoEntry: false });
    if (!stats?.isFile()) return [];
    return [{ name, kind: found[1], createdAt: timeIn(name) ?? stats.mtime, sizeBytes: stats.size }];
  });
  return files.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
}

/** @throws AppError `backup_not_found` */
export function backupPath(storePath: string, name: string): string {
  const found = listBackups(storePath).find((file) => file.name === name);
  if (!found) throw new AppError('backup_not_found', `There is no backup ${name}.`);
  return join(backupFolder(storePath), found.name);
}

/** @throws AppError `backup_not_found` */
export async function removeBackup(storePath: string, name: string): Promise<void> {
  await rm(backupPath(storePath, name), { force: true });
}

/**
 * A consistent copy of a database in use. It has its name only once it is whole and on disk. Daily copies beyond the last
 * few are removed.
 * @throws AppError `insufficient_storage`; `conflict` where there are too many that somebody asked for
 */
export async function makeBackup(
  db: DatabaseSync,
  storePath: string,
  kind: 'daily' | 'manual',
  now: Date,
): Promise<BackupFile> {
  const folder = backupFolder(storePath);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const before = listBackups(storePath);
  if (kind === 'manual' && before.filter((file) => file.kind === 'manual').length >= MANUAL_KEPT)
    throw new AppError('conflict', `There are ${MANUAL_KEPT} backups already; remove one of them first.`);
  const name = `${kind === 'manual' ? 'venom-manual-' : 'venom-'}${stamp(now)}.db`;
  const partial = join(folder, `${name}.partial`);
  await requireSpace(folder, storePath);
  try {
    await copyInUse(db, partial);
    const file = await open(partial, 'r+');
    try {
      await file.chmod(0o600);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, join(folder, name));
  } catch (error) {
    await rm(partial, { force: true });
    throw asBackupError(error);
  }
  syncFolder(folder);
  const daily = listBackups(storePath).filter((file) => file.kind === 'daily');
  for (const old of daily.slice(DAILY_KEPT)) rmSync(join(folder, old.name), { force: true });
  return { name, kind, createdAt: now, sizeBytes: statSync(join(folder, name)).size };
}

/**
 * SQLite refuses to copy while its own connection is in the middle of a write, and Node tells that as a failure that is
 * none: it is begun anew, each time in longer steps, so that a busy server has fewer moments to come between.
 */
async function copyInUse(db: DatabaseSync, target: string): Promise<void> {
  for (let tries = 1, rate = PAGES_PER_STEP; ; tries += 1, rate *= 4)
    try {
      await backup(db, target, { rate });
      return;
    } catch (error) {
      const { code, errcode } = error as { code?: string; errcode?: number };
      const inUse = code === 'ERR_SQLITE_ERROR' && [OK, BUSY, LOCKED].includes((errcode ?? 0) & 0xff);
      if (!inUse || tries >= COPY_TRIES) throw error;
      await rm(target, { force: true });
      await sleep(COPY_PAUSE_MS * tries);
    }
}

/** Before a migration, with no other user of the file and its log written back. */
export function copyBeforeUpdate(storePath: string, version: number, now: Date): void {
  const folder = backupFolder(storePath);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const target = join(folder, `venom-before-${version}-${stamp(now)}.db`);
  copyWhole(storePath, `${target}.partial`);
  renameSync(`${target}.partial`, target);
  syncFolder(folder);
}

/**
 * Puts a copy in the place of the database, which is kept among the backups. At every moment the path holds one whole
 * database: the former one or the copy.
 * @param source  a file of any name; it stays where it is
 * @param newestVersion  of the tables this Venom knows
 * @returns the name of the backup that holds what was there; null where nothing was
 * @throws AppError `store_locked` while a server has it, `invalid_backup`, `store_newer`, `insufficient_storage`
 */
export async function restoreBackup(
  storePath: string,
  source: string,
  newestVersion: number,
  now: Date,
): Promise<string | null> {
  const folder = backupFolder(storePath);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeLogBack(storePath);
  const copy = `${storePath}.restoring`;
  if (!looksLikeDatabase(source)) throw notABackup(source, 'it is no database');
  await requireSpace(folder, source);
  try {
    copyWhole(source, copy);
    requireSound(copy, source, newestVersion);
    const replaced = existsSync(storePath) ? `venom-replaced-${stamp(now)}.db` : null;
    if (replaced) {
      // A log that could not be written back belongs to what is taken away; beside the copy it would be read as the copy's own.
      if (existsSync(`${storePath}-wal`)) renameSync(`${storePath}-wal`, join(folder, `${replaced}-wal`));
      linkSync(storePath, join(folder, replaced));
      syncFolder(folder);
    }
    renameSync(copy, storePath);
    rmSync(`${storePath}-shm`, { force: true });
    syncFolder(dirname(storePath));
    return replaced;
  } catch (error) {
    throw asBackupError(error);
  } finally {
    for (const rest of ['', '-wal', '-shm', '-journal']) rmSync(`${copy}${rest}`, { force: true });
  }
}

/** The database's own last writes, and the proof that no server is using it. One that is damaged is left as it is. */
function writeLogBack(storePath: string): void {
  if (!existsSync(storePath)) return;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(storePath, { timeout: 500 });
    db.exec('PRAGMA locking_mode=EXCLUSIVE; BEGIN IMMEDIATE; COMMIT; PRAGMA wal_checkpoint(TRUNCATE)');
  } catch (error) {
    const code = ((error as { errcode?: number }).errcode ?? 0) & 0xff;
    if (code === 5 || code === 6)
      throw new AppError('store_locked', `A server is using ${storePath}; stop it first with \`venom stop\`.`, {
        cause: error,
      });
  } finally {
    db?.close();
  }
}

function requireSound(copy: string, source: string, newestVersion: number): void {
  let version: number;
  try {
    const db = new DatabaseSync(copy);
    try {
      const check = db.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
      if (check !== 'ok') throw notABackup(source, 'it is damaged');
      version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
      const known = db
        .prepare(`SELECT count(*) AS found FROM sqlite_schema WHERE name IN ('sessions', 'messages')`)
        .get();
      if (known?.['found'] !== 2) throw notABackup(source, 'it is a database of another program');
    } finally {
      db.close();
    }
  } catch (error) {
    throw error instanceof AppError ? error : notABackup(source, 'it is damaged', error);
  }
  if (version > newestVersion)
    throw new AppError('store_newer', `${source} was written by a newer Venom; update Venom to restore it.`);
}

const notABackup = (source: string, why: string, cause?: unknown): AppError =>
  new AppError('invalid_backup', `${source} cannot be restored: ${why}.`, { cause });

function looksLikeDatabase(path: string): boolean {
  const header = Buffer.alloc(16);
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw new AppError('backup_not_found', `There is no file ${path} that can be read.`, { cause: error });
  }
  try {
    return readSync(file, header, 0, 16, 0) === 16 && header.toString('latin1') === 'SQLite format 3\0';
  } catch {
    return false;
  } finally {
    closeSync(file);
  }
}

function copyWhole(from: string, to: string): void {
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
  const file = openSync(to, 'r+');
  fsyncSync(file);
  closeSync(file);
}

async function requireSpace(folder: string, like: string): Promise<void> {
  const disk = await statfs(folder);
  const freeBytes = disk.bavail * disk.bsize;
  const neededBytes = [like, `${like}-wal`].reduce(
    (sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
  if (freeBytes < neededBytes + SPARE_BYTES)
    throw new AppError(
      'insufficient_storage',
      `A copy needs ${neededBytes} bytes, and ${folder} has ${freeBytes} free.`,
      {
        details: { needed_bytes: neededBytes, free_bytes: freeBytes },
      },
    );
}

function syncFolder(folder: string): void {
  const file = openSync(folder, 'r');
  fsyncSync(file);
  closeSync(file);
}

function asBackupError(error: unknown): unknown {
  const { code, errcode } = error as { code?: string; errcode?: number };
  if (code === 'ENOSPC' || (errcode !== undefined && (errcode & 0xff) === 13))
    return new AppError('insufficient_storage', 'The disk is full; there is no new copy.', { cause: error });
  return error;
}

const stamp = (at: Date): string => at.toISOString().replace(/[:.]/g, '-');

function timeIn(name: string): Date | undefined {
  const found = /(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)-(\d{3})Z\.db$/.exec(name);
  if (!found) return undefined;
  const [, day, hour, minute, second, ms] = found;
  return new Date(`${day}T${hour}:${minute}:${second}.${ms}Z`);
}
