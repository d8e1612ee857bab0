// The starter model's state, which chat and models both show.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { z } from 'zod';
import { request } from './http';

const Starter = z.object({
  state: z.enum(['absent', 'downloading', 'verifying', 'installed', 'failed', 'off']),
  name: z.string(),
  display_name: z.string(),
  size_bytes: z.number(),
  received_bytes: z.number(),
  bytes_per_second: z.number().nullable(),
  source: z.string().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  hints: z.array(z.string()),
});

export function useStarter() {
  return useQuery({
    queryKey: ['starter'],
    queryFn: ({ signal }) => request('/models/starter', Starter, { signal }),
    refetchInterval: ({ state }) => (state.data && /downloading|verifying/.test(state.data.state) ? 1_000 : false),
  });
}

export function useInstallStarter() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (path?: string) => request('/models/starter/install', Starter, { json: path ? { path } : {} }),
    onSuccess: (state) => queries.setQueryData(['starter'], state),
  });
}

export function useCancelStarter() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => request('/models/starter/cancel', z.object({ cancelled: z.boolean() }), { method: 'POST' }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['starter'] }),
  });
}
