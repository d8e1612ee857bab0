// Gathers the facts for "Will it run here?" and keeps estimates honest by what was measured on this machine.
import type { MeasuredMemory } from '../runtimes/runtime.js';
import { AppError } from '../shared/errors.js';
import {
  type Correction,
  correctionFrom,
  estimateFit,
  estimateQuantizations,
  type Fit,
  type MachineFacts,
  type ModelShape,
} from './fit.js';
import type { ProbeReport } from './manifest.js';
import { meantModel } from './meant-model.js';
import type { ModelManager } from './model-manager.js';
import type { ModelRegistry } from './model-registry.js';
import type { InstallPlan, ModelShapes, PlannedFile } from './ports.js';

const EMBEDDED = 'llama-cpp';
const REMOTE_MS = 20_000;
const COMPARED_CONTEXT = 4_096;
const REMOTE_KEPT = 100;
const UNKNOWN_SHAPE: Omit<ModelShape, 'fileBytes'> = {
  layers: null,
  kvHeads: null,
  keyLength: null,
  valueLength: null,
  contextLength: null,
  vocabulary: null,
  parameters: 0,
  quantization: null,
};

export interface FitAdvice {
  shape: ModelShape;
  machine: MachineFacts;
  estimates: Fit[];
  quantizations: (Fit & { quantization: string })[];
  /** Of this very model, where it was tried here. */
  measured: { memoryBytes: number | null; tokensPerSecond: number | null; at: number } | null;
  /** What estimates were multiplied with because of it. */
  correction: Correction;
  /** The plan the engine would load it with. */
  planned: {
    contextLength: number;
    conversations: number;
    /** From the header alone. */
    firstBytes: number;
    /** Corrected by what was measured; the same as the first until it was tried here. */
    secondBytes: number;
  } | null;
}

export interface FitAdvisorOptions {
  models: ModelManager;
  registry: () => ModelRegistry;
  shapes: ModelShapes;
  machine: () => Promise<Omit<MachineFacts, 'bytesPerSecond'>>;
  /** What the embedded engine may take of memory at most; 0 = what is free. */
  memoryLimitBytes?: number;
  /** Tokens of one conversation that the engine is set to; chosen from the model when absent. */
  contextLength?: number | undefined;
}

export class FitAdvisor {
  readonly #options: FitAdvisorOptions;
  readonly #remote = new Map<string, ModelShape>();

  constructor(options: FitAdvisorOptions) {
    this.#options = options;
  }

