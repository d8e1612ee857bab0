// /models/discover: what could be installed from anywhere, judged for this machine; and one of them by its header.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { DiscoverPage, DiscoverQuery, JudgeAnswer, JudgeQuery } from '../../contract/discover.js';
import type { Discovery } from '../../models/discovery.js';
import type { ModelRegistry } from '../../models/model-registry.js';
import { toDiscovered, toEntryFit } from './model-shapes.js';

const GIGA = 1e9;

export interface ModelsDiscoverOptions {
  discovery: Discovery;
  registry: ModelRegistry;
}

export const modelsDiscoverRoutes: FastifyPluginAsyncZod<ModelsDiscoverOptions> = async (
  app,
  { discovery, registry },
) => {
  const tags = ['models'];

  app.get(
    '/models/discover',
    { schema: { querystring: DiscoverQuery, response: { 200: DiscoverPage }, tags } },
    async ({ query: { max_gb, query, ...wish } }) => {
      const { found, total, places, machine } = await discovery.find({
        ...wish,
        query: query.trim(),
        maxBytes: max_gb === undefined ? undefined : max_gb * GIGA,
      });
      return {
        success: true as const,
        models: found.map((one) => toDiscovered(one, registry.isInstalled(one.entry))),
        count: found.length,
        total,
        page: wish.page,
        limit: wish.limit,
        sources: places,
        machine: {
          available_bytes: machine.availableBytes,
          total_bytes: machine.totalBytes,
          vram_free_bytes: machine.vramFreeBytes,
        },
      };
    },
  );

  app.get(
    '/models/discover/fit',
    { schema: { querystring: JudgeQuery, response: { 200: JudgeAnswer }, tags } },
    async ({ query }) => ({
      success: true as const,
      fit: toEntryFit(await discovery.judge(query.name, query.provider, query.runtime)),
    }),
  );
};
