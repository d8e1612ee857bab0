// The one door to the clouds: no other module imports a cloud's client or opens a connection to one. It looks at every
// body that would leave, whoever sends it, and refuses what is labelled or has the shape of a secret.
import type { LanguageModelV4, LanguageModelV4Message, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import type { Agent } from 'undici';
import { CLOUD_PROVIDERS, type CloudProvider } from '../../routing/policy.js';
import type { CloudCall, CloudExit, SensitivityRules, StreamBatches, WireMeter } from '../../routing/ports.js';
import { findSensitiveInTurns, kindsOf } from '../../routing/sensitivity.js';
import { AppError, toAppError } from '../../shared/errors.js';
import { refusalDetails } from '../retry-policy.js';
import { toCloudOptions } from './to-cloud-options.js';

export interface CloudKeys {
  /** Empty where there is none. Asked for each call, so that a key that is taken back is not used again. */
  get(provider: CloudProvider): string;
}

export interface ExitGateOptions {
  keys: CloudKeys;
  /** Base addresses, without a trailing slash; empty where the provider is not configured. */
  endpoints: Readonly<Record<CloudProvider, string>>;
  sensitivity: SensitivityRules;
  connectTimeoutMs: number;
  /** Longest silence within an answer. */
  idleTimeoutMs: number;
}

type Fetch = typeof globalThis.fetch;

export class ExitGate implements CloudExit {
  readonly #options: ExitGateOptions;
  #agent: Promise<{ agent: Agent; fetch: Fetch }> | undefined;

  constructor(options: ExitGateOptions) {
    this.#options = options;
  }

  hasKey(provider: CloudProvider): boolean {
    return this.#options.endpoints[provider] !== '' && this.#options.keys.get(provider) !== '';
  }

  endpoint(provider: CloudProvider): string | null {
    return this.#options.endpoints[provider] || null;
  }

  providerOf(model: string): { provider: CloudProvider; model: string } | null {
    for (const provider of CLOUD_PROVIDERS)
      if (model.startsWith(`${provider}/`)) return { provider, model: model.slice(provider.length + 1) };
    if (/^(?:gpt-|chatgpt-|o\d)/.test(model)) return { provider: 'openai', model };
    if (/^gemini-/.test(model)) return { provider: 'google', model };
    return null;
  }

  async stream(call: CloudCall): Promise<StreamBatches> {
    if (call.labels.length > 0)
      throw new AppError('sensitive_blocked', `What is labelled ${call.labels.join(', ')} does not leave the house.`, {
        details: { findings: [...call.labels] },
      });
    // Pictures and files cannot be read here, and what cannot be read cannot be judged.
    const { localOnly, imagesMayLeave } = this.#options.sensitivity;
    const files = call.options.prompt.flatMap(filesOf);
    if (localOnly && files.some(({ mediaType }) => !imagesMayLeave || !mediaType.startsWith('image/')))
      throw new AppError('sensitive_blocked', 'Pictures and files do not leave the house.', {
        details: { findings: ['unreadable'] },
      });
    try {
      const pictures = files.flatMap(({ data }) => (data.type === 'data' ? [data.data] : []));
      // An address would be fetched by somebody who is not asked here.
      if (pictures.length < files.length || !pictures.every((data) => typeof data === 'string'))
        throw new AppError('unsupported', 'Pictures leave the house as base64 only.');
      const model = await this.#model(call.provider, call.model, call.meter, new Set(pictures));
      const { stream } = await model.doStream(toCloudOptions(call.options));
      return batches(call.provider, stream);
    } catch (error) {
      throw failure(call.provider, error);
    }
  }

  /** For a provider's model list: asks for an address with the key in a header; it has no way to carry a body. */
  reader(provider: CloudProvider): Fetch {
    return async (input, init) => {
      const { url, key } = this.#checked(provider, input);
      return this.#send(url, {
        method: 'GET',
        headers: provider === 'google' ? { 'x-goog-api-key': key } : { authorization: `Bearer ${key}` },
        redirect: 'error',
        ...(init?.signal ? { signal: init.signal } : {}),
      });
    };
  }

  async close(): Promise<void> {
    await (await this.#agent)?.agent.destroy();
  }

  /** Loaded at the first call: an installation that stays local does not pay for them. */
  async #model(
    provider: CloudProvider,
    name: string,
    meter: WireMeter,
    pictures: ReadonlySet<string>,
  ): Promise<LanguageModelV4> {
    const settings = {
      baseURL: this.#options.endpoints[provider],
      apiKey: this.#options.keys.get(provider),
      fetch: this.#writer(provider, meter, pictures),
    };
    switch (provider) {
      case 'openai':
        return (await import('@ai-sdk/openai')).createOpenAI(settings).chat(name);
      case 'google':
        return (await import('@ai-sdk/google')).createGoogleGenerativeAI(settings).chat(name);
      default: {
        const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
        return createOpenAICompatible({ ...settings, name: provider, includeUsage: true }).chatModel(name);
      }
    }
  }

  #writer(provider: CloudProvider, meter: WireMeter, pictures: ReadonlySet<string>): Fetch {
    return async (input, init) => {
      const { url } = this.#checked(provider, input);
      const body = init?.body;
      // What cannot be read cannot be judged.
      if (typeof body !== 'string')
        throw new AppError('sensitive_blocked', 'A body of unknown form does not leave the house.');
      await this.#inspect(body, pictures);
      meter.bytesSent += Buffer.byteLength(body);
      const response = await this.#send(url, { ...init, redirect: 'manual' });
      if (response.status !== 200) throw await rejected(provider, response);
      const counted = response.body?.pipeThrough(
        new TransformStream<Uint8Array, Uint8Array>({
          transform(bytes, controller) {
            meter.bytesReceived += bytes.byteLength;
            controller.enqueue(bytes);
          },
        }),
      );
      return new Response(counted ?? null, { status: response.status, headers: response.headers });
    };
  }

  /** Only to the address that was configured, and never with the key in it. */
  #checked(provider: CloudProvider, input: string | URL | Request): { url: URL; key: string } {
    const base = this.#options.endpoints[provider];
    const key = this.#options.keys.get(provider);
    if (base === '' || key === '') throw new AppError('no_endpoint', `There is no address or no key for ${provider}.`);
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.origin !== new URL(base).origin || url.href.includes(key))
      throw new AppError('upstream_redirect', `A call for ${provider} was about to go elsewhere.`);
    return { url, key };
  }

  /** @param pictures  that may go along, and in whose base64 any shape may come up by chance */
  async #inspect(body: string, pictures: ReadonlySet<string>): Promise<void> {
    const { localOnly, options } = this.#options.sensitivity;
    if (!localOnly) return;
    const kinds = new Set<string>();
    for (const text of textsIn(JSON.parse(body))) {
      if (pictures.size > 0 && pictures.has(text.replace(/^data:image\/[\w.+*-]+;base64,/, ''))) continue;
      for (const kind of kindsOf(await findSensitiveInTurns(text, { ...options, shapesOnly: true }))) kinds.add(kind);
    }
    if (kinds.size > 0)
      throw new AppError('sensitive_blocked', `What would be sent holds ${[...kinds].join(', ')} and stays local.`, {
        details: { findings: [...kinds] },
      });
  }

  async #send(url: URL, init: RequestInit): Promise<Response> {
    this.#agent ??= this.#open();
    const { agent, fetch } = await this.#agent;
    return fetch(url, { ...init, dispatcher: agent } as RequestInit);
  }

  async #open(): Promise<{ agent: Agent; fetch: Fetch }> {
    const undici = await import('undici');
    const { connectTimeoutMs, idleTimeoutMs } = this.#options;
    const agent = new undici.Agent({
      connect: { timeout: connectTimeoutMs },
      headersTimeout: idleTimeoutMs,
      bodyTimeout: idleTimeoutMs,
    });
    return { agent, fetch: undici.fetch as unknown as Fetch };
  }
}

