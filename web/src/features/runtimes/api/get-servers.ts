// The model servers, what is loaded, and the switch to another engine.
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { z } from 'zod';
import { LlmServer as LlmServerShape } from '../../../../../src/contract/llm-servers';
import { request, send } from '../../../lib/http';

export type LlmServer = z.output<typeof LlmServerShape>;

const Servers = z.object({ servers: z.array(LlmServerShape) });
const Scheduler = z.object({
  queue: z.object({
    status: z
      .object({
        waiting: z.number(),
        limit: z.number(),
        running: z.number(),
        rejected: z.number(),
        dropped: z.number(),
      })
      .nullable(),
    diagnostics: z.object({
      introspection: z
        .object({
          loaded: z.array(
            z.object({
              name: z.string(),
              state: z.string(),
              bytes: z.number().nullable(),
              answers: z.number(),
              pinned: z.boolean(),
              idle_left_seconds: z.number().nullable(),
            }),
          ),
          waiting: z.array(z.object({ model: z.string(), requests: z.number(), reason: z.string() })),
          swaps: z.number(),
          loads: z.number(),
          evictions: z.array(z.object({ at: z.string(), model: z.string(), cause: z.string(), reason: z.string() })),
        })
        .nullable(),
    }),
  }),
});
const Acted = z.object({ status: z.string(), message: z.string().optional() });
const Logs = z.object({ text: z.string() });

export const useServers = () =>
  useQuery({
    queryKey: ['servers'],
    queryFn: async ({ signal }) => (await request('/system/llm-servers', Servers, { signal })).servers,
    refetchInterval: 15_000,
  });

/** Of the embedded engine: who waits, what is loaded, what had to go and why. */
export const useScheduler = () =>
  useQuery({
    queryKey: ['loaded', 'scheduler'],
    queryFn: async ({ signal }) => (await request('/system/llm-runtime/queue-snapshot', Scheduler, { signal })).queue,
    refetchInterval: 3_000,
  });

export function useKeepAlive() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (json: { name: string; keep_alive: string }) => send('/models/keep-alive', { json }),
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['loaded'] }),
  });
}

export const useServerLogs = (name: string | null) =>
  useQuery({
    queryKey: ['server-logs', name],
    queryFn: async ({ signal }) => (await request(`/system/llm-servers/${name}/logs`, Logs, { signal })).text,
    enabled: name !== null,
    refetchInterval: 3_000,
  });

export function useServerAction() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, action }: { name: string; action: 'start' | 'stop' | 'restart' | 'use' }) =>
      action === 'use'
        ? request('/system/llm-servers/active', Acted, { json: { server_name: name } })
        : request(`/system/llm-servers/${name}/${action}`, Acted, { method: 'POST' }),
    onSuccess: ({ status, message }) => {
      if (message) notifications.show({ message, ...(status === 'error' ? { color: 'red' } : {}) });
    },
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: () =>
      Promise.all(['servers', 'models', 'loaded'].map((key) => queries.invalidateQueries({ queryKey: [key] }))),
  });
}
