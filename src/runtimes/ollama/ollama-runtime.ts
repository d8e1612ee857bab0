// Ollama as an engine, on its native API: only there `keep_alive` and `options` are heard.
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import type { Dispatcher } from 'undici';
import { AppError } from '../../shared/errors.js';
import { BatchLanguageModel } from '../batch-language-model.js';
import type { GenericParams } from '../call-params.js';
import { forwarded, outgoing } from '../forward-as-it-is.js';
import { type AdaptedParams, toRuntimeParams } from '../generation-params.js';
import { errorText } from '../http-upstream.js';
import { probedHealth } from '../probed-health.js';
import type {
  EmbedInput,
  EmbedTreatment,
  ForwardedAnswer,
  LoadedModelInfo,
  ModelDerivation,
  ModelDescription,
  Runtime,
  RuntimeHealth,
  RuntimeModel,
} from '../runtime.js';
import { SignsOfLife } from '../signs-of-life.js';
import { vectorsInOrder } from '../vectors-in-order.js';
import { ChatLine } from './ollama-api.js';
import { type OllamaClient, type OllamaTag, sameModel } from './ollama-client.js';
import type { OllamaFigures } from './ollama-figures.js';
import { OpenAnswers } from './open-answers.js';
import { type OllamaDefaults, toKeepAlive, toOllamaChat } from './to-ollama-chat.js';

/** What Ollama holds of a conversation where nobody says otherwise; what is older it drops without a word. */
const OLLAMA_CONTEXT = 4_096;
const LOAD_MS = 600_000;
/** An answer that takes longer is not waited for; Ollama lets it end all the same. */
const ANSWERS_END_MS = 120_000;

export interface OllamaRuntimeOptions extends OllamaDefaults {
  client: OllamaClient;
  /** Nobody asked for Ollama, it was merely found here: that it does not run is no failure. */
  optional: boolean;
  /** Told how long each answer took. */
  figures?: OllamaFigures;
}

export class OllamaRuntime implements Runtime {
  readonly provider = 'ollama';
  readonly endpoint: string;
  readonly #client: OllamaClient;
  readonly #defaults: OllamaDefaults;
  readonly #optional: boolean;
  readonly #figures: OllamaFigures | undefined;
  /** Models that are in memory because of us; the only ones we take out again. */
  readonly #ours = new Set<string>();
  /** A question that Ollama hears after the order to let go would hold the model for as long as it says. */
  readonly #answers = new OpenAnswers();

  constructor({ client, optional, figures, ...defaults }: OllamaRuntimeOptions) {
    this.#client = client;
    this.#figures = figures;
    this.#optional = optional;
    this.#defaults = defaults;
    this.endpoint = `${client.baseUrl}/v1`;
  }

  languageModel(modelName: string): LanguageModelV4 {
    return new BatchLanguageModel(this.provider, modelName, (options) => this.streamBatches(modelName, options));
  }

