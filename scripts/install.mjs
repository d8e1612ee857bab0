// Installs npm packages, only when a lock file changed, and leaves out what this machine cannot use.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mustRun, ROOT } from './run.mjs';
import { hashOf, readStamp, writeStamp } from './stamps.mjs';

const NPM_CI = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--no-update-notifier'];

/**
 * @param {'' | 'web'} folder  the package: the checkout's root or web/
 * @param {'app' | 'full'} extent  `app` is what runs and builds Venom; `full` adds what checks it
 * @param {{ passingBy?: boolean }} [options]  `passingBy`: the caller removes the packages again
 * @returns {Promise<boolean>} whether something was installed
 */
export async function install(folder, extent, { passingBy = false } = {}) {
  const lock = join(folder, 'package-lock.json');
  const stamp = join(folder, 'node_modules', '.venom-installed');
  const wanted = hashOf([lock, join(folder, 'package.json'), 'scripts/install.mjs']);
  const [installed, installedExtent] = readStamp(stamp).split(' ');
  if (installed === wanted && (installedExtent === extent || installedExtent === 'full')) return false;
  console.error(`Installing packages${folder === '' ? '' : ` of ${folder}/`} …`);
  // A full installation stays full: a developer's `make start` must not take the tests' tools away.
  const kept = installedExtent === 'full' ? 'full' : extent;
  // A person who only runs Venom gains nothing from a copy of every package in npm's cache: it takes 124 MB for ever.
  const cache = kept === 'app' || passingBy ? mkdtempSync(join(tmpdir(), 'venom-npm-')) : undefined;
  const options = [...(kept === 'full' ? [] : ['--omit=dev']), ...(cache ? ['--cache', cache] : [])];
  try {
    await mustRun('npm', [...NPM_CI, ...options], { cwd: join(ROOT, folder) });
  } finally {
    if (cache) rmSync(cache, { recursive: true, force: true });
  }
  if (folder === '') removeUnused(kept);
  writeStamp(stamp, `${wanted} ${kept}`);
  return true;
}

/**
 * What npm installs although this machine has no use for it. node-llama-cpp's Linux builds for ARM declare that x64 is
 * fine too (33 MB); its bundle of llama.cpp's sources (35 MB) serves only a build from source, which Venom never starts;
 * TypeScript (31 MB) is an optional peer of it.
 */
function removeUnused(extent) {
  const packages = join(ROOT, 'node_modules');
  const scope = join(packages, '@node-llama-cpp');
  const arch = process.arch === 'arm' ? 'armv7l' : process.arch;
  const foreign = (existsSync(scope) ? readdirSync(scope) : []).filter((name) => !name.split('-').includes(arch));
  const unused = [
    ...foreign.map((name) => join(scope, name)),
    join(packages, 'node-llama-cpp', 'llama', 'gitRelease.bundle'),
  ];
  if (extent === 'app') unused.push(join(packages, 'typescript'), join(packages, '@typescript'));
  for (const path of unused) rmSync(path, { recursive: true, force: true });
}
