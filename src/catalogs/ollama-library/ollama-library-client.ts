// Ollama's public library: its list as JSON, its search as the page people see.
import { z } from 'zod';
import type { OfferedAbility } from '../../models/discovery-terms.js';
import { parametersOf } from '../../models/parameter-count.js';
import type { CatalogEntry, ModelCatalog } from '../../models/ports.js';
import { AppError } from '../../shared/errors.js';
import { fetchText } from '../download/fetch-text.js';
import { goodEntries } from '../download/good-entries.js';
import { foundOnPage } from './library-pages.js';

const MAX_BYTES = 8_388_608;

const Tags = z.object({
  models: goodEntries(
    z.object({
      name: z.string().regex(/^[\w\-.:]{1,100}$/),
      size: z.number().nullish(),
      details: z
        .object({
          family: z.string().nullish(),
          parameter_size: z.string().nullish(),
          quantization_level: z.string().nullish(),
          format: z.string().nullish(),
        })
        .nullish(),
    }),
  ),
});

export interface OllamaLibraryOptions {
  baseUrl: string;
  fetch: typeof fetch;
}

export class OllamaLibraryClient implements ModelCatalog {
  readonly provider = 'ollama';
  readonly #baseUrl: string;
  readonly #fetch: typeof fetch;

  constructor({ baseUrl, fetch: ask }: OllamaLibraryOptions) {
    this.#baseUrl = baseUrl.replace(/\/+$/, '');
    this.#fetch = ask;
  }

  async list(_mode: 'trending' | 'catalog', limit: number, signal: AbortSignal): Promise<CatalogEntry[]> {
    const text = await this.#text('/api/tags', signal);
    let models: z.output<typeof Tags>['models'];
    try {
      models = Tags.parse(JSON.parse(text)).models;
    } catch (cause) {
      throw new AppError('upstream_protocol', 'The Ollama library answered in an unknown form.', { cause });
    }
    return models.slice(0, limit).map(({ name, size, details }) => ({
      ...entry(name),
      sizeBytes: size ?? null,
      tags: [details?.family, details?.parameter_size, details?.quantization_level, details?.format].flatMap((tag) =>
        tag ? [tag] : [],
      ),
      quantization: details?.quantization_level || null,
      parameters: parametersOf(details?.parameter_size ?? '') ?? parametersOf(name),
      abilities: abilitiesByName(`${details?.family ?? ''} ${name}`),
    }));
  }

  async search(query: string, limit: number, signal: AbortSignal): Promise<{ entries: CatalogEntry[]; total: number }> {
    const page = await this.#text(`/search?q=${encodeURIComponent(query)}`, signal);
    // A page without any such link, not even in its navigation, is another page than this was written for.
    if (!page.includes('/library')) throw new AppError('upstream_protocol', 'The search page of Ollama has changed.');
    const entries = foundOnPage(page).map(({ name, description, abilities, sizes, pulls }) => ({
      ...entry(name),
      description,
      abilities: abilities.length > 0 && !abilities.includes('embedding') ? ['chat' as const, ...abilities] : abilities,
      sizes,
      // Where it comes in several, the smallest is what may run here.
      parameters: smallest(sizes.map(parametersOf)) ?? parametersOf(name),
      downloads: pulls,
    }));
    return { entries: entries.slice(0, limit), total: entries.length };
  }

  async #text(path: string, signal: AbortSignal): Promise<string> {
    const { status, text } = await fetchText({
      url: this.#baseUrl + path,
      place: 'The Ollama library',
      fetch: this.#fetch,
      redirect: 'follow',
      maxBytes: MAX_BYTES,
      signal,
    });
    if (status !== 200) throw new AppError('upstream_rejected', `The Ollama library answered HTTP ${status}.`);
    return text;
  }
}

const entry = (name: string): CatalogEntry => ({
  provider: 'ollama',
  modelName: name,
  displayName: name,
  sizeBytes: null,
  runtime: 'ollama',
  tags: [],
  downloads: null,
  likes: null,
  description: null,
  licence: null,
  gated: false,
});

const smallest = (counts: (number | null)[]): number | null => {
  const known = counts.filter((count) => count !== null);
  return known.length > 0 ? Math.min(...known) : null;
};

/** The list says nothing of abilities; families and names that are made for one of them do. */
function abilitiesByName(name: string): OfferedAbility[] {
  if (/embed|\bbert\b|minilm|\bbge\b/i.test(name)) return ['embedding'];
  return /vision|llava|\bvl\b|-vl|moondream|clip/i.test(name) ? ['chat', 'vision'] : ['chat'];
}
