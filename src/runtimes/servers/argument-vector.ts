// Command lines from settings as argument vectors, because nothing here goes through a shell.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { AppError } from '../../shared/errors.js';

/** Quotes group words, nothing is expanded. @returns null for an empty line. @throws AppError `invalid_settings` */
export function toArgumentVector(text: string): string[] | null {
  const words: string[] = [];
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s"']+))/gy;
  let at = 0;
  while (at < text.trimEnd().length) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (!match) throw new AppError('invalid_settings', `A quote is not closed in the command: ${text}`);
    words.push(match[1]?.replace(/\\(.)/g, '$1') ?? match[2] ?? (match[3] as string));
    at = pattern.lastIndex;
  }
  return words.length > 0 ? words : null;
}

/** The path of a program, as a shell would find it. */
export function findProgram(name: string, path: string | undefined): string | null {
  for (const folder of (path ?? '').split(delimiter)) {
    if (folder && existsSync(join(folder, name))) return join(folder, name);
  }
  return null;
}
