// Copies of the database: made in use, brought back at rest, with what was there kept.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { backupFolder, listBackups, restoreBackup } from '../../src/storage/backups.js';
import { SCHEMA_VERSION, SqliteStore } from '../../src/storage/sqlite-store.js';
import { commandLine } from './command-line.js';
import { startServer, type TestServer } from './server.js';

const NOW = new Date('2026-03-01T10:00:00.000Z');
const code = (expected: string) => expect.objectContaining({ code: expected });

async function remember(server: TestServer, text: string): Promise<void> {
  const response = await fetch(`${server.url}/api/v1/memory/ingest`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text, category: 'note' }),
  });
  expect(response.status).toBeLessThan(300);
}

const remembered = async (server: TestServer): Promise<string[]> => {
  const { memories } = (await (await fetch(`${server.url}/api/v1/memory?limit=100`)).json()) as {
    memories: { text: string }[];
  };
  return memories.map(({ text }) => text).sort();
};

describe('a backup of a running server', () => {
  it('is made, listed, fetched and removed over HTTP', async () => {
    const server = await startServer();
    onTestFinished(() => server.close());
    const url = `${server.url}/api/v1/system/backups`;
    expect(await (await fetch(url)).json()).toEqual({ backups: [], count: 0 });
    const made = await fetch(url, { method: 'POST' });
    expect(made.status).toBe(201);
    const backup = (await made.json()) as { name: string; size_bytes: number };
    expect(backup).toMatchObject({ kind: 'manual', name: expect.stringMatching(/^venom-manual-.*\.db$/) });
    expect(await (await fetch(url)).json()).toEqual({ backups: [backup], count: 1 });

    const file = await fetch(`${url}/${backup.name}`);
    expect(file.headers.get('content-disposition')).toBe(`attachment; filename="${backup.name}"`);
    expect((await file.arrayBuffer()).byteLength).toBe(backup.size_bytes);
    const path = join(server.dataDir, 'backups', backup.name);
    expect(statSync(path).mode & 0o777).toBe(0o600);

    expect((await fetch(`${url}/${backup.name}`, { method: 'DELETE' })).status).toBe(200);
    expect(existsSync(path)).toBe(false);
    expect(await (await fetch(`${url}/${backup.name}`)).json()).toMatchObject({ code: 'backup_not_found' });
  });

  it.each(['..%2Fvenom.db', '%2Fetc%2Fpasswd', 'venom.db', 'venom-manual-x.db.partial'])(
    'is not read or removed outside its folder: %s',
    async (name) => {
      const server = await startServer();
      onTestFinished(() => server.close());
      for (const method of ['GET', 'DELETE']) {
        const response = await fetch(`${server.url}/api/v1/system/backups/${name}`, { method });
        expect(response.status).toBe(404);
      }
      expect(existsSync(join(server.dataDir, 'venom.db'))).toBe(true);
    },
  );

  it('is not made a twenty-first time', async () => {
    const server = await startServer();
    onTestFinished(() => server.close());
    const make = () => fetch(`${server.url}/api/v1/system/backups`, { method: 'POST' });
    for (let made = 0; made < 20; made += 1) expect((await make()).status).toBe(201);
    expect(await (await make()).json()).toMatchObject({ code: 'conflict' });
  });
});

