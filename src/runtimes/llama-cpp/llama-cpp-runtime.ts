// The embedded runtime: llama.cpp through node-llama-cpp, one process per model. This is the engine as the port sees it;
// ResourceGuard decides which models are in memory, model-loader.ts brings them there, answer-stream.ts reads answers.
import { cpus } from 'node:os';
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { parseKeepAlive } from '../../models/keep-alive.js';
import { type Lease, ResourceGuard } from '../../models/resource-guard.js';
import type { MemoryNeed, ScheduleLimits, ServiceClass } from '../../models/schedule-facts.js';
import { abortable } from '../../shared/abortable.js';
import { AppError } from '../../shared/errors.js';
import { BatchLanguageModel } from '../batch-language-model.js';
import type { GenericParams } from '../call-params.js';
import type { AdaptedParams } from '../generation-params.js';
import type {
  EmbedInput,
  EmbedTreatment,
  LoadedModelInfo,
  MeasuredMemory,
  ModelDescription,
  PromptToCount,
  Runtime,
  RuntimeHealth,
  RuntimeModel,
  SchedulerState,
} from '../runtime.js';
import { streamAnswer } from './answer-stream.js';
import type { InferenceProcess } from './inference-process.js';
import { memoryNeed, wantedContext } from './memory-estimate.js';
import { type ModelFile, ModelFiles, parameterSize } from './model-files.js';
import { type EmbeddedModel, ModelLoader, type ModelLoaderOptions } from './model-loader.js';
import { type MeasurementStore, ModelMeasurements } from './model-measurements.js';
import { heardThink, toThink } from './thoughts/thought-traits.js';
import { adaptToLlamaCpp, samplingDefaults, toGenerateOrder, toMessages } from './to-generate-order.js';
import { toToolOrder } from './tool-calls/tool-order.js';

const QUEUE_LIMIT = 64;
/** How long a model waits for its client to come back with the next question. */
const LINGER_MS = 250;
/** Whoever waits longer for another model lets no newcomer pass. */
const PATIENCE_MS = { interactive: 10_000, background: 30_000 };

export interface LlamaCppRuntimeOptions extends Omit<ModelLoaderOptions, 'files' | 'measurements'> {
  modelsDir: string;
  measurements: MeasurementStore;
  /** `LLM_KEEP_ALIVE`. */
  keepAlive: string;
  /** What was set for one model, in the same form; empty where nothing was. */
  keepAlives?: { get(modelName: string): string; set(modelName: string, keepAlive: string): void };
  /** Never thrown out to make room. */
  pinned?: (modelName: string) => boolean;
  limits?: Partial<ScheduleLimits>;
}

/** How a request wants to be treated, from `providerOptions.venom`. */
interface Treatment {
  serviceClass: ServiceClass;
  mayEvict?: boolean;
  keepAliveMs: number | undefined;
}

export class LlamaCppRuntime implements Runtime {
  readonly provider = 'llama-cpp';
  readonly endpoint = null;
  readonly #options: LlamaCppRuntimeOptions;
  readonly #files: ModelFiles;
  readonly #measurements: ModelMeasurements;
  readonly #guard: ResourceGuard<EmbeddedModel>;
  #version: string | null = null;

