// Any server that speaks OpenAI's wire: vLLM, llama.cpp's server, Ollama's /v1, LM Studio.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { z } from 'zod';
import { AppError } from '../../shared/errors.js';
import { HttpUpstream } from '../http-upstream.js';
import { probedHealth } from '../probed-health.js';
import type { ForwardedAnswer, ModelDescription, Runtime, RuntimeHealth, RuntimeModel } from '../runtime.js';
import type { StreamedAnswer } from '../streamed-answer.js';
import type { UpstreamTraffic } from '../upstream-traffic.js';
import { ChatChunks } from './chat-chunks.js';
import { SseData } from './sse-data.js';
import { toOpenAiChat } from './to-openai-chat.js';

const PROBE_TIMEOUT_MS = 5_000;
const MODELS_KEPT_MS = 5_000;

const Models = z.object({
  data: z
    .array(
      z.object({
        id: z.string().min(1).max(300),
        // vLLM's own: tokens of the context, and the model an adapter (LoRA) belongs to.
        max_model_len: z.number().int().positive().nullish(),
        parent: z.string().nullish(),
      }),
    )
    .max(10_000),
});
const Embeddings = z.object({
  data: z.array(z.object({ embedding: z.array(z.number()), index: z.number().int().optional() })),
  usage: z.object({ prompt_tokens: z.number().optional() }).optional(),
});

export interface OpenAiCompatibleOptions {
  /** `ollama`, `vllm` or `openai-compatible`. */
  provider: string;
  /** With the version, such as `http://127.0.0.1:11434/v1`. */
  endpoint: string;
  apiKey: string;
  connectTimeoutMs: number;
  /** Longest silence within an answer. */
  idleTimeoutMs: number;
  traffic?: UpstreamTraffic;
}

export class OpenAiCompatibleRuntime implements Runtime {
  readonly provider: string;
  readonly endpoint: string;
  readonly #apiKey: string;
  readonly #upstream: HttpUpstream;
  readonly #idleTimeoutMs: number;
  /** Tokens, and the base model of an adapter, where the server says so. */
  readonly #facts = new Map<string, { contextLength: number | null; parent: string | null }>();
  #models: { at: number; list: RuntimeModel[] } | undefined;

  constructor(options: OpenAiCompatibleOptions) {
    this.provider = options.provider;
    this.endpoint = options.endpoint;
    this.#apiKey = options.apiKey;
    this.#idleTimeoutMs = options.idleTimeoutMs;
    this.#upstream = new HttpUpstream({
      baseUrl: options.endpoint,
      headers: options.apiKey ? { authorization: `Bearer ${options.apiKey}` } : {},
      connectTimeoutMs: options.connectTimeoutMs,
      idleTimeoutMs: options.idleTimeoutMs,
      traffic: options.traffic,
    });
  }

  languageModel(modelName: string): LanguageModelV4 {
    const provider = createOpenAICompatible({
      name: this.provider,
      baseURL: this.endpoint,
      apiKey: this.#apiKey,
      includeUsage: true,
      supportsStructuredOutputs: true,
      fetch: this.#upstream.fetch,
    });
    return provider.chatModel(modelName) as LanguageModelV4;
  }

  async streamBatches(
    modelName: string,
    options: LanguageModelV4CallOptions,
  ): Promise<AsyncIterable<readonly LanguageModelV4StreamPart[]>> {
    const body = toOpenAiChat(
      modelName,
      options,
      this.provider === 'vllm' ? 'vllm' : 'llama-cpp',
      this.#facts.get(modelName)?.contextLength ?? undefined,
    );
    const answer = await this.#upstream.open('/chat/completions', body, options.abortSignal);
    return body['stream'] === false ? this.#whole(answer) : this.#batches(answer);
  }

  async forward(path: string, body: Record<string, unknown>, signal: AbortSignal): Promise<ForwardedAnswer> {
    const response = await this.#upstream.send(path, { body, signal, retry: true });
    return {
      status: response.statusCode,
      contentType: String(response.headers['content-type'] ?? 'application/json'),
      body: response.body,
    };
  }

  async listModels(signal?: AbortSignal): Promise<RuntimeModel[]> {
    if (this.#models && performance.now() - this.#models.at < MODELS_KEPT_MS) return this.#models.list;
    const { data } = await this.#upstream.json('/models', Models, PROBE_TIMEOUT_MS, { signal, probe: true });
    for (const { id, max_model_len, parent } of data)
      this.#facts.set(id, { contextLength: max_model_len ?? null, parent: parent ?? null });
    const list = data.map(
      ({ id }): RuntimeModel => ({
        name: id,
        provider: this.provider,
        sizeBytes: null,
        quantization: null,
        path: null,
        digest: null,
        format: this.provider === 'ollama' ? 'ollama' : 'folder',
        chat: !/embed|minilm|bge-/i.test(id),
        embedding: /embed|minilm|bge-/i.test(id),
        problem: null,
      }),
    );
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
      family: facts.parent,
      parameterSize: null,
      quantization: null,
      license: null,
      parameters: {},
    };
  }

  health(signal?: AbortSignal): Promise<RuntimeHealth> {
    return probedHealth(async () => {
      this.#models = undefined;
      return { models: (await this.listModels(signal)).length };
    });
  }

  async embed(
    modelName: string,
    texts: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ vectors: number[][]; tokens: number }> {
    const { data, usage } = await this.#upstream.json('/embeddings', Embeddings, this.#idleTimeoutMs, {
      body: { model: modelName, input: texts },
      signal,
      retry: true,
    });
    const ordered = [...data].sort((a, b) => (a.index ?? 0) - (b.index ?? 0));
    return { vectors: ordered.map(({ embedding }) => embedding), tokens: usage?.prompt_tokens ?? 0 };
  }

  /** The server manages its own memory; what it loaded is not ours to take away. */
  async unloadAll(): Promise<void> {}

  async close(): Promise<void> {
    await this.#upstream.close();
  }

  async *#batches(answer: StreamedAnswer): AsyncGenerator<LanguageModelV4StreamPart[]> {
    const events = new SseData();
    const chunks = new ChatChunks();
    const type = String(answer.headers['content-type'] ?? '');
    if (/text\/html/i.test(type)) {
      answer.discard();
      throw new AppError('upstream_protocol', `${this.#upstream.name} answered with a web page.`);
    }
    for await (const bytes of this.#upstream.batches(answer)) {
      const parts: LanguageModelV4StreamPart[] = [];
      let failure: unknown;
      try {
        for (const data of events.push(bytes)) chunks.push(data, parts);
      } catch (error) {
        failure = error;
      }
      // What came whole before the broken piece is still part of the answer.
      if (parts.length > 0) yield parts;
      if (failure !== undefined) throw failure;
    }
    const last: LanguageModelV4StreamPart[] = [];
    for (const data of events.end()) chunks.push(data, last);
    chunks.end(last);
    yield last;
  }

  async *#whole(answer: StreamedAnswer): AsyncGenerator<LanguageModelV4StreamPart[]> {
    const chunks = new ChatChunks();
    const parts: LanguageModelV4StreamPart[] = [];
    chunks.push(await this.#upstream.wholeText(this.#upstream.batches(answer), () => answer.discard()), parts);
    chunks.end(parts);
    yield parts;
  }
}
