// Which processes belong to a server: those it made, and theirs, also when they left its group or lost their parent.
// From /proc; where there is none, only the process group is known.
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessId {
  pid: number;
  /** Of the process, so that a reused PID is not taken for it; null where the platform does not tell. */
  startTicks: string | null;
}

/** Of nearly every machine Node runs on; a limit on memory is no ruler. */
const PAGE_BYTES = 4_096;

/** Carried by a server and inherited by whatever it starts. */
export const MARK_VARIABLE = 'VENOM_SERVER_MARK';

export function alive({ pid, startTicks: started }: ProcessId): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return started === null || startTicks(pid) === started;
}

/** The 22nd field of /proc/PID/stat; a zombie counts as gone. @see proc(5) */
export function startTicks(pid: number): string | null {
  const stat = readStat(pid);
  return stat && (stat.state === 'Z' ? 'gone' : stat.startTicks);
}

/** What descends from `root`, where that lives still, or carries the mark; without `root` itself. */
export function processTree(root: number | null, mark: string): ProcessId[] {
  const all = processes();
  const found = new Set(root === null ? [] : [root]);
  // Parents are older than their children, but numbers wrap around: gone over until nothing is added.
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  for (const { pid } of all) if (!found.has(pid) && pid !== process.pid && markOf(pid) === mark) found.add(pid);
  return all
    .filter(({ pid }) => pid !== root && found.has(pid))
    .map(({ pid, startTicks: ticks }) => ({ pid, startTicks: ticks }));
}

/** Whatever carries a mark that begins so, of whichever run. */
export const markedProcesses = (prefix: string): ProcessId[] =>
  processes()
    .filter(({ pid }) => pid !== process.pid && markOf(pid)?.startsWith(prefix))
    .map(({ pid, startTicks: ticks }) => ({ pid, startTicks: ticks }));
/**
 * Resident bytes of each root with all that descends from it, in one look at the machine. Shared pages count for each
 * process that has them. A root that is not found is left out, as all are where there is no /proc.
 */
export function treeMemoryBytes(roots: readonly number[]): ReadonlyMap<number, number> {
  const children = new Map<number, number[]>();
  const all = roots.length === 0 ? [] : processes();
  for (const { pid, parent } of all) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const known = new Set(all.map(({ pid }) => pid));
  const sum = (pid: number, depth: number): number =>
    residentBytes(pid) +
    (depth > 50 ? 0 : (children.get(pid) ?? []).reduce((total, child) => total + sum(child, depth + 1), 0));
  return new Map(roots.filter((root) => known.has(root)).map((root) => [root, sum(root, 0)]));
}

export interface ProcessUse {
  processes: number;
  memoryBytes: number;
}

/** What each of these takes together with all that descends from it, in one look; without those that are gone. */
export function processUse(roots: readonly number[]): Map<number, ProcessUse> {
  const children = new Map<number, { pid: number; memoryBytes: number }[]>();
  const all = new Map<number, { pid: number; memoryBytes: number }>();
  for (const { pid, parent, memoryBytes } of processes()) {
    const own = { pid, memoryBytes };
    all.set(pid, own);
    const siblings = children.get(parent);
    if (siblings) siblings.push(own);
    else children.set(parent, [own]);
  }
  const uses = new Map<number, ProcessUse>();
  for (const root of roots) {
    const first = all.get(root);
    if (!first) continue;
    const use = { processes: 0, memoryBytes: 0 };
    const open = [first];
    for (let next = open.pop(); next; next = open.pop()) {
      use.processes += 1;
      use.memoryBytes += next.memoryBytes;
      open.push(...(children.get(next.pid) ?? []));
    }
    uses.set(root, use);
  }
  return uses;
}

export function endProcess(id: ProcessId, signal: NodeJS.Signals): void {
  if (!alive(id)) return;
  try {
    process.kill(id.pid, signal);
  } catch {
    // Gone already.
  }
}

export function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already.
  }
}

function processes(): { pid: number; parent: number; startTicks: string; memoryBytes: number }[] {
  let names: string[];
  try {
    names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const stat = readStat(Number(name));
    return stat && stat.state !== 'Z' ? [{ pid: Number(name), ...stat }] : [];
  });
}

/** @see proc(5), /proc/PID/status */
function residentBytes(pid: number): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes ?? 0) * 1_024;
  } catch {
    return 0;
  }
}

function readStat(pid: number): { state: string; parent: number; startTicks: string; memoryBytes: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return {
      state: fields[0] ?? '',
      parent: Number(fields[1]),
      startTicks: fields[19] ?? '',
      memoryBytes: Number(fields[21]) * PAGE_BYTES,
    };
  } catch {
    return null;
  }
}

function markOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .find((entry) => entry.startsWith(`${MARK_VARIABLE}=`))
      ?.slice(MARK_VARIABLE.length + 1);
  } catch {
    return undefined;
  }
}
