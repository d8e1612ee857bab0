// One file that only its owner can read, replaced as a whole: after a crash it holds the old text or the new one.
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';

/** Undefined where there is none. @throws the system's error for one that cannot be read */
export function readPrivateFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** On disk when it returns. @throws the system's error; the former text is still there then */
export function writePrivateFile(path: string, text: string): void {
  const partial = `${path}.partial`;
  const file = openSync(partial, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  // A partial file of a former crash may have had other rights.
  chmodSync(partial, 0o600);
  renameSync(partial, path);
}
