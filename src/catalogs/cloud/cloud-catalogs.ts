// The model lists of OpenAI and Google, kept for a while. They are asked through the gate, which puts the key in a header.
import { z } from 'zod';
import type { RemoteCatalogs, RemoteModel, RemoteProvider } from '../../models/ports.js';
import { AppError } from '../../shared/errors.js';
import { fetchText } from '../download/fetch-text.js';

const CATALOG_MS = 300_000;
const PROBE_MS = 60_000;
const MAX_BYTES = 8_388_608;
const MAX_MODELS = 2_000;

const OpenAiModels = z.object({ data: z.array(z.object({ id: z.string().min(1).max(300) })) });
const GoogleModels = z.object({
  models: z.array(
    z.object({
      name: z.string().min(1).max(300),
      displayName: z.string().nullish(),
      supportedGenerationMethods: z.array(z.string()).nullish(),
    }),
  ),
});

/** Shown where the provider cannot be asked. */
const KNOWN: Readonly<Record<RemoteProvider, readonly string[]>> = {
  openai: ['gpt-4o', 'gpt-4o-mini', 'gpt-4-turbo', 'gpt-3.5-turbo'],
  google: ['gemini-1.5-pro', 'gemini-1.5-flash', 'gemini-pro'],
};

export interface CloudCatalogsOptions {
  hasKey: (provider: RemoteProvider) => boolean;
  /** The gate's way to ask for a list: it knows the key, and carries no body. */
  reader: (provider: RemoteProvider) => typeof fetch;
  /** Base addresses of the model lists. */
  modelUrls: Readonly<Record<RemoteProvider, string>>;
  chatUrls: Readonly<Record<RemoteProvider, string>>;
  /** The model each provider is used with. */
  models: Readonly<Record<RemoteProvider, string>>;
  hybridProvider: string;
  timeoutMs: number;
  now: () => number;
}

interface Answer {
  at: number;
  status: number;
  models: RemoteModel[];
  error: string | null;
  latencyMs: number | null;
}

export class CloudCatalogs implements RemoteCatalogs {
  readonly #options: CloudCatalogsOptions;
  readonly #kept = new Map<RemoteProvider, Answer>();
  readonly #asking = new Map<RemoteProvider, Promise<Answer>>();

  constructor(options: CloudCatalogsOptions) {
    this.#options = options;
  }

