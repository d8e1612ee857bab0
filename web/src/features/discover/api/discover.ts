// What could be installed, judged for this machine, and one of them by its header.
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import type { z } from 'zod';
import { type DiscoveredModel, DiscoverPage, type EntryFit, JudgeAnswer } from '../../../../../src/contract/discover';
import { request } from '../../../lib/http';
import { inTurn } from '../../../lib/in-turn';
import type { DiscoverSearch } from '../discover-search';

export type Discovered = z.output<typeof DiscoveredModel>;
export type Fit = z.output<typeof EntryFit>;

/** A place that is being asked still answers soon. */
const PENDING_MS = 1_000;

export function useDiscover({ q, source, fits, licence, ability, max, sort }: DiscoverSearch, limit: number) {
  const query = (q ?? '').trim().length >= 2 ? (q ?? '').trim() : '';
  const parameters = new URLSearchParams({ limit: String(limit) });
  if (query) parameters.set('query', query);
  if (source) parameters.set('source', source);
  if (fits) parameters.set('fits', 'true');
  if (licence) parameters.set('licence', licence);
  if (ability) parameters.set('ability', ability);
  if (max) parameters.set('max_gb', String(max));
  if (sort) parameters.set('sort', sort);
  return useQuery({
    queryKey: ['discover', parameters.toString()],
    queryFn: ({ signal }) => request(`/models/discover?${parameters}`, DiscoverPage, { signal }),
    staleTime: 60_000,
    // A filter that is turned takes nothing away until the next list is there.
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.sources.some((place) => place.state === 'pending') ? PENDING_MS : false,
  });
}

// Few at a time: a browser opens no more than a handful of connections, and the page has other questions.
const headers = inTurn(2);

/** From the header at the source: megabytes of somebody's network, so only where it is asked for. */
export function useJudged({ provider, model_name: name, runtime }: Discovered, wanted: boolean) {
  const queries = useQueryClient();
  const parameters = new URLSearchParams({ name, provider, runtime });
  const judged = useQuery({
    queryKey: ['judged', parameters.toString()],
    queryFn: ({ signal }) =>
      headers(async () => (await request(`/models/discover/fit?${parameters}`, JudgeAnswer, { signal })).fit, signal),
    enabled: wanted,
    retry: false,
    staleTime: 600_000,
  });
  return { ...judged, again: () => queries.invalidateQueries({ queryKey: ['judged', parameters.toString()] }) };
}
