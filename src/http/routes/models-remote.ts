// /models/remote/*: the cloud providers' catalogues and whether they can be reached. Nothing of a prompt goes there.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { RemoteCatalogs, RemoteProvider } from '../../models/ports.js';
import { AppError } from '../../shared/errors.js';
import { iso } from './model-shapes.js';

export const modelsRemoteRoutes: FastifyPluginAsyncZod<{ remote: RemoteCatalogs }> = async (app, { remote }) => {
  const tags = ['models'];
  const provider = (name: string): RemoteProvider => {
    if (name === 'openai' || name === 'google') return name;
    throw new AppError('invalid_input', `There is no cloud provider ${name.slice(0, 50)}.`);
  };

  app.get('/models/remote/providers', { schema: { tags } }, async () => {
    const states = await remote.providers();
    return {
      status: 'success',
      providers: states.map(({ provider: name, status, checkedAt, error, latencyMs }) => ({
        provider: name,
        status,
        last_check: iso(checkedAt),
        error,
        latency_ms: latencyMs,
      })),
      count: states.length,
    };
  });

  app.get(
    '/models/remote/catalog',
    { schema: { querystring: z.object({ provider: z.string().max(50) }), tags } },
    async ({ query }) => {
      const name = provider(query.provider);
      const { models, refreshedAt, source, error } = await remote.catalog(name);
      return {
        status: 'success',
        provider: name,
        models: models.map(({ id, name: label, capabilities, alias }) => ({
          id,
          name: label,
          provider: name,
          capabilities,
          model_alias: alias,
        })),
        count: models.length,
        refreshed_at: iso(refreshedAt),
        source,
        error,
      };
    },
  );

  app.get('/models/remote/connectivity', { schema: { tags } }, async () => {
    const bindings = await remote.bindings();
    return {
      status: 'success',
      bindings: bindings.map((binding) => ({
        service_id: binding.serviceId,
        endpoint: binding.endpoint,
        http_method: 'POST',
        provider: binding.provider,
        model: binding.model,
        routing_mode: binding.routingMode,
        fallback_order: binding.fallbackOrder,
        status: binding.status,
      })),
      count: bindings.length,
    };
  });

  app.post(
    '/models/remote/validate',
    { schema: { body: z.object({ provider: z.string().max(50), model: z.string().max(200).nullish() }), tags } },
    async ({ body }) => {
      const name = provider(body.provider);
      const { valid, message, configured, latencyMs } = await remote.validate(name, body.model ?? undefined);
      return {
        status: 'success',
        validation: {
          provider: name,
          valid,
          message,
          details: {
            configured,
            model: body.model ?? null,
            latency_ms: latencyMs,
            validation_mode: 'live_api_call',
          },
        },
      };
    },
  );
};
