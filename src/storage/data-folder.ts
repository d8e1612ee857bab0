// Makes the folder a person's data lies in, and says in one sentence why it cannot be used where it cannot.
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '../shared/errors.js';

/** Readable by its owner alone, like the folders above it that had to be made. @throws AppError `store_unavailable` */
export function makeDataFolder(path: string): void {
  try {
    make(path);
  } catch (cause) {
    throw new AppError(
      'store_unavailable',
      `The data folder ${path} cannot be used: ${systemWords(cause)}. Set VENOM_DATA_DIR to a folder that may be written.`,
      { cause },
    );
  }
}

// Step by step: Node's own recursion never ends in a file system that takes no folders but calls them missing, as /proc does.
function make(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found) throw new Error('it is a file');
  make(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

/** `EACCES: permission denied, mkdir '/data'` without the code before and the call behind. */
const systemWords = (cause: unknown): string =>
  cause instanceof Error ? cause.message.replace(/^[A-Z0-9]+: /, '').replace(/, [a-z]+ '.*$/s, '') : String(cause);
