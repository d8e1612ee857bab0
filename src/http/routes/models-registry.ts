// `models_registry`: /models/providers, /models/trending, /models/search, /models/news
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { GUARANTEED_LANGUAGES } from '../../chat/translation/languages.js';
import type { Translator } from '../../chat/translation/translator.js';
import { CatalogQuery, NewsQuery, Preflight, SearchQuery, TrendingQuery } from '../../contract/models.js';
import type { FitAdvisor } from '../../models/fit-advisor.js';
import type { ModelRegistry } from '../../models/model-registry.js';
import type { CatalogEntry, NewsItem } from '../../models/ports.js';
import { preflight } from '../../models/preflight.js';
import { AppError, toAppError } from '../../shared/errors.js';
import { toEntry, toNews, toPreflight } from './model-shapes.js';

export interface ModelsRegistryOptions {
  registry: ModelRegistry;
  fit: FitAdvisor;
  translator: Translator;
  /** For one title or summary. */
  newsTranslationMs: number;
}

export const modelsRegistryRoutes: FastifyPluginAsyncZod<ModelsRegistryOptions> = async (
  app,
  { registry, fit, translator, newsTranslationMs },
) => {
  const tags = ['models'];
  const entries = (items: CatalogEntry[]) => items.map((item) => toEntry(item, registry.isInstalled(item)));

  const inLanguage = (items: readonly NewsItem[], language: string): Promise<NewsItem[]> => {
    // One clock for all of them: the page waits for the slowest, not for their sum.
    const signal = AbortSignal.timeout(newsTranslationMs);
    const read = (text: string) => translator.translateOrKeep(text, language, signal);
    return Promise.all(
      items.map(async (item) => {
        const [title, summary] = await Promise.all([read(item.title), read(item.summary)]);
        return { ...item, title, summary };
      }),
    );
  };

  app.get('/models/providers', { schema: { querystring: CatalogQuery, tags } }, async ({ query }) => {
    const { items, stale, error } = await registry.list('catalog', query.provider, query.limit);
    return { success: true, models: entries(items), count: items.length, stale, error };
  });

  app.get('/models/trending', { schema: { querystring: TrendingQuery, tags } }, async ({ query }) => {
    const { items, stale, error } = await registry.list('trending', query.provider, query.limit);
    return { success: true, provider: query.provider, models: entries(items), count: items.length, stale, error };
  });

  app.get('/models/search', { schema: { querystring: SearchQuery, tags } }, async ({ query }) => {
    const { items, total, stale, error } = await registry.search(query.query, query.provider, query.limit, query.page);
    return {
      success: true,
      provider: query.provider,
      query: query.query,
      models: entries(items),
      count: items.length,
      total,
      page: query.page,
      limit: query.limit,
      stale,
      error,
    };
  });

  app.get('/models/news', { schema: { querystring: NewsQuery, tags } }, async ({ query }) => {
    if (!GUARANTEED_LANGUAGES.includes(query.lang))
      throw new AppError('invalid_input', `The language must be one of ${GUARANTEED_LANGUAGES.join(', ')}.`);
    try {
      const { items, stale, error } = await registry.news(query.provider, query.type, query.month, query.limit);
      const read = query.lang === 'en' ? items : await inLanguage(items, query.lang);
      return { success: true, provider: query.provider, items: read.map(toNews), count: items.length, stale, error };
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code === 'invalid_input') throw error;
      return { success: false, provider: query.provider, items: [], count: 0, stale: true, error: error.message };
    }
  });

  app.get(
    '/models/preflight',
    {
      schema: {
        querystring: z.object({
          name: z.string().min(1).max(200),
          provider: z.string().max(50),
          runtime: z.string().max(50),
        }),
        response: { 200: Preflight },
        tags,
      },
    },
    async ({ query }) => toPreflight(await preflight(registry, fit, query)),
  );
};
