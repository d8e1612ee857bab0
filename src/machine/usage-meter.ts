// CPU, memory, disk and GPU of this machine, as they are now.
import { execFile } from 'node:child_process';
import { readdir, readFile, stat, statfs } from 'node:fs/promises';
import { cpus, freemem, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { ModelDisk, UsageMeter, UsageSample } from '../models/ports.js';

const KEEP_MS = 1_000;
const MEBIBYTE = 1_048_576;
const run = promisify(execFile);

interface CpuTimes {
  idle: number;
  total: number;
}

export class MachineUsage implements UsageMeter {
  readonly #modelsDir: string;
  /** Of the sample before; the first one tells what was since the machine's own start. */
  #cpu: CpuTimes = { idle: 0, total: 0 };
  #last: { at: number; sample: UsageSample } | undefined;
  #gpuPresent: boolean | undefined;
  #network: { at: number; bytes: number } | undefined;

  constructor(modelsDir: string) {
    this.#modelsDir = modelsDir;
  }

  async sample(): Promise<UsageSample> {
    if (this.#last && performance.now() - this.#last.at < KEEP_MS) return this.#last.sample;
    const now = cpuTimes();
    const total = now.total - this.#cpu.total;
    const cpuPercent = total > 0 ? (1 - (now.idle - this.#cpu.idle) / total) * 100 : 0;
    this.#cpu = now;
    const [disk, modelsBytes, gpu, available, networkBytes] = await Promise.all([
      statfs(this.#modelsDir),
      folderBytes(this.#modelsDir),
      this.#gpu(),
      availableMemory(),
      networkTotal(),
    ]);
    const networkPercent = this.#networkPercent(networkBytes);
    const sample: UsageSample = {
      cpuPercent: Math.min(100, Math.max(0, cpuPercent)),
      memoryTotalBytes: totalmem(),
      memoryUsedBytes: totalmem() - available,
      diskTotalBytes: disk.blocks * disk.bsize,
      diskUsedBytes: (disk.blocks - disk.bfree) * disk.bsize,
      diskMount: this.#modelsDir,
      modelsBytes,
      gpu,
      networkPercent,
    };
    this.#last = { at: performance.now(), sample };
    return sample;
  }

  #networkPercent(bytes: number | null): number | null {
    const former = this.#network;
    this.#network = bytes === null ? undefined : { at: performance.now(), bytes };
    if (bytes === null || !former) return bytes === null ? null : 0;
    const perSecond = Math.max(0, bytes - former.bytes) / Math.max(0.1, (performance.now() - former.at) / 1_000);
    // Logarithmic, so that a chat's few kilobytes are seen beside a download's megabytes.
    return Math.min(100, Math.round((Math.log10(1 + perSecond) / 7) * 1_000) / 10);
  }

  async #gpu(): Promise<UsageSample['gpu']> {
    if (this.#gpuPresent === false) return null;
    try {
      const { stdout } = await run(
        'nvidia-smi',
        ['--query-gpu=utilization.gpu,memory.used,memory.total', '--format=csv,noheader,nounits'],
        { timeout: 2_000 },
      );
      const rows = stdout
        .trim()
        .split('\n')
        .map((line) => line.split(',').map(Number));
      this.#gpuPresent = true;
      const sum = (index: number) => rows.reduce((all, row) => all + (row[index] ?? 0), 0);
      return { percent: sum(0) / rows.length, vramUsedBytes: sum(1) * MEBIBYTE, vramTotalBytes: sum(2) * MEBIBYTE };
    } catch {
      this.#gpuPresent ??= false;
      return null;
    }
  }
}

function cpuTimes(): CpuTimes {
  let idle = 0;
  let total = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    total += times.user + times.nice + times.sys + times.idle + times.irq;
  }
  return { idle, total };
}

/** Bytes a new process could take without swapping: on Linux this counts the page cache, which `freemem` does not. */
export async function availableMemory(): Promise<number> {
  try {
    const line = /MemAvailable:\s+(\d+) kB/.exec(await readFile('/proc/meminfo', 'utf8'));
    return line ? Number(line[1]) * 1_024 : freemem();
  } catch {
    return freemem();
  }
}

/** Bytes a file could take where the folder is. */
/** The disk that holds a folder, or will hold it: one that does not exist yet is made below the nearest that does. */
export async function diskOf(folder: string): Promise<ModelDisk> {
  let place = resolve(folder);
  for (;;) {
    try {
      const [{ dev }, disk] = await Promise.all([stat(place), statfs(place)]);
      return { id: String(dev), freeBytes: disk.bavail * disk.bsize };
    } catch (error) {
      const above = dirname(place);
      if (above === place) throw error;
      place = above;
    }
  }
}

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile())
      bytes += await stat(join(entry.parentPath, entry.name)).then(
        ({ size }) => size,
        () => 0,
      );
  }
  return bytes;
}

/** Bytes in and out over all interfaces but loopback; null where the platform does not say. */
async function networkTotal(): Promise<number | null> {
  const text = await readFile('/proc/net/dev', 'utf8').catch(() => null);
  if (text === null) return null;
  return text
    .split('\n')
    .map((line) => /^\s*([^:\s]+):\s*(.+)$/.exec(line))
    .filter((match) => match !== null && match[1] !== 'lo')
    .reduce((sum, match) => {
      const fields = match?.[2]?.trim().split(/\s+/).map(Number) ?? [];
      return sum + (fields[0] ?? 0) + (fields[8] ?? 0);
    }, 0);
}
