import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeDataFolder } from './data-folder.js';
import { SqliteStore } from './sqlite-store.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-folder-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('makeDataFolder', () => {
  it('makes every folder that is missing, for its owner alone', () => {
    makeDataFolder(join(folder, 'a', 'b'));
    for (const made of ['a', 'a/b']) expect(statSync(join(folder, made)).mode & 0o777).toBe(0o700);
    makeDataFolder(join(folder, 'a', 'b'));
  });

  it('names the folder and the reason where a file is in the way', () => {
    writeFileSync(join(folder, 'file'), '');
    for (const path of [join(folder, 'file'), join(folder, 'file', 'below')])
      expect(() => makeDataFolder(path)).toThrow(
        expect.objectContaining({
          code: 'store_unavailable',
          message: `The data folder ${path} cannot be used: it is a file. Set VENOM_DATA_DIR to a folder that may be written.`,
        }),
      );
  });

  it.skipIf(process.platform !== 'linux')('comes to an end where folders are refused as missing', () => {
    expect(() => makeDataFolder('/proc/venom/models')).toThrow(
      /^The data folder \/proc\/venom\/models cannot be used: /,
    );
  });
});

it('a folder in place of the database is refused with its path', () => {
  mkdirSync(join(folder, 'venom.db'));
  expect(() => new SqliteStore(join(folder, 'venom.db'))).toThrow(
    expect.objectContaining({ code: 'store_unavailable', message: expect.stringContaining(folder) }),
  );
});
