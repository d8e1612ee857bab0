// Loads model files into inference processes, one process per model: plans the memory, remembers what was measured, gives
// up on a model that crashes again and again. When to load and unload is ResourceGuard's affair.
import { readFile } from 'node:fs/promises';
import { cpus, freemem } from 'node:os';
import type { HostedModel, ModelHost } from '../../models/model-host.js';
import { AppError } from '../../shared/errors.js';
import { readGguf } from './gguf-check.js';
import { InferenceProcess, type LoadedFigures } from './inference-process.js';
import { type LoadPlan, planLoad } from './memory-estimate.js';
import type { ModelFiles } from './model-files.js';
import type { ModelMeasurements } from './model-measurements.js';

const CRASHES_ALLOWED = 5;
const CRASH_WINDOW_MS = 60_000;

export interface ModelLoaderOptions {
  files: ModelFiles;
  /** The bundled inference process. */
  workerPath: string;
  /** Tokens per conversation; chosen from model and memory when absent. */
  contextLength?: number | undefined;
  /** At once per model, where memory allows. */
  conversations?: number | undefined;
  /** Measured at first load when absent. */
  threads?: number | undefined;
  measurements: ModelMeasurements;
  logger?: { info(object: object, text: string): void; warn(object: object, text: string): void };
  availableMemoryBytes?: () => Promise<number>;
}

/** A model in its process. */
export class EmbeddedModel implements HostedModel {
  readonly name: string;
  readonly process: InferenceProcess;
  readonly figures: LoadedFigures;
  readonly plan: LoadPlan;
  readonly tokensPerSecond: number | null;
  #threadLimit = 0;

  constructor(
    name: string,
    process: InferenceProcess,
    figures: LoadedFigures,
    plan: LoadPlan,
    tokensPerSecond: number | null,
  ) {
    this.name = name;
    this.process = process;
    this.figures = figures;
    this.plan = plan;
    this.tokensPerSecond = tokensPerSecond;
  }

  get conversations(): number {
    return this.plan.conversations;
  }

  get processId(): number | undefined {
    return this.process.pid;
  }

  async measure(): Promise<{ bytes: number; freesBytes: number }> {
    const resident = await residentBytes(this.process.pid);
    return resident ?? { bytes: this.plan.totalBytes, freesBytes: this.plan.totalBytes };
  }

  onGone(listener: () => void): void {
    this.process.onCrash(listener);
  }

  end(): Promise<void> {
    return this.process.end();
  }

  /** 0 = as many as were measured to be best. */
  limitThreads(limit: number): void {
    if (limit === this.#threadLimit || this.figures.gpu !== null) return;
    this.#threadLimit = limit;
    this.process.limitThreads(limit);
  }
}

export class ModelLoader implements ModelHost<EmbeddedModel> {
  readonly #options: ModelLoaderOptions;
  readonly #crashes = new Map<string, number[]>();
  #busy = 0;
  /** Counts whenever a model begins or ends to answer. */
  #busyChanges = 0;

  constructor(options: ModelLoaderOptions) {
    this.#options = options;
  }

  freeBytes(): Promise<number> {
    return (this.#options.availableMemoryBytes ?? (async () => freemem()))();
  }

  /** @throws AppError `model_not_found`, `invalid_model`, `insufficient_memory`, `runtime_crashed`, `cancelled` */
  async load(name: string, roomBytes: number, signal: AbortSignal): Promise<EmbeddedModel> {
    if (this.#recentCrashes(name).length >= CRASHES_ALLOWED)
      throw new AppError(
        'runtime_crashed',
        `The inference process of ${name} crashed ${CRASHES_ALLOWED} times within a minute; it is left alone for a while.`,
      );
    const { path, model } = await this.#options.files.find(name);
    // Read again: the file may have been changed since it was listed.
    const header = await readGguf(path);
    const { contextLength, conversations, threads: setThreads, measurements } = this.#options;
    const measured = await measurements.get(name, header.fileBytes);
    const correction = await measurements.memoryCorrection(name, header.fileBytes);
    const wishes = { contextLength, conversations, embedding: model.embedding };
    const plan = planLoad(header, roomBytes / correction, wishes);
    // Threads that are measured beside another model's answer would be wrong for ever; half of the cores will do till then.
    const quietSince = this.#busyChanges;
    const makeshift = this.#busy > 0 ? Math.max(1, Math.floor(cpus().length / 2)) : null;
    const { process, figures } = await InferenceProcess.start(
      this.#options.workerPath,
      {
        type: 'load',
        path,
        contextLength: plan.contextLength,
        sequences: plan.conversations,
        threads: setThreads ?? measured?.threads ?? (model.embedding ? 1 : makeshift),
        embedding: model.embedding,
      },
      signal,
    ).catch((error) => {
      if (error instanceof AppError && error.code === 'runtime_crashed') this.#crashed(name);
      throw error;
    });
    process.onCrash(() => this.#crashed(name));
    const { threads, tokensPerSecond } = figures;
    const memoryBytes = (await residentBytes(process.pid))?.bytes;
    await measurements.add(name, header.fileBytes, {
      ...(tokensPerSecond !== null && quietSince === this.#busyChanges ? { threads, tokensPerSecond } : {}),
      ...(memoryBytes === undefined ? {} : { plannedBytes: plan.totalBytes, memoryBytes }),
    });
    this.#options.logger?.info(
      { model: name, threads: figures.threads, context: figures.contextLength, load_ms: figures.loadMs },
      'model loaded',
    );
    return new EmbeddedModel(name, process, figures, plan, tokensPerSecond ?? measured?.tokensPerSecond ?? null);
  }

  /** The kernel kills without a word, and llama.cpp aborts when an allocation fails. */
  ranOutOfMemory({ code, message, details }: AppError): boolean {
    if (code === 'insufficient_memory') return true;
    if (code !== 'runtime_crashed' && code !== 'invalid_model') return false;
    if (details?.['signal'] === 'SIGKILL' || details?.['signal'] === 'SIGABRT') return true;
    return /out of memory|bad_alloc|failed to allocate|failed to create context|not enough (memory|vram)/i.test(
      message,
    );
  }

  /** Two processes with a thread per core each are ten times slower than with half of the cores each. */
  onBusy(models: readonly EmbeddedModel[]): void {
    this.#busy = models.length;
    this.#busyChanges += 1;
    const share = models.length > 1 ? Math.max(1, Math.floor(cpus().length / models.length)) : 0;
    for (const model of models) model.limitThreads(share);
  }

  #crashed(name: string): void {
    const crashes = [...this.#recentCrashes(name), performance.now()].slice(-CRASHES_ALLOWED);
    this.#crashes.set(name, crashes);
    this.#options.logger?.warn({ model: name, crashes: crashes.length }, 'an inference process crashed');
  }

  #recentCrashes(name: string): number[] {
    const now = performance.now();
    return (this.#crashes.get(name) ?? []).filter((at) => now - at < CRASH_WINDOW_MS);
  }
}

/**
 * What the inference process really holds, weights it has mapped included, and of that what nobody else can have while it
 * lives; null where the platform does not say.
 */
async function residentBytes(pid: number | undefined): Promise<{ bytes: number; freesBytes: number } | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const value = (name: string) => {
    const line = new RegExp(`${name}:\\s+(\\d+) kB`).exec(status);
    return line ? Number(line[1]) * 1_024 : null;
  };
  const bytes = value('VmRSS');
  return bytes === null ? null : { bytes, freesBytes: value('RssAnon') ?? bytes };
}