  async providers() {
    return Promise.all(
      (['openai', 'google'] as const).map(async (provider) => {
        if (!this.#options.hasKey(provider))
          return {
            provider,
            status: 'disabled' as const,
            checkedAt: this.#options.now(),
            error: null,
            latencyMs: null,
          };
        const { at, error, latencyMs } = await this.#ask(provider, PROBE_MS);
        return {
          provider,
          status: error === null ? ('reachable' as const) : ('degraded' as const),
          checkedAt: at,
          error,
          latencyMs,
        };
      }),
    );
  }

  known(provider: RemoteProvider): { models: RemoteModel[]; error: string | null } {
    const kept = this.#kept.get(provider);
    if (kept && kept.models.length > 0) return { models: kept.models, error: null };
    return { models: fallback(provider), error: kept?.error ?? null };
  }

  async catalog(provider: RemoteProvider) {
    const models = fallback(provider);
    if (!this.#options.hasKey(provider))
      return { models, refreshedAt: this.#options.now(), source: 'static_fallback_unconfigured', error: null };
    const answer = await this.#ask(provider, CATALOG_MS);
    const { at, error } = answer;
    if (error !== null) return { models, refreshedAt: at, source: 'static_fallback_error', error };
    if (answer.models.length === 0)
      return { models, refreshedAt: at, source: 'static_fallback_empty_live', error: null };
    return { models: answer.models, refreshedAt: at, source: `${provider}_api`, error: null };
  }

  async bindings() {
    const states = await this.providers();
    return states.map(({ provider, status }) => ({
      serviceId: `${provider}-chat`,
      endpoint: this.#options.chatUrls[provider],
      provider,
      model: this.#options.models[provider],
      routingMode: this.#options.hybridProvider === provider ? ('hybrid' as const) : ('direct' as const),
      fallbackOrder: this.#options.hybridProvider === provider ? 1 : null,
      status,
    }));
  }

  async validate(provider: RemoteProvider, model: string | undefined) {
    if (!this.#options.hasKey(provider))
      return { valid: false, message: 'No key is set.', configured: false, latencyMs: null };
    const { status, error, models, latencyMs } = await this.#ask(provider, 0);
    const answer = (valid: boolean, message: string) => ({ valid, message, configured: true, latencyMs });
    if (status === 401 || status === 403) return answer(false, 'The key is not accepted.');
    if (error !== null) return answer(false, error);
    if (model !== undefined && !models.some(({ id }) => id === model))
      return answer(false, `The model ${model} was not found.`);
    return answer(true, 'The key is accepted.');
  }

  /** What was learnt with another key. */
  forget(provider: string): void {
    this.#kept.delete(provider as RemoteProvider);
  }

  async #ask(provider: RemoteProvider, keepMs: number): Promise<Answer> {
    const kept = this.#kept.get(provider);
    if (kept && this.#options.now() - kept.at < keepMs) return kept;
    const asking =
      this.#asking.get(provider) ??
      this.#fetch(provider).finally(() => {
        this.#asking.delete(provider);
      });
    this.#asking.set(provider, asking);
    const answer = await asking;
    this.#kept.set(provider, answer);
    return answer;
  }

  async #fetch(provider: RemoteProvider): Promise<Answer> {
    const { reader, modelUrls, timeoutMs, now } = this.#options;
    const startedAt = performance.now();
    const answer = (status: number, models: RemoteModel[], error: string | null): Answer => ({
      at: now(),
      status,
      models,
      error,
      latencyMs: Math.round(performance.now() - startedAt),
    });
    try {
      const { status, text } = await fetchText({
        url: modelUrls[provider],
        place: provider,
        fetch: reader(provider),
        redirect: 'error',
        maxBytes: MAX_BYTES,
        signal: AbortSignal.timeout(timeoutMs),
      });
      return status === 200
        ? answer(200, parse(provider, JSON.parse(text)), null)
        : answer(status, [], `HTTP ${status}`);
    } catch (error) {
      const timedOut = error instanceof AppError && error.code === 'upstream_timeout';
      return answer(0, [], timedOut ? 'no answer in time' : 'not reachable, or an answer of unknown form');
    }
  }
}

const fallback = (provider: RemoteProvider): RemoteModel[] =>
  KNOWN[provider].map((id) => ({ id, name: id, capabilities: capabilitiesOf(id), alias: null }));

function parse(provider: RemoteProvider, value: unknown): RemoteModel[] {
  if (provider === 'openai')
    return OpenAiModels.parse(value)
      .data.slice(0, MAX_MODELS)
      .map(({ id }) => ({ id, name: id, capabilities: capabilitiesOf(id), alias: null }));
  return GoogleModels.parse(value)
    .models.slice(0, MAX_MODELS)
    .map(({ name, displayName, supportedGenerationMethods }) => {
      const id = name.replace(/^models\//, '');
      const methods = supportedGenerationMethods ?? [];
      return {
        id,
        name: displayName ?? id,
        capabilities: [
          ...(methods.includes('generateContent') ? ['chat'] : []),
          ...(methods.includes('embedContent') ? ['embedding'] : []),
        ],
        alias: null,
      };
    });
}

const capabilitiesOf = (id: string): string[] => {
  if (/embed/i.test(id)) return ['embedding'];
  if (/whisper|tts|audio/i.test(id)) return ['audio'];
  if (/dall-e|image/i.test(id)) return ['image'];
  return /gpt-4|gemini|o\d/i.test(id) ? ['chat', 'tools', 'vision'] : ['chat'];
};
