// The CUDA build of llama.cpp: kept out of a normal installation (600 MB), fetched when a person asks for it.
import { spawn } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../shared/errors.js';

const SCOPE = '@node-llama-cpp';

/** Null where node-llama-cpp publishes no CUDA build. */
export function gpuBuildName(platform: string = process.platform, arch: string = process.arch): string | null {
  if (arch !== 'x64') return null;
  return platform === 'linux' ? 'linux-x64-cuda' : platform === 'win32' ? 'win-x64-cuda' : null;
}

export function isGpuBuildInstalled(packagesDir: string): boolean {
  const name = gpuBuildName();
  return name !== null && existsSync(join(packagesDir, SCOPE, name, 'bins'));
}

/**
 * Installs the build into the data folder, where it outlives `npm ci`, and links it into the checkout.
 * @throws AppError `unsupported` where there is no such build, `download_failed` when npm fails
 */
export async function installGpuBuild(
  packagesDir: string,
  dataDir: string,
  npm = 'npm',
): Promise<{ packages: string[]; version: string }> {
  const name = gpuBuildName();
  if (name === null)
    throw new AppError('unsupported', `There is no CUDA build for ${process.platform} on ${process.arch}.`);
  const { version } = JSON.parse(readFileSync(join(packagesDir, 'node-llama-cpp', 'package.json'), 'utf8')) as {
    version: string;
  };
  const folder = gpuFolder(dataDir);
  mkdirSync(folder, { recursive: true });
  // The binary and its extension must be of the library's own version; any other is refused by it.
  const packages = [`${SCOPE}/${name}@${version}`, `${SCOPE}/${name}-ext@${version}`];
  await runNpm(npm, [
    'install',
    '--prefix',
    folder,
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    ...packages,
  ]);
  linkGpuBuild(packagesDir, dataDir);
  return { packages, version };
}

/** Puts the fetched build in the place of the empty package that `npm ci` leaves there. Nothing fetched, nothing done. */
export function linkGpuBuild(packagesDir: string, dataDir: string): void {
  const name = gpuBuildName();
  if (name === null) return;
  for (const build of [name, `${name}-ext`]) {
    const fetched = join(gpuFolder(dataDir), 'node_modules', SCOPE, build);
    const place = join(packagesDir, SCOPE, build);
    if (!existsSync(join(fetched, 'bins')) || lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()) continue;
    rmSync(place, { recursive: true, force: true });
    symlinkSync(fetched, place, 'junction');
  }
}

const gpuFolder = (dataDir: string): string => join(dataDir, 'gpu');

function runNpm(npm: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(npm, args, { stdio: ['ignore', 2, 2] });
    child.once('error', (cause) => reject(new AppError('download_failed', 'npm cannot be started.', { cause })));
    child.once('close', (code) =>
      code === 0
        ? resolve()
        : reject(new AppError('download_failed', `npm could not fetch the CUDA build (code ${code}).`)),
    );
  });
}
