// The catalogues, a verdict before an installation, and news.
import { useQuery } from '@tanstack/react-query';
import { z } from 'zod';
import { CatalogEntry as CatalogEntryShape, NewsItem, Preflight } from '../../../../../src/contract/models';
import { request } from '../../../lib/http';

export type CatalogEntry = z.output<typeof CatalogEntryShape>;

const Catalog = z.object({
  models: z.array(CatalogEntryShape),
  stale: z.boolean().default(false),
  error: z.string().nullable(),
});
const News = z.object({ items: z.array(NewsItem), error: z.string().nullable() });

/** What is trending, or what matches once there are two letters. */
export function useCatalog(provider: string, query: string) {
  const search = query.length >= 2;
  const parameters = new URLSearchParams({ provider, limit: '24', ...(search ? { query } : {}) });
  return useQuery({
    queryKey: ['catalog', provider, search ? query : ''],
    queryFn: ({ signal }) => request(`/models/${search ? 'search' : 'trending'}?${parameters}`, Catalog, { signal }),
    staleTime: 60_000,
  });
}

export function usePreflight(name: string, provider: string, runtime: string) {
  return useQuery({
    queryKey: ['preflight', provider, runtime, name],
    queryFn: ({ signal }) =>
      request(`/models/preflight?${new URLSearchParams({ name, provider, runtime })}`, Preflight, { signal }),
    enabled: name !== '',
    gcTime: 0,
  });
}

export function useNews(type: 'blog' | 'papers', language: string) {
  return useQuery({
    queryKey: ['news', type, language],
    queryFn: ({ signal }) =>
      request(`/models/news?${new URLSearchParams({ type, limit: '12', lang: language })}`, News, { signal }),
    staleTime: 600_000,
  });
}

const Fit = z.object({
  estimates: z.array(
    z.object({
      context_length: z.number(),
      total_bytes: z.number(),
      verdict: z.enum(['yes', 'tight', 'no']),
      tokens_per_second: z.number().nullable(),
    }),
  ),
});

/** Read from the header at the source, before anything is fetched. */
export function useFit(name: string, provider: string, enabled: boolean) {
  return useQuery({
    queryKey: ['fit', provider, name],
    queryFn: async ({ signal }) =>
      (await request(`/models/fit?${new URLSearchParams({ name, provider })}`, Fit, { signal })).estimates,
    enabled,
    retry: false,
    gcTime: 0,
  });
}
