import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gpuBuildName, installGpuBuild, isGpuBuildInstalled, linkGpuBuild } from './gpu-build.js';

const build = gpuBuildName();
let folder: string;
let packages: string;
let data: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-gpu-'));
  packages = join(folder, 'node_modules');
  data = join(folder, 'data');
  mkdirSync(join(packages, 'node-llama-cpp'), { recursive: true });
  writeFileSync(join(packages, 'node-llama-cpp', 'package.json'), '{"version":"3.22.1"}');
  // What npm leaves in the place of the build: a package without anything in it.
  mkdirSync(join(packages, '@node-llama-cpp', String(build)), { recursive: true });
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function fakeNpm(script: string): string {
  const path = join(folder, 'npm');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe.skipIf(build === null || process.platform === 'win32')('installGpuBuild', () => {
  it("fetches the build of the library's own version and puts it in its place", async () => {
    const npm = fakeNpm(`echo "$@" > '${folder}/asked'
      for name in ${build} ${build}-ext; do mkdir -p "$3/node_modules/@node-llama-cpp/$name/bins"; done`);
    expect(isGpuBuildInstalled(packages)).toBe(false);
    await installGpuBuild(packages, data, npm);
    expect(readFileSync(join(folder, 'asked'), 'utf8')).toContain(`@node-llama-cpp/${build}-ext@3.22.1`);
    expect(isGpuBuildInstalled(packages)).toBe(true);
  });

  it('puts it back after a fresh installation of the packages', async () => {
    const place = join(packages, '@node-llama-cpp', String(build));
    mkdirSync(join(data, 'gpu', 'node_modules', '@node-llama-cpp', String(build), 'bins'), { recursive: true });
    linkGpuBuild(packages, data);
    linkGpuBuild(packages, data);
    expect(lstatSync(place).isSymbolicLink()).toBe(true);
    expect(existsSync(join(place, 'bins'))).toBe(true);
  });

  it('changes nothing where npm fails, or where nothing was fetched', async () => {
    await expect(installGpuBuild(packages, data, fakeNpm('exit 1'))).rejects.toMatchObject({ code: 'download_failed' });
    linkGpuBuild(packages, data);
    expect(isGpuBuildInstalled(packages)).toBe(false);
  });
});

describe('gpuBuildName', () => {
  it('knows where there is none', () => {
    expect(gpuBuildName('darwin', 'arm64')).toBeNull();
    expect(gpuBuildName('linux', 'arm64')).toBeNull();
  });
});
