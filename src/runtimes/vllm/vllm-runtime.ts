// vLLM as an engine. It loads its model when it starts; where it offers sleep mode, that is what load and unload mean.
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { AppError } from '../../shared/errors.js';
import { BatchLanguageModel } from '../batch-language-model.js';
import type { GenericParams } from '../call-params.js';
import { forwarded, outgoing } from '../forward-as-it-is.js';
import { type AdaptedParams, toRuntimeParams } from '../generation-params.js';
import { discard } from '../http-upstream.js';
import { streamedChat, wholeChat } from '../openai-compatible/read-chat.js';
import { probedHealth } from '../probed-health.js';
import type {
  EmbedInput,
  EmbedTreatment,
  EngineLoad,
  ForwardedAnswer,
  LoadedModelInfo,
  ModelDescription,
  Runtime,
  RuntimeHealth,
  RuntimeModel,
} from '../runtime.js';
import { vectorsInOrder } from '../vectors-in-order.js';
import { toVllmChat } from './to-vllm-chat.js';
import type { VllmClient } from './vllm-client.js';

const MODELS_KEPT_MS = 5_000;
const IDLE_WITHIN_MS = 30_000;
const ASLEEP_WITHIN_MS = 60_000;

interface ModelFacts {
  contextLength: number | null;
  parent: string | null;
  root: string | null;
}

export class VllmRuntime implements Runtime {
  readonly provider = 'vllm';
  readonly endpoint: string;
  readonly #client: VllmClient;
  readonly #optional: boolean;
  readonly #facts = new Map<string, ModelFacts>();
  #models: { at: number; list: RuntimeModel[] } | undefined;
  /** It sleeps because of us. */
  #asleep = false;
  /** It is awake because of us, so that we may send it to sleep again. */
  #woken = false;
  #waking: Promise<void> | undefined;

  /** @param optional  nobody named it, it is merely installed here: that it does not run is no failure */
  constructor(client: VllmClient, { optional = false }: { optional?: boolean } = {}) {
    this.#client = client;
    this.#optional = optional;
    this.endpoint = client.endpoint;
  }

  languageModel(modelName: string): LanguageModelV4 {
    return new BatchLanguageModel(this.provider, modelName, (options) => this.streamBatches(modelName, options));
  }

  adaptParams(modelName: string, params: GenericParams): AdaptedParams {
    const contextLength = this.#facts.get(modelName)?.contextLength ?? undefined;
    return toRuntimeParams('vllm', params, { modelName, contextLength });
  }

  async streamBatches(
    modelName: string,
    options: LanguageModelV4CallOptions,
  ): Promise<AsyncIterable<readonly LanguageModelV4StreamPart[]>> {
    const body = toVllmChat(modelName, options, this.#facts.get(modelName)?.contextLength ?? undefined);
    const { upstream } = this.#client;
    try {
      const answer = await this.#awake(() => this.#client.chat(body, options.abortSignal));
      return body['stream'] === false ? wholeChat(upstream, answer) : streamedChat(upstream, answer);
    } catch (error) {
      throw toModelError(error, modelName);
    }
  }

  async forward(path: string, body: Record<string, unknown>, signal: AbortSignal): Promise<ForwardedAnswer> {
    const order = outgoing(body);
    const response = await this.#awake(
      () => this.#client.post(path, order, signal),
      ({ statusCode }) => statusCode === 503,
      discard,
    );
    return forwarded(order, response);
  }

