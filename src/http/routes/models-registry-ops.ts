// `models_registry_ops`: /models/registry/install, /models/registry/{model_name}, /models/activate, /models/operations,
// versions and adoption.
import { once } from 'node:events';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { AddressedName } from '../../contract/addressed-name.js';
import { broughtWithin } from '../../contract/lax-values.js';
import {
  ActivateRequest,
  AdoptRequest,
  engineOf,
  ForeignModel,
  ModelRequest,
  RegistryInstallRequest,
  Version,
  WhichEngine,
} from '../../contract/models.js';
import type { Activation } from '../../models/activation.js';
import type { Adoption } from '../../models/adoption.js';
import type { ModelManager } from '../../models/model-manager.js';
import type { ModelOperation } from '../../models/model-operation.js';
import type { ModelRegistry } from '../../models/model-registry.js';
import type { ModelOperations } from '../../models/operations.js';
import { AppError } from '../../shared/errors.js';
import { corsOf, openEventStream } from '../event-stream.js';
import { toOperation, toVersion } from './model-shapes.js';
import type { SwitchPolicy } from './switch-policy.js';
import { runtimePayload } from './system.js';

const ENDED = new Set(['completed', 'failed', 'cancelled', 'interrupted']);
const HEARTBEAT_MS = 15_000;
const ACTIVATE_MS = 600_000;

export interface ModelsRegistryOpsOptions {
  models: ModelManager;
  registry: ModelRegistry;
  operations: ModelOperations;
  activation: Activation;
  adoption: Adoption;
  policy: SwitchPolicy;
  /** Told of every change of every operation. @returns how to stop */
  onOperation: (listener: (operation: ModelOperation) => void) => () => void;
}

