// /system/llm-runtime: which engine answers now, which could, and the way to a cloud one.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { SwitchRuntimeRequest } from '../../contract/llm-servers.js';
import { CODING_ALIAS, CODING_FALLBACKS, CODING_PRIMARY, feedbackTier } from '../../models/coding-models.js';
import type { ModelManager } from '../../models/model-manager.js';
import type { RemoteCatalogs } from '../../models/ports.js';
import type { RuntimeSwitch } from '../../models/runtime-switch.js';
import type { CloudProvider } from '../../routing/policy.js';
import type { RuntimeModel } from '../../runtimes/runtime.js';
import type { TrafficControl } from '../../runtimes/upstream-traffic.js';
import { AppError } from '../../shared/errors.js';
import { gatePayload, lastSwitchPayload, MODE_CONTRACTS } from './llm-servers.js';
import { toIntrospection, toQueueStatus, toScopes } from './scheduler-shapes.js';
import type { SwitchPolicy } from './switch-policy.js';
import { runtimePayload, sourceTypeOf } from './system.js';
import { poolPayload, trafficScopes } from './traffic-shapes.js';

export interface LlmRuntimeOptions {
  models: ModelManager;
  switching: RuntimeSwitch;
  policy: SwitchPolicy;
  remote: RemoteCatalogs;
  exit: { hasKey(provider: CloudProvider): boolean; endpoint(provider: CloudProvider): string | null };
  /** Which model a provider answers with where none is named; empty where the settings name none. */
  cloudModels: Readonly<Record<CloudProvider, string>>;
  forceLocal: boolean;
  traffic: TrafficControl;
  /** Servers that are here and that the profile keeps off. */
  forbidden: readonly string[];
}

const ADAPTERS = {
  adapter_deploy_supported: false,
  adapter_deploy_mode: 'none',
  supports_native_training: false,
  supports_adapter_import_safetensors: false,
  supports_adapter_import_gguf: false,
  supports_adapter_runtime_apply: false,
};

const CLOUD_NAMES: ReadonlyMap<string, CloudProvider> = new Map([
  ['openai', 'openai'],
  ['google', 'google'],
  ['google-gemini', 'google'],
  ['gem', 'google'],
  ['cloud-compatible', 'cloud-compatible'],
]);
/** Nobody reads the lists of clouds that are none of the known ones. */
const NO_CATALOG = { models: [], source: null, error: null } as const;

