// systemctl as a program on PATH: it knows one unit, keeps its state in a file, and starts the unit's process itself.
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SystemctlStandIn {
  /** To be put on PATH. */
  folder: string;
  path: string;
  /** One line per call: its arguments. */
  calls(): string[];
}

/** @param command  what the unit runs */
export function installSystemctl(folder: string, unit: string, command: readonly string[]): SystemctlStandIn {
  const path = join(folder, 'systemctl');
  const state = join(folder, 'systemctl.pid');
  const log = join(folder, 'systemctl.calls');
  writeFileSync(
    path,
    `#!${process.execPath}
const { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { spawn } = require('node:child_process');
const words = process.argv.slice(2);
appendFileSync(${JSON.stringify(log)}, words.join(' ') + '\\n');
const unit = words.at(-1);
const verb = words.find((word) => !word.startsWith('--'));
const pid = existsSync(${JSON.stringify(state)}) ? Number(readFileSync(${JSON.stringify(state)}, 'utf8')) : 0;
const known = unit === ${JSON.stringify(unit)};
const stop = () => { try { process.kill(pid, 'SIGKILL'); } catch {} rmSync(${JSON.stringify(state)}, { force: true }); };
const start = () => {
  const [program, ...rest] = ${JSON.stringify(command)};
  const child = spawn(program, rest, { detached: true, stdio: 'ignore' });
  writeFileSync(${JSON.stringify(state)}, String(child.pid));
  child.unref();
};
if (verb === 'show') {
  console.log('MainPID=' + pid);
  console.log('LoadState=' + (known ? 'loaded' : 'not-found'));
  console.log('ActiveState=' + (pid ? 'active' : 'inactive'));
} else if (!known) {
  console.error('Failed to ' + verb + ' ' + unit + ': Unit ' + unit + ' not found.');
  process.exit(5);
} else {
  if (verb !== 'start') stop();
  if (verb !== 'stop') start();
}
`,
  );
  chmodSync(path, 0o755);
  return {
    folder,
    path,
    calls: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
  };
}