const filesOf = ({ content }: LanguageModelV4Message) =>
  typeof content === 'string' ? [] : content.filter((part) => part.type === 'file');

/** Names and numbers too: a schema's example may be a card, and what a tool is called with may have anything for a name. */
function* textsIn(root: unknown): Generator<string> {
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === 'string') yield value;
    else if (typeof value === 'number') yield String(value);
    else if (Array.isArray(value)) for (const item of value) open.push(item);
    else if (typeof value === 'object' && value !== null)
      for (const [name, item] of Object.entries(value)) open.push(name, item);
  }
}

async function* batches(
  provider: CloudProvider,
  stream: ReadableStream<LanguageModelV4StreamPart>,
): AsyncGenerator<readonly LanguageModelV4StreamPart[]> {
  try {
    for await (const part of stream) {
      if (part.type === 'error') throw part.error;
      yield [part];
    }
  } catch (error) {
    throw failure(provider, error);
  }
}

const MAX_ERROR_BYTES = 65_536;

/** The status and the provider's own code word. Never its text, which may repeat the question or the key. */
async function rejected(provider: CloudProvider, response: Response): Promise<AppError> {
  const { status } = response;
  if (status >= 300 && status < 400) {
    await response.body?.cancel();
    return new AppError('upstream_redirect', `${provider} sends its clients elsewhere; name the right address.`);
  }
  const word = codeWord(await shortText(response));
  return new AppError('upstream_rejected', `${provider} answered HTTP ${status}${word ? ` (${word})` : ''}.`, {
    details: refusalDetails(status, response.headers.get('retry-after') ?? undefined, Date.now()),
  });
}

