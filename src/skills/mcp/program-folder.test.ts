import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { Isolation } from './isolation.js';
import { holdsHome, programFolder } from './program-folder.js';

const root = mkdtempSync(join(tmpdir(), 'venom-program-'));
afterEach(() => rmSync(root, { recursive: true, force: true }));

it('is the project a program belongs to, or the folder it lies in', () => {
  mkdirSync(join(root, 'project/dist'), { recursive: true });
  mkdirSync(join(root, 'alone'));
  for (const file of ['project/package.json', 'project/dist/index.js', 'alone/server.py', 'alone/key.pem'])
    writeFileSync(join(root, file), '');
  expect(programFolder([join(root, 'project/dist/index.js'), '--flag'])).toBe(join(root, 'project'));
  expect(programFolder(['-u', join(root, 'alone/server.py')])).toBe(join(root, 'alone'));
  expect(programFolder([join(root, 'alone/key.pem'), 'server.py', join(root, 'nothing.js')])).toBe(null);
});

it('never is a home or what holds one', () => {
  for (const folder of [homedir(), dirname(homedir()), '/', join(homedir(), '.local')])
    expect(holdsHome(folder), folder).toBe(true);
  expect(holdsHome(join(homedir(), 'project'))).toBe(false);
  expect(holdsHome('/usr')).toBe(false);
});

it('a sandbox shows a program of a home without the home', async () => {
  const isolation = await Isolation.detect(process.env['PATH']);
  const shown = (command: string) => {
    const words = isolation.wrap('sandboxed', {
      command,
      args: [],
      cwd: '/tmp',
      network: false,
      readable: [],
      writable: [],
    });
    return words.filter((_, index) => words[index - 1] === '--ro-bind-try');
  };
  expect(shown(join(homedir(), 'bin/tool'))).toContain(join(homedir(), 'bin'));
  expect(shown('/srv/venv/bin/python')).toContain('/srv/venv');
  for (const command of ['bin/tool', 'tool', '.local/bin/tool'])
    expect(shown(join(homedir(), command)).filter(holdsHome), command).toEqual([]);
});