export const modelsRegistryOpsRoutes: FastifyPluginAsyncZod<ModelsRegistryOpsOptions> = async (
  app,
  { models, registry, operations, activation, adoption, policy, onOperation },
) => {
  const tags = ['models'];
  const started = (operation: ModelOperation, message: string) => ({
    success: true,
    operation_id: operation.operationId,
    message,
  });
  const params = z.object({ operation_id: AddressedName });

  app.post('/models/registry/install', { schema: { body: RegistryInstallRequest, tags } }, async ({ body }) =>
    started(registry.install(body.name, body.provider, body.runtime), `${body.name} is being installed.`),
  );

  const remove = async (name: string, which: z.output<typeof WhichEngine>) =>
    started(registry.remove(name, engineOf(which)), `${name} is being removed.`);
  app.delete(
    '/models/registry/:model_name',
    { schema: { params: z.object({ model_name: AddressedName }), querystring: WhichEngine, tags } },
    async ({ params: { model_name }, query }) => remove(model_name, query),
  );
  // Names with a slash that came without being encoded.
  app.delete('/models/registry/*', { schema: { querystring: WhichEngine, hide: true } }, async (request) =>
    remove((request.params as { '*': string })['*'], request.query),
  );

  app.post('/models/activate', { schema: { body: ActivateRequest, tags } }, async ({ body }) => {
    policy.check(body);
    const runtime = models.runtime(body.runtime);
    if (!runtime) throw new AppError('invalid_input', `Models cannot be activated on ${body.runtime} here.`);
    const found = await models.find(body.name, body.runtime);
    if (!found) throw new AppError('invalid_input', `${body.name} is not installed on ${body.runtime}.`);
    if (!found.model.chat && found.model.problem === null)
      throw new AppError('invalid_input', `${body.name} is not made for chat.`);
    const operation = await models.activate(body.name, body.runtime);
    const timeout = AbortSignal.timeout(ACTIVATE_MS);
    const ended = await Promise.race([
      operations.settled(operation.operationId),
      once(timeout, 'abort').then(() => null),
    ]);
    if (ended?.status !== 'completed')
      throw new AppError('activation_failed', ended?.error?.message ?? `${body.name} is still being activated.`, {
        details: { operation_id: operation.operationId, reason: ended?.error?.code ?? null },
      });
    const identity = await models.activeIdentity();
    return {
      success: true,
      message: `${body.name} is the active model.`,
      operation_id: operation.operationId,
      runtime: { ...runtimePayload(identity), status: 'ready', error: null },
    };
  });

  const operationsAnswer = (found: ModelOperation[]) => ({
    success: true,
    operations: found.map(toOperation),
    count: found.length,
  });
  app.get(
    '/models/operations',
    { schema: { querystring: z.object({ limit: broughtWithin(10, 500) }), tags } },
    async ({ query, owner }) => operationsAnswer(operations.list(query.limit, owner)),
  );
  app.get(
    '/models/operations/:operation_id',
    { schema: { params, tags } },
    async ({ params: { operation_id }, owner }) => ({
      success: true,
      operation: toOperation(operations.get(operation_id, owner)),
    }),
  );
  app.post(
    '/models/operations/:operation_id/cancel',
    { schema: { params, tags } },
    async ({ params: { operation_id } }) => ({
      success: true,
      operation: toOperation(operations.cancel(operation_id)),
    }),
  );
  app.post(
    '/models/operations/:operation_id/retry',
    { schema: { params, tags } },
    async ({ params: { operation_id } }) => ({
      success: true,
      operation: toOperation(operations.retry(operation_id)),
    }),
  );
  app.get(
    '/models/operations/:operation_id/stream',
    { schema: { params, tags, description: 'Server-sent events: `operation` on every change, `end` with the last.' } },
    async ({ params: { operation_id }, owner }, reply) => {
      const current = operations.get(operation_id, owner);
      const cors = corsOf(reply);
      reply.hijack();
      const { raw } = reply;
      openEventStream(raw, cors);
      const write = (operation: ModelOperation) => {
        // A reader that does not read gets the next state instead of every one in between.
        if (raw.writableNeedDrain && !ENDED.has(operation.status)) return;
        const event = ENDED.has(operation.status) ? 'end' : 'operation';
        raw.write(`event: ${event}\ndata: ${JSON.stringify(toOperation(operation))}\n\n`);
        if (event === 'end') finish();
      };
      const leave = onOperation((operation) => {
        if (operation.operationId === operation_id) write(operation);
      });
      const heartbeat = setInterval(() => raw.write(': \n\n'), HEARTBEAT_MS);
      const finish = () => {
        leave();
        clearInterval(heartbeat);
        raw.end();
      };
      raw.on('close', finish);
      write(current);
      return reply;
    },
  );

  app.get(
    '/models/versions',
    {
      schema: {
        querystring: z.object({ model: z.string().max(300).optional() }),
        response: { 200: z.object({ success: z.literal(true), versions: z.array(Version) }) },
        tags,
      },
    },
    async ({ query }) => ({ success: true as const, versions: activation.versions(query.model).map(toVersion) }),
  );
  app.post('/models/rollback', { schema: { tags } }, async () => {
    const operation = await models.rollBack();
    return started(operation, `Going back to ${operation.modelName}.`);
  });
  app.post(
    '/models/versions/pin',
    {
      schema: {
        body: z.object({ version_id: z.string().min(1).max(500), pinned: z.boolean().default(true) }),
        response: { 200: z.object({ success: z.literal(true), version: Version }) },
        tags,
      },
    },
    async ({ body }) => ({ success: true as const, version: toVersion(activation.pin(body.version_id, body.pinned)) }),
  );
  app.post('/models/verify', { schema: { body: ModelRequest, tags } }, async ({ body }) =>
    started(await models.verify(body.name, body.runtime || undefined), `${body.name} is being verified.`),
  );
  app.post('/models/probe', { schema: { body: ModelRequest, tags } }, async ({ body }) =>
    started(await models.probe(body.name, body.runtime || undefined), `${body.name} is being tried.`),
  );
  app.get(
    '/models/adoptable',
    {
      schema: { response: { 200: z.object({ success: z.literal(true), models: z.array(ForeignModel) }) }, tags },
    },
    async () => ({
      success: true as const,
      models: (await adoption.find()).map((found) => ({
        id: found.id,
        name: found.name,
        application: found.application,
        path: found.path,
        size_bytes: found.sizeBytes,
        adopted_as: adoption.nameHere(found),
      })),
    }),
  );
  app.post('/models/adopt', { schema: { body: AdoptRequest, tags } }, async ({ body }) => {
    const operation = await adoption.start(body.id, body.name);
    return started(operation, `${operation.modelName} is being adopted.`);
  });
};
