// Whether a path lies in a folder, by its parts and not by its letters. Links are the caller's to resolve first.
import { isAbsolute, relative, sep } from 'node:path';

/** Both absolute. The folder itself lies in it. */
export function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** The same, less the folder itself. */
export const isBelow = (folder: string, path: string): boolean =>
  isWithin(folder, path) && relative(folder, path) !== '';
