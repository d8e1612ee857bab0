// The starter model: how far it is, and asking for it.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { StarterInstallRequest, StarterState } from '../../contract/starter.js';
import type { StarterInstaller, StarterSnapshot } from '../../models/starter.js';
import { AppError } from '../../shared/errors.js';

export const modelsStarterRoutes: FastifyPluginAsyncZod<{ starter: StarterInstaller }> = async (app, { starter }) => {
  const tags = ['models'];
  let installing: AbortController | undefined;

  app.get('/models/starter', { schema: { response: { 200: StarterState }, tags } }, async () =>
    toStarter(starter.state),
  );

  app.post(
    '/models/starter/install',
    { schema: { body: StarterInstallRequest, response: { 202: StarterState }, tags } },
    async ({ body }, reply) => {
      if (!installing) {
        installing = new AbortController();
        starter
          .install({ signal: installing.signal, ...(body?.path ? { path: body.path } : {}) })
          .catch((error) => app.log.warn({ err: error }, 'the starter model was not installed'))
          .finally(() => {
            installing = undefined;
          });
      } else if (body?.path) throw new AppError('conflict', 'The starter model is being installed already.');
      reply.status(202);
      return toStarter(starter.state);
    },
  );

  app.post('/models/starter/cancel', { schema: { tags } }, async () => {
    installing?.abort();
    return { status: 'success', cancelled: installing !== undefined };
  });
};

export const toStarter = (state: StarterSnapshot): z.output<typeof StarterState> => ({
  state: state.state,
  name: state.name,
  display_name: state.displayName,
  size_bytes: state.sizeBytes,
  received_bytes: state.receivedBytes,
  bytes_per_second: state.bytesPerSecond,
  source: state.source,
  error: state.error,
  hints: state.hints,
});
