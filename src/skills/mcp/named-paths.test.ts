import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { existingPaths, hiddenPaths } from './named-paths.js';
import type { StdioLaunch } from './server-definition.js';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'venom-named-'));
  mkdirSync(join(root, 'notes'));
  writeFileSync(join(root, 'notes/a.txt'), '');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('are the paths among the words that there are, once each', () => {
  const notes = join(root, 'notes');
  expect(
    existingPaths([
      notes,
      `--root=${notes}`,
      `--file=${notes}/a.txt`,
      '/',
      '/nowhere/at/all',
      'notes',
      '/api/v1',
      '-v',
    ]),
  ).toEqual([notes, `${notes}/a.txt`]);
});

it('hide where nobody granted them', () => {
  const notes = join(root, 'notes');
  const launch = (more: Partial<StdioLaunch>): StdioLaunch => ({
    kind: 'stdio',
    command: '{node}',
    args: [],
    cwd: '/',
    environment: {},
    secrets: {},
    network: false,
    readable: [],
    writable: [],
    ...more,
  });
  const args = [notes, '/usr/bin/env'];
  expect(hiddenPaths(launch({ args }))).toEqual([notes]);
  for (const granted of [{ readable: [notes] }, { writable: [root] }])
    expect(hiddenPaths(launch({ args, ...granted }))).toEqual([]);
  // A folder with the same beginning is another.
  expect(hiddenPaths(launch({ args, readable: [notes.slice(0, -1)] }))).toEqual([notes]);
  // What is yet to be written, where the folder is there.
  expect(
    hiddenPaths(launch({ environment: { DB: join(notes, 'new.db'), URL: 'https://x/y', OTHER: '/nowhere/new.db' } })),
  ).toEqual([join(notes, 'new.db')]);
});
