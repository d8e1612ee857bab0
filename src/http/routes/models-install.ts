// `models_install`: /models, /models/install, /models/switch, DELETE /models/{model_name}
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { AddressedName } from '../../contract/addressed-name.js';
import { engineOf, InstallRequest, SwitchRequest, WhichEngine } from '../../contract/models.js';
import { measuredAbilities } from '../../models/abilities.js';
import { CODING_ALIAS, feedbackTier, installCandidates } from '../../models/coding-models.js';
import { modelNotFound } from '../../models/meant-model.js';
import type { ModelManager } from '../../models/model-manager.js';
import type { ModelRegistry } from '../../models/model-registry.js';
import { removeModel } from '../../models/model-removal.js';
import type { ModelOperations } from '../../models/operations.js';
import { runtimeIdentity } from '../../models/runtime-identity.js';
import type { RuntimeSwitch } from '../../models/runtime-switch.js';
import { AppError } from '../../shared/errors.js';
import { toItem } from './model-shapes.js';
import type { SwitchPolicy } from './switch-policy.js';
import { runtimePayload } from './system.js';

export interface ModelsInstallOptions {
  models: ModelManager;
  registry: ModelRegistry;
  operations: ModelOperations;
  switching: RuntimeSwitch;
  policy: SwitchPolicy;
  configuredModels: { local: string; hybrid_local: string; cloud: string };
}

export const modelsInstallRoutes: FastifyPluginAsyncZod<ModelsInstallOptions> = async (
  app,
  { models, registry, operations, switching, policy, configuredModels },
) => {
  const tags = ['models'];

  app.get('/models', { schema: { tags } }, async () => {
    const [{ models: found, unavailable }, active] = await Promise.all([models.list(), models.activeModel()]);
    const owner = active === null ? undefined : await models.find(active);
    const manifests = registry.manifests();
    const items = found.map((model) => ({
      ...toItem(model, model.name === active && model.provider === owner?.runtime.provider),
      measured_abilities: measuredAbilities(
        manifests.find(({ name, runtime }) => name === model.name && runtime === model.provider)?.probe,
      ),
    }));
    const identity = runtimeIdentity(
      owner?.runtime.provider ?? models.activeServer ?? 'llama-cpp',
      active ?? '',
      owner?.runtime.endpoint ?? null,
    );
    const status = active === null ? 'offline' : owner ? 'online' : 'degraded';
    return {
      success: true,
      models: items,
      count: items.length,
      active: {
        ...runtimePayload(identity),
        status,
        ...(unavailable.length > 0 ? { error: unavailable.map(({ error }) => error).join('; ') } : {}),
        configured_models: configuredModels,
      },
      providers: Object.groupBy(items, ({ provider }) => provider),
      unavailable,
    };
  });

  app.post('/models/install', { schema: { body: InstallRequest, tags } }, async ({ body }) => {
    const candidates = installCandidates(body.name);
    const { models: found } = await models.list();
    const installed = candidates.find((name) =>
      found.some((model) => model.name === name || model.name === `${name}:latest`),
    );
    const resolved = installed ?? (candidates[0] as string);
    const tier = feedbackTier(resolved);
    const common = {
      success: true,
      model_name: resolved,
      requested_model_alias: body.name === CODING_ALIAS ? body.name : null,
      resolved_model_id: resolved,
      resolution_reason: 'exact',
      feedback_loop_ready: tier !== 'not_recommended',
      feedback_loop_tier: tier,
    };
    if (installed) return { ...common, already_installed: true, message: `${installed} is installed already.` };
    const target = await registry.pullTarget(resolved);
    const operation = registry.install(target.name, target.provider, target.runtime);
    return {
      ...common,
      install_candidates: candidates,
      operation_id: operation.operationId,
      message: `${resolved} is being installed.`,
    };
  });

  app.post('/models/switch', { schema: { body: SwitchRequest, tags } }, async ({ body }) => {
    policy.check(body);
    const runtime = body.runtime || undefined;
    const found = await models.find(body.name, runtime);
    if (!found) throw modelNotFound(body.name);
    if (!found.model.chat && found.model.problem === null)
      throw new AppError('invalid_input', `${body.name} is not made for chat.`);
    const { provider: from } = await models.activeIdentity();
    await models.choose(body.name, runtime);
    switching.selected(body.switch_source, await models.activeIdentity(), from);
    return { success: true, message: `${body.name} is the active model.`, active_model: body.name };
  });

  const remove = async (name: string, which: z.output<typeof WhichEngine>) => {
    await removeModel({ models, registry, operations }, name, engineOf(which));
    return { success: true, message: `${name} was removed.` };
  };
  app.delete(
    '/models/:model_name',
    { schema: { params: z.object({ model_name: AddressedName }), querystring: WhichEngine, tags } },
    async ({ params, query }) => remove(params.model_name, query),
  );
  app.delete('/models/*', { schema: { querystring: WhichEngine, hide: true } }, async (request) =>
    remove((request.params as { '*': string })['*'], request.query),
  );
};
