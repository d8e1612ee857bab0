// Which exact packages a Python project was locked to, found by reading uv.lock, pylock.toml or a requirements.txt with hashes.
// Nothing is run: what is read here, the environment builder installs from this machine's own index, hashes checked.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { AppError } from '../../shared/errors.js';

export const PYTHON_LOCKS = ['uv.lock', 'pylock.toml', 'requirements.txt'] as const;
export type PythonLockFile = (typeof PYTHON_LOCKS)[number];

const LOCK_BYTES_MAX = 20 * 1_048_576;
const PACKAGES_MAX = 2_000;
const HASHES_MAX = 1_000;
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const VERSION = /^[A-Za-z0-9][A-Za-z0-9.!+_-]*$/;
const SHA256 = /^[0-9a-f]{64}$/;
const PINNED =
  /^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[A-Za-z0-9._,\s-]*\])?\s*={2,3}\s*([A-Za-z0-9][A-Za-z0-9.!+_-]*)\s*(?:;\s*([^@\\]*?))?$/;
const DECLARED = /^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?\s*([^;]*)/;
const HASHES = /\s--hash[=\s]/;
/** Where packages come from is said by this machine; that they are wheels, too. */
const INDEX_OPTION = /^(-i|--index-url|--extra-index-url|--trusted-host|--only-binary|--prefer-binary)(\s|=|$)/;

export interface LockedPackage {
  name: string;
  version: string;
  /** When it is needed, as Python's packaging writes it; null for always. */
  marker: string | null;
  /** SHA-256 of every file that may be taken. */
  hashes: readonly string[];
}

export interface PythonLock {
  file: PythonLockFile;
  /** Of the file's bytes. */
  sha256: string;
  packages: readonly LockedPackage[];
}

/** A requirements.txt counts as a lock only where it has hashes. @throws AppError `mcp_lock_mismatch`, `mcp_import_failed` */
export function findPythonLock(folder: string, files: readonly PythonLockFile[]): PythonLock | null {
  for (const file of files)
    if (existsSync(join(folder, file))) {
      const lock = readPythonLock(folder, file);
      if (lock) return lock;
    }
  return null;
}

/** @throws AppError `mcp_lock_mismatch`, `mcp_import_failed` */
export function readPythonLock(folder: string, file: PythonLockFile): PythonLock | null {
  const path = join(folder, file);
  if (statSync(path).size > LOCK_BYTES_MAX) throw failed(`its ${file} is larger than ${LOCK_BYTES_MAX / 1_048_576} MB`);
  const bytes = readFileSync(path);
  const text = bytes.toString('utf8');
  if (file === 'requirements.txt' && !HASHES.test(text)) return null;
  const packages = file === 'uv.lock' ? uvPackages(text) : file === 'pylock.toml' ? pylockPackages(text) : pinned(text);
  if (packages.length > PACKAGES_MAX) throw failed(`its ${file} names more than ${PACKAGES_MAX} packages`);
  return { file, sha256: createHash('sha256').update(bytes).digest('hex'), packages };
}

/** Whether its requirements.txt is a lock. */
export function hasHashes(folder: string): boolean {
  const path = join(folder, 'requirements.txt');
  return existsSync(path) && statSync(path).size <= LOCK_BYTES_MAX && HASHES.test(readFileSync(path, 'utf8'));
}

/**
 * What the project says it needs must be what was locked.
 * @param declared  as in pyproject.toml
 * @throws AppError `mcp_lock_mismatch`
 */
export function checkLockFits(folder: string, { file, packages }: PythonLock, declared: readonly string[]): void {
  const names = new Set(packages.map(({ name }) => name));
  const wanted = declared.map(requirement);
  const missing = wanted.find(({ name }) => !names.has(name));
  if (missing) throw stale(file, `it does not know ${missing.name}, which the project needs`);
  if (file !== 'uv.lock') {
    const versions = new Map(packages.map(({ name, version }) => [name, version]));
    for (const { name, specifier } of wanted) {
      const [, exact] = /^={2,3}([^*,]+)$/.exec(specifier) ?? [];
      if (exact !== undefined && versions.get(name) !== exact)
        throw stale(file, `it has ${name} ${versions.get(name)}, and the project needs ${exact}`);
    }
    return;
  }
  const locked = uvRequirements(readFileSync(join(folder, file), 'utf8'));
  if (locked === null) return;
  const known = new Set(locked.map(written));
  const differing = wanted.find((own) => !known.has(written(own)));
  if (differing) throw stale(file, `it was made for another ${differing.name} than ${written(differing)}`);
  const needed = new Set(wanted.map(({ name }) => name));
  const dropped = locked.find(({ name }) => !needed.has(name));
  if (dropped) throw stale(file, `it was made when the project still needed ${dropped.name}`);
}

