// What was measured of a model on this machine: the threads that suit it, its speed, the memory it took. One record per file.
import { createHash } from 'node:crypto';
import { cpus } from 'node:os';

/** Where records are kept across restarts. */
export interface MeasurementStore {
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<void>;
}

export interface ModelMeasurement {
  threads?: number;
  tokensPerSecond?: number;
  /** What was planned for it from its header alone, and what it then took. */
  plannedBytes?: number;
  memoryBytes?: number;
  /** ISO 8601, UTC. */
  at: string;
}

/** A record may say less than the truth, when pages of the weights were not in memory at that moment. */
const LEAST_CORRECTION = 0.8;
const MOST_CORRECTION = 4;

export class ModelMeasurements {
  readonly #store: MeasurementStore;

  constructor(store: MeasurementStore) {
    this.#store = store;
  }

  async get(name: string, fileBytes: number): Promise<ModelMeasurement | undefined> {
    const stored = await this.#store.get(keyOf(name, fileBytes));
    return stored ? (JSON.parse(stored) as ModelMeasurement) : undefined;
  }

  async add(name: string, fileBytes: number, measured: Omit<ModelMeasurement, 'at'>): Promise<void> {
    const record = { ...(await this.get(name, fileBytes)), ...measured, at: new Date().toISOString() };
    await this.#store.set(keyOf(name, fileBytes), JSON.stringify(record));
  }

  /** What an estimate from the header has to be multiplied with; 1 until the model was loaded here. */
  async memoryCorrection(name: string, fileBytes: number): Promise<number> {
    const { plannedBytes, memoryBytes } = (await this.get(name, fileBytes)) ?? {};
    if (!plannedBytes || !memoryBytes) return 1;
    return Math.min(MOST_CORRECTION, Math.max(LEAST_CORRECTION, memoryBytes / plannedBytes));
  }
}

const MACHINE = `${cpus().length}|${cpus()[0]?.model}`;
const keys = new Map<string, string>();
const KEYS_KEPT = 1_000;

/** Of the file and of the processor, because another machine with the same data has other figures. */
function keyOf(name: string, fileBytes: number): string {
  const of = `${name}|${fileBytes}|${MACHINE}`;
  let key = keys.get(of);
  if (!key) {
    if (keys.size >= KEYS_KEPT) keys.clear();
    key = `threads:${createHash('sha256').update(of).digest('hex').slice(0, 16)}`;
    keys.set(of, key);
  }
  return key;
}
