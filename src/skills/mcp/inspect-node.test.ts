import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { inspectNode } from './inspect-node.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-node-'));
  writeFileSync(join(folder, 'server.js'), '');
  write('package.json', { name: 'x', main: 'server.js', dependencies: { held: '^1.0.0' } });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, value: object) => writeFileSync(join(folder, name), JSON.stringify(value));
const lock = (held: string, more: object = { integrity: 'sha512-x' }) => ({
  lockfileVersion: 3,
  packages: {
    '': { dependencies: { held } },
    'node_modules/held': { version: '1.0.0', ...more },
    'node_modules/dev': { version: '1.0.0', dev: true },
  },
});
const inspect = (ignoreLock = false) => inspectNode(folder, null, { ignoreLock });

it('what package-lock.json names is installed, and nothing else', () => {
  write('package-lock.json', lock('^1.0.0'));
  expect(inspect()).toMatchObject({
    lock: { file: 'package-lock.json', packages: 1 },
    build: [{ command: ['npm', 'ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'] }],
    warnings: [],
  });
});

it('a lock that was made for something else is refused, or left aside by choice', () => {
  write('package-lock.json', lock('^0.9.0'));
  expect(() => inspect()).toThrow(
    expect.objectContaining({ code: 'mcp_lock_mismatch', message: expect.stringContaining('held@^1.0.0') }),
  );
  const without = inspect(true);
  expect(without).toMatchObject({ lock: null, warnings: [expect.stringContaining('left aside, as you asked')] });
  expect(without.build[0]?.command).toContain('--no-package-lock');
});

it('says when packages have no hash, and when another tool locked them', () => {
  write('package-lock.json', lock('^1.0.0', {}));
  expect(inspect().warnings).toEqual([expect.stringContaining('Of 1 packages')]);
  rmSync(join(folder, 'package-lock.json'));
  writeFileSync(join(folder, 'pnpm-lock.yaml'), '');
  expect(inspect()).toMatchObject({ lock: null, warnings: [expect.stringContaining('pnpm-lock.yaml is not used')] });
});