/** For `pip install --require-hashes -r`. */
export const asRequirements = ({ packages }: PythonLock): string =>
  packages
    .map(({ name, version, marker, hashes }) =>
      [
        `${name}==${version}${marker === null ? '' : ` ; ${marker}`}`,
        ...hashes.map((hash) => `--hash=sha256:${hash}`),
      ].join(' \\\n    '),
    )
    .join('\n')
    .concat('\n');

/** Of each package only what it is; which of them are needed here, uv works out of the same file. */
function uvPackages(text: string): LockedPackage[] {
  const entries = tables(parsed(text, 'uv.lock')['package']);
  const needed = neededOf(entries);
  return entries.flatMap((entry) => {
    const source = table(entry['source']);
    const name = nameOf(entry, 'uv.lock');
    if (isOwn(source) || !needed.has(name)) return [];
    if (typeof source['registry'] !== 'string')
      throw failed(`its uv.lock takes ${name} from something that is no registry`);
    return [
      { name, version: versionOf(entry, name, 'uv.lock'), marker: null, hashes: hashesOf(entry, name, 'uv.lock') },
    ];
  });
}

/** Without what only the project's developers need. */
function neededOf(entries: readonly Record<string, unknown>[]): ReadonlySet<string> {
  const own = entries.filter((entry) => isOwn(table(entry['source'])));
  const byName = Map.groupBy(entries, (entry) => normalized(String(entry['name'])));
  if (own.length === 0) return new Set(byName.keys());
  const needed = new Set<string>();
  const left = own.map((entry) => ({ entry, extras: [] as string[] }));
  const seen = new Set<string>();
  for (let next = left.pop(); next; next = left.pop()) {
    const { entry, extras } = next;
    const optional = table(entry['optional-dependencies']);
    for (const dependency of [
      ...tables(entry['dependencies']),
      ...extras.flatMap((extra) => tables(optional[extra])),
    ]) {
      const name = normalized(String(dependency['name']));
      const wanted = Array.isArray(dependency['extra']) ? dependency['extra'].map(String) : [];
      const key = `${name}[${wanted.join()}]`;
      needed.add(name);
      if (seen.has(key)) continue;
      seen.add(key);
      for (const each of byName.get(name) ?? []) left.push({ entry: each, extras: wanted });
    }
  }
  return needed;
}

/** What the project itself needed when it was locked; null where the file does not say. */
function uvRequirements(text: string): { name: string; extras: string; specifier: string }[] | null {
  const own = tables(parsed(text, 'uv.lock')['package']).filter((entry) => isOwn(table(entry['source'])));
  if (own.length !== 1) return null;
  const requires = table(own[0]?.['metadata'])['requires-dist'];
  if (requires === undefined) return [];
  return (
    tables(requires)
      // Of an extra, which is not installed.
      .filter(({ marker }) => !/\bextra\b/.test(String(marker ?? '')))
      .map((entry) => ({
        name: normalized(String(entry['name'])),
        extras: extrasOf(Array.isArray(entry['extras']) ? entry['extras'].map(String) : []),
        specifier: specifierOf(String(entry['specifier'] ?? '')),
      }))
  );
}

function pylockPackages(text: string): LockedPackage[] {
  const lock = parsed(text, 'pylock.toml');
  if (!String(lock['lock-version'] ?? '').startsWith('1.')) throw failed('its pylock.toml is of an unknown version');
  return tables(lock['packages']).flatMap((entry) => {
    const name = nameOf(entry, 'pylock.toml');
    // The project itself, which is not installed.
    if (table(entry['directory'])['path'] === '.') return [];
    const elsewhere = ['vcs', 'directory', 'archive'].find((kind) => entry[kind] !== undefined);
    if (elsewhere) throw failed(`its pylock.toml takes ${name} from something that is no registry`);
    const marker = markerOf(entry['marker'], name, 'pylock.toml');
    if (marker !== null && /\b(extras|dependency_groups)\b/.test(marker))
      throw stale('pylock.toml', `whether ${name} is needed depends on groups or extras, which are not chosen here`);
    return [
      { name, version: versionOf(entry, name, 'pylock.toml'), marker, hashes: hashesOf(entry, name, 'pylock.toml') },
    ];
  });
}

