// The registry of MCP servers, looked through page by page.
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import type { z } from 'zod';
import {
  RegistryAnswer,
  type RegistryEntry as RegistryEntryShape,
  RegistryList,
} from '../../../../../src/contract/mcp-servers';
import { request } from '../../../lib/http';

export type RegistryEntry = z.output<typeof RegistryEntryShape>;

const PAGE = 30;

export const useRegistry = (search: string) =>
  useInfiniteQuery({
    queryKey: ['registry', search],
    initialPageParam: '',
    queryFn: ({ signal, pageParam }) =>
      request(
        `/mcp/registry?${new URLSearchParams({ search, limit: String(PAGE), ...(pageParam ? { cursor: pageParam } : {}) })}`,
        RegistryList,
        { signal },
      ),
    getNextPageParam: ({ next_cursor: next }) => next,
    placeholderData: keepPreviousData,
    staleTime: 300_000,
    retry: false,
  });

export const useRegistryEntry = (name: string | undefined) =>
  useQuery({
    queryKey: ['registry', 'entry', name],
    queryFn: async ({ signal }) =>
      (await request(`/mcp/registry/${encodeURIComponent(name ?? '')}`, RegistryAnswer, { signal })).entry,
    enabled: name !== undefined,
    staleTime: 300_000,
    retry: false,
  });
