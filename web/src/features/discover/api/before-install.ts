// A verdict before an installation, and news.
import { useQuery } from '@tanstack/react-query';
import { z } from 'zod';
import { NewsItem, Preflight } from '../../../../../src/contract/models';
import { request } from '../../../lib/http';

const News = z.object({ items: z.array(NewsItem), error: z.string().nullable() });

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
