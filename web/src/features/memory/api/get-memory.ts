// What is remembered, searched and forgotten; files that became knowledge; lessons.
import { notifications } from '@mantine/notifications';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { LessonList } from '../../../../../src/contract/learning';
import { KnowledgeList, MemoryList, MemorySearchResponse, MemoryStatus } from '../../../../../src/contract/memory';
import { request, send } from '../../../lib/http';

const PAGE = 50;

export const useMemoryStatus = () =>
  useQuery({
    queryKey: ['memory', 'status'],
    queryFn: ({ signal }) => request('/memory/status', MemoryStatus, { signal }),
    refetchInterval: 5_000,
  });

export const useMemories = () =>
  useInfiniteQuery({
    queryKey: ['memory', 'list'],
    queryFn: ({ pageParam, signal }) => request(`/memory?limit=${PAGE}&offset=${pageParam}`, MemoryList, { signal }),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => {
      const shown = pages.reduce((sum, { memories }) => sum + memories.length, 0);
      return shown < last.total ? shown : undefined;
    },
  });

export const useMemorySearch = (query: string) =>
  useQuery({
    queryKey: ['memory', 'search', query],
    queryFn: ({ signal }) => request('/memory/search', MemorySearchResponse, { json: { query, limit: 20 }, signal }),
    enabled: query.length > 1,
    placeholderData: (former) => former,
  });

export const useKnowledgeFiles = () =>
  useQuery({
    queryKey: ['memory', 'files'],
    queryFn: ({ signal }) => request('/knowledge/files?limit=200', KnowledgeList, { signal }),
  });

export const useLessons = () =>
  useQuery({
    queryKey: ['memory', 'lessons'],
    queryFn: ({ signal }) => request('/lessons?limit=100', LessonList, { signal }),
  });

export function useMemoryAction() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ path, ...init }: { path: string } & RequestInit & { json?: unknown }) => send(path, init),
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['memory'] }),
  });
}

export const upload = (file: File) => ({
  path: `/knowledge/files?name=${encodeURIComponent(file.name)}`,
  method: 'POST',
  body: file,
  headers: { 'content-type': 'application/octet-stream' },
});
