// Who listens on a TCP port of this machine, in words a person can act on.
import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

const LISTENING = '0A';

/** @returns such as `node (process 4711)`; null where nobody may be named, as with another user's process */
export async function portOwner(port: number): Promise<string | null> {
  return (await ownerByProc(port)) ?? (await ownerByLsof(port));
}

/** @see proc(5), /proc/net/tcp: column 2 is the local address in hex, 4 the state, 10 the inode of the socket */
export function socketInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(suffix) && state === LISTENING)
    .map((columns) => columns[9] ?? '');
}

async function ownerByProc(port: number): Promise<string | null> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')),
  );
  const sockets = new Set(tables.flatMap((table) => socketInodes(table, port)).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return null;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const links = await Promise.all(descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
    if (!links.some((link) => sockets.has(link))) continue;
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'unknown');
    return `${name.trim()} (process ${pid})`;
  }
  return null;
}

async function ownerByLsof(port: number): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], {
      timeout: 3_000,
    });
    const pid = /^p(\d+)$/m.exec(stdout)?.[1];
    return pid === undefined ? null : `${/^c(.+)$/m.exec(stdout)?.[1] ?? 'unknown'} (process ${pid})`;
  } catch {
    return null;
  }
}