  async streamBatches(
    modelName: string,
    options: LanguageModelV4CallOptions,
  ): Promise<AsyncIterable<readonly LanguageModelV4StreamPart[]>> {
    const body = toOllamaChat(modelName, options, this.#defaults);
    this.#ours.add(modelName);
    const ended = this.#answers.begin(modelName);
    try {
      const response = await this.#ask(body, options.abortSignal);
      if (response.statusCode !== 200) throw toModelError(await this.#client.upstream.rejected(response), modelName);
      response.body.once('close', ended);
      return this.#parts(this.#client.upstream.lines(response));
    } catch (error) {
      ended();
      throw error;
    }
  }

  async forward(path: string, body: Record<string, unknown>, signal: AbortSignal): Promise<ForwardedAnswer> {
    const { max_completion_tokens: newer, ...rest } = body;
    // Passed over there in silence: one answer came where several were asked for, and one of any length.
    if (typeof rest['n'] === 'number' && rest['n'] > 1)
      throw new AppError('unsupported', 'n greater than 1 is not supported by Ollama.');
    const asked = newer === undefined || newer === null ? rest : { ...rest, max_tokens: newer };
    const order = outgoing(asked);
    const { bytes, model } = order;
    const response = await this.#client.upstream.send(`/v1${path}`, { body: bytes, model, signal, retry: true });
    if (model !== undefined) this.#ours.add(model);
    return forwarded(order, response);
  }

  adaptParams(modelName: string, params: GenericParams, wire: 'own' | 'openai'): AdaptedParams {
    return toRuntimeParams(wire === 'own' ? 'ollama' : 'ollama-v1', params, { modelName });
  }

  async listModels(signal?: AbortSignal): Promise<RuntimeModel[]> {
    const tags = await this.#client.listTags(signal).catch((error) => {
      if (this.#optional && error instanceof AppError && error.code === 'upstream_unreachable') return [];
      throw error;
    });
    // One model under several tags is one model; `:latest` is the name people use.
    const byDigest = new Map<string, OllamaTag>();
    for (const tag of tags) {
      const key = tag.digest ?? tag.name;
      const former = byDigest.get(key);
      if (!former || (tag.name.endsWith(':latest') && !former.name.endsWith(':latest'))) byDigest.set(key, tag);
    }
    return [...byDigest.values()].map((tag): RuntimeModel => {
      const embedding = /bert|minilm|embed|bge/i.test(`${tag.details?.family ?? ''} ${tag.name}`);
      return {
        name: tag.name,
        provider: this.provider,
        sizeBytes: tag.size ?? null,
        quantization: tag.details?.quantization_level || null,
        path: null,
        digest: tag.digest ? tag.digest.replace(/^(sha256:)?/, 'sha256:') : null,
        format: 'ollama',
        chat: !embedding,
        embedding,
        problem: null,
        modifiedAt: Date.parse(tag.modified_at ?? '') || undefined,
        family: tag.details?.family || undefined,
        parameterSize: tag.details?.parameter_size || undefined,
      };
    });
  }

  health(signal?: AbortSignal): Promise<RuntimeHealth> {
    return probedHealth(async () => {
      const [version, loaded] = await Promise.all([this.version(signal), this.loaded(signal)]);
      return { version, loaded: loaded.map(({ name }) => name) };
    });
  }

  async embed(
    modelName: string,
    inputs: readonly EmbedInput[],
    signal?: AbortSignal,
    { truncate = false, dimensions }: EmbedTreatment = {},
  ): Promise<{ vectors: number[][]; tokens: number }> {
    const texts = inputs.filter((input) => typeof input === 'string');
    if (texts.length < inputs.length) throw new AppError('unsupported', 'input: Ollama takes texts, no token numbers.');
    this.#ours.add(modelName);
    const options = { truncate, ...(dimensions === undefined ? {} : { dimensions }) };
    const { embeddings, prompt_eval_count } = await this.#client.embed(modelName, texts, options, signal);
    const sent = embeddings.map((embedding) => ({ embedding }));
    return { vectors: vectorsInOrder('Ollama', texts.length, sent), tokens: prompt_eval_count ?? 0 };
  }

  async loaded(signal?: AbortSignal): Promise<LoadedModelInfo[]> {
    return (await this.#client.ps(signal)).map(({ name, size, size_vram, expires_at }) => {
      const expires = expires_at ? Date.parse(expires_at) : Number.NaN;
      return {
        name,
        sizeBytes: size ?? null,
        vramBytes: size_vram ?? null,
        // A model that is kept for ever expires in some far century.
        expiresAt: Number.isFinite(expires) && expires < Date.now() + 10 * 365 * 86_400_000 ? expires : null,
      };
    });
  }

