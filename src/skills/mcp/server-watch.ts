// What running servers take of the machine: too many processes, too much memory or disk ends them at once. One look at all
// of them together, and none while no server runs.
import { folderSize } from '../../shared/folder-size.js';
import { processUse } from '../../shared/process-tree.js';

const LOOK_EVERY_MS = 1_000;
/** Of a folder, which takes longer. */
const MEASURE_EVERY_LOOKS = 5;
const FILES_MAX = 100_000;

export interface ServerUseLimits {
  processes: number;
  memoryBytes: number;
  diskBytes: number;
}

interface Watched {
  pid: number;
  /** The folder of its own. */
  folder: string | null;
  onTooMuch: (reason: string) => void;
}

export class ServerWatch {
  readonly #limits: ServerUseLimits;
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;
  #looks = 0;

  constructor(limits: ServerUseLimits) {
    this.#limits = limits;
  }

  /** @returns stops watching it */
  watch(watched: Watched): () => void {
    this.#watched.add(watched);
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
    return () => {
      this.#watched.delete(watched);
      if (this.#watched.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  #look(): void {
    const { processes, memoryBytes } = this.#limits;
    this.#looks += 1;
    const measure = this.#looks % MEASURE_EVERY_LOOKS === 0;
    const uses = processUse([...this.#watched].map(({ pid }) => pid));
    for (const watched of this.#watched) {
      const use = uses.get(watched.pid);
      if (use && use.processes > processes) watched.onTooMuch(`${use.processes} processes, and may have ${processes}`);
      else if (use && use.memoryBytes > memoryBytes)
        watched.onTooMuch(`${megabytes(use.memoryBytes)} of memory, and may have ${megabytes(memoryBytes)}`);
      else if (measure) void this.#measure(watched);
    }
  }

  async #measure(watched: Watched): Promise<void> {
    const { diskBytes } = this.#limits;
    if (watched.folder === null) return;
    const { bytes, files } = await folderSize([watched.folder], { bytes: diskBytes, files: FILES_MAX });
    if (!this.#watched.has(watched)) return;
    if (bytes > diskBytes) watched.onTooMuch(`more than ${megabytes(diskBytes)} of disk`);
    else if (files > FILES_MAX) watched.onTooMuch(`more than ${FILES_MAX} files`);
  }
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MB`;
