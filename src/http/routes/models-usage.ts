// `models_usage`: /models/usage, /models/unload-all, and what is in memory now.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { KeepAliveRequest, LoadedModel, ModelRequest } from '../../contract/models.js';
import type { ModelManager } from '../../models/model-manager.js';
import type { UsageMeter } from '../../models/ports.js';
import { AppError } from '../../shared/errors.js';
import { toLoaded, toOperation } from './model-shapes.js';

const GIGABYTE = 1_073_741_824;

export interface ModelsUsageOptions {
  models: ModelManager;
  usage: UsageMeter;
  /** Bytes; 0 = no limit but the disk's. */
  diskLimitBytes: number;
}

export const modelsUsageRoutes: FastifyPluginAsyncZod<ModelsUsageOptions> = async (
  app,
  { models, usage, diskLimitBytes },
) => {
  const tags = ['models'];

  app.get('/models/usage', { schema: { tags } }, async () => {
    const [now, { models: found }] = await Promise.all([usage.sample(), models.list()]);
    const gb = (bytes: number) => Math.round((bytes / GIGABYTE) * 100) / 100;
    const percent = (part: number, whole: number) => (whole > 0 ? Math.round((part / whole) * 1_000) / 10 : 0);
    const limit = diskLimitBytes || now.diskTotalBytes;
    return {
      success: true,
      usage: {
        disk_usage_gb: gb(now.modelsBytes),
        disk_limit_gb: gb(limit),
        disk_usage_percent: percent(now.modelsBytes, limit),
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
        net_usage_percent: now.networkPercent,
      },
    };
  });

  app.get(
    '/models/loaded',
    { schema: { response: { 200: z.object({ success: z.literal(true), models: z.array(LoadedModel) }) }, tags } },
    async () => ({ success: true as const, models: (await models.loaded()).map(toLoaded) }),
  );

  app.post('/models/unload-all', { schema: { tags } }, async () => {
    const { freed, failed } = await models.unloadAll();
    if (failed.length > 0)
      throw new AppError(
        'provider_unavailable',
        failed.map(({ provider, error }) => `${provider}: ${error}`).join('; '),
      );
    return { success: true, message: `Models were unloaded from ${freed.join(', ') || 'no engine'}.` };
  });

  app.post('/models/keep-alive', { schema: { body: KeepAliveRequest, tags } }, async ({ body }) => {
    await models.keepAlive(body.name, body.keep_alive, body.runtime || undefined);
    return { success: true, name: body.name, keep_alive: body.keep_alive };
  });

  app.post('/models/unload', { schema: { body: ModelRequest, tags } }, async ({ body }) => {
    const operation = await models.unload(body.name, body.runtime || undefined);
    return { success: true, operation_id: operation.operationId, operation: toOperation(operation) };
  });
};
