// One model server over HTTP: a pool of connections, bounded answers, and every failure as a code.
import { Agent, type Dispatcher, fetch as undiciFetch } from 'undici';
import type { z } from 'zod';
import { AppError } from '../shared/errors.js';
import { refusalDetails } from './retry-policy.js';
import { StreamedAnswer } from './streamed-answer.js';
import { UpstreamTraffic } from './upstream-traffic.js';

const MAX_ANSWER_BYTES = 16_777_216;
const MAX_LINE_CHARS = 4_194_304;

export interface HttpUpstreamOptions {
  /** With its base path, such as `http://127.0.0.1:11434/v1`. */
  baseUrl: string;
  headers: Readonly<Record<string, string>>;
  connectTimeoutMs: number;
  /** Longest silence within an answer. */
  idleTimeoutMs: number;
  /** Counts, retries and the circuit; one of its own where none is given. */
  traffic?: UpstreamTraffic | undefined;
}

export interface SendOptions {
  method?: 'GET' | 'POST' | 'DELETE' | 'HEAD';
  /** JSON that is written out already goes out as it is. */
  body?: Record<string, unknown> | Uint8Array | AsyncIterable<Uint8Array>;
  /** The model that is asked, where the body is written out and does not say. */
  model?: string | undefined;
  signal?: AbortSignal | undefined;
  headers?: Readonly<Record<string, string>>;
  /** Asked once more where it fails before its first byte; only where that does no harm. */
  retry?: boolean;
  /** A question after the server's health: not held back by an open circuit. */
  probe?: boolean;
}

export class HttpUpstream {
  readonly #agent: Agent;
  readonly #origin: string;
  readonly #basePath: string;
  readonly #headers: Readonly<Record<string, string>>;
  /** Longest silence within an answer. */
  readonly idleTimeoutMs: number;
  readonly traffic: UpstreamTraffic;

