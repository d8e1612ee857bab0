// What a killed run left on disk: fetched files of no plan, versions no server has, and servers whose removal was cut. What a
// server has written for its user is kept, unless its removal had begun: the database may be an older copy.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ServerRecord } from './server-definition.js';

export const WORKSPACE = 'workspace';
const REMOVING = '.removing';

export interface LeftoversRequest {
  /** Folder of everything imported. */
  dir: string;
  /** Folders of plans that wait. */
  staged: readonly (string | null)[];
  records: readonly ServerRecord[];
}

/** On disk before the server's row goes: what is left of it after that may go, too. */
export async function beginRemoval(home: string): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  await writeFile(join(home, REMOVING), '');
}

/** What cannot be moved away stays, and keeps nobody from starting. */
export async function removeLeftovers({ dir, staged, records }: LeftoversRequest): Promise<void> {
  const names = new Set(records.map(({ name }) => name));
  const versions = records.flatMap(({ active, former }) => [active, ...former]);
  const kept = new Set<string | null>([...staged, ...versions.map(({ directory }) => directory)]);
  const left = (await foldersIn(join(dir, 'staging'))).filter((path) => !kept.has(path));
  for (const home of await foldersIn(join(dir, 'imports'))) {
    const begun = (await readdir(home)).includes(REMOVING);
    const known = names.has(basename(home));
    if (begun && !known) left.push(home);
    else left.push(...(await foldersIn(home)).filter((path) => !kept.has(path) && basename(path) !== WORKSPACE));
    if (begun && known) await rm(join(home, REMOVING), { force: true });
  }
  const trash = join(dir, 'trash');
  await mkdir(trash, { recursive: true, mode: 0o700 });
  for (const path of left) await rename(path, join(trash, randomUUID())).catch(() => {});
  for (const home of await foldersIn(join(dir, 'imports'))) if (!names.has(basename(home))) await removeEmpty(home);
  // Large ones take their time, and nobody waits for them.
  void rm(trash, { recursive: true, force: true }).catch(() => {});
}

/** A server's folder in which nothing was ever kept. */
export async function removeEmpty(home: string): Promise<void> {
  await rmdir(join(home, WORKSPACE)).catch(() => {});
  await rmdir(home).catch(() => {});
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}
