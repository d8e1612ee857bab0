// What a server of Node needs and how it starts: package.json, and npm's lock where there is one.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../shared/errors.js';
import type { PlannedLock } from './import-plan.js';
import type { Inspection, InspectionOptions } from './inspect-repository.js';
import { asStrings, inSource, LOCK_BYTES_MAX, readBounded, readJson, refused } from './repository-files.js';

/** npm reads the first of them that is there. */
const LOCK_FILES = ['npm-shrinkwrap.json', 'package-lock.json'];
/** Of tools that are not used here. */
const OTHER_LOCKS = ['pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'bun.lockb'];

/** @throws AppError `mcp_import_failed`, `mcp_lock_mismatch` */
export function inspectNode(
  folder: string,
  entrypoint: string | null,
  { ignoreLock }: Pick<InspectionOptions, 'ignoreLock'>,
): Inspection {
  const manifest = readJson(join(folder, 'package.json'));
  const { bin, main, name } = manifest;
  const dependencies = Object.entries(asStrings(manifest['dependencies'])).map(([own, version]) => `${own}@${version}`);
  const remote = dependencies.find((own) => /@(git|https?|file|github|link|ssh)[:+]|@[\w.-]+\/[\w.-]+$/.test(own));
  if (remote) throw refused(`it depends on something that is no package of the registry: ${remote.slice(0, 200)}`);
  const words = entrypoint?.trim().split(/\s+/) ?? [];
  const bins = typeof bin === 'string' ? { [String(name)]: bin } : asStrings(bin);
  const file =
    words[0] === 'node'
      ? words[1]
      : words[0] !== undefined
        ? (bins[words[0]] ?? words[0])
        : (Object.values(bins)[0] ?? (typeof main === 'string' ? main : undefined));
  if (file === undefined) throw refused('no entry point was found; name it, such as: node server.js');
  if (dependencies.length > 0) refuseForeignPackages(folder);
  const { lock, warnings } = dependencies.length === 0 ? NO_LOCK : npmLock(folder, manifest, ignoreLock);
  const manner = ['--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'];
  return {
    language: 'node',
    build:
      dependencies.length === 0
        ? []
        : [
            lock
              ? {
                  title: `Install exactly what ${lock.file} names, without scripts, hashes checked`,
                  command: ['npm', 'ci', ...manner],
                  network: true,
                }
              : {
                  title: 'Install what it needs, without scripts',
                  command: ['npm', 'install', '--no-package-lock', ...manner],
                  network: true,
                },
          ],
    command: '{node}',
    args: [inSource(folder, file), ...words.slice(words[0] === 'node' ? 2 : 1)],
    environment: {},
    dependencies,
    lock,
    warnings,
  };
}

const NO_LOCK = { lock: null, warnings: [] as string[] };

/** @throws AppError `mcp_lock_mismatch` */
function npmLock(
  folder: string,
  manifest: Readonly<Record<string, unknown>>,
  ignoreLock: boolean,
): { lock: PlannedLock | null; warnings: string[] } {
  const unpinned = 'what it needs is not pinned: the newest packages it allows are installed';
  if (ignoreLock) return { lock: null, warnings: [`Its lock file is left aside, as you asked; ${unpinned}.`] };
  const file = LOCK_FILES.find((name) => existsSync(join(folder, name)));
  if (file === undefined) {
    const other = OTHER_LOCKS.find((name) => existsSync(join(folder, name)));
    return {
      lock: null,
      warnings: [other === undefined ? `It has no lock file; ${unpinned}.` : `Its ${other} is not used; ${unpinned}.`],
    };
  }
  const packages = (readJson(join(folder, file), LOCK_BYTES_MAX)['packages'] ?? {}) as Record<
    string,
    Record<string, unknown> | undefined
  >;
  const locked = asStrings(packages['']?.['dependencies']);
  const wanted = asStrings(manifest['dependencies']);
  const differing = [...new Set([...Object.keys(wanted), ...Object.keys(locked)])].find(
    (name) => wanted[name] !== locked[name],
  );
  if (differing !== undefined)
    throw new AppError(
      'mcp_lock_mismatch',
      `Its ${file} does not fit: the project needs ${differing}@${wanted[differing] ?? '(nothing)'}, and it was made for ` +
        `${locked[differing] ?? '(nothing)'}. Lock it anew there, or import it without the lock (ignore_lock).`,
      { details: { file } },
    );
  const named = Object.entries(packages).filter(([path, entry]) => path !== '' && entry?.['dev'] !== true);
  const without = named.filter(([, entry]) => typeof entry?.['integrity'] !== 'string');
  return {
    lock: {
      file,
      sha256: createHash('sha256')
        .update(readBounded(join(folder, file), LOCK_BYTES_MAX))
        .digest('hex'),
      packages: named.length,
    },
    warnings:
      without.length === 0
        ? []
        : [`Of ${without.length} packages its ${file} has no hash: their content is not checked against it.`],
  };
}

/** Nothing from elsewhere than the registry, which is asked by this machine's own settings. */
function refuseForeignPackages(folder: string): void {
  for (const file of LOCK_FILES) {
    if (!existsSync(join(folder, file))) continue;
    const { packages, dependencies } = readJson(join(folder, file), LOCK_BYTES_MAX);
    // Written by an npm that knew nothing else; the nested form would have to be walked.
    if (packages === undefined && dependencies !== undefined) throw refused(`its ${file} is of an old form`);
    for (const [path, entry] of Object.entries((packages ?? {}) as Record<string, Record<string, unknown>>)) {
      const { resolved, link } = entry;
      if (path === '') continue;
      if (link === true || (typeof resolved === 'string' && !/^https?:\/\/[^?#]+\.tgz$/.test(resolved)))
        throw refused(`${file} takes ${path.slice(0, 100)} from something that is no registry`);
    }
  }
}
