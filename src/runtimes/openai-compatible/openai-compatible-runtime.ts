// Any server that speaks OpenAI's wire: llama.cpp's server, LM Studio, gateways. vLLM has an adapter of its own.
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { z } from 'zod';
import { AppError } from '../../shared/errors.js';
import { BatchLanguageModel } from '../batch-language-model.js';
import type { GenericParams } from '../call-params.js';
import { forwarded, outgoing } from '../forward-as-it-is.js';
import { type AdaptedParams, toRuntimeParams } from '../generation-params.js';
import { HttpUpstream } from '../http-upstream.js';
import { probedHealth } from '../probed-health.js';
import type {
  EmbedInput,
  EmbedTreatment,
  ForwardedAnswer,
  ModelDescription,
  Runtime,
  RuntimeHealth,
  RuntimeModel,
} from '../runtime.js';
import type { UpstreamTraffic } from '../upstream-traffic.js';
import { vectorsInOrder } from '../vectors-in-order.js';
import { streamedChat, wholeChat } from './read-chat.js';
import { toOpenAiChat } from './to-openai-chat.js';

const PROBE_TIMEOUT_MS = 5_000;
const MODELS_KEPT_MS = 5_000;

const Models = z.object({
  data: z
    .array(
      z.object({
        id: z.string().min(1).max(300),
        created: z.number().nullish(),
        // Tokens of the context, as vLLM and as llama.cpp's server say it.
        max_model_len: z.number().int().positive().nullish(),
        meta: z.object({ n_ctx: z.number().int().positive().nullish() }).nullish(),
      }),
    )
    .max(10_000),
});
const Embeddings = z.object({
  data: z.array(z.object({ embedding: z.array(z.number()), index: z.number().int().optional() })),
  usage: z.object({ prompt_tokens: z.number().optional() }).optional(),
});

export interface OpenAiCompatibleOptions {
  /** `openai-compatible`, `llama-cpp-server`. */
  provider: string;
  /** With the version, such as `http://127.0.0.1:11434/v1`. */
  endpoint: string;
  apiKey: string;
  connectTimeoutMs: number;
  /** Longest silence within an answer. */
  idleTimeoutMs: number;
  /** For the vectors of one request; the longest silence where none is given. */
  embeddingTimeoutMs?: number;
  traffic?: UpstreamTraffic;
  /** Nobody named it, it could merely be started here: that it does not run is no failure. */
  optional?: boolean;
}

export class OpenAiCompatibleRuntime implements Runtime {
  readonly provider: string;
  readonly endpoint: string;
  readonly #upstream: HttpUpstream;
  readonly #embeddingTimeoutMs: number;
  readonly #optional: boolean;
  /** Tokens, where the server says so. */
  readonly #contextLengths = new Map<string, number | null>();
  #models: { at: number; list: RuntimeModel[] } | undefined;

  constructor(options: OpenAiCompatibleOptions) {
    this.provider = options.provider;
    this.endpoint = options.endpoint;
    this.#embeddingTimeoutMs = options.embeddingTimeoutMs ?? options.idleTimeoutMs;
    this.#optional = options.optional ?? false;
    this.#upstream = new HttpUpstream({
      baseUrl: options.endpoint,
      headers: options.apiKey ? { authorization: `Bearer ${options.apiKey}` } : {},
      connectTimeoutMs: options.connectTimeoutMs,
      idleTimeoutMs: options.idleTimeoutMs,
      traffic: options.traffic,
    });
  }

  languageModel(modelName: string): LanguageModelV4 {
    return new BatchLanguageModel(this.provider, modelName, (options) => this.streamBatches(modelName, options));
  }

  async streamBatches(
    modelName: string,
    options: LanguageModelV4CallOptions,
  ): Promise<AsyncIterable<readonly LanguageModelV4StreamPart[]>> {
    const body = toOpenAiChat(modelName, options);
    const answer = await this.#upstream.open('/chat/completions', body, options.abortSignal);
    return body['stream'] === false ? wholeChat(this.#upstream, answer) : streamedChat(this.#upstream, answer);
  }

  async forward(path: string, body: Record<string, unknown>, signal: AbortSignal): Promise<ForwardedAnswer> {
    const order = outgoing(body);
    const { bytes, model } = order;
    return forwarded(order, await this.#upstream.send(path, { body: bytes, model, signal, retry: true }));
  }

  adaptParams(modelName: string, params: GenericParams): AdaptedParams {
    return toRuntimeParams('openai-compatible', params, { modelName });
  }

  async listModels(signal?: AbortSignal): Promise<RuntimeModel[]> {
    if (this.#models && performance.now() - this.#models.at < MODELS_KEPT_MS) return this.#models.list;
    try {
      return await this.#askForModels(signal);
    } catch (error) {
      if (this.#optional && error instanceof AppError && error.code === 'upstream_unreachable') return [];
      throw error;
    }
  }

  async #askForModels(signal?: AbortSignal): Promise<RuntimeModel[]> {
    const { data } = await this.#upstream.json('/models', Models, PROBE_TIMEOUT_MS, { signal, probe: true });
    this.#contextLengths.clear();
    for (const { id, max_model_len, meta } of data) this.#contextLengths.set(id, max_model_len ?? meta?.n_ctx ?? null);
    const list = data.map(
      ({ id, created }): RuntimeModel => ({
        name: id,
        provider: this.provider,
        sizeBytes: null,
        quantization: null,
        path: null,
        digest: null,
        format: 'folder',
        chat: !/embed|minilm|bge-/i.test(id),
        embedding: /embed|minilm|bge-/i.test(id),
        problem: null,
        modifiedAt: created ? created * 1_000 : undefined,
      }),
    );
    this.#models = { at: performance.now(), list };
    return list;
  }

  async describeModel(modelName: string, signal?: AbortSignal): Promise<ModelDescription | null> {
    await this.listModels(signal);
    const contextLength = this.#contextLengths.get(modelName);
    if (contextLength === undefined) return null;
    return {
      contextLength,
      capabilities: ['completion'],
      template: null,
      family: null,
      parameterSize: null,
      quantization: null,
      license: null,
      parameters: {},
    };
  }

  health(signal?: AbortSignal): Promise<RuntimeHealth> {
    return probedHealth(async () => {
      return { models: (await this.#askForModels(signal)).length };
    });
  }

  async embed(
    modelName: string,
    inputs: readonly EmbedInput[],
    signal?: AbortSignal,
    { dimensions }: EmbedTreatment = {},
  ): Promise<{ vectors: number[][]; tokens: number }> {
    const { data, usage } = await this.#upstream.json('/embeddings', Embeddings, this.#embeddingTimeoutMs, {
      body: { model: modelName, input: inputs, ...(dimensions === undefined ? {} : { dimensions }) },
      signal,
      retry: true,
    });
    return { vectors: vectorsInOrder(this.#upstream.name, inputs.length, data), tokens: usage?.prompt_tokens ?? 0 };
  }

  /** The server manages its own memory; what it loaded is not ours to take away. */
  async unloadAll(): Promise<void> {}

  async close(): Promise<void> {
    await this.#upstream.close();
  }
}
