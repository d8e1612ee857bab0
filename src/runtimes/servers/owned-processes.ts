// The servers that run because of us: started in a group of their own, remembered across a restart of ours, logged, and
// ended with everything they started.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import {
  alive,
  endGroup,
  endProcess,
  MARK_VARIABLE,
  type ProcessId,
  processTree,
  startTicks,
} from '../../shared/process-tree.js';
import type { CommandResult } from '../../shared/run-command.js';

const STARTED_AFTER_MS = 500;
const TERM_MS = 5_000;
const KILL_MS = 2_000;
const LOG_LIMIT_BYTES = 8 * 1_048_576;

interface OwnedProcess extends ProcessId {
  mark: string;
}

export class OwnedProcesses {
  readonly #stateDir: string;

  /** @param stateDir  folder of PID files and logs */
  constructor(stateDir: string) {
    this.#stateDir = stateDir;
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  }

  pid(name: string): number | null {
    const owned = this.#read(name);
    return owned && alive(owned) ? owned.pid : null;
  }

  /** Resolves once it has run for a moment, or has ended. */
  async start(
    name: string,
    command: readonly string[],
    environment: Readonly<Record<string, string>>,
  ): Promise<CommandResult> {
    // What an earlier one left behind when it died would hold its port or its memory.
    await this.end(name);
    const logPath = this.#path(name, 'log');
    if (existsSync(logPath) && statSync(logPath).size > LOG_LIMIT_BYTES) renameSync(logPath, `${logPath}.1`);
    const log = openSync(logPath, 'a', 0o600);
    const mark = `${name}:${randomUUID()}`;
    let child: ChildProcess;
    try {
      child = spawn(command[0] as string, command.slice(1), {
        detached: true,
        stdio: ['ignore', log, log],
        env: { ...environment, [MARK_VARIABLE]: mark },
      });
    } finally {
      closeSync(log);
    }
    if (child.pid !== undefined) {
      const owned: OwnedProcess = { pid: child.pid, startTicks: startTicks(child.pid), mark };
      writeFileSync(this.#path(name, 'pid'), JSON.stringify(owned), { mode: 0o600 });
    }
    const ended = new Promise<{ code: number | null; error?: Error }>((resolve) => {
      child.once('error', (error) => resolve({ code: null, error }));
      child.once('exit', (code) => resolve({ code }));
    });
    const early = await Promise.race([
      ended,
      new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), STARTED_AFTER_MS)),
    ]);
    if (!early) {
      child.unref();
      return { ok: true, message: `${name} was started.`, stdout: '', stderr: '', exitCode: 0 };
    }
    // A command that ends well has handed the server to somebody else, and it is no longer ours.
    if (early.code === 0) {
      this.#forget(name);
      return { ok: true, message: `${name} was started.`, stdout: '', stderr: '', exitCode: 0 };
    }
    await this.end(name);
    const why = early.error?.message ?? (await this.logs(name, 4_096)).trim().split('\n').slice(-5).join('\n');
    return { ok: false, message: `${name} did not start: ${why}`, stdout: '', stderr: why, exitCode: early.code };
  }

  /** @returns whether nothing of it is left */
  async end(name: string): Promise<boolean> {
    const owned = this.#read(name);
    if (!owned) return true;
    const ours = alive(owned);
    // Looked up while its parents live: later nobody knows whose child it was.
    const tree = processTree(ours ? owned.pid : null, owned.mark);
    if (ours) {
      endGroup(owned.pid, 'SIGTERM');
      await until(TERM_MS, () => !alive(owned));
      endGroup(owned.pid, 'SIGKILL');
    }
    for (const id of tree) endProcess(id, 'SIGKILL');
    const gone = await until(KILL_MS, () => !alive(owned) && !tree.some(alive));
    if (gone) this.#forget(name);
    return gone;
  }

  hasLog(name: string): boolean {
    return existsSync(this.#path(name, 'log'));
  }

  /** The last lines a server of ours wrote. */
  async logs(name: string, maxBytes: number): Promise<string> {
    const file = await open(this.#path(name, 'log'), 'r').catch(() => undefined);
    if (!file) return '';
    try {
      const { size } = await file.stat();
      const from = Math.max(0, size - maxBytes);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
      const text = buffer.toString('utf8', 0, bytesRead);
      return from > 0 ? text.slice(text.indexOf('\n') + 1) : text;
    } finally {
      await file.close();
    }
  }

  #read(name: string): OwnedProcess | undefined {
    try {
      const { pid, startTicks: ticks, mark } = JSON.parse(readFileSync(this.#path(name, 'pid'), 'utf8'));
      return Number.isInteger(pid) && pid > 1 ? { pid, startTicks: ticks ?? null, mark: String(mark) } : undefined;
    } catch {
      return undefined;
    }
  }

  #forget(name: string): void {
    rmSync(this.#path(name, 'pid'), { force: true });
  }

  #path(name: string, kind: 'pid' | 'log'): string {
    return join(this.#stateDir, `${name}.${kind}`);
  }
}

async function until(withinMs: number, done: () => boolean): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (!done()) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}