  constructor(options: HttpUpstreamOptions) {
    const url = new URL(options.baseUrl);
    this.#origin = url.origin;
    this.#basePath = url.pathname.replace(/\/+$/, '');
    this.#headers = options.headers;
    this.idleTimeoutMs = options.idleTimeoutMs;
    this.#agent = new Agent({
      connect: { timeout: options.connectTimeoutMs },
      headersTimeout: options.idleTimeoutMs,
      bodyTimeout: options.idleTimeoutMs,
      keepAliveTimeout: 30_000,
      connections: 512,
    });
    this.traffic = options.traffic ?? new UpstreamTraffic(this.name);
  }

  get name(): string {
    return `The model server at ${this.#origin}`;
  }

  /**
   * Whatever status it has.
   * @throws AppError `upstream_unreachable`, `upstream_timeout`, `upstream_reset`, `cancelled`, `provider_unavailable`
   */
  send(path: string, options: SendOptions = {}): Promise<Dispatcher.ResponseData> {
    const stream = isStream(options.body);
    // Once for all attempts: a long conversation takes as long to write out as to send.
    const request = this.#request(path, options);
    return this.traffic.run<Dispatcher.ResponseData>({
      attempt: async () => {
        try {
          return await this.#agent.request({ ...request, signal: options.signal ?? null });
        } catch (error) {
          throw this.failure(error);
        }
      },
      head: ({ statusCode, headers }) => ({ status: statusCode, retryAfter: headers['retry-after']?.toString() }),
      discard,
      ended: ({ body }, leave) => void body.once('close', leave),
      // What has been read from a stream cannot be sent again.
      retry: options.retry === true && !stream,
      probe: options.probe === true,
      // Only what is asked of the model itself: that it can be described says nothing about its answers.
      model: options.retry === true && !stream ? (options.model ?? modelOf(options.body)) : undefined,
      signal: options.signal,
    });
  }

  /** A streamed answer with status 200, for the hot path. @throws AppError those of `send` and `rejected` */
  async open(path: string, body: Record<string, unknown>, signal?: AbortSignal): Promise<StreamedAnswer> {
    const request = this.#request(path, { body });
    const answer = await this.traffic.run<StreamedAnswer>({
      attempt: async () => {
        const attempted = new StreamedAnswer(signal);
        try {
          this.#agent.dispatch(request, attempted);
          await attempted.started;
          return attempted;
        } catch (error) {
          throw this.failure(error);
        }
      },
      head: ({ statusCode, headers }) => ({ status: statusCode, retryAfter: headers['retry-after']?.toString() }),
      discard: (attempted) => attempted.discard(),
      ended: (attempted, leave) => attempted.onEnd(leave),
      retry: true,
      probe: false,
      model: modelOf(body),
      signal,
    });
    if (answer.statusCode !== 200) throw await this.#refusal(answer, this.batches(answer), () => answer.discard());
    return answer;
  }

  /** The same connections, counts and circuit, for libraries that make their own calls. */
  readonly fetch = (async (input: string | URL | Request, init?: RequestInit) =>
    this.traffic.run<Response>({
      attempt: async () => {
        try {
          return (await undiciFetch(input as string, {
            ...(init as object),
            dispatcher: this.#agent,
            redirect: 'error',
          })) as unknown as Response;
        } catch (error) {
          throw this.failure(error);
        }
      },
      head: ({ status, headers }) => ({ status, retryAfter: headers.get('retry-after') ?? undefined }),
      discard: (answer) => void answer.body?.cancel().catch(() => {}),
      // Its body belongs to the library: how long it is read cannot be seen from here.
      ended: (_answer, leave) => leave(),
      retry: true,
      probe: false,
      model: typeof init?.body === 'string' ? modelOf(JSON.parse(init.body)) : undefined,
      signal: init?.signal ?? undefined,
    })) as typeof fetch;

  /** The next bytes of a streamed answer, its failures as codes; undefined at the end. */
  async read(answer: StreamedAnswer): Promise<Buffer | undefined> {
    try {
      return await answer.read();
    } catch (error) {
      throw this.failure(error);
    }
  }

  /** The same as a whole body. */
  async *batches(answer: StreamedAnswer): AsyncGenerator<Buffer> {
    for (let bytes = await this.read(answer); bytes; bytes = await this.read(answer)) yield bytes;
  }

  #request(path: string, { method, body, headers }: SendOptions) {
    const stream = isStream(body);
    return {
      origin: this.#origin,
      path: this.#basePath + path,
      method: method ?? (body ? 'POST' : 'GET'),
      headers: {
        accept: 'application/json, text/event-stream, application/x-ndjson',
        ...(body && !stream ? { 'content-type': 'application/json' } : {}),
        ...this.#headers,
        ...headers,
      },
      body: body === undefined ? null : stream || body instanceof Uint8Array ? (body as never) : JSON.stringify(body),
    };
  }

  /** One whole answer of a known form. @throws AppError `upstream_protocol`, `upstream_rejected` and those of `send` */
  async json<T>(path: string, shape: z.ZodType<T>, timeoutMs: number, options: SendOptions = {}): Promise<T> {
    const signals = [AbortSignal.timeout(timeoutMs), ...(options.signal ? [options.signal] : [])];
    const response = await this.send(path, { ...options, signal: AbortSignal.any(signals) });
    if (response.statusCode !== 200) throw await this.rejected(response);
    const text = await this.text(response);
    try {
      return shape.parse(JSON.parse(text));
    } catch (cause) {
      throw new AppError('upstream_protocol', `${this.name} answered ${path} in an unknown form.`, { cause });
    }
  }

  text(response: Dispatcher.ResponseData, maxBytes = MAX_ANSWER_BYTES): Promise<string> {
    return this.wholeText(this.bytes(response), () => discard(response), maxBytes);
  }

  /** @throws AppError `upstream_protocol` beyond `maxBytes` */
  async wholeText(body: AsyncIterable<Uint8Array>, letGo: () => void, maxBytes = MAX_ANSWER_BYTES): Promise<string> {
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const bytes of body) {
      size += bytes.length;
      if (size > maxBytes) {
        letGo();
        throw new AppError('upstream_protocol', `${this.name} sent more than ${maxBytes} bytes.`);
      }
      pieces.push(bytes);
    }
    return Buffer.concat(pieces).toString('utf8');
  }

  /** The body, its failures as codes. */
  async *bytes(response: Dispatcher.ResponseData): AsyncGenerator<Uint8Array> {
    try {
      yield* response.body;
    } catch (error) {
      throw this.failure(error);
    }
  }

  /** Lines of JSON, in batches as they come, wherever the bytes are cut. @throws AppError `upstream_protocol` */
  async *lines(response: Dispatcher.ResponseData): AsyncGenerator<unknown[]> {
    const decoder = new TextDecoder();
    let rest = '';
    const parse = (line: string): unknown => {
      try {
        return JSON.parse(line);
      } catch (cause) {
        throw new AppError('upstream_protocol', `${this.name} sent broken JSON.`, { cause });
      }
    };
    for await (const bytes of this.bytes(response)) {
      rest += decoder.decode(bytes, { stream: true });
      const pieces = rest.split('\n');
      rest = pieces.pop() ?? '';
      if (rest.length > MAX_LINE_CHARS) throw new AppError('upstream_protocol', `${this.name} sent an endless line.`);
      const batch = pieces.filter((line) => line.trim() !== '').map(parse);
      if (batch.length > 0) yield batch;
    }
    if (rest.trim() !== '') yield [parse(rest)];
  }

  /** What a status other than 200 means; reads the answer's reason. */
  rejected(response: Dispatcher.ResponseData): Promise<AppError> {
    return this.#refusal(response, this.bytes(response), () => discard(response));
  }

  async #refusal(
    { statusCode, headers }: Pick<Dispatcher.ResponseData, 'statusCode' | 'headers'>,
    body: AsyncIterable<Uint8Array>,
    letGo: () => void,
  ): Promise<AppError> {
    if (statusCode < 400) {
      letGo();
      // Followed, it would carry prompt and key to an address nobody configured.
      return statusCode >= 300
        ? new AppError('upstream_redirect', `${this.name} sends its clients elsewhere; name the right address.`)
        : new AppError('upstream_protocol', `${this.name} answered HTTP ${statusCode} in place of an answer.`);
    }
    let reason = '';
    try {
      const parsed = JSON.parse(await this.wholeText(body, letGo, 65_536));
      reason = `: ${errorText(parsed.error ?? parsed.detail ?? parsed)}`;
    } catch {
      letGo();
    }
    return new AppError(refusalCode(statusCode, reason), `${this.name} answered HTTP ${statusCode}${reason}`, {
      details: refusalDetails(statusCode, headers['retry-after']?.toString(), Date.now()),
    });
  }

  failure(error: unknown): unknown {
    if (error instanceof AppError) return error;
    const code = (error as { code?: string }).code ?? (error as { cause?: { code?: string } }).cause?.code ?? '';
    const { name } = error as Error;
    if (name === 'AbortError' || code === 'UND_ERR_ABORTED')
      return new AppError('cancelled', 'The request was stopped.', { cause: error });
    if (name === 'TimeoutError' || /TIMEOUT|ETIMEDOUT/.test(code))
      return new AppError('upstream_timeout', `${this.name} did not answer in time.`, { cause: error });
    if (/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH/.test(code))
      return new AppError('upstream_unreachable', `${this.name} cannot be reached.`, { cause: error });
    if (/ECONNRESET|EPIPE|UND_ERR_SOCKET/.test(code))
      return new AppError('upstream_reset', `${this.name} cut the connection.`, { cause: error });
    return new AppError('upstream_protocol', `${this.name} could not be understood.`, { cause: error });
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

const isStream = (body: SendOptions['body']): body is AsyncIterable<Uint8Array> =>
  body !== undefined && Symbol.asyncIterator in body;

const modelOf = (body: SendOptions['body']): string | undefined => {
  const model = body !== undefined && 'model' in body ? body.model : undefined;
  return typeof model === 'string' ? model : undefined;
};

/** Lets go of an answer nobody reads; destroying its body is an error to undici, and not one of ours. */
export function discard(response: Dispatcher.ResponseData): void {
  response.body.on('error', () => {});
  response.body.destroy();
}

/** vLLM, llama.cpp's server, LM Studio and others say it each in their own words, and none with a status of its own. */
const TOO_LONG =
  /maximum context length|context_length_exceeded|exceed(?:s|ed)? (?:the )?(?:available |model's )?context (?:size|length|window)|exceed_context_size|greater than the context length/i;

const refusalCode = (status: number, reason: string): 'context_length_exceeded' | 'upstream_rejected' =>
  (status === 400 || status === 413) && TOO_LONG.test(reason) ? 'context_length_exceeded' : 'upstream_rejected';

export function errorText(error: unknown): string {
  const message = typeof error === 'string' ? error : (error as { message?: unknown } | null)?.message;
  return typeof message === 'string' ? message.slice(0, 300) : 'no reason given';
}
