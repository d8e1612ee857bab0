// One program with a beginning and an end: its output bounded, its time limited, its process group ended with it.
import { spawn } from 'node:child_process';
import { guardGroup } from './group-guard.js';
import { endGroup, endProcess, MARK_VARIABLE, processTree } from './process-tree.js';

const OUTPUT_KEPT = 64_000;
const OUTPUT_AFTER_EXIT_MS = 300;

export interface CommandResult {
  ok: boolean;
  /** In a person's words. */
  message: string;
  stdout: string;
  stderr: string;
  exitCode: number | null;
  /** It was ended because it took too long. */
  timedOut?: boolean;
}

export interface CommandOptions {
  environment: Readonly<Record<string, string>>;
  timeoutMs: number;
  cwd?: string;
  /** Ends the program. */
  signal?: AbortSignal;
  /** Characters of each output that are kept, from its end. */
  outputKept?: number;
  /** Inherited by whatever it starts: all of that ends with the command, and also when this process is killed. */
  mark?: string;
  /** Told its number as soon as it runs. */
  onSpawn?: (pid: number) => void;
  /** Told all it says, as it comes. */
  onOutput?: ((bytes: Uint8Array) => void) | undefined;
}

/** Never throws: a command that fails, hangs or is not there is a result. */
export function runCommand(
  command: readonly string[],
  { environment, timeoutMs, cwd, signal, outputKept = OUTPUT_KEPT, mark, onSpawn, onOutput }: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command[0] as string, command.slice(1), {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: mark === undefined ? environment : { ...environment, [MARK_VARIABLE]: mark },
      ...(cwd === undefined ? {} : { cwd }),
    });
    const endGuard = mark === undefined || child.pid === undefined ? undefined : guardGroup(child.pid, mark);
    if (child.pid !== undefined) onSpawn?.(child.pid);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (bytes: Buffer) => {
      onOutput?.(bytes);
      stdout = (stdout + bytes).slice(-outputKept);
    });
    child.stderr.on('data', (bytes) => {
      stderr = (stderr + bytes).slice(-outputKept);
    });
    const finish = (ok: boolean, message: string, exitCode: number | null, timedOut = false) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      if (mark !== undefined) {
        endGroup(child.pid, 'SIGKILL');
        for (const id of processTree(null, mark)) endProcess(id, 'SIGKILL');
        endGuard?.();
      }
      resolve({ ok, message, stdout, stderr, exitCode, timedOut });
    };
    const timer = setTimeout(() => {
      endGroup(child.pid, 'SIGKILL');
      finish(false, `The command did not end within ${timeoutMs / 1_000} s.`, null, true);
    }, timeoutMs);
    const stop = () => {
      endGroup(child.pid, 'SIGKILL');
      finish(false, 'The command was stopped.', null);
    };
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    child.once('error', (error) => finish(false, error.message, null));
    child.once('exit', (code) => {
      const end = () => finish(code === 0, code === 0 ? 'Done.' : `The command ended with ${code}.`, code);
      child.once('close', end);
      // A server that the command left behind may hold its output open.
      setTimeout(end, OUTPUT_AFTER_EXIT_MS).unref();
    });
  });
}
