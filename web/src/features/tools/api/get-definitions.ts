// What a server offers beside tools, and a yes to its words.
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { z } from 'zod';
import { type McpDefinitionItem, McpDefinitionList } from '../../../../../src/contract/mcp-servers';
import { request, send } from '../../../lib/http';
import { at } from './get-servers';

export type McpDefinition = z.output<typeof McpDefinitionItem>;

export const useDefinitions = (name: string) =>
  useQuery({
    queryKey: ['mcp', 'servers', name, 'definitions'],
    queryFn: async ({ signal }) => (await request(at(name, '/definitions'), McpDefinitionList, { signal })).definitions,
  });

/** Bound to the hash of each. */
export function useApproveDefinitions(server: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (definitions: readonly McpDefinition[]) =>
      send(at(server, '/definitions/approve'), {
        json: { definitions: definitions.map(({ kind, name, hash }) => ({ kind, name, hash })) },
      }),
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['mcp'] }),
  });
}
