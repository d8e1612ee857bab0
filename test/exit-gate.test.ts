// One door to the clouds: nobody else imports a cloud's client, or opens a connection of its own to one.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '..', 'src');
const GATE = join('runtimes', 'cloud', 'exit-gate.ts');

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
);
const containing = (pattern: RegExp) =>
  files
    .filter((name) => pattern.test(readFileSync(join(SRC, name), 'utf8')))
    .map((name) => relative('.', name))
    .sort();

it('only the gate imports a cloud client', () => {
  // Every way to get at a module: from, import() and require().
  expect(containing(/['"]@ai-sdk\/(?!openai-compatible['"]|provider['"])/)).toEqual([GATE]);
});

it('the client for servers that speak the same wire is imported by the gate only', () => {
  expect(containing(/['"]@ai-sdk\/openai-compatible['"]/)).toEqual([GATE]);
});

it('no cloud address stands anywhere but in the settings', () => {
  expect(containing(/api\.openai\.com|generativelanguage/)).toEqual([
    join('config', 'settings-schema.ts'),
    join('storage', 'packed-receipt.ts'),
  ]);
});

it('keys of clouds are read by the composition, which hands them to the gate alone', () => {
  expect(containing(/OPENAI_API_KEY|GOOGLE_API_KEY|CLOUD_COMPATIBLE_API_KEY/)).toEqual([
    join('compose', 'routing.ts'),
    join('config', 'settings-schema.ts'),
  ]);
});
