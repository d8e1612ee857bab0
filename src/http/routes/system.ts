// /system: status, active runtime, options, settings in effect.
import { freemem, totalmem } from 'node:os';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { SettingInEffect } from '../../config/config.js';
import { type ModelManager, type RuntimeIdentity, runtimeIdentity } from '../../models/model-manager.js';
import type { UsageMeter } from '../../models/ports.js';
import type { RuntimeModel } from '../../runtimes/runtime.js';

export interface SystemRoutesOptions {
  bootId: string;
  version: string;
  dataDir: string;
  models: ModelManager;
  usage: UsageMeter;
  settings: readonly SettingInEffect[];
  describeStore: () => {
    path: string;
    sizeBytes: number;
    journalMode: string;
    synchronous: string;
    schemaVersion: number;
  };
}

const GATE = {
  in_progress: false,
  active_requests: 0,
  switch_id: null,
  source: null,
  from_runtime: null,
  to_runtime: null,
  started_at_utc: null,
  reason: null,
};
const MODE_CONTRACTS = {
  voice: { execution_context: 'voice', history_scope: 'session', session_memory_policy: 'session' },
  text_chat: { execution_context: 'text_chat', history_scope: 'session', session_memory_policy: 'session' },
  venom_agent: { execution_context: 'venom_agent', history_scope: 'session', session_memory_policy: 'session' },
};

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
    service_type: 'local',
    mode: 'LOCAL',
    label: `${identity.model.split('/').at(-1)} · ${identity.provider} @ ${place}`,
    config_hash: identity.configHash,
    runtime_id: identity.runtimeId,
  };
}

export const systemRoutes: FastifyPluginAsyncZod<SystemRoutesOptions> = async (app, options) => {
  const { models } = options;
  const tags = ['system'];
  const policy = { allowed_sources: ['make_start', 'ui'], ownership_token_configured: false };

  const activeIdentity = async (): Promise<RuntimeIdentity> => {
    const model = await models.activeModel();
    if (model === null) return runtimeIdentity('llama-cpp', '', null);
    const { runtime } = await models.resolve(model);
    return runtimeIdentity(runtime.provider, model, runtime.endpoint);
  };

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

  app.get('/system/llm-servers/active', { schema: { tags } }, async () => {
    const identity = await activeIdentity();
    return {
      status: 'success',
      active_server: identity.provider,
      active_endpoint: identity.endpoint,
      active_model: identity.model,
      config_hash: identity.configHash,
      runtime_id: identity.runtimeId,
      requested_model_alias: null,
      resolved_model_id: identity.model || null,
      resolution_reason: identity.model ? 'exact' : null,
      last_models: { ollama: '', vllm: '', onnx: '', previous_ollama: '', previous_vllm: '', previous_onnx: '' },
      runtime_switch_policy: policy,
      runtime_switch_gate: GATE,
      last_runtime_switch: null,
      mode_contracts: MODE_CONTRACTS,
    };
  });

  app.get('/system/llm-runtime/active', { schema: { tags } }, async () => {
    const identity = await activeIdentity();
    return {
      status: 'success',
      runtime: runtimePayload(identity),
      drift: {
        drift_detected: false,
        active_server: identity.provider,
        inferred_provider: identity.provider,
        model_name: identity.model,
        runtime_active_model_id: identity.model || null,
        daemon_target_model: null,
        endpoint: identity.endpoint,
        issues: [],
      },
      runtime_switch_policy: policy,
      runtime_switch_gate: GATE,
      last_runtime_switch: null,
      mode_contracts: MODE_CONTRACTS,
    };
  });

  app.get('/system/llm-runtime/options', { schema: { tags } }, async () => {
    const identity = await activeIdentity();
    const [health, { models: found }] = await Promise.all([models.health(), models.list()]);
    const toModel = (model: RuntimeModel) => ({
      id: model.name,
      name: model.name,
      provider: model.provider,
      runtime_id: model.provider,
      source_type: 'local-runtime',
      active: model.name === identity.model,
      chat_compatible: model.chat,
      feedback_loop_ready: false,
      feedback_loop_tier: 'not_recommended',
      canonical_model_id: model.name,
      aliases: [],
      coding_eligible: /cod(e|er)/i.test(model.name),
      owned_by_runtime: model.provider,
      ownership_status: 'native',
      compatible_runtimes: [model.provider],
      model_kind: 'base_model',
      is_adapter_artifact: false,
    });
    const all = found.map(toModel);
    return {
      status: 'success',
      active: {
        runtime_id: identity.provider,
        active_server: identity.provider,
        active_model: identity.model,
        active_endpoint: identity.endpoint,
        config_hash: identity.configHash,
        source_type: 'local-runtime',
        mode_contracts: MODE_CONTRACTS,
        requested_model_alias: null,
        resolved_model_id: identity.model || null,
        resolution_reason: identity.model ? 'exact' : null,
      },
      runtimes: health.map(({ runtime, health: state }) => ({
        runtime_id: runtime.provider,
        source_type: 'local-runtime',
        configured: true,
        available: state.state !== 'offline',
        status: state.state,
        reason: state.error,
        active: runtime.provider === identity.provider,
        latency_ms: state.latencyMs,
        models: all.filter(({ provider }) => provider === runtime.provider),
        adapter_deploy_supported: false,
        adapter_deploy_mode: 'none',
        supports_native_training: false,
        supports_adapter_import_safetensors: false,
        supports_adapter_import_gguf: false,
        supports_adapter_runtime_apply: false,
      })),
      model_catalog: {
        all_models: all,
        chat_models: all.filter(({ chat_compatible }) => chat_compatible),
        coding_models: all.filter(({ coding_eligible }) => coding_eligible),
        runtime_servable_models: all,
        trainable_base_models: [],
        inference_only_artifacts: [],
        trainable_models: [],
      },
      adapter_catalog: { all_adapters: [], by_runtime: {}, by_runtime_model: {} },
      selector_flow: ['server', 'model', 'adapter'],
      model_audit: { issues: [], issues_count: 0 },
      feedback_loop: {
        requested_alias: '',
        primary: '',
        fallbacks: [],
        active_tier: 'not_recommended',
        active_ready: false,
        active_resolved_model_id: null,
      },
      auto_heal: null,
    };
  });
};
