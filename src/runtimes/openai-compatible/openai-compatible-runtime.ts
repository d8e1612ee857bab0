// Any server that speaks OpenAI's wire: vLLM, llama.cpp's server, Ollama's /v1, LM Studio.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { Agent, type Dispatcher, fetch as undiciFetch } from 'undici';
import { z } from 'zod';
import { AppError } from '../../shared/errors.js';
import type { ForwardedAnswer, Runtime, RuntimeHealth, RuntimeModel } from '../runtime.js';
import { ChatChunks, errorText } from './chat-chunks.js';
import { SseData } from './sse-data.js';
import { toOpenAiChat } from './to-openai-chat.js';

const PROBE_TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 16_777_216;
const MODELS_KEPT_MS = 5_000;

const Models = z.object({ data: z.array(z.object({ id: z.string().min(1).max(300) })).max(10_000) });
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
}

export class OpenAiCompatibleRuntime implements Runtime {
  readonly provider: string;
  readonly endpoint: string;
  readonly #apiKey: string;
  readonly #agent: Agent;
  readonly #basePath: string;
  readonly #origin: string;
  readonly #idleTimeoutMs: number;
  #models: { at: number; list: RuntimeModel[] } | undefined;

  constructor(options: OpenAiCompatibleOptions) {
    this.provider = options.provider;
    this.endpoint = options.endpoint;
    this.#apiKey = options.apiKey;
    this.#idleTimeoutMs = options.idleTimeoutMs;
    const url = new URL(options.endpoint);
    this.#origin = url.origin;
    this.#basePath = url.pathname.replace(/\/+$/, '');
    this.#agent = new Agent({
      connect: { timeout: options.connectTimeoutMs },
      headersTimeout: options.idleTimeoutMs,
      bodyTimeout: options.idleTimeoutMs,
      keepAliveTimeout: 30_000,
      connections: 512,
    });
  }

  languageModel(modelName: string): LanguageModelV4 {
    const fetchThroughPool = ((input: string | URL | Request, init?: RequestInit) =>
      undiciFetch(input as string, {
        ...(init as object),
        dispatcher: this.#agent,
        redirect: 'error',
      })) as unknown as typeof fetch;
    const provider = createOpenAICompatible({
      name: this.provider,
      baseURL: this.endpoint,
      apiKey: this.#apiKey,
      includeUsage: true,
      supportsStructuredOutputs: true,
      fetch: fetchThroughPool,
    });
    return provider.chatModel(modelName) as LanguageModelV4;
  }

  async streamBatches(
    modelName: string,
    options: LanguageModelV4CallOptions,
  ): Promise<AsyncIterable<readonly LanguageModelV4StreamPart[]>> {
    const body = toOpenAiChat(modelName, options);
    const response = await this.#send('/chat/completions', body, options.abortSignal);
    if (response.statusCode !== 200) throw await this.#rejected(response);
    return body['stream'] === false ? this.#whole(response) : this.#batches(response);
  }

  async forward(path: string, body: Record<string, unknown>, signal: AbortSignal): Promise<ForwardedAnswer> {
    const response = await this.#send(path, body, signal);
    return {
      status: response.statusCode,
      contentType: String(response.headers['content-type'] ?? 'application/json'),
      body: response.body,
    };
  }

  async listModels(signal?: AbortSignal): Promise<RuntimeModel[]> {
    if (this.#models && performance.now() - this.#models.at < MODELS_KEPT_MS) return this.#models.list;
    const { data } = await this.#json('/models', Models, undefined, signal);
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

  async health(signal?: AbortSignal): Promise<RuntimeHealth> {
    const startedAt = performance.now();
    try {
      this.#models = undefined;
      const models = await this.listModels(signal);
      return {
        state: 'online',
        latencyMs: Math.round(performance.now() - startedAt),
        error: null,
        details: { models: models.length },
      };
    } catch (error) {
      return { state: 'offline', latencyMs: null, error: (error as Error).message, details: {} };
    }
  }

  async embed(
    modelName: string,
    texts: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ vectors: number[][]; tokens: number }> {
    const { data, usage } = await this.#json('/embeddings', Embeddings, { model: modelName, input: texts }, signal);
    const ordered = [...data].sort((a, b) => (a.index ?? 0) - (b.index ?? 0));
    return { vectors: ordered.map(({ embedding }) => embedding), tokens: usage?.prompt_tokens ?? 0 };
  }

  /** The server manages its own memory; what it loaded is not ours to take away. */
  async unloadAll(): Promise<void> {}

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async *#batches(response: Dispatcher.ResponseData): AsyncGenerator<LanguageModelV4StreamPart[]> {
    const events = new SseData();
    const chunks = new ChatChunks();
    const type = String(response.headers['content-type'] ?? '');
    if (/text\/html/i.test(type)) {
      discard(response);
      throw new AppError('upstream_protocol', `${this.#name()} answered with a web page.`);
    }
    for await (const bytes of this.#guarded(response.body)) {
      const parts: LanguageModelV4StreamPart[] = [];
      for (const data of events.push(bytes)) chunks.push(data, parts);
      if (parts.length > 0) yield parts;
    }
    const last: LanguageModelV4StreamPart[] = [];
    for (const data of events.end()) chunks.push(data, last);
    chunks.end(last);
    yield last;
  }

  async *#whole(response: Dispatcher.ResponseData): AsyncGenerator<LanguageModelV4StreamPart[]> {
    const chunks = new ChatChunks();
    const parts: LanguageModelV4StreamPart[] = [];
    chunks.push(await this.#text(response), parts);
    chunks.end(parts);
    yield parts;
  }

  async *#guarded(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      throw this.#transportError(error);
    }
  }

  async #send(
    path: string,
    body: Record<string, unknown> | undefined,
    signal?: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    try {
      return await this.#agent.request({
        origin: this.#origin,
        path: this.#basePath + path,
        method: body ? 'POST' : 'GET',
        headers: {
          accept: 'application/json, text/event-stream',
          ...(body ? { 'content-type': 'application/json' } : {}),
          ...(this.#apiKey ? { authorization: `Bearer ${this.#apiKey}` } : {}),
        },
        body: body ? JSON.stringify(body) : null,
        signal: signal ?? null,
      });
    } catch (error) {
      throw this.#transportError(error);
    }
  }

  async #json<T>(
    path: string,
    shape: z.ZodType<T>,
    body: Record<string, unknown> | undefined,
    signal?: AbortSignal,
  ): Promise<T> {
    const limit = body ? this.#idleTimeoutMs : PROBE_TIMEOUT_MS;
    const response = await this.#send(
      path,
      body,
      AbortSignal.any([AbortSignal.timeout(limit), ...(signal ? [signal] : [])]),
    );
    if (response.statusCode !== 200) throw await this.#rejected(response);
    const text = await this.#text(response);
    try {
      return shape.parse(JSON.parse(text));
    } catch (cause) {
      throw new AppError('upstream_protocol', `${this.#name()} answered ${path} in an unknown form.`, { cause });
    }
  }

  async #text(response: Dispatcher.ResponseData, maxBytes = MAX_ANSWER_BYTES): Promise<string> {
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const bytes of this.#guarded(response.body)) {
      size += bytes.length;
      if (size > maxBytes) {
        discard(response);
        throw new AppError('upstream_protocol', `${this.#name()} sent more than ${maxBytes} bytes.`);
      }
      pieces.push(bytes);
    }
    return Buffer.concat(pieces).toString('utf8');
  }

  async #rejected(response: Dispatcher.ResponseData): Promise<AppError> {
    const { statusCode } = response;
    if (statusCode < 400) {
      discard(response);
      // Followed, it would carry prompt and key to an address nobody configured.
      return statusCode >= 300
        ? new AppError('upstream_redirect', `${this.#name()} sends its clients elsewhere; name the right address.`)
        : new AppError('upstream_protocol', `${this.#name()} answered HTTP ${statusCode} in place of an answer.`);
    }
    let reason = '';
    try {
      const parsed = JSON.parse(await this.#text(response, 65_536));
      reason = `: ${errorText(parsed.error ?? parsed.detail)}`;
    } catch {
      discard(response);
    }
    return new AppError('upstream_rejected', `${this.#name()} answered HTTP ${statusCode}${reason}`, {
      details: { status: statusCode },
    });
  }

  #transportError(error: unknown): unknown {
    if (error instanceof AppError) return error;
    const code = (error as { code?: string }).code ?? (error as { cause?: { code?: string } }).cause?.code ?? '';
    const name = (error as Error).name;
    if (name === 'AbortError' || code === 'UND_ERR_ABORTED')
      return new AppError('cancelled', 'The request was stopped.', { cause: error });
    if (name === 'TimeoutError' || /TIMEOUT|ETIMEDOUT/.test(code))
      return new AppError('upstream_timeout', `${this.#name()} did not answer in time.`, { cause: error });
    if (/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH/.test(code)) {
      return new AppError('upstream_unreachable', `${this.#name()} cannot be reached.`, { cause: error });
    }
    if (/ECONNRESET|EPIPE|UND_ERR_SOCKET/.test(code))
      return new AppError('upstream_reset', `${this.#name()} cut the connection.`, { cause: error });
    return new AppError('upstream_protocol', `${this.#name()} could not be understood.`, { cause: error });
  }

  #name(): string {
    return `The model server at ${this.#origin}`;
  }
}

/** Lets go of an answer nobody reads; destroying its body is an error to undici, and not one of ours. */
function discard(response: Dispatcher.ResponseData): void {
  response.body.on('error', () => {});
  response.body.destroy();
}
