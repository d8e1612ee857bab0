// A bundle's files out of its archive: plain files and folders below one folder, with bounds on number, size and how far they
// unpack. Links, paths to elsewhere, names that become one name on another machine: refused, and nothing stays behind.
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Entry, ZipFile } from 'yauzl';
import { AppError } from '../../shared/errors.js';
import { openBundleArchive } from './bundle-archive.js';

const ENTRIES_MAX = 20_000;
const UNPACKED_BYTES_MAX = 500 * 1_048_576;
const MANIFEST_BYTES_MAX = 1_048_576;
/** Programs and texts pack well, but not a thousand to one. */
const RATIO_MAX = 200;
const RATIO_FROM_BYTES = 1_048_576;
const PATH_CHARS_MAX = 500;
const PATH_PARTS_MAX = 40;
const FILE_TYPE = 0o170000;
const FILE = 0o100000;
const FOLDER = 0o040000;
export const MANIFEST_FILE = 'manifest.json';

/** Only its manifest. @throws AppError `mcp_import_failed` */
export function readManifestText(path: string): Promise<string> {
  return withArchive(path, async (archive) => {
    const names = new Names();
    for await (const entry of archive.eachEntry()) {
      if (checkEntry(entry, names).isFolder || entry.fileName !== MANIFEST_FILE) continue;
      if (entry.uncompressedSize > MANIFEST_BYTES_MAX) throw refused('its manifest.json is larger than 1 MB');
      const pieces: Buffer[] = [];
      for await (const piece of await archive.openReadStreamPromise(entry)) pieces.push(piece as Buffer);
      return Buffer.concat(pieces).toString('utf8');
    }
    throw refused('it has no manifest.json');
  });
}

/**
 * @param into  a folder that is made; removed again on failure
 * @param executables  the files that may be run, as the manifest names them
 * @throws AppError `mcp_import_failed`, `cancelled`
 */
export async function unpackBundle(
  path: string,
  { into, executables = [], signal }: { into: string; executables?: readonly string[]; signal: AbortSignal },
): Promise<void> {
  await rm(into, { recursive: true, force: true });
  await mkdir(into, { recursive: true, mode: 0o700 });
  let unpacked = 0;
  try {
    await withArchive(path, async (archive) => {
      const names = new Names();
      for await (const entry of archive.eachEntry()) {
        if (signal.aborted) throw new AppError('cancelled', 'The import was cancelled.');
        const { parts, isFolder } = checkEntry(entry, names);
        const target = join(into, ...parts);
        await mkdir(isFolder ? target : dirname(target), { recursive: true, mode: 0o700 });
        if (isFolder) continue;
        let size = 0;
        const bounds = new Transform({
          transform(piece: Buffer, _encoding, done) {
            size += piece.length;
            unpacked += piece.length;
            const bomb = size > RATIO_FROM_BYTES && size > entry.compressedSize * RATIO_MAX;
            if (bomb || unpacked > UNPACKED_BYTES_MAX) done(refused('it unpacks to far more than it should'));
            else done(null, piece);
          },
        });
        const mode = executables.includes(entry.fileName) ? 0o700 : 0o600;
        await pipeline(
          await archive.openReadStreamPromise(entry),
          bounds,
          // Never into something that is there already.
          createWriteStream(target, { flags: 'wx', mode }),
          { signal },
        );
      }
    });
  } catch (error) {
    await rm(into, { recursive: true, force: true });
    if (signal.aborted) throw new AppError('cancelled', 'The import was cancelled.');
    throw error;
  }
}

async function withArchive<T>(path: string, work: (archive: ZipFile) => Promise<T>): Promise<T> {
  let archive: ZipFile | undefined;
  try {
    archive = await openBundleArchive(path);
    if (archive.entryCount > ENTRIES_MAX) throw refused(`it has more than ${ENTRIES_MAX} files`);
    return await work(archive);
  } catch (error) {
    if (error instanceof AppError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
      throw new AppError('insufficient_storage', 'The disk is full; the bundle could not be unpacked.', {
        cause: error,
      });
    const reason = error instanceof Error ? error.message.slice(0, 150) : 'unknown';
    throw refused(`its archive cannot be used (${reason})`, error);
  } finally {
    archive?.close();
  }
}

/** What an entry is called, in parts, and whether it is a folder. @throws AppError `mcp_import_failed` */
function checkEntry(entry: Entry, names: Names): { parts: string[]; isFolder: boolean } {
  const { fileName, compressionMethod, externalFileAttributes } = entry;
  const shown = JSON.stringify(fileName.slice(0, 100));
  if (entry.isEncrypted()) throw refused('it is protected by a password');
  if (compressionMethod !== 0 && compressionMethod !== 8) throw refused(`${shown} is packed in an unusual way`);
  const isFolder = fileName.endsWith('/');
  const type = (externalFileAttributes >>> 16) & FILE_TYPE;
  if (type !== 0 && type !== (isFolder ? FOLDER : FILE)) throw refused(`${shown} is a link or a device`);
  const parts = (isFolder ? fileName.slice(0, -1) : fileName).split('/');
  const odd =
    fileName.length > PATH_CHARS_MAX ||
    parts.length > PATH_PARTS_MAX ||
    /[\\:\p{Cc}\p{Cf}\ufffd]/u.test(fileName) ||
    parts.some((part) => part === '' || part === '.' || part === '..' || part.length > 200 || /[. ]$/.test(part));
  if (odd) throw refused(`${shown} is no name of a file here`);
  names.add(parts, isFolder, shown);
  return { parts, isFolder };
}

/** What is there already, as machines see it that do not tell large from small letters. */
class Names {
  readonly #files = new Set<string>();
  readonly #folders = new Map<string, string>();

  add(parts: readonly string[], isFolder: boolean, shown: string): void {
    const above = parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
    const folders = isFolder ? above : above.slice(0, -1);
    for (const folder of folders) {
      const key = same(folder);
      const known = this.#folders.get(key);
      if (this.#files.has(key) || (known !== undefined && known !== folder)) throw twice(shown);
      this.#folders.set(key, folder);
    }
    if (isFolder) return;
    const key = same(parts.join('/'));
    if (this.#files.has(key) || this.#folders.has(key)) throw twice(shown);
    this.#files.add(key);
  }
}

const same = (path: string): string => path.normalize('NFC').toLowerCase();

const twice = (shown: string): AppError => refused(`${shown} is there twice, in large and small letters alike`);

const refused = (reason: string, cause?: unknown): AppError =>
  new AppError('mcp_import_failed', `This bundle cannot be imported: ${reason}.`, { cause });
