// Which server processes are ours, on disk: the next boot ends what a crash of ours left behind.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alive, endGroup, endProcess, type ProcessId, processTree } from '../../shared/process-tree.js';

export class ProcessRecords {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
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
    for (const name of readdirSync(this.#dir)) {
      const mark = name.replace(/\.json$/, '');
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
