// What the machine must offer: Node, disk, memory, programs on PATH.
import { constants, existsSync } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { delimiter, join } from 'node:path';
import { availableMemory } from 'node:process';
import type { Environment } from '../../config/config.js';
import { makeDataFolder } from '../../storage/data-folder.js';
import { formatBytes } from '../terminal.js';
import type { Finding } from './finding.js';

const GIGABYTE = 1_000_000_000;

export function checkNode(version: string): Finding {
  const major = Number(version.replace(/^v/, '').split('.')[0]);
  if (major >= 24) return { name: 'Node', status: 'ok', detail: `${version} at ${process.execPath}` };
  return {
    name: 'Node',
    status: 'fail',
    detail: `${version} is too old`,
    mend: 'run `make start`; it fetches a Node that fits',
  };
}

export async function checkDisk(dataDir: string): Promise<Finding> {
  const name = 'Disk';
  try {
    makeDataFolder(dataDir);
    await access(dataDir, constants.W_OK);
  } catch (error) {
    return {
      name,
      status: 'fail',
      detail: `${dataDir} cannot be written: ${(error as Error).message}`,
      mend: 'give yourself the right to write there, or set VENOM_DATA_DIR',
    };
  }
  const disk = await statfs(dataDir);
  const free = disk.bavail * disk.bsize;
  return { name, ...judgeSpace(free), detail: `${formatBytes(free)} free in ${dataDir}` };
}

export function judgeSpace(freeBytes: number): Pick<Finding, 'status' | 'mend'> {
  const mend = 'free some space, or set VENOM_DATA_DIR to a folder on a larger disk';
  if (freeBytes < 0.2 * GIGABYTE) return { status: 'fail', mend };
  return freeBytes < GIGABYTE ? { status: 'warn', mend } : { status: 'ok' };
}

export function checkMemory(available = availableMemory(), total = totalmem()): Finding {
  const finding = { name: 'Memory', detail: `${formatBytes(available)} available of ${formatBytes(total)}` };
  const mend = 'close other programs, or use a smaller model; the starter model needs about 0.4 GB';
  if (available < 0.4 * GIGABYTE) return { ...finding, status: 'fail', mend };
  return available < GIGABYTE ? { ...finding, status: 'warn', mend } : { ...finding, status: 'ok' };
}

const TOOLS = [
  { names: ['npm'], purpose: 'installs and updates Venom', mend: 'install it with Node from https://nodejs.org' },
  { names: ['git'], purpose: 'updates the checkout', mend: "install git with your system's package manager" },
  {
    names: ['pip3', 'pip', 'uvx'],
    purpose: 'second source of the starter model',
    mend: 'install pip or uv where Hugging Face cannot be reached',
  },
];

export function checkTools(env: Environment): Finding[] {
  return TOOLS.map(({ names, purpose, mend }) => {
    const found = names.map((name) => onPath(name, env)).find((path) => path !== undefined);
    const name = `Program ${names[0]}`;
    return found === undefined
      ? { name, status: 'warn', detail: `not on PATH (${purpose})`, mend }
      : { name, status: 'ok', detail: `${found} (${purpose})` };
  });
}

function onPath(name: string, env: Environment): string | undefined {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd'] : [''];
  return (env['PATH'] ?? '')
    .split(delimiter)
    .filter(Boolean)
    .flatMap((folder) => endings.map((ending) => join(folder, name + ending)))
    .find((path) => existsSync(path));
}
