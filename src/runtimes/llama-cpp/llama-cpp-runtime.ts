// The embedded runtime: llama.cpp through node-llama-cpp, in a process of its own. One model is loaded at a time.
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { cpus, freemem } from 'node:os';
import { basename, join } from 'node:path';
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { AppError, toAppError } from '../../shared/errors.js';
import { BatchLanguageModel } from '../batch-language-model.js';
import type { LoadedModelInfo, ModelDescription, Runtime, RuntimeHealth, RuntimeModel } from '../runtime.js';
import { type GgufHeader, readGguf } from './gguf-check.js';
import { InferenceProcess, type LoadedFigures } from './inference-process.js';
import { parseKeepAlive } from './keep-alive.js';
import { type LoadPlan, planLoad } from './memory-estimate.js';
import { samplingDefaults, toGenerateOrder } from './to-generate-order.js';

const CRASHES_ALLOWED = 5;
const CRASH_WINDOW_MS = 60_000;
const QUEUE_LIMIT = 64;
/** Whoever waits longer for another model lets no newcomer pass. */
const STARVED_AFTER_MS = 10_000;

export interface LlamaCppRuntimeOptions {
  modelsDir: string;
  /** The bundled inference process. */
  workerPath: string;
  /** `LLM_KEEP_ALIVE`. */
  keepAlive: string;
  /** Tokens per conversation; chosen from model and memory when absent. */
  contextLength?: number | undefined;
  /** Measured at first load when absent. */
  threads?: number | undefined;
  measurements: { get(key: string): Promise<string | null>; set(key: string, value: string): Promise<void> };
  logger?: { info(object: object, text: string): void; warn(object: object, text: string): void };
  availableMemoryBytes?: () => Promise<number>;
}

interface Found {
  path: string;
  model: RuntimeModel;
  /** What the header says, or why it was refused. */
  header: GgufHeader | AppError;
}

/** Requests that share one load of a model: queued A B C A B C are served as A A B B C C. */
interface Group {
  name: string;
  /** Requests that have or wait for it. */
  holds: number;
  since: number;
  ready: Promise<LoadedModel>;
}

interface LoadedModel {
  name: string;
  process: InferenceProcess;
  figures: LoadedFigures;
  plan: LoadPlan;
  tokensPerSecond: number | null;
}

export class LlamaCppRuntime implements Runtime {
  readonly provider = 'llama-cpp';
  readonly endpoint = null;
  readonly #options: LlamaCppRuntimeOptions;
  readonly #keepAliveMs: number;
  readonly #found = new Map<string, { stamp: string; found: Found }>();
  #loaded: LoadedModel | undefined;
  /** Whoever uses the loaded model now. */
  #current: Group | undefined;
  /** Whoever waits for another one, in the order in which they get it. */
  readonly #pending: Group[] = [];
  #swaps = 0;
  #turnstile: Promise<unknown> = Promise.resolve();
  #inUse = 0;
  #idle: NodeJS.Timeout | undefined;
  #idleAt: number | null = null;
  #crashes: number[] = [];
  #closed = false;

  constructor(options: LlamaCppRuntimeOptions) {
    this.#options = options;
    this.#keepAliveMs = parseKeepAlive(options.keepAlive);
  }

  languageModel(modelName: string): LanguageModelV4 {
    return new BatchLanguageModel(this.provider, modelName, (options) => this.streamBatches(modelName, options));
  }

