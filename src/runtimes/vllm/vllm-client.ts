// VllmClient: a vLLM server over HTTP. OpenAI's routes under /v1, its own beside them.
import type { Dispatcher } from 'undici';
import type { z } from 'zod';
import { AppError } from '../../shared/errors.js';
import type { OutgoingForward } from '../forward-as-it-is.js';
import { discard, HttpUpstream } from '../http-upstream.js';
import type { EmbedInput, EngineLoad } from '../runtime.js';
import type { StreamedAnswer } from '../streamed-answer.js';
import type { UpstreamTraffic } from '../upstream-traffic.js';
import { Embeddings, Models, Sleeping, Tokenized, Version } from './vllm-api.js';
import { parseLoad } from './vllm-load.js';

const PROBE_MS = 5_000;
const SLEEP_MS = 120_000;
const MAX_METRICS_BYTES = 4_194_304;

export interface VllmClientOptions {
  /** With or without `/v1`. */
  endpoint: string;
  apiKey: string;
  connectTimeoutMs: number;
  /** Longest silence within an answer. */
  idleTimeoutMs: number;
  /** For the vectors of one request; the longest silence where none is given. */
  embeddingTimeoutMs?: number;
  traffic?: UpstreamTraffic;
}

export class VllmClient {
  readonly endpoint: string;
  readonly #upstream: HttpUpstream;
  readonly #embeddingTimeoutMs: number;

  constructor(options: VllmClientOptions) {
    const root = options.endpoint.replace(/\/+$/, '').replace(/\/v1$/, '');
    this.endpoint = `${root}/v1`;
    this.#embeddingTimeoutMs = options.embeddingTimeoutMs ?? options.idleTimeoutMs;
    this.#upstream = new HttpUpstream({
      baseUrl: root,
      headers: options.apiKey ? { authorization: `Bearer ${options.apiKey}` } : {},
      connectTimeoutMs: options.connectTimeoutMs,
      idleTimeoutMs: options.idleTimeoutMs,
      traffic: options.traffic,
    });
  }

  get upstream(): HttpUpstream {
    return this.#upstream;
  }

  async models(signal?: AbortSignal): Promise<z.output<typeof Models>['data']> {
    return (await this.#upstream.json('/v1/models', Models, PROBE_MS, { signal, probe: true })).data;
  }

  /** @throws AppError `upstream_rejected` for another status than 200, with it in `details.status` */
  chat(body: Record<string, unknown>, signal?: AbortSignal): Promise<StreamedAnswer> {
    return this.#upstream.open('/v1/chat/completions', body, signal);
  }

  post(path: string, { bytes, model }: OutgoingForward, signal?: AbortSignal): Promise<Dispatcher.ResponseData> {
    return this.#upstream.send(`/v1${path}`, { body: bytes, model, signal, retry: true });
  }

  embeddings(
    model: string,
    input: readonly EmbedInput[],
    dimensions: number | undefined,
    signal?: AbortSignal,
  ): Promise<z.output<typeof Embeddings>> {
    const body = { model, input, ...(dimensions === undefined ? {} : { dimensions }) };
    return this.#upstream.json('/v1/embeddings', Embeddings, this.#embeddingTimeoutMs, { body, signal, retry: true });
  }

  /** Whether its engine lives; null where the server has no such route. @throws AppError of the connection */
  async healthy(signal?: AbortSignal): Promise<boolean | null> {
    const response = await this.#get('/health', signal);
    discard(response);
    return response.statusCode === 404 ? null : response.statusCode === 200;
  }

  version(signal?: AbortSignal): Promise<string | null> {
    return this.#offered('/version', Version, signal).then((answer) => answer?.version ?? null);
  }

  /** Null where it tells nothing of itself. */
  async load(signal?: AbortSignal): Promise<EngineLoad | null> {
    const response = await this.#get('/metrics', signal);
    if (response.statusCode === 200) return parseLoad(await this.#upstream.text(response, MAX_METRICS_BYTES));
    discard(response);
    return null;
  }

  /** Null where sleeping is not offered: it takes `--enable-sleep-mode` and `VLLM_SERVER_DEV_MODE=1`. */
  sleeping(signal?: AbortSignal): Promise<boolean | null> {
    return this.#offered('/is_sleeping', Sleeping, signal).then((answer) => answer?.is_sleeping ?? null);
  }

  /** The weights go to the memory of the machine, the cache is dropped. */
  async sleep(signal?: AbortSignal): Promise<void> {
    await this.#order('/sleep?level=1', signal);
  }

  async wakeUp(signal?: AbortSignal): Promise<void> {
    await this.#order('/wake_up', signal);
  }

  /** Tokens of a text with the model's own tokenizer; null where the server does not offer it. */
  async countTokens(model: string, text: string, signal?: AbortSignal): Promise<number | null> {
    try {
      const body = { model, prompt: text };
      return (await this.#upstream.json('/tokenize', Tokenized, PROBE_MS, { body, signal })).count;
    } catch (error) {
      if (error instanceof AppError && [404, 405, 501].includes(Number(error.details?.['status']))) return null;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#upstream.close();
  }

  #get(path: string, signal?: AbortSignal): Promise<Dispatcher.ResponseData> {
    const limit = AbortSignal.timeout(PROBE_MS);
    return this.#upstream.send(path, { signal: signal ? AbortSignal.any([signal, limit]) : limit, probe: true });
  }

  async #offered<T>(path: string, shape: z.ZodType<T>, signal?: AbortSignal): Promise<T | null> {
    const response = await this.#get(path, signal);
    if (response.statusCode === 200) {
      const parsed = shape.safeParse(parseJson(await this.#upstream.text(response, 65_536)));
      if (parsed.success) return parsed.data;
      throw new AppError('upstream_protocol', `${this.#upstream.name} answered ${path} in an unknown form.`);
    }
    discard(response);
    if (response.statusCode === 404) return null;
    throw new AppError(
      'upstream_rejected',
      `${this.#upstream.name} answered ${path} with HTTP ${response.statusCode}.`,
    );
  }

  async #order(path: string, signal?: AbortSignal): Promise<void> {
    const limit = AbortSignal.timeout(SLEEP_MS);
    const response = await this.#upstream.send(path, {
      method: 'POST',
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    if (response.statusCode !== 200) throw await this.#upstream.rejected(response);
    await response.body.dump();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