  /** @throws AppError `model_not_found`, `unsupported` where an engine keeps the weights itself, `invalid_model` */
  async installed(name: string, runtime?: string): Promise<FitAdvice> {
    const found = await meantModel(this.#options.models, name, runtime);
    if (!found.model.path || found.model.format !== 'gguf')
      throw new AppError('unsupported', `${found.runtime.provider} keeps ${name} itself; its header cannot be read.`);
    const probe = this.#options.registry().manifest(name, found.runtime.provider)?.probe ?? null;
    const memory = (await found.runtime.measuredMemory?.(name)) ?? null;
    return this.#advise(await this.#options.shapes.local(found.model.path), found.runtime.provider, probe, memory);
  }

  /** Before the first byte of its weights is fetched. @throws AppError as the source does */
  async offered(name: string, provider: string): Promise<FitAdvice> {
    const signal = AbortSignal.timeout(REMOTE_MS);
    return this.ofPlan(await this.#options.registry().plan(name, provider, 'llama-cpp', signal), signal);
  }

  /** @throws AppError `unsupported` where nobody can tell before the download, and as the source does */
  async ofPlan(plan: InstallPlan, signal: AbortSignal): Promise<FitAdvice> {
    return this.#advise(await this.shapeOf(plan, signal), plan.runtime, null, null);
  }

  /** @throws AppError as `ofPlan` does */
  async shapeOf(plan: InstallPlan, signal: AbortSignal): Promise<ModelShape> {
    const [file] = plan.files;
    // Of an engine that fetches by itself only the size is known: weights without their cache.
    if (!file && plan.totalBytes > 0) return { ...UNKNOWN_SHAPE, fileBytes: plan.totalBytes };
    if (!file || plan.runtime !== 'llama-cpp')
      throw new AppError('unsupported', `${plan.provider} does not say which file it would be.`);
    const shape = file.shape ?? (await this.#remoteShape(file, signal));
    // A model in parts has its header in the first, and its weights in all of them.
    return { ...shape, fileBytes: plan.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
  }

  /** What this machine has, and how fast it was seen to be. */
  async facts(): Promise<MachineFacts> {
    return { ...(await this.#options.machine()), bytesPerSecond: this.#bytesPerSecond() };
  }

  /** The same as far as an engine may use it. */
  within(machine: MachineFacts, runtime: string): MachineFacts {
    const limit = this.#options.memoryLimitBytes ?? 0;
    if (runtime !== EMBEDDED || limit <= 0) return machine;
    return { ...machine, availableBytes: Math.min(machine.availableBytes, limit) };
  }

  /** A header costs megabytes of somebody's network; its address is pinned, so what it says stays true. */
  async #remoteShape(file: PlannedFile, signal: AbortSignal): Promise<ModelShape> {
    const key = `${file.url} ${file.sizeBytes} ${file.sha256 ?? ''}`;
    const known = this.#remote.get(key);
    // A file of this machine costs nothing to read, and may change under its name.
    if (known && !file.url.startsWith('file:')) return known;
    const shape = await this.#options.shapes.remote(file, signal);
    if (this.#remote.size >= REMOTE_KEPT) this.#remote.delete(this.#remote.keys().next().value as string);
    this.#remote.set(key, shape);
    return shape;
  }

  async #advise(
    shape: ModelShape,
    runtime: string,
    probe: ProbeReport | null,
    memory: MeasuredMemory | null,
  ): Promise<FitAdvice> {
    const machine = this.within(await this.facts(), runtime);
    const plain = estimateFit(shape, machine);
    const wanted = this.#options.contextLength ?? COMPARED_CONTEXT;
    const compared = plain.find(({ contextLength }) => contextLength >= wanted) ?? plain.at(-1);
    // Measured against the plan it was loaded with: by now there may be memory for more conversations, or for fewer.
    const planned = compared && {
      ...compared,
      totalBytes: memory?.plannedBytes ?? compared.totalBytes,
    };
    const measured =
      memory || probe
        ? {
            memoryBytes: memory?.memoryBytes ?? probe?.memoryBytes ?? null,
            tokensPerSecond: probe?.tokensPerSecond ?? null,
            at: Math.max(memory?.at ?? 0, probe?.at ?? 0),
          }
        : null;
    const correction = measured && planned ? correctionFrom(planned, measured) : { memory: 1, speed: 1 };
    return {
      shape,
      machine,
      estimates: estimateFit(shape, machine, correction),
      quantizations: estimateQuantizations(shape, compared?.contextLength ?? COMPARED_CONTEXT, machine, correction),
      measured,
      correction,
      planned: compared
        ? {
            contextLength: compared.contextLength,
            conversations: compared.conversations,
            firstBytes: compared.totalBytes,
            secondBytes: Math.round(compared.totalBytes * correction.memory),
          }
        : null,
    };
  }

  /** How fast this machine reads weights, from the newest model of the embedded engine that was tried here. */
  #bytesPerSecond(): number | null {
    const tried = this.#options
      .registry()
      .manifests()
      .filter(({ runtime, probe, sizeBytes }) => runtime === 'llama-cpp' && probe?.tokensPerSecond && sizeBytes)
      .sort((a, b) => (b.probe?.at ?? 0) - (a.probe?.at ?? 0))[0];
    return tried ? (tried.probe?.tokensPerSecond ?? 0) * (tried.sizeBytes ?? 0) : null;
  }
}