async function shortText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  try {
    for await (const bytes of response.body ?? []) {
      size += (bytes as Uint8Array).byteLength;
      if (size > MAX_ERROR_BYTES) break;
      text += decoder.decode(bytes as Uint8Array, { stream: true });
    }
  } catch {
    // A broken reason is no reason; the status says enough.
  }
  return text;
}

function codeWord(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; status?: unknown; type?: unknown } };
    return [error?.code, error?.status, error?.type].find(
      (word): word is string => typeof word === 'string' && /^[A-Za-z_]{1,40}$/.test(word),
    );
  } catch {
    return undefined;
  }
}

/** Without the client library's error: it holds the whole request, and would take the question into the log. */
function failure(provider: CloudProvider, thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const { name, code } = describe(thrown);
  if (name === 'AbortError' || code === 'UND_ERR_ABORTED') return new AppError('cancelled', 'The request was stopped.');
  if (name === 'TimeoutError' || /TIMEOUT|ETIMEDOUT/.test(code))
    return new AppError('upstream_timeout', `${provider} did not answer in time.`);
  if (/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH/.test(code))
    return new AppError('upstream_unreachable', `${provider} cannot be reached.`);
  if (/ECONNRESET|EPIPE|UND_ERR_SOCKET/.test(code) || name === 'TypeError')
    return new AppError('upstream_reset', `${provider} cut the connection.`);
  return new AppError('upstream_protocol', `${provider} could not be understood.`);
}

function describe(thrown: unknown): { name: string; code: string } {
  let name = '';
  let code = '';
  // Client libraries wrap once or twice.
  for (let error = thrown, depth = 0; error instanceof Error && depth < 4; error = error.cause, depth += 1) {
    name ||= error.name === 'Error' || error.name.startsWith('AI_') ? '' : error.name;
    code ||= String((error as { code?: unknown }).code ?? '');
  }
  return { name, code: code || (thrown instanceof Error ? '' : toAppError(thrown).code) };
}