function pinned(text: string): LockedPackage[] {
  const lines = text
    .replace(/\\\r?\n/g, ' ')
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '' && !INDEX_OPTION.test(line));
  return lines.slice(0, PACKAGES_MAX + 1).map((line) => {
    const hashes = [...line.matchAll(/\s--hash[=\s]+(\S+)/g)].map(([, hash]) => hash as string);
    const bare = line.replace(/\s--hash[=\s]+\S+/g, '').trim();
    const [, name, version, marker] = PINNED.exec(bare) ?? [];
    if (name === undefined || version === undefined)
      throw failed(
        `its requirements.txt has hashes, and a line that is no package with a version: ${bare.slice(0, 100)}`,
      );
    const sha256 = hashes.flatMap((hash) => (hash.startsWith('sha256:') ? hash.slice('sha256:'.length) : []));
    if (sha256.length === 0) throw stale('requirements.txt', `it has hashes, but none (SHA-256) of ${name}`);
    return {
      name: normalized(name),
      version,
      marker: markerOf(marker, name, 'requirements.txt'),
      hashes: checkedHashes(sha256, name, 'requirements.txt'),
    };
  });
}

function requirement(text: string): { name: string; extras: string; specifier: string } {
  const [, name = '', extras = '', specifier = ''] = DECLARED.exec(text) ?? [];
  return { name: normalized(name), extras: extrasOf(extras.split(',')), specifier: specifierOf(specifier) };
}

const written = ({ name, extras, specifier }: { name: string; extras: string; specifier: string }): string =>
  `${name}${extras === '' ? '' : `[${extras}]`}${specifier}`;

const extrasOf = (extras: readonly string[]): string =>
  extras
    .map((extra) => normalized(extra.trim()))
    .filter((extra) => extra !== '')
    .sort()
    .join(',');

const specifierOf = (text: string): string =>
  text
    .replace(/[\s()]/g, '')
    .split(',')
    .filter((part) => part !== '')
    .sort()
    .join(',');

/** As indexes compare names. */
const normalized = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, '-');

function nameOf(entry: Record<string, unknown>, file: PythonLockFile): string {
  const { name } = entry;
  if (typeof name !== 'string' || !NAME.test(name)) throw failed(`its ${file} names a package that has no name`);
  return normalized(name);
}

function versionOf({ version }: Record<string, unknown>, name: string, file: PythonLockFile): string {
  if (typeof version !== 'string' || !VERSION.test(version)) throw failed(`its ${file} names no version of ${name}`);
  return version;
}

function markerOf(marker: unknown, name: string, file: PythonLockFile): string | null {
  if (marker === undefined || marker === '') return null;
  // It becomes a part of a line that pip reads.
  if (typeof marker !== 'string' || !/^[\w\s.'"<>=!~()*+-]{1,2000}$/.test(marker) || /--|\n/.test(marker))
    throw failed(`its ${file} has a condition of ${name} that cannot be read`);
  return marker.trim();
}

function hashesOf(entry: Record<string, unknown>, name: string, file: PythonLockFile): string[] {
  const files = [...tables(entry['wheels']), ...(entry['sdist'] === undefined ? [] : [table(entry['sdist'])])];
  const hashes = files.flatMap((each) => {
    const one = each['hash'] ?? table(each['hashes'])['sha256'];
    return typeof one === 'string' ? one.replace(/^sha256:/, '') : [];
  });
  return checkedHashes(hashes, name, file);
}

function checkedHashes(hashes: readonly string[], name: string, file: PythonLockFile): string[] {
  if (hashes.length === 0 || hashes.length > HASHES_MAX || !hashes.every((hash) => SHA256.test(hash)))
    throw stale(file, `it has no hash (SHA-256) of ${name}`);
  return [...new Set(hashes)];
}

const isOwn = (source: Record<string, unknown>): boolean => source['virtual'] === '.' || source['editable'] === '.';

function parsed(text: string, file: PythonLockFile): Record<string, unknown> {
  try {
    return parseToml(text) as Record<string, unknown>;
  } catch {
    throw failed(`its ${file} cannot be read`);
  }
}

const table = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
const tables = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.map(table) : []);

const failed = (reason: string): AppError => new AppError('mcp_import_failed', `It cannot be imported: ${reason}.`);

const stale = (file: PythonLockFile, reason: string): AppError =>
  new AppError(
    'mcp_lock_mismatch',
    `Its ${file} does not fit: ${reason}. Lock it anew there, or import it without the lock (ignore_lock).`,
    { details: { file } },
  );
