import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cleanableFolders, removeOldFiles } from './old-files.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-old-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(path: string, old: boolean) {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), 'x');
  if (old) utimesSync(join(folder, path), 1_000, 1_000);
}

it('deletes what is old below the folder, and nothing through a link', async () => {
  file('logs/a.log', true);
  file('logs/deep/b.log', true);
  file('logs/new.log', false);
  file('elsewhere/kept.txt', true);
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'logs', 'link'));
  expect(await removeOldFiles([join(folder, 'logs'), join(folder, 'missing')], Date.now() - 1_000)).toBe(2);
  expect(['logs/a.log', 'logs/new.log', 'elsewhere/kept.txt'].map((path) => existsSync(join(folder, path)))).toEqual([
    false,
    true,
    true,
  ]);
  expect(await removeOldFiles([join(folder, 'logs')], Date.now() - 1_000)).toBe(0);
});

it('empties no folder that holds data, and none outside', () => {
  expect(
    cleanableFolders('/data', ['logs', 'logs/x', 'models', 'models/a', '.', '..', '/etc', 'backups/../models']),
  ).toEqual(['/data/logs', '/data/logs/x']);
});
