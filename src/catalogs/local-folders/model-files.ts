// GGUF files below a folder. An unreadable folder is an empty one: it may belong to somebody else.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const MAX_FILES = 5_000;
const MAX_DEPTH = 6;

export const isGguf = (name: string): boolean => name.toLowerCase().endsWith('.gguf');

/** Bounded in number and depth, so that a folder somebody named by mistake does not become the whole disk. */
export async function filesBelow(folder: string, wanted: (name: string) => boolean, depth = 0): Promise<string[]> {
  if (depth > MAX_DEPTH) return [];
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found: string[] = [];
  for (const entry of entries.slice(0, MAX_FILES)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...(await filesBelow(path, wanted, depth + 1)));
    else if ((entry.isFile() || entry.isSymbolicLink()) && wanted(entry.name)) found.push(path);
    if (found.length >= MAX_FILES) break;
  }
  return found;
}
