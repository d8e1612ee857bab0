// The built server as a process of its own, to be killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const MAIN = resolve(import.meta.dirname, '..', '..', 'dist', 'server', 'main.js');

export interface VenomProcess {
  url: string;
  child: ChildProcess;
  /** From spawn to the line that says it listens. */
  readyMs: number;
  kill(): Promise<void>;
  /** SIGTERM; resolves with exit code and time. */
  stop(): Promise<{ code: number | null; ms: number }>;
}

/** On its way up; whoever does not wait for it may kill it there. */
export const beginProcess = (env: Record<string, string>): ChildProcess =>
  spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      PORT: '0',
      VENOM_STARTER_MODEL: 'off',
      LLM_WARMUP_ON_STARTUP: 'false',
      VENOM_LOG_LEVEL: 'error',
      ENV_FILE: '/dev/null',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

export async function startProcess(env: Record<string, string>): Promise<VenomProcess> {
  const startedAt = performance.now();
  const child = beginProcess(env);
  let errors = '';
  child.stderr?.on('data', (bytes) => {
    errors += bytes;
  });
  const exited = once(child, 'exit');
  const url = await new Promise<string>((done, fail) => {
    let text = '';
    child.stdout?.on('data', (bytes) => {
      text += bytes;
      const line = text.split('\n').find((candidate) => candidate.includes('"listening"'));
      if (line) done(JSON.parse(line).url);
    });
    child.once('exit', (code, signal) =>
      fail(new Error(`the server ended with ${signal ?? `code ${code}`} before it listened: ${errors}`)),
    );
  });
  return {
    url,
    child,
    readyMs: performance.now() - startedAt,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async stop() {
      const stoppedAt = performance.now();
      child.kill('SIGTERM');
      const [code] = (await exited) as [number | null];
      return { code, ms: performance.now() - stoppedAt };
    },
  };
}
