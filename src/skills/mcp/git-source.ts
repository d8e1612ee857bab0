// A repository at one commit, as plain files: fetched by git without a shell, without hooks, submodules, links or filters,
// and with bounds on time, size and number of files.
import { mkdirSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../shared/errors.js';
import { folderSize } from '../../shared/folder-size.js';
import { isBelow } from '../../shared/is-within.js';
import { runCommand } from '../../shared/run-command.js';

const FETCH_MS = 300_000;
const BYTES_MAX = 500 * 1_048_576;
const FILES_MAX = 20_000;
const TOO_LARGE = `the repository is larger than ${BYTES_MAX / 1_048_576} MB or ${FILES_MAX} files`;
const WATCH_MS = 500;
export const REF = /^(?!.*\.\.)[0-9A-Za-z][\w./-]{0,199}$/;

export interface GitSourceOptions {
  /** Path of git. */
  git: string;
  environment: Readonly<Record<string, string | undefined>>;
  /** Folders whose repositories may be imported by a file address. */
  fileRoots: readonly string[];
  /** For what git starts, so that nothing of it outlives us. */
  newMark: () => string;
}

export interface GitCheckout {
  commit: string;
}

/** What an address must be; nothing is asked of it. @throws AppError `invalid_input` */
export function checkGitAddress(address: string, fileRoots: readonly string[]): URL {
  const refuse = (why: string): never => {
    throw new AppError('invalid_input', `This repository cannot be imported: ${why}.`);
  };
  if (address.length > 1_000 || !/^[a-z]+:\/\//.test(address) || /[\s\\\p{Cc}]/u.test(address))
    return refuse('its address must start with https://, ssh:// or file:// and hold no blanks');
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return refuse('its address cannot be read');
  }
  if (url.password !== '' || (url.protocol === 'https:' && url.username !== ''))
    return refuse('its address holds credentials; store them as a secret');
  if (url.protocol === 'https:' || url.protocol === 'ssh:') {
    // A host that looks like an option would be one for ssh.
    if (!/^[a-z0-9[]/i.test(url.hostname) || url.username.startsWith('-')) return refuse('its host is no host');
    return url;
  }
  if (url.protocol !== 'file:') return refuse(`${url.protocol} is not allowed`);
  if (url.host !== '') return refuse('its file address names a host');
  const path = realPath(fileURLToPath(url));
  const inside = path !== null && fileRoots.some((root) => isBelow(realPath(root) ?? root, path));
  if (!inside) return refuse('file addresses are allowed only below MCP_GIT_FILE_ROOTS');
  return url;
}

/**
 * @param into  an empty folder that is made; removed again on failure
 * @throws AppError `invalid_input`, `mcp_import_failed`, `cancelled`
 */
export async function fetchRepository(
  { address, ref, into, signal }: { address: string; ref: string | null; into: string; signal: AbortSignal },
  { git, environment, fileRoots, newMark }: GitSourceOptions,
): Promise<GitCheckout> {
  const url = checkGitAddress(address, fileRoots);
  if (ref !== null && !REF.test(ref)) throw new AppError('invalid_input', 'This is no branch, tag or commit.');
  const scheme = url.protocol.slice(0, -1);
  await rm(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true, mode: 0o700 });
  const config = {
    'protocol.allow': 'never',
    [`protocol.${scheme}.allow`]: 'always',
    'core.hooksPath': '/dev/null',
    'core.symlinks': 'false',
    'core.fsmonitor': 'false',
    'core.sshCommand': 'ssh -oBatchMode=yes -oClearAllForwardings=yes',
    'core.protectHFS': 'true',
    'core.protectNTFS': 'true',
    'transfer.fsckObjects': 'true',
    'fetch.recurseSubmodules': 'false',
    'submodule.recurse': 'false',
    'http.followRedirects': 'false',
    'http.lowSpeedLimit': '1000',
    'http.lowSpeedTime': '30',
    'filter.lfs.smudge': '',
    'filter.lfs.required': 'false',
    'gc.auto': '0',
    'maintenance.auto': 'false',
    'advice.detachedHead': 'false',
    'safe.directory': '*',
    'credential.helper': '',
  };
  const own: Record<string, string> = {
    PATH: environment['PATH'] ?? '',
    LANG: 'C.UTF-8',
    HOME: into,
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ASKPASS: '/bin/false',
    GIT_LFS_SKIP_SMUDGE: '1',
    ...pick(environment, ['HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy', 'SSL_CERT_FILE', 'SSH_AUTH_SOCK']),
  };
  // Git has a name of its own for the certificates everybody else finds by the other one.
  const certificates = environment['GIT_SSL_CAINFO'] ?? environment['SSL_CERT_FILE'];
  if (certificates !== undefined) own['GIT_SSL_CAINFO'] = certificates;
  const settings = Object.entries(config).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const tooLarge = new AbortController();
  const watch = setInterval(() => {
    void isTooLarge(into).then((is) => is && tooLarge.abort());
  }, WATCH_MS);
  const run = async (args: readonly string[], onOutput?: (bytes: Uint8Array) => void): Promise<string> => {
    const result = await runCommand([git, ...settings, ...args], {
      environment: own,
      timeoutMs: FETCH_MS,
      cwd: into,
      signal: AbortSignal.any([signal, tooLarge.signal]),
      mark: newMark(),
      onOutput,
    });
    if (signal.aborted) throw new AppError('cancelled', 'The import was cancelled.');
    if (tooLarge.signal.aborted) throw failed(TOO_LARGE);
    if (!result.ok) throw failed(lastLines(result.stderr) || result.message);
    return result.stdout.trim();
  };
  try {
    await run(['init', '--quiet', '--template=', '.']);
    await run(['fetch', '--quiet', '--depth=1', '--no-tags', '--no-recurse-submodules', '--', url.href, ref ?? 'HEAD']);
    const commit = await run(['rev-parse', '--verify', 'FETCH_HEAD^{commit}']);
    // A few trees can name millions of files, and git would hold all of them in memory before it writes the first.
    let entries = 0;
    await run(['ls-tree', '-r', '-t', '-z', '--name-only', commit], (bytes) => {
      for (const byte of bytes) if (byte === 0) entries += 1;
      if (entries > FILES_MAX) tooLarge.abort();
    });
    await run(['checkout', '--quiet', '--detach', commit]);
    if (await isTooLarge(into)) throw failed(TOO_LARGE);
    await rm(join(into, '.git'), { recursive: true, force: true });
    return { commit };
  } catch (error) {
    await rm(into, { recursive: true, force: true });
    throw error;
  } finally {
    clearInterval(watch);
  }
}

const failed = (reason: string): AppError =>
  new AppError('mcp_import_failed', `The repository could not be fetched: ${reason}`);

async function isTooLarge(folder: string): Promise<boolean> {
  const { bytes, files } = await folderSize([folder], { bytes: BYTES_MAX, files: FILES_MAX });
  return bytes > BYTES_MAX || files > FILES_MAX;
}

const lastLines = (text: string): string => text.trim().split('\n').slice(-3).join('\n').slice(0, 500);

export function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

export const pick = (
  environment: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
