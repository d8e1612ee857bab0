// Files that get their name once they are whole, and that a crash left without it: copies of the database as large as itself,
// secrets. Removed at start, by the one server that has the data folder.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** As they are called here, with what SQLite puts beside a copy. */
const UNFINISHED = /^venom\.address\.part$|\.partial(?:-journal|-wal|-shm)?$/;

/**
 * Directly in these folders. What cannot be removed stays, and keeps nobody from starting.
 * @param names  others where people's own files lie beside ours
 */
export function removeUnfinished(folders: readonly string[], names = UNFINISHED): void {
  for (const folder of folders)
    for (const name of namesIn(folder)) {
      if (!names.test(name)) continue;
      try {
        rmSync(join(folder, name), { force: true });
      } catch {
        // A folder of that name, or one of somebody else's.
      }
    }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
