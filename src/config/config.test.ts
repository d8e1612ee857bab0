import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSettings } from './config.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-env-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const settingsFrom = (content: string | Buffer) => {
  writeFileSync(join(folder, '.env'), content);
  return loadSettings({}, folder);
};

describe('the env file', () => {
  it('is read, also with the mark that some editors put before it', () => {
    expect(settingsFrom('PORT=9001\n').PORT).toBe(9001);
    expect(settingsFrom('\uFEFFPORT=9002\n').PORT).toBe(9002);
  });

  it.each([
    ['bytes of a program', Buffer.from([0x50, 0x4f, 0x00, 0xff, 0xfe])],
    ['UTF-16', Buffer.from('PORT=9001\n', 'utf16le')],
    ['Latin-1', Buffer.from('# für alle\nPORT=9001\n', 'latin1')],
  ])('is refused where it holds %s', (_, content) => {
    expect(() => settingsFrom(content)).toThrow(/the env file .* is not text in UTF-8/);
  });

  it('is refused where it is too large, has no end, or waits for a writer', () => {
    expect(() => settingsFrom('#'.repeat(1_000_001))).toThrow(/cannot be read/);
    if (process.platform === 'win32') return;
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const path of ['/dev/zero', pipe, folder])
      expect(() => loadSettings({ ENV_FILE: path }, folder)).toThrow(`the env file ${path} cannot be read`);
    expect(loadSettings({ ENV_FILE: '/dev/null' }, folder).PORT).toBe(loadSettings({}, tmpdir()).PORT);
  });
});
