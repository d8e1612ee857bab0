// Tasks and the queue they wait in.
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { z } from 'zod';
import { request, send } from '../../../lib/http';

const SHOWN = 100;

const QueueStatus = z.object({
  paused: z.boolean(),
  pending: z.number(),
  active: z.number(),
  processing: z.number(),
  limit: z.number().nullable(),
});
const Task = z.object({
  id: z.string(),
  content: z.string(),
  created_at: z.string(),
  status: z.enum(['PENDING', 'PROCESSING', 'COMPLETED', 'FAILED']),
  result: z.string().nullable(),
  logs: z.array(z.string()),
  context_history: z.looseObject({
    session: z.looseObject({ session_id: z.string().optional() }).optional(),
    tool_requirement: z.looseObject({ intent: z.string() }).optional(),
    llm_runtime: z
      .looseObject({
        model: z.string().nullish(),
        error: z.looseObject({ error_code: z.string(), error_message: z.string() }).nullish(),
      })
      .optional(),
  }),
});
export type Task = z.output<typeof Task>;

export const useQueue = () =>
  useQuery({
    queryKey: ['tasks', 'queue'],
    queryFn: ({ signal }) => request('/queue/status', QueueStatus, { signal }),
    refetchInterval: 5_000,
  });

export const useTasks = () =>
  useQuery({
    queryKey: ['tasks', 'list'],
    queryFn: ({ signal }) => request(`/tasks?limit=${SHOWN}`, z.array(Task), { signal }),
    refetchInterval: 15_000,
  });

export function useQueueAction() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (path: string) => send(path, { method: 'POST' }),
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['tasks'] }),
  });
}
