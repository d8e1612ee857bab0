// GET /mcp/registry, and one entry of it: MCP servers others publish.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import {
  RegistryAnswer,
  type RegistryEntry as RegistryEntryShape,
  RegistryList,
  RegistryParams,
  RegistryQuery,
} from '../../contract/mcp-servers.js';
import type { RegistryEntry, ServerRegistry } from '../../skills/mcp/server-registry.js';
import { whileOpen } from '../while-open.js';

export const mcpRegistryRoutes: FastifyPluginAsyncZod<{ registry: ServerRegistry }> = async (app, { registry }) => {
  const tags = ['mcp'];
  app.get(
    '/mcp/registry',
    { schema: { querystring: RegistryQuery, response: { 200: RegistryList }, tags } },
    async ({ query }, reply) => {
      const { search, cursor, limit } = query;
      const { entries, nextCursor } = await registry.list({ search, cursor, limit, signal: whileOpen(reply) });
      return { status: 'success' as const, entries: entries.map(toEntry), next_cursor: nextCursor };
    },
  );
  app.get(
    '/mcp/registry/:name',
    { schema: { params: RegistryParams, response: { 200: RegistryAnswer }, tags } },
    async ({ params }, reply) => ({
      status: 'success' as const,
      entry: toEntry(await registry.get(params.name, whileOpen(reply))),
    }),
  );
};

const toEntry = ({ updatedAt, packages, remotes, ...entry }: RegistryEntry): z.output<typeof RegistryEntryShape> => ({
  ...entry,
  updated_at: updatedAt,
  packages: packages.map(({ args, environment, ...each }) => ({
    ...each,
    args: [...args],
    environment: [...environment],
  })),
  remotes: remotes.map(({ url, headers }) => ({ url, headers: [...headers] })),
});
