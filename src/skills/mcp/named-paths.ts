// Paths of this machine that a server's arguments and variables speak of: somebody who brings a configuration from elsewhere
// expects them to be there, and in a sandbox they are only where that was granted.
import { existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, sep } from 'node:path';
import { isWithin } from '../../shared/is-within.js';
import type { StdioLaunch } from './server-definition.js';

/** What every sandbox shows or has of its own. */
const ALWAYS_THERE = /^\/(usr|bin|sbin|lib|lib32|lib64|opt|proc|dev)(\/|$)/;

/** Whole words, and values of `--name=value`; only what is there, so that no address or pattern is taken for a path. */
export function existingPaths(words: readonly string[]): string[] {
  const named = words.map((word) => /^--?[\w-]+=(.*)$/.exec(word)?.[1] ?? word);
  return [...new Set(named.filter((path) => isAbsolute(path) && path !== sep && existsSync(path)))];
}

export const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** Named, and neither granted nor there by itself. Of what is yet to be written, the folder counts. */
export function hiddenPaths({ args, environment, readable, writable }: StdioLaunch): string[] {
  const seen = (path: string) =>
    ALWAYS_THERE.test(path) || [...readable, ...writable].some((folder) => isWithin(folder, path));
  const values = Object.values(environment).filter((value) => isAbsolute(value) && existsSync(dirname(value)));
  return [...new Set([...existingPaths(args), ...values])].filter((path) => !seen(path));
}