describe('venom backup and restore', () => {
  it('bring back what was there, and keep what came after', async () => {
    const server = await startServer();
    const venom = commandLine(server);
    await remember(server, 'before the copy');
    const made = await venom.json<{ name: string }>('backup');
    await remember(server, 'after the copy');
    await expect(venom.run('restore', made.name)).rejects.toThrowError(code('store_locked'));
    await server.close({ keepData: true });

    const restored = await venom.json<{ replaced: string }>('restore', made.name);
    const again = await startServer({}, server.dataDir);
    expect(await remembered(again)).toEqual(['before the copy']);
    await again.close({ keepData: true });

    await venom.run('restore', restored.replaced);
    const third = await startServer({}, server.dataDir);
    onTestFinished(() => third.close());
    expect(await remembered(third)).toEqual(['after the copy', 'before the copy']);
    const { out } = await venom.run('backup', 'list');
    expect(out).toContain(made.name);
    expect(out).toContain('replaced');
  });

  it('write a copy elsewhere, which another installation takes', async () => {
    const server = await startServer();
    onTestFinished(() => server.close());
    await remember(server, 'moved');
    const file = join(server.dataDir, 'elsewhere.db');
    await commandLine(server).run('backup', 'create', '--output', file);
    await expect(commandLine(server).run('backup', '-o', file)).rejects.toThrowError(code('conflict'));
    const folder = mkdtempSync(join(tmpdir(), 'venom-moved-'));
    await restoreBackup(join(folder, 'venom.db'), file, SCHEMA_VERSION, NOW);
    const other = await startServer({}, folder);
    onTestFinished(() => other.close());
    expect(await remembered(other)).toEqual(['moved']);
  });
});

describe('a copy that is not one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'venom-restore-'));
  const path = join(folder, 'venom.db');
  const file = join(folder, 'other.db');
  const database = (sql: string) => {
    rmSync(file, { force: true });
    const db = new DatabaseSync(file);
    db.exec(sql);
    db.close();
  };
  new SqliteStore(path).close();

  it.each([
    ['text', () => writeFileSync(file, 'no database at all'), 'invalid_backup'],
    ['nothing', () => writeFileSync(file, ''), 'invalid_backup'],
    ['a database of another program', () => database('CREATE TABLE cars (name)'), 'invalid_backup'],
    [
      'a damaged one',
      () => {
        const bytes = readFileSync(path);
        writeFileSync(file, bytes.fill(0xff, 4_096, 8_192));
      },
      'invalid_backup',
    ],
    [
      'one of a newer Venom',
      () => database('CREATE TABLE sessions (id); CREATE TABLE messages (id); PRAGMA user_version=99'),
      'store_newer',
    ],
    ['no file', () => rmSync(file, { force: true }), 'backup_not_found'],
  ])('is refused, and nothing is changed: %s', async (_, make, expected) => {
    make();
    const before = readFileSync(path);
    await expect(restoreBackup(path, file, SCHEMA_VERSION, NOW)).rejects.toThrowError(code(expected));
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(folder).filter((name) => name.includes('restoring'))).toEqual([]);
  });
});

describe('the damaged database', () => {
  it('is replaced together with its log', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'venom-restore-'));
    const path = join(folder, 'venom.db');
    const store = new SqliteStore(path);
    const { name } = await store.backUp('manual', NOW);
    store.close();
    writeFileSync(path, readFileSync(path).fill(0xff, 1_024, 8_192));
    writeFileSync(`${path}-wal`, 'rest of a log');
    const replaced = await restoreBackup(path, join(backupFolder(path), name), SCHEMA_VERSION, NOW);
    expect(existsSync(`${path}-wal`)).toBe(false);
    expect(listBackups(path).map((file) => file.name)).toEqual(expect.arrayContaining([name, replaced]));
    new SqliteStore(path).close();
  });
});

describe('the daily copies', () => {
  it('are three, and the copy before an update is never taken for the newest', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'venom-daily-'));
    const path = join(folder, 'venom.db');
    const store = new SqliteStore(path);
    mkdirSync(backupFolder(path), { recursive: true });
    const old = join(backupFolder(path), 'venom-before-9.db');
    writeFileSync(old, 'copy');
    utimesSync(old, 0, 0);
    for (let day = 1; day <= 5; day += 1) await store.backUp('daily', new Date(`2026-03-0${day}T10:00:00Z`));
    store.close();
    expect(listBackups(path).map(({ kind, createdAt }) => `${kind} ${createdAt.toISOString().slice(0, 10)}`)).toEqual([
      'daily 2026-03-05',
      'daily 2026-03-04',
      'daily 2026-03-03',
      'before_update 1970-01-01',
    ]);
  });
});
