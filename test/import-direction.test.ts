// The direction of imports: nobody sees a wrong one in review.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '..', 'src');
const DOMAIN = ['models', 'routing', 'chat', 'skills', 'shared', 'contract'];
const OUTSIDE = /from '[^']*\/(http|cli|storage|catalogs|machine|documents|telemetry|runtimes\/[^/']+)\//;

function sourceFiles(room: string): string[] {
  // A room that is planned has no folder yet.
  if (!existsSync(join(SRC, room))) return [];
  return readdirSync(join(SRC, room), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => join(SRC, room, name));
}

const offenders = (files: string[], pattern: RegExp) =>
  files.filter((file) => pattern.test(readFileSync(file, 'utf8'))).map((file) => relative(SRC, file));

it.each(DOMAIN)('%s/ imports no adapter and no edge', (room) => {
  expect(offenders(sourceFiles(room), OUTSIDE)).toEqual([]);
});

it.each(['runtimes', 'catalogs', 'storage', 'machine', 'documents', 'telemetry', 'config'])(
  '%s/ imports no edge',
  (room) => {
    expect(offenders(sourceFiles(room), /from '[^']*\/(http|cli)\//)).toEqual([]);
  },
);

it('only main, cli and compose read the environment', () => {
  const all = sourceFiles('.').filter(
    (file) =>
      !/src\/(main\.ts|compose\.ts|cli\/|runtimes\/llama-cpp\/inference-process|catalogs\/python-index\/)/.test(file),
  );
  expect(offenders(all, /process\.env/)).toEqual([]);
});
