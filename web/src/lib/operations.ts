// Operations on models: what runs, what ran, and asking for one. Several pages show them.
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { z } from 'zod';
import { Operation as OperationShape } from '../../../src/contract/models';
import { request } from './http';

export type Operation = z.output<typeof OperationShape>;

const Operations = z.object({ operations: z.array(OperationShape) });
const Started = z.object({ operation_id: z.string().optional() });

export const isRunning = ({ status }: Operation): boolean => status === 'pending' || status === 'in_progress';

export function useOperations() {
  return useQuery({
    queryKey: ['operations'],
    queryFn: async ({ signal }) => (await request('/models/operations?limit=100', Operations, { signal })).operations,
    // The WebSocket tells of every change; this is for the case that it is cut.
    refetchInterval: ({ state }) => (state.data?.some(isRunning) ? 3_000 : false),
  });
}

/** Puts a change the server told of into what is shown. */
export function mergeOperation(former: readonly Operation[] | undefined, told: unknown): Operation[] | undefined {
  const parsed = OperationShape.safeParse(told);
  if (!parsed.success || !former) return former ? [...former] : undefined;
  const known = former.some(({ operation_id }) => operation_id === parsed.data.operation_id);
  return known
    ? former.map((operation) => (operation.operation_id === parsed.data.operation_id ? parsed.data : operation))
    : [parsed.data, ...former];
}

/** Asks for an action on a model and says when it could not even begin. */
export function useModelAction() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ path, json, method }: { path: string; json?: unknown; method?: 'POST' | 'DELETE' }) =>
      request(path, Started, { method: method ?? 'POST', ...(json === undefined ? {} : { json }) }),
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: () =>
      Promise.all(
        ['operations', 'models', 'versions', 'adoptable', 'loaded'].map((key) =>
          queries.invalidateQueries({ queryKey: [key] }),
        ),
      ),
  });
}
