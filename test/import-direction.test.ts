// The direction of imports: nobody sees a wrong one in review.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '..', 'src');
const DOMAIN = ['models', 'routing', 'chat', 'skills', 'shared', 'contract'];
const ADAPTERS = ['runtimes', 'catalogs', 'storage', 'machine', 'documents', 'telemetry', 'config'];
const EDGES = ['http', 'cli'];
const OUTSIDE = /from '[^']*\/(http|cli|storage|catalogs|machine|documents|telemetry|runtimes\/[^/']+)\//;

function sourceFiles(room: string): string[] {
  return readdirSync(join(SRC, room), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => join(SRC, room, name));
}

const offenders = (files: string[], pattern: RegExp) =>
  files.filter((file) => pattern.test(readFileSync(file, 'utf8'))).map((file) => relative(SRC, file));

it('every folder has a direction', () => {
  const folders = readdirSync(SRC, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );
  expect(folders.sort()).toEqual([...DOMAIN, ...ADAPTERS, ...EDGES, 'compose'].sort());
});

it.each(DOMAIN)('%s/ imports no adapter and no edge', (room) => {
  expect(offenders(sourceFiles(room), OUTSIDE)).toEqual([]);
});

it.each(ADAPTERS)('%s/ imports no edge', (room) => {
  expect(offenders(sourceFiles(room), /from '[^']*\/(http|cli)\//)).toEqual([]);
});

it('nobody imports the composition but the process', () => {
  const rooms = sourceFiles('.').filter((file) => !/src\/(main\.ts|compose\.ts|compose\/)/.test(file));
  expect(offenders(rooms, /from '[^']*\/compose(\.js'|\/)/)).toEqual([]);
});

it('only main and cli read the environment', () => {
  const all = sourceFiles('.').filter(
    (file) => !/src\/(main\.ts|cli\/|runtimes\/llama-cpp\/inference-process|catalogs\/python-index\/)/.test(file),
  );
  expect(offenders(all, /process\.env/)).toEqual([]);
});