export const llmRuntimeRoutes: FastifyPluginAsyncZod<LlmRuntimeOptions> = async (
  app,
  { models, switching, policy, remote, exit, cloudModels, forceLocal, traffic, forbidden },
) => {
  const tags = ['system'];

  app.get('/system/llm-runtime/active', { schema: { tags } }, async () => {
    const identity = await models.activeIdentity();
    return {
      status: 'success',
      runtime: runtimePayload(identity),
      drift: {
        drift_detected: false,
        active_server: models.activeCloud?.provider ?? models.activeServer ?? identity.provider,
        inferred_provider: identity.provider,
        model_name: identity.model,
        runtime_active_model_id: identity.model || null,
        daemon_target_model: null,
        endpoint: identity.endpoint,
        issues: [],
      },
      runtime_switch_policy: policy.payload,
      runtime_switch_gate: gatePayload(switching.gate),
      last_runtime_switch: lastSwitchPayload(switching.last),
      mode_contracts: MODE_CONTRACTS,
    };
  });

  app.post('/system/llm-runtime/active', { schema: { body: SwitchRuntimeRequest, tags } }, async ({ body }) => {
    policy.check(body);
    const provider = CLOUD_NAMES.get(body.provider);
    if (!provider) throw new AppError('invalid_input', `There is no cloud engine ${body.provider}.`);
    if (forceLocal) throw new AppError('forbidden', 'FORCE_LOCAL_MODEL is set; no cloud engine can be activated.');
    if (!exit.hasKey(provider)) throw new AppError('invalid_input', `No key for ${provider} is set.`);
    const model = body.model || cloudModels[provider];
    if (!model) throw new AppError('invalid_input', `Name the model of ${provider}, or set CLOUD_COMPATIBLE_MODEL.`);
    const { models: offered, source } = provider === 'cloud-compatible' ? NO_CATALOG : await remote.catalog(provider);
    // A catalogue that cannot be read is no reason to refuse; a readable one that lacks the model is.
    if (source === `${provider}_api` && !offered.some(({ id }) => id === model))
      throw new AppError('invalid_input', `${provider} does not offer the model ${model}.`);
    const { provider: from } = await models.activeIdentity();
    models.chooseCloud({ provider, model });
    const identity = await models.activeIdentity();
    switching.selected(body.switch_source, identity, from);
    return {
      status: 'success',
      active_server: provider,
      active_endpoint: identity.endpoint,
      active_model: model,
      config_hash: identity.configHash,
      runtime_id: identity.runtimeId,
      source_type: 'cloud-api',
      requested_model_alias: null,
      resolved_model_id: model,
      resolution_reason: body.model ? 'exact' : 'default',
    };
  });

  app.get('/system/llm-runtime/options', { schema: { tags } }, async () => {
    const identity = await models.activeIdentity();
    const [health, { models: found }] = await Promise.all([models.health(), models.list()]);
    const toModel = (model: Pick<RuntimeModel, 'name' | 'provider' | 'chat' | 'baseModel'>, sourceType: string) => ({
      id: model.name,
      name: model.name,
      provider: model.provider,
      runtime_id: model.provider,
      source_type: sourceType,
      active: model.name === identity.model && model.provider === identity.provider,
      chat_compatible: model.chat,
      feedback_loop_ready: feedbackTier(model.name) !== 'not_recommended',
      feedback_loop_tier: feedbackTier(model.name),
      canonical_model_id: model.name,
      aliases: model.name === CODING_PRIMARY ? [CODING_ALIAS] : [],
      coding_eligible: /cod(e|er)/i.test(model.name),
      owned_by_runtime: model.provider,
      ownership_status: 'native',
      compatible_runtimes: [model.provider],
      model_kind: model.baseModel === undefined ? 'base_model' : 'adapter_artifact',
      is_adapter_artifact: model.baseModel !== undefined,
    });
    const all = found.map((model) => toModel(model, 'local-runtime'));
    const local = health.map(({ runtime, health: state }) => ({
      runtime_id: runtime.provider,
      source_type: 'local-runtime',
      configured: true,
      available: state.state !== 'offline',
      status: state.state as string,
      reason: state.error,
      active: runtime.provider === identity.provider,
      latency_ms: state.latencyMs,
      models: all.filter(({ provider }) => provider === runtime.provider),
      ...ADAPTERS,
      members: poolPayload(runtime).members,
    }));
    const missing = ['ollama', 'vllm', 'multi_runtime', 'onnx']
      .filter((name) => !local.some(({ runtime_id }) => runtime_id === name))
      .map((name) => ({
        runtime_id: name,
        source_type: 'local-runtime',
        configured: false,
        available: false,
        status: 'offline',
        reason: forbidden.includes(name) ? 'runtime_disabled_by_profile' : 'runtime_not_installed',
        active: false,
        models: [],
        ...ADAPTERS,
      }));
    const further = exit.endpoint('cloud-compatible') === null ? [] : (['cloud-compatible'] as const);
    const cloud = [...(['openai', 'google'] as const), ...further].map((name) => {
      const configured = exit.hasKey(name);
      const { models: offered, error } =
        name === 'cloud-compatible'
          ? { models: cloudModels[name] ? [{ id: cloudModels[name] }] : [], error: null }
          : remote.known(name);
      return {
        runtime_id: name,
        source_type: 'cloud-api',
        configured,
        available: configured && error === null,
        status: configured ? (error === null ? 'ready' : 'degraded') : 'disabled',
        reason: configured ? error : 'no API key',
        active: name === identity.provider,
        models: configured
          ? offered.map(({ id }) => toModel({ name: id, provider: name, chat: true }, 'cloud-api'))
          : [],
        ...ADAPTERS,
      };
    });
    const order = ['ollama', 'vllm', 'multi_runtime', 'onnx', 'openai', 'google', 'cloud-compatible'];
    const place = (id: string) => (order.includes(id) ? order.indexOf(id) : -1);
    const active = models.lastModels('ollama').last;
    return {
      status: 'success',
      active: {
        runtime_id: identity.provider,
        active_server: identity.provider,
        active_model: identity.model,
        active_endpoint: identity.endpoint,
        config_hash: identity.configHash,
        source_type: sourceTypeOf(identity.provider),
        mode_contracts: MODE_CONTRACTS,
        requested_model_alias: null,
        resolved_model_id: identity.model || null,
        resolution_reason: identity.model ? 'exact' : null,
      },
      runtimes: [...local, ...missing, ...cloud].sort((a, b) => place(a.runtime_id) - place(b.runtime_id)),
      model_catalog: {
        all_models: all,
        chat_models: all.filter(({ chat_compatible }) => chat_compatible),
        coding_models: all.filter(({ coding_eligible }) => coding_eligible),
        runtime_servable_models: all,
        trainable_base_models: [],
        inference_only_artifacts: [],
        trainable_models: [],
      },
      adapter_catalog: adapterCatalog(found),
      selector_flow: ['server', 'model', 'adapter'],
      model_audit: {
        issues: found
          .filter(({ problem }) => problem !== null)
          .map(({ name, path, provider, problem }) => ({ name, path: path ?? '', source: provider, reason: problem })),
        issues_count: found.filter(({ problem }) => problem !== null).length,
      },
      feedback_loop: {
        requested_alias: CODING_ALIAS,
        primary: CODING_PRIMARY,
        fallbacks: CODING_FALLBACKS,
        active_tier: feedbackTier(active),
        active_ready: feedbackTier(active) !== 'not_recommended',
        active_resolved_model_id: active || null,
      },
      auto_heal: null,
    };
  });

  app.get('/system/llm-runtime/queue-snapshot', { schema: { tags } }, async () => {
    const { provider } = await models.activeIdentity();
    const scheduler = models.runtime('llama-cpp')?.scheduler?.();
    return {
      status: 'success',
      runtime: provider,
      queue: {
        status: scheduler ? toQueueStatus(scheduler) : null,
        error: null,
        diagnostics: { introspection: scheduler ? toIntrospection(scheduler) : null },
      },
      traffic: { scopes: { ...trafficScopes(traffic), ...(scheduler ? toScopes(scheduler) : {}) }, error: null },
    };
  });
};

/** Adapters (LoRA) that engines serve under names of their own. */
function adapterCatalog(found: readonly RuntimeModel[]) {
  const adapters = found.flatMap(({ name, provider, baseModel }) =>
    baseModel === undefined ? [] : [{ adapter_id: name, name, runtime_id: provider, base_model: baseModel }],
  );
  return {
    all_adapters: adapters,
    by_runtime: Object.fromEntries(Map.groupBy(adapters, ({ runtime_id }) => runtime_id)),
    by_runtime_model: Object.fromEntries(
      Map.groupBy(adapters, ({ runtime_id, base_model }) => `${runtime_id}:${base_model}`),
    ),
  };
}
