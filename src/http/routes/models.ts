// /models, /models/usage, /models/switch, /models/unload-all and the starter model.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { StarterInstallRequest, StarterState } from '../../contract/starter.js';
import { type ModelManager, runtimeIdentity } from '../../models/model-manager.js';
import type { UsageMeter } from '../../models/ports.js';
import type { StarterInstaller, StarterSnapshot } from '../../models/starter.js';
import type { RuntimeModel } from '../../runtimes/runtime.js';
import { AppError } from '../../shared/errors.js';
import { runtimePayload } from './system.js';

const GIGABYTE = 1_073_741_824;
const DISK_LIMIT_GB = 50;

export interface ModelRoutesOptions {
  models: ModelManager;
  usage: UsageMeter;
  starter: StarterInstaller;
  configuredModels: { local: string; hybrid_local: string; cloud: string };
}

export const modelRoutes: FastifyPluginAsyncZod<ModelRoutesOptions> = async (
  app,
  { models, usage, starter, configuredModels },
) => {
  const tags = ['models'];
  let installing: AbortController | undefined;

  app.get('/models', { schema: { tags } }, async () => {
    const [{ models: found, unavailable }, active] = await Promise.all([models.list(), models.activeModel()]);
    const items = found.map((model) => toItem(model, model.name === active));
    const owner = found.find(({ name }) => name === active);
    const runtime = owner && models.runtimes.find(({ provider }) => provider === owner.provider);
    const identity = runtimeIdentity(owner?.provider ?? 'llama-cpp', active ?? '', runtime?.endpoint ?? null);
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

  app.get('/models/usage', { schema: { tags } }, async () => {
    const [now, { models: found }] = await Promise.all([usage.sample(), models.list()]);
    const gb = (bytes: number) => Math.round((bytes / GIGABYTE) * 100) / 100;
    const percent = (part: number, whole: number) => (whole > 0 ? Math.round((part / whole) * 1_000) / 10 : 0);
    return {
      success: true,
      usage: {
        disk_usage_gb: gb(now.modelsBytes),
        disk_limit_gb: DISK_LIMIT_GB,
        disk_usage_percent: percent(now.modelsBytes, DISK_LIMIT_GB * GIGABYTE),
        disk_system_total_gb: gb(now.diskTotalBytes),
        disk_system_used_gb: gb(now.diskUsedBytes),
        disk_system_usage_percent: percent(now.diskUsedBytes, now.diskTotalBytes),
        disk_system_mount: now.diskMount,
        cpu_usage_percent: Math.round(now.cpuPercent * 10) / 10,
        memory_total_gb: gb(now.memoryTotalBytes),
        memory_used_gb: gb(now.memoryUsedBytes),
        memory_usage_percent: percent(now.memoryUsedBytes, now.memoryTotalBytes),
        models_count: found.length,
        gpu_usage_percent: now.gpu?.percent ?? null,
        vram_usage_mb: now.gpu ? Math.round(now.gpu.vramUsedBytes / 1_048_576) : 0,
        vram_total_mb: now.gpu ? Math.round(now.gpu.vramTotalBytes / 1_048_576) : null,
        vram_usage_percent: now.gpu ? percent(now.gpu.vramUsedBytes, now.gpu.vramTotalBytes) : null,
        net_usage_percent: null,
      },
    };
  });

  app.post(
    '/models/switch',
    { schema: { body: z.object({ name: z.string().min(1).max(300) }), tags } },
    async ({ body }) => {
      await models.choose(body.name);
      return { success: true, message: `${body.name} is the active model.`, active_model: body.name };
    },
  );

  app.post('/models/unload-all', { schema: { tags } }, async () => {
    await models.unloadAll();
    return { success: true, message: 'Every model of the embedded runtime was unloaded.' };
  });

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

function toItem(model: RuntimeModel, active: boolean) {
  return {
    name: model.name,
    size_gb: model.sizeBytes === null ? null : Math.round((model.sizeBytes / GIGABYTE) * 1_000) / 1_000,
    type: model.format,
    quantization: model.quantization ?? 'unknown',
    path: model.path ?? '',
    source: model.provider,
    provider: model.provider,
    active,
    ...(model.digest ? { digest: model.digest } : {}),
    feedback_loop_ready: false,
    feedback_loop_tier: 'not_recommended',
    chat_compatible: model.chat,
    chat_block_reason: model.problem ?? (model.chat ? null : 'embedding_model'),
  };
}