  async streamBatches(
    modelName: string,
    options: LanguageModelV4CallOptions,
  ): Promise<AsyncIterable<readonly LanguageModelV4StreamPart[]>> {
    const found = await this.#find(modelName);
    const order = toGenerateOrder(options, samplingDefaults(found.header.parameters));
    if (this.#inUse >= QUEUE_LIMIT)
      throw new AppError('runtime_busy', `${QUEUE_LIMIT} requests wait for the embedded runtime already.`);
    const group = this.#join(modelName);
    try {
      const loaded = await whileWanted(group.ready, options.abortSignal);
      return this.#run(loaded, group, order, options.abortSignal);
    } catch (error) {
      this.#leave(group);
      throw error;
    }
  }

  async *#run(
    loaded: LoadedModel,
    group: Group,
    order: ReturnType<typeof toGenerateOrder>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<LanguageModelV4StreamPart[]> {
    const queue: LanguageModelV4StreamPart[] = [];
    let wake: () => void = () => {};
    let failure: AppError | undefined;
    let ended = false;
    const asked = loaded.process.ask(order, (answer) => {
      if (answer instanceof AppError) {
        failure = answer;
        if (answer.code === 'runtime_crashed') this.#crashed(loaded);
      } else if (answer.type === 'text') queue.push({ type: 'text-delta', id: 'text', delta: answer.text });
      else if (answer.type === 'failed') failure = new AppError(answer.code, answer.message);
      else if (answer.type === 'end') {
        ended = true;
        queue.push({
          type: 'finish',
          finishReason: { unified: answer.finish, raw: answer.finish },
          usage: {
            inputTokens: {
              total: answer.promptTokens,
              noCache: answer.promptTokens - answer.cachedTokens,
              cacheRead: answer.cachedTokens,
              cacheWrite: undefined,
            },
            outputTokens: { total: answer.completionTokens, text: answer.completionTokens, reasoning: 0 },
          },
        });
      }
      wake();
    });
    const abort = () => {
      asked.cancel();
      wake();
    };
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    try {
      for (;;) {
        if (queue.length > 0) yield queue.splice(0);
        if (signal?.aborted) throw new AppError('cancelled', 'The answer was stopped.');
        if (failure) throw failure;
        if (ended && queue.length === 0) return;
        if (queue.length === 0 && !failure) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      signal?.removeEventListener('abort', abort);
      if (!ended && !failure) asked.cancel();
      this.#leave(group);
    }
  }

  async listModels(): Promise<RuntimeModel[]> {
    return (await this.#discover()).map(({ model }) => model);
  }

  async health(): Promise<RuntimeHealth> {
    const loaded = this.#loaded;
    const details = loaded
      ? {
          loaded: loaded.name,
          threads: loaded.figures.threads,
          context_length: loaded.figures.contextLength,
          conversations: loaded.plan.sequences,
          gpu: loaded.figures.gpu,
          tokens_per_second: loaded.tokensPerSecond,
          estimated_memory_bytes: loaded.plan.totalBytes,
          load_ms: loaded.figures.loadMs,
          process_id: loaded.process.pid,
          swaps: this.#swaps,
          waiting: this.#pending.length,
        }
      : { loaded: null, cores: cpus().length, swaps: this.#swaps };
    return { state: loaded ? 'online' : 'ready', latencyMs: 0, error: null, details };
  }

  async embed(
    modelName: string,
    texts: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ vectors: number[][]; tokens: number }> {
    const group = this.#join(modelName);
    try {
      const loaded = await whileWanted(group.ready, signal);
      return await new Promise((resolve, reject) => {
        const asked = loaded.process.ask({ type: 'embed', texts: [...texts] }, (answer) => {
          if (answer instanceof AppError) reject(answer);
          else if (answer.type === 'vectors') resolve({ vectors: answer.vectors, tokens: answer.tokens });
          else if (answer.type === 'failed') reject(new AppError(answer.code, answer.message));
        });
        signal?.addEventListener('abort', () => {
          asked.cancel();
          reject(new AppError('cancelled', 'The request was stopped.'));
        });
      });
    } finally {
      this.#leave(group);
    }
  }

  async loaded(): Promise<LoadedModelInfo[]> {
    const loaded = this.#loaded;
    if (!loaded) return [];
    return [
      {
        name: loaded.name,
        sizeBytes: (await residentBytes(loaded.process.pid)) ?? loaded.plan.totalBytes,
        vramBytes: null,
        expiresAt: this.#idleAt,
      },
    ];
  }

  async load(modelName: string): Promise<void> {
    const group = this.#join(modelName);
    try {
      const { figures } = await group.ready;
      if (figures.templateProblem !== null)
        throw new AppError('invalid_model', `Its chat template is broken: ${figures.templateProblem}`);
    } finally {
      this.#leave(group);
    }
  }

  async unload(modelName: string, signal?: AbortSignal): Promise<void> {
    if (this.#loaded?.name === modelName) await this.#unloadWhenIdle(signal);
  }

  async describeModel(modelName: string): Promise<ModelDescription> {
    const { header, model } = await this.#find(modelName);
    return {
      contextLength: header.contextLength,
      capabilities: model.embedding ? ['embedding'] : ['completion'],
      template: null,
      family: header.architecture,
      parameterSize: header.parameters > 0 ? `${Math.round(header.parameters / 1_000_000)}M` : null,
      quantization: header.quantization,
      license: null,
      parameters: {},
    };
  }

  async unloadAll(): Promise<void> {
    await this.#turnstile;
    await this.#unloadWhenIdle();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#turnstile;
    await this.#end();
  }

  async #unloadWhenIdle(signal?: AbortSignal): Promise<void> {
    await this.#answersEnded(this.#loaded, signal);
    await this.#end();
  }

  // An answer is never cut for the sake of memory. Ends without a pause before what follows, so that nobody slips in.
  async #answersEnded(loaded: LoadedModel | undefined, signal?: AbortSignal): Promise<void> {
    while (this.#current && this.#current.holds > 0 && loaded?.process.alive && !this.#closed) {
      signal?.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle);
    const loaded = this.#loaded;
    this.#loaded = undefined;
    this.#current = undefined;
    await loaded?.process.end();
  }

  #join(name: string): Group {
    const group = this.#groupFor(name);
    group.holds += 1;
    this.#inUse += 1;
    this.#idleAt = null;
    clearTimeout(this.#idle);
    return group;
  }

  #groupFor(name: string): Group {
    const first = this.#pending[0];
    const starved = first !== undefined && performance.now() - first.since > STARVED_AFTER_MS;
    if (this.#current?.name === name && this.#loaded?.process.alive && !starved) return this.#current;
    const waiting = this.#pending.find((group) => group.name === name);
    if (waiting) return waiting;
    const group: Group = { name, holds: 0, since: performance.now(), ready: Promise.resolve() as never };
    this.#pending.push(group);
    group.ready = this.#turnstile.then(() => this.#switchTo(group));
    this.#turnstile = group.ready.catch(() => {});
    return group;
  }

  #leave(group: Group): void {
    group.holds -= 1;
    this.#inUse -= 1;
    if (this.#inUse > 0 || this.#keepAliveMs === Number.POSITIVE_INFINITY) return;
    clearTimeout(this.#idle);
    this.#idleAt = Date.now() + this.#keepAliveMs;
    this.#idle = setTimeout(() => {
      if (this.#inUse === 0) void this.#end();
    }, this.#keepAliveMs);
    this.#idle.unref();
  }

  #crashed(loaded: LoadedModel): void {
    if (this.#loaded === loaded) this.#loaded = undefined;
    const now = performance.now();
    this.#crashes = [...this.#crashes.filter((at) => now - at < CRASH_WINDOW_MS), now];
    this.#options.logger?.warn({ model: loaded.name, crashes: this.#crashes.length }, 'the inference process crashed');
  }

  // One load at a time, in the order of the groups.
  async #switchTo(group: Group): Promise<LoadedModel> {
    try {
      // Everybody who waited has gone: nothing is thrown out for nobody.
      if (group.holds === 0) throw new AppError('cancelled', 'Nobody waits for this model any more.');
      const loaded = await this.#load(group.name);
      this.#current = group;
      return loaded;
    } finally {
      this.#pending.splice(this.#pending.indexOf(group), 1);
    }
  }

  async #load(name: string): Promise<LoadedModel> {
    if (this.#closed) throw new AppError('shutting_down', 'The embedded runtime is stopping.');
    if (this.#loaded?.name === name && this.#loaded.process.alive) return this.#loaded;
    if (this.#crashes.filter((at) => performance.now() - at < CRASH_WINDOW_MS).length >= CRASHES_ALLOWED) {
      throw new AppError(
        'runtime_crashed',
        `The inference process crashed ${CRASHES_ALLOWED} times within a minute; it is left alone for a while.`,
      );
    }
    const found = await this.#find(name);
    // Read again: the file may have been changed since it was listed.
    const header = await readGguf(found.path);
    const former = this.#loaded;
    if (former) {
      await this.#answersEnded(former);
      this.#swaps += 1;
      await this.#end();
    }
    const available = await (this.#options.availableMemoryBytes ?? (async () => freemem()))();
    const plan = planLoad(header, available, this.#options.contextLength);
    const key = `threads:${createHash('sha256').update(`${name}|${header.fileBytes}|${cpus().length}|${cpus()[0]?.model}`).digest('hex').slice(0, 16)}`;
    const stored = await this.#options.measurements.get(key);
    const measured = stored ? (JSON.parse(stored) as { threads: number; tokensPerSecond: number | null }) : undefined;
    const { process, figures } = await InferenceProcess.start(this.#options.workerPath, {
      type: 'load',
      path: found.path,
      contextLength: plan.contextLength,
      sequences: found.model.embedding ? 1 : plan.sequences,
      threads: this.#options.threads ?? measured?.threads ?? (found.model.embedding ? 1 : null),
      embedding: found.model.embedding,
    });
    if (figures.tokensPerSecond !== null) {
      await this.#options.measurements.set(
        key,
        JSON.stringify({
          threads: figures.threads,
          tokensPerSecond: figures.tokensPerSecond,
          at: new Date().toISOString(),
        }),
      );
    }
    const loaded: LoadedModel = {
      name,
      process,
      figures,
      plan,
      tokensPerSecond: figures.tokensPerSecond ?? measured?.tokensPerSecond ?? null,
    };
    this.#loaded = loaded;
    this.#options.logger?.info(
      { model: name, threads: figures.threads, context: figures.contextLength, load_ms: figures.loadMs },
      'model loaded',
    );
    return loaded;
  }

  /** @throws AppError `model_not_found`, `invalid_model` */
  async #find(name: string): Promise<Found & { header: GgufHeader }> {
    const found = (await this.#discover()).find(({ model }) => model.name === name);
    if (!found) throw new AppError('model_not_found', `No installed model is called ${name}.`);
    const { header } = found;
    if (header instanceof AppError) throw header;
    return { ...found, header };
  }

  async #discover(): Promise<Found[]> {
    const entries = await readdir(this.#options.modelsDir, { withFileTypes: true }).catch(() => []);
    const paths: string[] = [];
    for (const entry of entries) {
      const path = join(this.#options.modelsDir, entry.name);
      if (entry.isFile() && entry.name.endsWith('.gguf')) paths.push(path);
      else if (entry.isDirectory() && !entry.name.startsWith('.')) {
        for (const name of await readdir(path).catch(() => []))
          if (name.endsWith('.gguf')) paths.push(join(path, name));
      }
    }
    const found = await Promise.all(paths.map((path) => this.#inspect(path)));
    return found.filter((model) => model !== null).sort((a, b) => a.model.name.localeCompare(b.model.name));
  }

  async #read(path: string, sizeBytes: number): Promise<Found> {
    const model = {
      name: basename(path, '.gguf'),
      provider: this.provider,
      sizeBytes,
      path,
      digest: null,
      format: 'gguf' as const,
    };
    try {
      const header = await readGguf(path);
      const embedding = !header.hasChatTemplate && (header.pooling || /bert/i.test(header.architecture));
      return {
        path,
        header,
        model: { ...model, quantization: header.quantization, chat: !embedding, embedding, problem: null },
      };
    } catch (error) {
      const refused = toAppError(error);
      this.#options.logger?.warn({ path, reason: refused.message }, 'a model file was refused');
      return {
        path,
        header: refused,
        model: { ...model, quantization: null, chat: false, embedding: false, problem: refused.message },
      };
    }
  }

  async #inspect(path: string): Promise<Found | null> {
    const file = await stat(path).catch(() => undefined);
    if (!file?.isFile()) return null;
    const stamp = `${file.size}:${file.mtimeMs}`;
    const known = this.#found.get(path);
    if (known?.stamp === stamp) return known.found;
    const found = await this.#read(path, file.size);
    this.#found.set(path, { stamp, found });
    return found;
  }
}

/** Memory the inference process really holds, weights it has mapped included; null where the platform does not say. */
async function residentBytes(pid: number | undefined): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const line = /VmRSS:\s+(\d+) kB/.exec(status);
  return line ? Number(line[1]) * 1_024 : null;
}

/** Waits no longer than the one who asked. @throws AppError `cancelled` */
async function whileWanted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  const stopped = () => new AppError('cancelled', 'The request was stopped.');
  if (signal.aborted) throw stopped();
  let leave: (() => void) | undefined;
  const gone = new Promise<never>((_, reject) => {
    leave = () => reject(stopped());
    signal.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([promise, gone]);
  } finally {
    if (leave) signal.removeEventListener('abort', leave);
  }
}
