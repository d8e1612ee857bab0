// How much lies in some folders, counted no further than it matters.
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';

export interface FolderSize {
  bytes: number;
  files: number;
}

/** Stops as soon as there is more than `most` of either; links count as themselves, and what vanishes meanwhile as nothing. */
export async function folderSize(folders: readonly string[], most: FolderSize): Promise<FolderSize> {
  const size = { bytes: 0, files: 0 };
  const open = [...folders];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const directory = await opendir(next).catch(() => undefined);
    if (!directory) continue;
    try {
      for await (const entry of directory) {
        const path = join(next, entry.name);
        // Folders are files of a disk, too: a tree of nothing but folders has an end.
        size.files += 1;
        if (entry.isDirectory()) open.push(path);
        else size.bytes += (await lstat(path).catch(() => undefined))?.size ?? 0;
        if (size.files > most.files || size.bytes > most.bytes) return size;
      }
    } catch {
      // Removed while it was read.
    }
  }
  return size;
}
