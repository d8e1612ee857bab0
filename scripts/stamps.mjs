// Stamps: a small file inside a result that says from what the result was made, so that nothing is made twice.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './run.mjs';

/**
 * @param {readonly string[]} paths  files and folders, from the checkout's root; absent ones count as absent
 * @returns {string} hex; changes with any name or content below them
 */
export function hashOf(paths) {
  const hash = createHash('sha256');
  for (const path of paths) {
    for (const file of filesBelow(path))
      hash
        .update(`${file}\0`)
        .update(readFileSync(join(ROOT, file)))
        .update('\0');
  }
  return hash.digest('hex');
}

const IMPORT = /^(?:import|export)\s+(?!type\s)[^'";]*?from\s+'(\.[^']+)'/gm;
const ENDINGS = ['', '.ts', '.tsx'];

/**
 * What the modules below a folder import from elsewhere, directly or by way of others; imports of types alone do not count.
 * @returns {string[]} files, from the checkout's root, in order
 */
export function importedOutside(folder) {
  const waiting = filesBelow(folder).filter((file) => /(?<!\.test)\.tsx?$/.test(file));
  const found = new Set(waiting);
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop())
    for (const [, specifier] of readFileSync(join(ROOT, file), 'utf8').matchAll(IMPORT)) {
      const plain = join(dirname(file), specifier.replace(/\.js$/, ''));
      const path = ENDINGS.map((ending) => plain + ending).find((each) =>
        statSync(join(ROOT, each), { throwIfNoEntry: false })?.isFile(),
      );
      if (path === undefined || !/\.tsx?$/.test(path) || found.has(path)) continue;
      found.add(path);
      waiting.push(path);
    }
  return [...found].filter((file) => !file.startsWith(`${folder}/`)).sort();
}

function filesBelow(path) {
  const stats = statSync(join(ROOT, path), { throwIfNoEntry: false });
  if (stats === undefined) return [];
  if (stats.isFile()) return [path];
  return readdirSync(join(ROOT, path), { withFileTypes: true })
    .filter((entry) => entry.name !== 'node_modules' && entry.name !== 'dist')
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => filesBelow(`${path}/${entry.name}`));
}

/** @returns {string} empty when there is none */
export function readStamp(path) {
  try {
    return readFileSync(join(ROOT, path), 'utf8').trim();
  } catch {
    return '';
  }
}

export function writeStamp(path, text) {
  mkdirSync(dirname(join(ROOT, path)), { recursive: true });
  writeFileSync(join(ROOT, path), `${text}\n`);
}
