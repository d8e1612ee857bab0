// Processes under measurement: the server, the fake upstream, and what the kernel says of them.
import '../scripts/typescript-hooks.mjs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

// As `venom start` starts it.
const { SERVER_ENVIRONMENT, SERVER_NODE_FLAGS } = await import('../src/cli/server-flags.ts');
const ROOT = resolve(import.meta.dirname, '..');
const TICKS_PER_SECOND = 100;
const COLLECTED_WITHIN_MS = 10_000;

async function firstLine(child, wanted = () => true) {
  let text = '';
  for await (const bytes of child.stdout) {
    text += bytes;
    const line = text.split('\n').find((candidate) => candidate && wanted(candidate));
    if (line && text.includes('\n')) return line;
  }
  throw new Error('the process ended without its line');
}

export async function startUpstream(tokens, delayMs = 0) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'upstream.mjs'), String(tokens), String(delayMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = Number(await firstLine(child));
  return { port, child, stop: () => end(child) };
}

export async function startVenom(env) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...SERVER_NODE_FLAGS, join(ROOT, 'dist', 'server', 'main.js')], {
    env: {
      ...SERVER_ENVIRONMENT,
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PORT: '0',
      VENOM_STARTER_MODEL: 'off',
      LLM_WARMUP_ON_STARTUP: 'false',
      VENOM_LOG_LEVEL: 'error',
      ENV_FILE: '/dev/null',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await firstLine(child, (text) => text.includes('"listening"'));
  const readyMs = performance.now() - startedAt;
  const { url } = JSON.parse(line);
  child.stdout.resume();
  return { url, port: Number(new URL(url).port), pid: child.pid, readyMs, child, stop: () => end(child) };
}

async function end(child) {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** User and system time of a process so far, in milliseconds. Linux only. */
export function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1_000;
}

/** Bytes a process caused to be written to storage, in whole pages. Linux only. */
export const writtenBytes = (pid) => Number(/^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))[1]);

export const residentMegabytes = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1_024;

/** Settings of a server that writes down how much memory it has. @param file  where to, a line of JSON each time */
export const probed = (file) => ({
  NODE_OPTIONS: `--import ${join(import.meta.dirname, 'memory-probe.mjs')}`,
  VENOM_MEMORY_SAMPLES: file,
});

export const memorySamples = (file) =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : [];

/** What is left after a full collection that is asked for now, in megabytes. */
export async function collectedMemory({ pid }, file) {
  const asked = () => memorySamples(file).filter(({ kind }) => kind === 'asked');
  const before = asked().length;
  process.kill(pid, 'SIGUSR2');
  for (let waitedMs = 0; waitedMs < COLLECTED_WITHIN_MS; waitedMs += 20) {
    await new Promise((resolved) => setTimeout(resolved, 20));
    const taken = asked();
    if (taken.length > before) return taken.at(-1);
  }
  throw new Error('the server did not collect');
}
