// HuggingFaceClient (`model_registry_clients`): lists, search, news and model facts of Hugging Face or of a mirror of
// it.
import type { z } from 'zod';
import type { CatalogEntry, CatalogWish, ModelCatalog, NewsItem } from '../../models/ports.js';
import { AppError } from '../../shared/errors.js';
import { fetchText } from '../download/fetch-text.js';
import { feedItems } from './feed-items.js';
import { DailyPapers, ModelInfo, ModelList } from './hugging-face-api.js';
import { toEntry } from './listed-model.js';

const MAX_BYTES = 16_777_216;
/** What a list tells of each model, beside its id: with it, how many weights it has. @see Hugging Face Hub API, `expand` */
const EXPANDED = ['downloads', 'likes', 'tags', 'gated', 'pipeline_tag', 'gguf', 'safetensors']
  .map((field) => `&expand[]=${field}`)
  .join('');

export interface HuggingFaceClientOptions {
  /** `HF_ENDPOINT`. */
  baseUrl: string;
  token?: string | undefined;
  summaryChars: number;
  fetch: typeof fetch;
}

export class HuggingFaceClient implements ModelCatalog {
  readonly provider = 'huggingface';
  readonly baseUrl: string;
  readonly #options: HuggingFaceClientOptions;

  constructor(options: HuggingFaceClientOptions) {
    this.#options = options;
    this.baseUrl = options.baseUrl.replace(/\/+$/, '');
  }

  get token(): string | undefined {
    return this.#options.token;
  }

  async list(
    mode: 'trending' | 'catalog',
    limit: number,
    signal: AbortSignal,
    wish: CatalogWish = {},
  ): Promise<CatalogEntry[]> {
    const ask = (sort: string) => this.#models(`sort=${sort}`, limit, wish, signal);
    if (mode === 'catalog') return ask('downloads');
    return ask('trendingScore').catch((error) => {
      // Some mirrors do not know what is trending.
      if (isRejected(error)) return ask('downloads');
      throw error;
    });
  }

  async search(
    query: string,
    limit: number,
    signal: AbortSignal,
    wish: CatalogWish = {},
  ): Promise<{ entries: CatalogEntry[]; total: number }> {
    const entries = await this.#models(`search=${encodeURIComponent(query)}&sort=downloads`, limit, wish, signal);
    return { entries, total: entries.length };
  }

  async #models(asked: string, limit: number, wish: CatalogWish, signal: AbortSignal): Promise<CatalogEntry[]> {
    const path = `/api/models?${asked}&direction=-1&limit=${limit}&${taskOf(wish.ability)}${wish.gguf ? '&filter=gguf' : ''}`;
    const found = await this.#json(path + EXPANDED, ModelList, signal).catch((error) => {
      // Some mirrors tell no more than they always did.
      if (isRejected(error) && [400, 404, 422].includes(Number(error.details?.['status'])))
        return this.#json(path, ModelList, signal);
      throw error;
    });
    return found.slice(0, limit).map(toEntry);
  }

  async news(type: 'blog' | 'papers', month: string, limit: number, signal: AbortSignal): Promise<NewsItem[]> {
    if (type === 'blog') {
      const feed = await this.#text('/blog/feed.xml', signal);
      return feedItems(feed, limit).map(({ title, link, description, publishedAt }) => ({
        title,
        url: link,
        summary: this.#cut(description),
        publishedAt,
        authors: null,
        source: 'blog',
      }));
    }
    const papers = await this.#json(
      `/api/daily_papers?limit=${limit}${month ? `&month=${month}` : ''}`,
      DailyPapers,
      signal,
    );
    return papers.slice(0, limit).map(({ paper, publishedAt }) => ({
      title: paper.title.replace(/\s+/g, ' ').trim(),
      url: `${this.baseUrl}/papers/${encodeURIComponent(paper.id)}`,
      summary: this.#cut((paper.summary ?? '').replace(/\s+/g, ' ').trim()),
      publishedAt: isoOrNull(paper.publishedAt ?? publishedAt),
      authors: (paper.authors ?? []).flatMap(({ name }) => (name ? [name] : [])).slice(0, 50),
      source: 'papers',
    }));
  }

  /** With the files, their sizes and hashes. @throws AppError `model_not_found`, `gated_model` */
  info(id: string, signal: AbortSignal): Promise<z.output<typeof ModelInfo>> {
    return this.#json(`/api/models/${id}?blobs=true`, ModelInfo, signal, id);
  }

  /** Where a file lies at a pinned revision. */
  fileUrl(id: string, revision: string, path: string): string {
    return `${this.baseUrl}/${id}/resolve/${revision}/${path.split('/').map(encodeURIComponent).join('/')}`;
  }

  async #json<T>(path: string, shape: z.ZodType<T>, signal: AbortSignal, id?: string): Promise<T> {
    const text = await this.#text(path, signal, id);
    try {
      return shape.parse(JSON.parse(text));
    } catch (cause) {
      throw new AppError('upstream_protocol', `${this.#host()} answered in an unknown form.`, { cause });
    }
  }

  async #text(path: string, signal: AbortSignal, id?: string): Promise<string> {
    const { fetch: ask, token } = this.#options;
    const { status, text } = await fetchText({
      url: `${this.baseUrl}${path}`,
      place: this.#host(),
      fetch: ask,
      headers: { accept: 'application/json, text/xml;q=0.9', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      // A redirect could carry the token elsewhere; the API has no need of one.
      redirect: 'manual',
      maxBytes: MAX_BYTES,
      signal,
    });
    if (status !== 200) throw this.#refusal(status, id);
    return text;
  }

  #refusal(status: number, id: string | undefined): AppError {
    if (id !== undefined && status === 404)
      return new AppError('model_not_found', `${this.#host()} has no model ${id}, or it is private.`);
    if (id !== undefined && (status === 401 || status === 403))
      return new AppError(
        'gated_model',
        `${id} is gated or private: accept its terms at ${this.baseUrl}/${id} and set HF_TOKEN to a token that may read it.`,
      );
    if (status >= 300 && status < 400)
      return new AppError('upstream_redirect', `${this.#host()} sends its clients elsewhere; set HF_ENDPOINT.`);
    return new AppError('upstream_rejected', `${this.#host()} answered HTTP ${status}.`, { details: { status } });
  }

  #cut(text: string): string {
    const { summaryChars } = this.#options;
    return text.length > summaryChars ? `${text.slice(0, summaryChars - 1).trimEnd()}…` : text;
  }

  #host(): string {
    return new URL(this.baseUrl).host;
  }
}

/** Chat models, where nothing else is wanted. */
function taskOf(ability: CatalogWish['ability']): string {
  if (ability === 'vision') return 'pipeline_tag=image-text-to-text';
  if (ability === 'embedding') return 'pipeline_tag=feature-extraction';
  return 'filter=text-generation';
}

const isRejected = (error: unknown): error is AppError =>
  error instanceof AppError && error.code === 'upstream_rejected';

function isoOrNull(text: string | null | undefined): string | null {
  const at = Date.parse(text ?? '');
  return Number.isFinite(at) ? new Date(at).toISOString() : null;
}