  async listModels(signal?: AbortSignal): Promise<RuntimeModel[]> {
    if (this.#models && performance.now() - this.#models.at < MODELS_KEPT_MS) return this.#models.list;
    const cards = await this.#client.models(signal).catch((error) => {
      if (this.#optional && error instanceof AppError && error.code === 'upstream_unreachable') return null;
      throw error;
    });
    if (cards === null) return [];
    this.#facts.clear();
    for (const { id, max_model_len, parent, root } of cards)
      this.#facts.set(id, { contextLength: max_model_len ?? null, parent: parent ?? null, root: root ?? null });
    for (const facts of this.#facts.values())
      facts.contextLength ??= this.#facts.get(facts.parent ?? '')?.contextLength ?? null;
    const list = cards.map(({ id, parent }): RuntimeModel => {
      const embedding = /embed|minilm|bge-/i.test(id);
      return {
        name: id,
        provider: this.provider,
        sizeBytes: null,
        quantization: null,
        path: null,
        digest: null,
        format: 'folder',
        chat: !embedding,
        embedding,
        problem: null,
        ...(parent ? { baseModel: parent } : {}),
      };
    });
    this.#models = { at: performance.now(), list };
    return list;
  }

  async describeModel(modelName: string, signal?: AbortSignal): Promise<ModelDescription | null> {
    await this.listModels(signal);
    const facts = this.#facts.get(modelName);
    if (!facts) return null;
    return {
      contextLength: facts.contextLength,
      capabilities: facts.parent === null ? ['completion'] : ['completion', 'adapter'],
      template: null,
      family: facts.parent ?? facts.root,
      parameterSize: null,
      quantization: null,
      license: null,
      parameters: {},
    };
  }

  health(signal?: AbortSignal): Promise<RuntimeHealth> {
    return probedHealth(async () => {
      const healthy = await this.#client.healthy(signal);
      if (healthy === false) throw new AppError('provider_unavailable', 'vLLM says that its engine is dead.');
      this.#models = undefined;
      const [models, version, sleeping, load] = await Promise.all([
        this.listModels(signal),
        this.#client.version(signal).catch(() => null),
        this.#client.sleeping(signal).catch(() => null),
        this.#client.load(signal).catch(() => null),
      ]);
      return {
        version,
        models: models.length,
        sleeping,
        requests_running: load?.running ?? null,
        requests_waiting: load?.waiting ?? null,
        kv_cache_usage: load?.kvCacheUsage ?? null,
      };
    });
  }

  async embed(
    modelName: string,
    inputs: readonly EmbedInput[],
    signal?: AbortSignal,
    { dimensions }: EmbedTreatment = {},
  ): Promise<{ vectors: number[][]; tokens: number }> {
    const { data, usage } = await this.#client.embeddings(modelName, inputs, dimensions, signal);
    return { vectors: vectorsInOrder('vLLM', inputs.length, data), tokens: usage?.prompt_tokens ?? 0 };
  }

  /** Whatever it serves is in memory, unless it sleeps. */
  async loaded(signal?: AbortSignal): Promise<LoadedModelInfo[]> {
    if (await this.#client.sleeping(signal)) return [];
    return (await this.listModels(signal))
      .filter(({ baseModel }) => baseModel === undefined)
      .map(({ name }) => ({ name, sizeBytes: null, vramBytes: null, expiresAt: null }));
  }

  async load(modelName: string, signal?: AbortSignal, { evict = true }: { evict?: boolean } = {}): Promise<void> {
    if (!(await this.listModels(signal)).some(({ name }) => name === modelName)) throw notServed(modelName);
    if (!(await this.#client.sleeping(signal))) return;
    // Whoever sent it to sleep may need its memory for something else.
    if (!evict)
      throw new AppError('insufficient_memory', `vLLM sleeps, and nobody wakes it up for ${modelName} unasked.`);
    await this.#wakeUp(signal);
  }

  /** It is awake, and nobody waits in its queue. */
  async roomFor(_modelName: string, signal?: AbortSignal): Promise<boolean> {
    if (await this.#client.sleeping(signal)) return false;
    return ((await this.#client.load(signal).catch(() => null))?.waiting ?? 0) === 0;
  }

  /**
   * Sends the whole server to sleep, once it has nothing to answer.
   * @throws AppError `unsupported` without sleep mode, `model_in_use` while it is busy, `upstream_timeout`
   */
  async unload(modelName: string, signal?: AbortSignal): Promise<void> {
    if (!(await this.listModels(signal)).some(({ name }) => name === modelName)) throw notServed(modelName);
    await this.#sleep(signal);
  }

  version(signal?: AbortSignal): Promise<string | null> {
    return this.#client.version(signal);
  }

  engineLoad(signal?: AbortSignal): Promise<EngineLoad | null> {
    return this.#client.load(signal);
  }

  countTokens(modelName: string, text: string, signal?: AbortSignal): Promise<number | null> {
    return this.#client.countTokens(modelName, text, signal);
  }

  /** Only what is awake because of us; a server that runs for others is left as it is. */
  async unloadAll(): Promise<void> {
    if (this.#woken) await this.#sleep();
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Asks, and once more after waking it up where it refused because it slept. */
  async #awake<T>(
    ask: () => Promise<T>,
    refused: (answer: T) => boolean = () => false,
    letGo: (answer: T) => void = () => {},
  ): Promise<T> {
    if (this.#asleep) await this.#wakeUp();
    let refusal: { answer: T } | { error: unknown };
    try {
      const answer = await ask();
      if (!refused(answer)) return answer;
      refusal = { answer };
    } catch (error) {
      if (!(error instanceof AppError) || error.details?.['status'] !== 503) throw error;
      refusal = { error };
    }
    if (!(await this.#client.sleeping().catch(() => false))) {
      if ('error' in refusal) throw refusal.error;
      return refusal.answer;
    }
    if ('answer' in refusal) letGo(refusal.answer);
    await this.#wakeUp();
    return ask();
  }

  /** One order, however many ask at the same time. */
  async #wakeUp(signal?: AbortSignal): Promise<void> {
    this.#waking ??= this.#client.wakeUp(signal).finally(() => {
      this.#waking = undefined;
    });
    await this.#waking;
    this.#asleep = false;
    this.#woken = true;
  }

  async #sleep(signal?: AbortSignal): Promise<void> {
    const sleeping = await this.#client.sleeping(signal);
    if (sleeping === null)
      throw new AppError(
        'unsupported',
        'This vLLM server keeps its memory until it ends: it was started without --enable-sleep-mode or VLLM_SERVER_DEV_MODE=1.',
      );
    if (!sleeping) {
      const idle = await until(IDLE_WITHIN_MS, async () => {
        const load = await this.#client.load(signal);
        return load === null || load.running + load.waiting === 0;
      });
      // Sleeping would break off answers of ours and of others.
      if (!idle) throw new AppError('model_in_use', 'vLLM is answering still, so it was not sent to sleep.');
      await this.#client.sleep(signal);
      if (!(await until(ASLEEP_WITHIN_MS, async () => (await this.#client.sleeping(signal)) === true)))
        throw new AppError('upstream_timeout', `vLLM does not sleep after ${ASLEEP_WITHIN_MS / 1_000} s.`);
    }
    this.#asleep = true;
    this.#woken = false;
  }
}

async function until(withinMs: number, done: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    if (await done()) return true;
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const notServed = (model: string) => new AppError('model_not_found', `vLLM does not serve ${model}.`);

const toModelError = (error: unknown, model: string): unknown =>
  error instanceof AppError && error.details?.['status'] === 404
    ? new AppError('model_not_found', `vLLM does not serve ${model}.`, { cause: error })
    : error;
