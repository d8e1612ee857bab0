import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, onTestFinished } from 'vitest';
import { makeBackup } from './backups.js';

it('is made although it is begun in the middle of a write', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'venom-backups-'));
  const path = join(folder, 'venom.db');
  const db = new DatabaseSync(path);
  onTestFinished(() => {
    db.close();
    rmSync(folder, { recursive: true, force: true });
  });
  db.exec('PRAGMA journal_mode=WAL; CREATE TABLE words (word TEXT)');
  db.exec(`BEGIN IMMEDIATE; INSERT INTO words VALUES ('ship')`);
  const made = makeBackup(db, path, 'manual', new Date());
  setTimeout(() => db.exec('COMMIT'), 40);
  const { name } = await made;
  expect(readdirSync(join(folder, 'backups'))).toEqual([name]);
  const copy = new DatabaseSync(join(folder, 'backups', name), { readOnly: true });
  expect(copy.prepare('SELECT word FROM words').get()).toEqual({ word: 'ship' });
  copy.close();
});
