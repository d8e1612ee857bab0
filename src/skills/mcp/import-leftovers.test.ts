import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { beginRemoval, removeLeftovers } from './import-leftovers.js';
import type { ServerRecord } from './server-definition.js';

let dir: string;
const at = (...path: string[]) => join(dir, ...path);
const folder = (...path: string[]) => {
  mkdirSync(at(...path), { recursive: true });
  writeFileSync(at(...path, 'file'), 'x');
  return at(...path);
};
const record = (name: string, ...directories: string[]) => {
  const [active, ...former] = directories.map((directory) => ({ directory }));
  return { name, active, former } as unknown as ServerRecord;
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'venom-leftovers-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('keeps what servers and waiting plans have, and removes the rest', async () => {
  const waiting = folder('staging', 'waits');
  folder('staging', 'cut');
  const active = folder('imports', 'known', 'v2');
  const former = folder('imports', 'known', 'v1');
  folder('imports', 'known', 'v3-half');
  folder('imports', 'known', 'workspace');
  folder('imports', 'never-finished', 'v1');
  mkdirSync(at('imports', 'never-finished', 'workspace'));
  await removeLeftovers({ dir, staged: [waiting, null], records: [record('known', active, former)] });
  expect(readdirSync(at('staging'))).toEqual(['waits']);
  expect(readdirSync(at('imports', 'known')).sort()).toEqual(['v1', 'v2', 'workspace']);
  expect(existsSync(at('imports', 'never-finished'))).toBe(false);
});

it('keeps what a server nobody knows has written, but not one whose removal was cut', async () => {
  folder('imports', 'restored', 'workspace');
  folder('imports', 'restored', 'v1');
  folder('imports', 'removed', 'workspace');
  await beginRemoval(at('imports', 'removed'));
  await removeLeftovers({ dir, staged: [], records: [] });
  expect(readdirSync(at('imports'))).toEqual(['restored']);
  expect(readdirSync(at('imports', 'restored'))).toEqual(['workspace']);
});

it('a removal that was cut before it took effect is forgotten', async () => {
  const active = folder('imports', 'known', 'v1');
  await beginRemoval(at('imports', 'known'));
  await removeLeftovers({ dir, staged: [], records: [record('known', active)] });
  expect(readdirSync(at('imports', 'known'))).toEqual(['v1']);
  expect(existsSync(active)).toBe(true);
});
