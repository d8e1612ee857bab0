// Which processes are ours, on disk and in the marks they carry: the next boot ends what a crash of ours left behind.
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  alive,
  endGroup,
  endProcess,
  markedProcesses,
  type ProcessId,
  processTree,
} from '../../shared/process-tree.js';

/** Of this data folder and no other's, whatever that is called there. */
const INSTANCE_FILE = 'instance';
const RECORD = /\.json$/;

export class ProcessRecords {
  readonly #dir: string;
  readonly #instance: string;

  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.#instance = instanceOf(join(dir, INSTANCE_FILE));
  }

  /** For one process and whatever it starts; found by the next boot even if we die before it is written down. */
  newMark(): string {
    return `${this.#instance}.${randomUUID()}`;
  }

  /** On disk when it returns. */
  remember(mark: string, id: ProcessId): void {
    writeFileSync(this.#path(mark), JSON.stringify(id), { mode: 0o600 });
  }

  forget(mark: string): void {
    rmSync(this.#path(mark), { force: true });
  }

  /**
   * A number may belong to somebody else by now: the process is ours only with the recorded start time, its children only
   * with the mark they inherited.
   * @returns how many were ended
   */
  endLeftovers(): number {
    let ended = 0;
    for (const name of readdirSync(this.#dir).filter((file) => RECORD.test(file))) {
      const mark = name.replace(RECORD, '');
      const id = this.#read(name);
      const ours = id !== undefined && alive(id);
      const tree = processTree(ours ? id.pid : null, mark);
      if (ours) {
        endGroup(id.pid, 'SIGKILL');
        endProcess(id, 'SIGKILL');
        ended += 1;
      }
      for (const child of tree) endProcess(child, 'SIGKILL');
      ended += tree.length;
      rmSync(join(this.#dir, name), { force: true });
    }
    for (const id of markedProcesses(`${this.#instance}.`)) {
      endProcess(id, 'SIGKILL');
      ended += 1;
    }
    return ended;
  }

  #read(name: string): ProcessId | undefined {
    try {
      const { pid, startTicks } = JSON.parse(readFileSync(join(this.#dir, name), 'utf8'));
      return Number.isInteger(pid) && pid > 1 && typeof startTicks === 'string' ? { pid, startTicks } : undefined;
    } catch {
      return undefined;
    }
  }

  #path(mark: string): string {
    return join(this.#dir, `${mark}.json`);
  }
}

function instanceOf(path: string): string {
  const known = existsSync(path) ? readFileSync(path, 'utf8') : '';
  // One that a crash cut short would stand for everybody's marks.
  if (known.length === randomUUID().length) return known;
  const instance = randomUUID();
  writeFileSync(path, instance, { mode: 0o600 });
  return instance;
}
