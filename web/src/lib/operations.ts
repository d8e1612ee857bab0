// Operations on models: what runs, what ran, and asking for one. Several pages show them.
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import i18next from 'i18next';
import { z } from 'zod';
import { Operation as OperationShape } from '../../../src/contract/models';
import { errorText } from './error-text';
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

/** Begun on this page: its end is told wherever the person is by then. */
const begunHere = new Set<string>();
const MOST_BEGUN = 100;

/** @param told  an operation as the server tells of it */
export function tellEnd(told: unknown): void {
  const { data: operation } = OperationShape.safeParse(told);
  if (!operation || isRunning(operation) || !begunHere.delete(operation.operation_id)) return;
  if (operation.status === 'cancelled') return;
  const done = operation.status === 'completed';
  notifications.show({
    color: done ? 'teal' : 'red',
    message: i18next.t(done ? 'operation.done' : 'operation.failed', {
      what: i18next.t(`activity.type.${operation.operation_type}`),
      name: operation.model_name,
      why: operation.error === null ? '' : errorText(operation.error_code, operation.error),
    }),
  });
}

/** Asks for an action on a model and says when it could not even begin. */
export function useModelAction() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ path, json, method }: { path: string; json?: unknown; method?: 'POST' | 'DELETE' }) =>
      request(path, Started, { method: method ?? 'POST', ...(json === undefined ? {} : { json }) }),
    onSuccess: ({ operation_id }, { path }) => {
      // An activation is answered when it has ended, and then has its end on the page.
      if (operation_id === undefined || path === '/models/activate') return;
      begunHere.add(operation_id);
      for (const oldest of begunHere) {
        if (begunHere.size <= MOST_BEGUN) break;
        begunHere.delete(oldest);
      }
    },
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: () =>
      Promise.all(
        ['operations', 'models', 'versions', 'adoptable', 'loaded'].map((key) =>
          queries.invalidateQueries({ queryKey: [key] }),
        ),
      ),
  });
}
