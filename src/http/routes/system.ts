// /system: status, facts of this installation, settings in effect.
import { freemem, totalmem } from 'node:os';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { SettingInEffect } from '../../config/config.js';
import type { ModelManager } from '../../models/model-manager.js';
import type { UsageMeter } from '../../models/ports.js';
import type { RuntimeIdentity } from '../../models/runtime-identity.js';
import { CLOUD_PROVIDERS } from '../../routing/policy.js';
import type { UserGrants } from '../user-grants.js';

export interface SystemRoutesOptions {
  bootId: string;
  version: string;
  dataDir: string;
  models: ModelManager;
  usage: UsageMeter;
  settings: readonly SettingInEffect[];
  grants: UserGrants;
  /** Ids of the users' keys there are. */
  userKeys: readonly string[];
  describeStore: () => {
    path: string;
    sizeBytes: number;
    journalMode: string;
    synchronous: string;
    schemaVersion: number;
  };
}

const isCloud = (provider: string): boolean => CLOUD_PROVIDERS.some((known) => known === provider);

export const sourceTypeOf = (provider: string): 'cloud-api' | 'local-runtime' =>
  isCloud(provider) ? 'cloud-api' : 'local-runtime';

/** The runtime object of `/system/llm-runtime/active` and of `/models`. */
export function runtimePayload(identity: RuntimeIdentity) {
  const url = identity.endpoint ? new URL(identity.endpoint) : null;
  const place = url ? url.host : 'local';
  return {
    provider: identity.provider,
    model: identity.model,
    endpoint: identity.endpoint,
    endpoint_host: url?.hostname ?? null,
    endpoint_port: url ? Number(url.port || (url.protocol === 'https:' ? 443 : 80)) : null,
    service_type: isCloud(identity.provider) ? identity.provider : 'local',
    mode: isCloud(identity.provider) ? 'CLOUD' : 'LOCAL',
    label: `${identity.model.split('/').at(-1)} · ${identity.provider} @ ${place}`,
    config_hash: identity.configHash,
    runtime_id: identity.runtimeId,
  };
}

export const systemRoutes: FastifyPluginAsyncZod<SystemRoutesOptions> = async (app, options) => {
  const { models } = options;
  const tags = ['system'];
  // Who the caller is here, and what its key may do. The administrator learns the ids by which settings name users' keys.
  app.get('/system/access', { schema: { tags } }, async ({ administrator, owner }) => ({
    status: 'success',
    role: owner === null ? 'administrator' : 'user',
    id: owner,
    may: {
      approve_tools: owner === null || options.grants.settings.approveTools,
      call_tools: owner === null || options.grants.settings.callTools,
      mcp_servers: owner === null ? null : options.grants.serversOf(owner),
    },
    user_keys: administrator ? [...options.userKeys] : null,
  }));
  app.get('/system/status', { schema: { tags } }, async () => {
    const now = await options.usage.sample();
    const mb = (bytes: number) => Math.round(bytes / 1_048_576);
    return {
      status: 'success',
      boot_id: options.bootId,
      system_healthy: true,
      memory_usage_mb: mb(now.memoryUsedBytes),
      memory_total_mb: mb(now.memoryTotalBytes),
      memory_usage_percent: Math.round((now.memoryUsedBytes / now.memoryTotalBytes) * 1_000) / 10,
      vram_usage_mb: now.gpu ? mb(now.gpu.vramUsedBytes) : null,
      vram_total_mb: now.gpu ? mb(now.gpu.vramTotalBytes) : null,
      vram_usage_percent: now.gpu ? Math.round((now.gpu.vramUsedBytes / now.gpu.vramTotalBytes) * 1_000) / 10 : null,
    };
  });

  app.get('/system/info', { schema: { tags } }, async () => {
    const store = options.describeStore();
    return {
      version: options.version,
      node_version: process.version,
      platform: `${process.platform}-${process.arch}`,
      uptime_seconds: Math.round(process.uptime()),
      data_dir: options.dataDir,
      pid: process.pid,
      memory: { total_bytes: totalmem(), free_bytes: freemem(), process_rss_bytes: process.memoryUsage.rss() },
      runtimes: (await models.health()).map(({ runtime, health }) => ({
        provider: runtime.provider,
        endpoint: runtime.endpoint,
        state: health.state,
        latency_ms: health.latencyMs,
        error: health.error,
        details: health.details,
      })),
      store: {
        path: store.path,
        size_bytes: store.sizeBytes,
        journal_mode: store.journalMode,
        synchronous: store.synchronous,
        schema_version: store.schemaVersion,
      },
    };
  });

  app.get('/system/settings', { schema: { tags } }, async () => ({ settings: options.settings }));
};
