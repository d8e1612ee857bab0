// One program with a beginning and an end: its output bounded, its time limited, its process group ended with it.
import { spawn } from 'node:child_process';
import { endGroup } from './process-tree.js';

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

/** Never throws: a command that fails, hangs or is not there is a result. */
export function runCommand(
  command: readonly string[],
  { environment, timeoutMs }: { environment: Readonly<Record<string, string>>; timeoutMs: number },
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command[0] as string, command.slice(1), {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (bytes) => {
      stdout = (stdout + bytes).slice(-OUTPUT_KEPT);
    });
    child.stderr.on('data', (bytes) => {
      stderr = (stderr + bytes).slice(-OUTPUT_KEPT);
    });
    const finish = (ok: boolean, message: string, exitCode: number | null, timedOut = false) => {
      clearTimeout(timer);
      resolve({ ok, message, stdout, stderr, exitCode, timedOut });
    };
    const timer = setTimeout(() => {
      endGroup(child.pid, 'SIGKILL');
      finish(false, `The command did not end within ${timeoutMs / 1_000} s.`, null, true);
    }, timeoutMs);
    child.once('error', (error) => finish(false, error.message, null));
    child.once('exit', (code) => {
      const end = () => finish(code === 0, code === 0 ? 'Done.' : `The command ended with ${code}.`, code);
      child.once('close', end);
      // A server that the command left behind may hold its output open.
      setTimeout(end, OUTPUT_AFTER_EXIT_MS).unref();
    });
  });
}
