// Installs npm packages, only when a lock file changed, and leaves out what this machine cannot use.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun, ROOT } from './run.mjs';
import { hashOf, readStamp, writeStamp } from './stamps.mjs';

const NPM_CI = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

/**
 * @param {'' | 'web'} folder  the package: the checkout's root or web/
 * @param {'app' | 'full'} extent  `app` is what runs and builds Venom; `full` adds what checks it
 * @returns {Promise<boolean>} whether something was installed
 */
export async function install(folder, extent) {
  const lock = join(folder, 'package-lock.json');
  const stamp = join(folder, 'node_modules', '.venom-installed');
  const wanted = hashOf([lock, join(folder, 'package.json'), 'scripts/install.mjs']);
  const [installed, installedExtent] = readStamp(stamp).split(' ');
  if (installed === wanted && (installedExtent === extent || installedExtent === 'full')) return false;
  console.error(`Installing packages${folder === '' ? '' : ` of ${folder}/`} …`);
  // A full installation stays full: a developer's `make start` must not take the tests' tools away.
  const kept = installedExtent === 'full' ? 'full' : extent;
  await mustRun('npm', kept === 'full' ? NPM_CI : [...NPM_CI, '--omit=dev'], { cwd: join(ROOT, folder) });
  if (folder === '') removeForeignBinaries();
  writeStamp(stamp, `${wanted} ${kept}`);
  return true;
}

/**
 * node-llama-cpp's Linux builds for ARM declare that x64 is fine too, so npm installs them all (33 MB); its bundle of
 * llama.cpp's sources (35 MB) serves only a build from source, which Venom never starts.
 */
function removeForeignBinaries() {
  const scope = join(ROOT, 'node_modules', '@node-llama-cpp');
  const arch = process.arch === 'arm' ? 'armv7l' : process.arch;
  for (const name of existsSync(scope) ? readdirSync(scope) : []) {
    if (!name.split('-').includes(arch)) rmSync(join(scope, name), { recursive: true, force: true });
  }
  rmSync(join(ROOT, 'node_modules', 'node-llama-cpp', 'llama', 'gitRelease.bundle'), { force: true });
}