  constructor(options: LlamaCppRuntimeOptions) {
    this.#options = options;
    this.#files = new ModelFiles(options.modelsDir, this.provider, (path, reason) =>
      options.logger?.warn({ path, reason }, 'a model file was refused'),
    );
    this.#measurements = new ModelMeasurements(options.measurements);
    const keepAliveMs = keepAliveSetting(options.keepAlive);
    this.#guard = new ResourceGuard({
      host: new ModelLoader({ ...options, files: this.#files, measurements: this.#measurements }),
      limits: {
        loadedModels: 0,
        memoryBytes: 0,
        queued: QUEUE_LIMIT,
        busyModels: cpus().length,
        lingerMs: LINGER_MS,
        patienceMs: PATIENCE_MS,
        ...options.limits,
      },
      keepAliveMs: (model) => {
        const own = options.keepAlives?.get(model);
        return own ? parseKeepAlive(own) : keepAliveMs;
      },
      ...(options.pinned ? { pinned: options.pinned } : {}),
      logger: options.logger,
    });
  }

  languageModel(modelName: string): LanguageModelV4 {
    return new BatchLanguageModel(this.provider, modelName, (options) => this.streamBatches(modelName, options));
  }

  async streamBatches(
    modelName: string,
    options: LanguageModelV4CallOptions,
  ): Promise<AsyncIterable<readonly LanguageModelV4StreamPart[]>> {
    const file = await this.#files.find(modelName);
    const order = toGenerateOrder(options, samplingDefaults(modelName, file.header.parameters), file.header.thoughts);
    const lease = await this.#acquire(file, this.#treatment(options), options.abortSignal);
    return answer(lease, order, options.abortSignal);
  }

  adaptParams(modelName: string, params: GenericParams): AdaptedParams {
    const header = this.#files.knownHeader(modelName);
    return adaptToLlamaCpp(
      params,
      header && { defaults: samplingDefaults(modelName, header.parameters), thoughts: header.thoughts },
    );
  }

  listModels(): Promise<RuntimeModel[]> {
    return this.#files.list();
  }

  async health(): Promise<RuntimeHealth> {
    const { swaps, queue } = this.#guard.state();
    const counts = { swaps, waiting: queue.length };
    const { models } = this.#guard;
    // Older readers know of one model: the one that was loaded last.
    const newest = models.at(-1);
    if (!newest)
      return { state: 'ready', latencyMs: 0, error: null, details: { loaded: null, cores: cpus().length, ...counts } };
    const details = {
      loaded: newest.name,
      ...figures(newest),
      models: models.map((model) => ({ name: model.name, ...figures(model) })),
      ...counts,
    };
    return { state: 'online', latencyMs: 0, error: null, details };
  }

  async embed(
    modelName: string,
    inputs: readonly EmbedInput[],
    signal?: AbortSignal,
    treatment: EmbedTreatment = {},
  ): Promise<{ vectors: number[][]; tokens: number }> {
    const serviceClass = treatment.background ? 'background' : 'interactive';
    const lease = await this.#acquire(await this.#files.find(modelName), { serviceClass }, signal);
    let abort = () => {};
    try {
      return await new Promise((resolve, reject) => {
        const asked = lease.model.process.ask(
          { type: 'embed', inputs: [...inputs], truncate: treatment.truncate ?? false },
          (answer) => {
            if (answer instanceof AppError) reject(answer);
            else if (answer.type === 'vectors') resolve({ vectors: answer.vectors, tokens: answer.tokens });
            else if (answer.type === 'failed') reject(new AppError(answer.code, answer.message));
          },
        );
        abort = () => {
          asked.cancel();
          reject(new AppError('cancelled', 'The request was stopped.'));
        };
        signal?.addEventListener('abort', abort, { once: true });
        if (signal?.aborted) abort();
      });
    } finally {
      signal?.removeEventListener('abort', abort);
      lease.release();
    }
  }

  async countPromptTokens(modelName: string, call: PromptToCount, signal?: AbortSignal): Promise<number> {
    const messages = call.prompt.flatMap(toMessages);
    const tools = toToolOrder(call);
    const file = await this.#files.find(modelName);
    const { think } = (call.providerOptions?.['venom'] ?? {}) as Record<string, unknown>;
    const heard = heardThink(toThink(think), file.header.thoughts) ?? undefined;
    const lease = await this.#acquire(file, {}, signal);
    try {
      return await counted(lease.model, { type: 'count', messages, tools, think: heard }, signal);
    } finally {
      lease.release();
    }
  }

  /** Null while the model is not in memory: nobody loads one for a count. */
  async countTokens(modelName: string, text: string, signal?: AbortSignal): Promise<number | null> {
    const model = this.#guard.models.find(({ name }) => name === modelName);
    return model ? counted(model, { type: 'count-text', text }, signal) : null;
  }

  async loaded(): Promise<LoadedModelInfo[]> {
    await this.#guard.measure();
    const { models } = this.#guard;
    return this.#guard.state().loaded.flatMap(({ name, state, bytes, idleLeftMs, answers }) => {
      if (state !== 'ready') return [];
      const model = models.find((candidate) => candidate.name === name);
      return [
        {
          name,
          sizeBytes: bytes,
          vramBytes: null,
          expiresAt: idleLeftMs === null ? null : Date.now() + idleLeftMs,
          plannedBytes: model?.plan.totalBytes ?? null,
          ...(model ? { contextLength: model.figures.contextLength } : {}),
          answers,
        },
      ];
    });
  }

  scheduler(): SchedulerState {
    return this.#guard.state();
  }

  async load(modelName: string, signal?: AbortSignal, { evict = true }: { evict?: boolean } = {}): Promise<void> {
    const treated: Partial<Treatment> = evict ? {} : { serviceClass: 'background', mayEvict: false };
    const lease = await this.#acquire(await this.#files.find(modelName), treated, signal);
    lease.release();
    const { templateProblem } = lease.model.figures;
    if (templateProblem !== null)
      throw new AppError('invalid_model', `Its chat template is broken: ${templateProblem}`);
  }

  async roomFor(modelName: string): Promise<boolean> {
    return this.#guard.roomFor(modelName, await this.#needs(await this.#files.find(modelName)));
  }

  unload(modelName: string, signal?: AbortSignal): Promise<void> {
    return this.#guard.unload(modelName, signal);
  }

  async keepAlive(modelName: string, keepAlive: string): Promise<void> {
    await this.#files.find(modelName);
    if (keepAlive !== '') parseKeepAlive(keepAlive);
    this.#options.keepAlives?.set(modelName, keepAlive);
    this.#guard.reconsider(modelName);
  }

  async measuredMemory(modelName: string): Promise<MeasuredMemory | null> {
    const { header } = await this.#files.find(modelName);
    const { plannedBytes, memoryBytes, at } = (await this.#measurements.get(modelName, header.fileBytes)) ?? {};
    return plannedBytes && memoryBytes && at ? { plannedBytes, memoryBytes, at: Date.parse(at) } : null;
  }

  async describeModel(modelName: string): Promise<ModelDescription> {
    const { header, model } = await this.#files.find(modelName);
    const loaded = this.#guard.models.find(({ name }) => name === modelName);
    return {
      contextLength: header.contextLength,
      windowLength: loaded?.figures.contextLength ?? wantedContext(header, this.#options.contextLength),
      embeddingLength: header.embeddingLength,
      parameterCount: header.parameters || null,
      capabilities: model.embedding
        ? ['embedding']
        : ['completion', ...(header.templateNamesTools ? ['tools'] : []), ...(header.thoughts ? ['thinking'] : [])],
      template: null,
      family: header.architecture,
      parameterSize: parameterSize(header.parameters) ?? null,
      quantization: header.quantization,
      license: null,
      parameters: {},
    };
  }

  /** Known once a model has been in memory. */
  async version(): Promise<string | null> {
    this.#version = this.#guard.models.at(-1)?.figures.engine ?? this.#version;
    return this.#version;
  }

  unloadAll(): Promise<void> {
    return this.#guard.unloadAll();
  }

  close(): Promise<void> {
    return this.#guard.close();
  }

  #treatment({ providerOptions }: LanguageModelV4CallOptions): Treatment {
    const { background, keepAlive } = (providerOptions?.['venom'] ?? {}) as Record<string, unknown>;
    // Direct mode sends the setting along for engines that know no other way; that is no wish of this request.
    const own = typeof keepAlive === 'string' && keepAlive !== this.#options.keepAlive ? keepAlive : undefined;
    return {
      serviceClass: background === true ? 'background' : 'interactive',
      keepAliveMs: own === undefined ? undefined : parseKeepAlive(own),
    };
  }

  async #acquire(
    file: ModelFile,
    treated: Partial<Treatment>,
    signal: AbortSignal | undefined,
  ): Promise<Lease<EmbeddedModel>> {
    return this.#guard.acquire(file.model.name, { needs: await this.#needs(file), signal, ...treated });
  }

  async #needs({ header, model }: ModelFile): Promise<MemoryNeed> {
    const { contextLength, conversations } = this.#options;
    const { wantedBytes, leastBytes } = memoryNeed(header, {
      contextLength,
      conversations,
      embedding: model.embedding,
    });
    const correction = await this.#measurements.memoryCorrection(model.name, header.fileBytes);
    return { wantedBytes: wantedBytes * correction, leastBytes: leastBytes * correction };
  }
}

