// Where the program of a server lies that another program's configuration names by its path: what it must be able to read to
// start at all. The plan shows it, and nothing is read before somebody agrees.
import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { isWithin } from '../../shared/is-within.js';

const PROGRAM = /\.(?:[cm]?[jt]s|py)$/;
const PROJECT_FILES = ['package.json', 'pyproject.toml', 'requirements.txt', 'setup.py'];
const LEVELS_MAX = 6;

/** The project the first program among the arguments belongs to, or its folder; null where none is named. */
export function programFolder(args: readonly string[]): string | null {
  const program = args.find((word) => isAbsolute(word) && PROGRAM.test(word) && isFile(word));
  if (program === undefined) return null;
  let folder = dirname(program);
  for (let level = 0; level < LEVELS_MAX && !holdsHome(folder); level += 1, folder = dirname(folder))
    if (PROJECT_FILES.some((name) => existsSync(join(folder, name)))) return folder;
  // Among everything a person has, only the file itself.
  return holdsHome(dirname(program)) ? program : dirname(program);
}

/** A home, a folder it lies in, or what a home keeps for all programs: more than one program's own. */
export function holdsHome(folder: string): boolean {
  return [homedir(), join(homedir(), '.local')].some((home) => isWithin(folder, home));
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
