// Files of a fetched repository, read with bounds and never followed outside.
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, isAbsolute, join, relative } from 'node:path';
import { AppError } from '../../shared/errors.js';
import { isWithin } from '../../shared/is-within.js';

const FILE_BYTES_MAX = 1_048_576;
export const LOCK_BYTES_MAX = 20 * 1_048_576;

/** A file of the repository, links followed, as it will be named. */
export function inSource(folder: string, file: string): string {
  const path = join(folder, file);
  if (isAbsolute(file) || !existsSync(path))
    throw refused(`${file.slice(0, 200)} is not there; a server that must be built first cannot be imported`);
  const [root, real] = [realpathSync(folder), realpathSync(path)];
  if (!isWithin(root, real)) throw refused(`${file.slice(0, 200)} lies outside`);
  return `{source}/${relative(root, real)}`;
}

export function readJson(path: string, bytesMax = FILE_BYTES_MAX): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(readBounded(path, bytesMax));
  } catch (error) {
    if (error instanceof AppError) throw error;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refused(`its ${basename(path)} cannot be read`);
  return value as Record<string, unknown>;
}

export function readBounded(path: string, bytesMax = FILE_BYTES_MAX): string {
  if (statSync(path).size > bytesMax) throw refused(`its ${basename(path)} is larger than ${bytesMax / 1_048_576} MB`);
  return readFileSync(path, 'utf8');
}

export const asStrings = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(typeof value === 'object' && value !== null ? value : {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );

export const refused = (reason: string): AppError =>
  new AppError('mcp_import_failed', `It cannot be imported: ${reason}.`);