/** @throws AppError `invalid_settings` */
function keepAliveSetting(text: string): number {
  try {
    return parseKeepAlive(text);
  } catch (cause) {
    const why = (cause as AppError).message;
    throw new AppError('invalid_settings', `Settings are wrong:\n  LLM_KEEP_ALIVE: ${why}`, { cause });
  }
}

function answer(
  lease: Lease<EmbeddedModel>,
  order: ReturnType<typeof toGenerateOrder>,
  signal: AbortSignal | undefined,
): AsyncIterable<readonly LanguageModelV4StreamPart[]> {
  // Whoever leaves before the first part is read never begins the loop below.
  signal?.addEventListener('abort', lease.release, { once: true });
  if (signal?.aborted) lease.release();
  return (async function* () {
    try {
      yield* streamAnswer(lease.model.process, order, signal);
    } finally {
      signal?.removeEventListener('abort', lease.release);
      lease.release();
    }
  })();
}

const figures = ({ figures: loaded, plan, tokensPerSecond, process }: EmbeddedModel) => ({
  threads: loaded.threads,
  context_length: loaded.contextLength,
  conversations: plan.conversations,
  gpu: loaded.gpu,
  tool_calls: loaded.callFamily,
  tokens_per_second: tokensPerSecond,
  estimated_memory_bytes: plan.totalBytes,
  load_ms: loaded.loadMs,
  process_id: process.pid,
});

function counted(
  { process }: EmbeddedModel,
  order: Parameters<InferenceProcess['ask']>[0] & { type: 'count' | 'count-text' },
  signal: AbortSignal | undefined,
): Promise<number> {
  const answered = new Promise<number>((resolve, reject) => {
    process.ask(order, (answer) => {
      if (answer instanceof AppError) reject(answer);
      else if (answer.type === 'counted') resolve(answer.tokens);
      else if (answer.type === 'failed') reject(new AppError(answer.code, answer.message));
    });
  });
  if (!signal) return answered;
  return abortable(answered, signal).catch((error: unknown) => {
    throw signal.aborted ? new AppError('cancelled', 'The request was stopped.', { cause: error }) : error;
  });
}
