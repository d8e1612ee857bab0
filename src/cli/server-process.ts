// The background server as a process: its PID file, whether it lives, starting and ending it.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AppError } from '../shared/errors.js';
import { makeDataFolder } from '../storage/data-folder.js';
import { SERVER_ENVIRONMENT, SERVER_NODE_FLAGS } from './server-flags.js';

const READY_WITHIN_MS = 60_000;
const LOG_LIMIT_BYTES = 10_000_000;

export interface ServerRecord {
  pid: number;
  /** ISO 8601, UTC. */
  startedAt: string;
  host: string;
  port: number;
  url: string;
  /** Which build it runs; another one in dist/ means a restart is due. */
  build: string;
}

export interface ServerFiles {
  entry: string;
  pidFile: string;
  logFile: string;
}

/** The server that the PID file names, if that process is alive and is ours. Removes a stale file. */
export async function findServer(files: ServerFiles): Promise<ServerRecord | undefined> {
  const record = readRecord(files.pidFile);
  if (record !== undefined && isAlive(record.pid) && (await runsServer(record.pid))) return record;
  rmSync(files.pidFile, { force: true });
  return undefined;
}

/**
 * Starts the server in the background, in a process group of its own.
 * @returns once it accepts connections
 * @throws AppError `provider_unavailable` with the server's own words when it ends or stays silent
 */
export async function startServer(
  files: ServerFiles,
  options: { cwd: string; env: Readonly<Record<string, string | undefined>>; build: string },
): Promise<ServerRecord> {
  makeDataFolder(dirname(files.logFile));
  if ((statSync(files.logFile, { throwIfNoEntry: false })?.size ?? 0) > LOG_LIMIT_BYTES) {
    renameSync(files.logFile, `${files.logFile}.1`);
  }
  const log = openSync(files.logFile, 'a', 0o600);
  const from = statSync(files.logFile).size;
  let child: ChildProcess;
  try {
    child = spawn(process.execPath, [...SERVER_NODE_FLAGS, files.entry], {
      cwd: options.cwd,
      env: { ...SERVER_ENVIRONMENT, ...options.env },
      detached: true,
      stdio: ['ignore', log, log],
    });
  } finally {
    closeSync(log);
  }
  child.unref();
  const url = new URL(await listeningUrl(child, files.logFile, from));
  const record: ServerRecord = {
    pid: child.pid as number,
    startedAt: new Date().toISOString(),
    host: url.hostname,
    port: Number(url.port || 80),
    url: url.origin,
    build: options.build,
  };
  writeFileSync(`${files.pidFile}.part`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${files.pidFile}.part`, files.pidFile);
  return record;
}

/**
 * SIGTERM, then SIGKILL to the whole process group where that was not enough, so that no child outlives the server.
 * @returns `graceful` when the first was enough
 */
export async function stopServer(
  files: ServerFiles,
  record: ServerRecord,
  patienceMs: number,
): Promise<'graceful' | 'killed'> {
  signal(record.pid, 'SIGTERM');
  const deadline = Date.now() + patienceMs;
  while (isAlive(record.pid) && Date.now() < deadline) await sleep(25);
  const graceful = !isAlive(record.pid);
  signal(-record.pid, 'SIGKILL');
  while (isAlive(record.pid)) await sleep(25);
  rmSync(files.pidFile, { force: true });
  return graceful ? 'graceful' : 'killed';
}

function readRecord(path: string): ServerRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as ServerRecord;
    return Number.isInteger(record.pid) && record.pid > 1 && URL.canParse(record.url) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** The server says so in its log: one JSON line with its address, or one line `venom: …` and it ends. */
async function listeningUrl(child: ChildProcess, logFile: string, from: number): Promise<string> {
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  child.once('error', () => {
    ended = true;
  });
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const wasOver = ended || Date.now() > deadline;
    const lines = (await readFile(logFile)).subarray(from).toString('utf8').split('\n');
    const url = lines.map(listeningIn).find((found) => found !== undefined);
    if (url !== undefined) return url;
    if (wasOver) {
      if (!ended) signal(-(child.pid as number), 'SIGKILL');
      const reason = lines.findLast((line) => line.startsWith('venom: '))?.slice('venom: '.length);
      const fallback = ended
        ? `The server ended while starting; see ${logFile}`
        : `The server did not get ready; see ${logFile}`;
      throw new AppError('provider_unavailable', reason ?? fallback);
    }
    await sleep(20);
  }
}

function listeningIn(line: string): string | undefined {
  if (!line.includes('"listening"')) return undefined;
  try {
    const { event, url } = JSON.parse(line) as { event?: string; url?: string };
    return event === 'listening' && url !== undefined && URL.canParse(url) ? url : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Already gone, which is what was wanted.
  }
}

/** After a reboot the number in the PID file may belong to a stranger. */
async function runsServer(pid: number): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'args=', '-p', String(pid)]);
    return stdout.includes('main.js');
  } catch {
    return readFile(`/proc/${pid}/cmdline`, 'utf8').then(
      (line) => line.includes('main.js'),
      () => true,
    );
  }
}
