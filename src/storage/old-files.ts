// Deletes old files below chosen folders of the data folder, such as logs. Follows no links and touches nothing that is data.
import type { Dirent } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';

/** Never emptied, whatever is set: what people have, and what runs. */
const KEPT = new Set([
  'models',
  'backups',
  'servers',
  'gpu',
  'mcp',
  'workspace',
  'workspaces',
  'custom-skills',
  'custom-skill-versions',
]);
const MAX_FILES = 10_000;

/** Folders that may be emptied: below the data folder, and none of those that hold data. */
export function cleanableFolders(dataDir: string, targets: readonly string[]): string[] {
  return targets
    .map((target) => relative(dataDir, resolve(dataDir, target)))
    .filter((path) => path !== '' && !path.startsWith('..') && !KEPT.has(path.split(/[\\/]/)[0] ?? ''))
    .map((path) => join(dataDir, path));
}

/** @returns how many files were deleted; a folder that is missing or cannot be read has none */
export async function removeOldFiles(folders: readonly string[], changedBefore: number): Promise<number> {
  let removed = 0;
  let seen = 0;
  const open = [...folders];
  for (let folder = open.pop(); folder !== undefined && seen < MAX_FILES; folder = open.pop()) {
    for (const entry of await entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) open.push(path);
      if (!entry.isFile()) continue;
      seen += 1;
      const facts = await lstat(path).catch(() => undefined);
      if (!facts || facts.mtimeMs >= changedBefore) continue;
      await rm(path, { force: true });
      removed += 1;
    }
  }
  return removed;
}

const entriesOf = (folder: string): Promise<Dirent[]> =>
  lstat(folder)
    .then((facts) => (facts.isDirectory() ? readdir(folder, { withFileTypes: true }) : []))
    .catch(() => []);