  async load(modelName: string, signal?: AbortSignal, { evict = true }: { evict?: boolean } = {}): Promise<void> {
    if (!evict && !(await this.roomFor(modelName, signal)))
      throw new AppError('insufficient_memory', `Ollama holds another model, which ${modelName} might throw out.`);
    this.#ours.add(modelName);
    const limit = AbortSignal.timeout(LOAD_MS);
    const response = await this.#client.upstream.send('/api/generate', {
      body: { model: modelName, keep_alive: toKeepAlive(this.#defaults.keepAlive), options: this.#defaults.options },
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    if (response.statusCode !== 200) throw toModelError(await this.#client.upstream.rejected(response), modelName);
    await response.body.dump();
  }

  /** What would have to go is Ollama's own affair, so nothing may be there. */
  async roomFor(modelName: string, signal?: AbortSignal): Promise<boolean> {
    const loaded = await this.loaded(signal);
    return loaded.length === 0 || loaded.some(({ name }) => sameModel(name, modelName));
  }

  async unload(modelName: string, signal?: AbortSignal): Promise<void> {
    await this.#answers.idle(modelName, ANSWERS_END_MS);
    await this.#client.unload(modelName, signal);
    this.#ours.delete(modelName);
  }

  copyModel(source: string, destination: string, signal: AbortSignal): Promise<void> {
    return this.#client.copy(source, destination, signal);
  }

  deriveModel(
    name: string,
    derivation: ModelDerivation,
    onProgress: (message: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    return this.#client.derive(name, derivation, ({ message }) => onProgress(message), signal);
  }

  async describeModel(modelName: string, signal?: AbortSignal): Promise<ModelDescription | null> {
    const shown = await this.#client.show(modelName, signal);
    const info = shown.model_info ?? {};
    const figure = (name: string) => {
      const value = Object.entries(info).find(([key]) => key.endsWith(`.${name}`))?.[1];
      return typeof value === 'number' ? value : null;
    };
    const license = Array.isArray(shown.license) ? shown.license[0] : shown.license;
    const parameters = toParameters(shown.parameters ?? '');
    const contextLength = figure('context_length');
    const held = Number(this.#defaults.options['num_ctx'] ?? parameters['num_ctx'] ?? OLLAMA_CONTEXT);
    return {
      contextLength,
      windowLength: Math.min(held, contextLength ?? held),
      embeddingLength: figure('embedding_length'),
      parameterCount: figure('parameter_count'),
      capabilities: shown.capabilities ?? [],
      template: shown.template ?? null,
      family: shown.details?.family ?? null,
      parameterSize: shown.details?.parameter_size ?? null,
      quantization: shown.details?.quantization_level ?? null,
      license: license?.trim().split('\n')[0]?.slice(0, 200) ?? null,
      parameters,
    };
  }

  version(signal?: AbortSignal): Promise<string> {
    return this.#client.version(signal);
  }

  /** Only what is loaded because of us; each is seen to be gone. */
  async unloadAll(): Promise<void> {
    if (this.#ours.size === 0) return;
    const running = await this.#client.ps();
    const mine = running.filter(({ name }) => [...this.#ours].some((own) => sameModel(own, name)));
    await Promise.all(
      mine.map(async ({ name }) => {
        await this.#answers.idle(name, ANSWERS_END_MS);
        await this.#client.unload(name);
      }),
    );
    this.#ours.clear();
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #ask(body: Record<string, unknown>, signal?: AbortSignal): Promise<Dispatcher.ResponseData> {
    if ('prompt' in body) return this.#client.generate(body, signal);
    const response = await this.#client.chat(body, signal);
    if (response.statusCode !== 400 || body['think'] === undefined) return response;
    const refused = await this.#client.upstream.rejected(response);
    if (!/think/i.test(refused.message)) throw refused;
    // The model cannot think aloud; the question is still worth an answer.
    delete body['think'];
    return this.#client.chat(body, signal);
  }

  async *#parts(lines: AsyncIterable<unknown[]>): AsyncGenerator<LanguageModelV4StreamPart[]> {
    let calls = 0;
    let done = false;
    const signs = new SignsOfLife(this.#client.upstream);
    for await (const batch of lines) {
      const parts: LanguageModelV4StreamPart[] = [];
      for (const line of batch) {
        if (done) break;
        const parsed = ChatLine.safeParse(line);
        if (!parsed.success) throw new AppError('upstream_protocol', 'Ollama answered in an unknown form.');
        const { message, response, error, ...end } = parsed.data;
        if (error !== undefined)
          throw toModelError(new AppError('upstream_rejected', `Ollama failed: ${errorText(error)}`), 'it');
        if (message?.thinking) parts.push({ type: 'reasoning-delta', id: 'reasoning', delta: message.thinking });
        if (message?.tool_calls?.length) {
          const called = message.tool_calls.map((call) => ({
            index: calls++,
            id: call.id ?? `call_${calls}`,
            type: 'function',
            function: { name: call.function.name, arguments: JSON.stringify(call.function.arguments ?? {}) },
          }));
          parts.push({ type: 'raw', rawValue: { toolCalls: called } });
          for (const { id, function: called_ } of called)
            parts.push({ type: 'tool-call', toolCallId: id, toolName: called_.name, input: called_.arguments });
        }
        const text = message?.content || response;
        if (text) parts.push({ type: 'text-delta', id: 'text', delta: text });
        if (end.done) {
          done = true;
          this.#figures?.add(end);
          const reason = calls > 0 ? 'tool-calls' : end.done_reason === 'length' ? 'length' : 'stop';
          parts.push({
            type: 'finish',
            finishReason: { unified: reason, raw: end.done_reason ?? undefined },
            usage: {
              inputTokens: {
                total: end.prompt_eval_count ?? undefined,
                noCache: undefined,
                cacheRead: undefined,
                cacheWrite: undefined,
              },
              outputTokens: { total: end.eval_count ?? undefined, text: undefined, reasoning: undefined },
            },
          });
        }
      }
      signs.heard(parts.length > 0);
      if (parts.length > 0) yield parts;
    }
    if (!done) throw new AppError('upstream_truncated', 'Ollama broke off in the middle of the answer.');
  }
}

function toModelError(error: AppError, modelName: string): AppError {
  if (error.details?.['status'] === 404)
    return new AppError('model_not_found', `Ollama has no model ${modelName}.`, { cause: error });
  if (/requires more system memory|out of memory|cudaMalloc/i.test(error.message))
    return new AppError('insufficient_memory', error.message, { cause: error });
  if (/runner process has terminated|llama runner/i.test(error.message))
    return new AppError('runtime_crashed', error.message, { cause: error });
  return error;
}

/** Ollama shows the parameters of a Modelfile as lines of name and value. */
function toParameters(text: string): Record<string, number> {
  const names: Record<string, string> = { num_predict: 'max_tokens' };
  return Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const [name, value] = line.trim().split(/\s+/);
      return name && value && Number.isFinite(Number(value)) ? [[names[name] ?? name, Number(value)]] : [];
    }),
  );
}
