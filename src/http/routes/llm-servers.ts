// /system/llm-servers: the model servers, their actions, health, logs and the switch to one of them.
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { AddressedName } from '../../contract/addressed-name.js';
import { whole } from '../../contract/lax-values.js';
import { LlmServer, SERVER_ACTIONS, SwitchServerRequest } from '../../contract/llm-servers.js';
import type { ModelManager } from '../../models/model-manager.js';
import type { RuntimeProfile } from '../../models/runtime-profile.js';
import type { LastSwitch, RuntimeSwitch, SwitchGate } from '../../models/runtime-switch.js';
import type { LlmServerController, LlmServerDefinition } from '../../runtimes/llm-server-controller.js';
import { AppError, toAppError } from '../../shared/errors.js';
import { refuseByPolicy } from '../policy-refusal.js';
import { iso } from './model-shapes.js';
import type { SwitchPolicy } from './switch-policy.js';
import { sourceTypeOf } from './system.js';
import { poolPayload } from './traffic-shapes.js';

export interface LlmServersOptions {
  models: ModelManager;
  controller: LlmServerController;
  switching: RuntimeSwitch;
  policy: SwitchPolicy;
  profile: RuntimeProfile;
  /** Servers that are here and that the profile keeps off. */
  forbidden: readonly string[];
}

/** Servers there can be; another name is a mistake. */
const KNOWN = ['ollama', 'vllm', 'llama-cpp-server', 'llama-cpp', 'openai-compatible', 'onnx', 'multi_runtime'];

/** A page is not kept waiting by a server that hangs. */
const CHECK_WITHIN_MS = 1_500;

const IN_PROCESS = { supports_stop: false, supports_start: false, supports_restart: false };

export const MODE_CONTRACTS = {
  voice: { execution_context: 'voice', history_scope: 'session', session_memory_policy: 'session' },
  text_chat: { execution_context: 'text_chat', history_scope: 'session', session_memory_policy: 'session' },
  venom_agent: { execution_context: 'venom_agent', history_scope: 'session', session_memory_policy: 'session' },
};

export const gatePayload = (gate: SwitchGate | undefined) => ({
  in_progress: gate !== undefined,
  active_requests: 0,
  switch_id: gate?.switchId ?? null,
  source: gate?.source ?? null,
  from_runtime: gate?.fromRuntime ?? null,
  to_runtime: gate?.toRuntime ?? null,
  started_at_utc: gate ? iso(gate.startedAt) : null,
  reason: null,
});

export const lastSwitchPayload = (last: LastSwitch | undefined) =>
  last
    ? {
        event: last.event,
        source: last.source,
        runtime: last.runtime,
        model: last.model,
        from_runtime: last.fromRuntime,
        to_runtime: last.runtime,
        at_utc: iso(last.at),
      }
    : null;

export const llmServersRoutes: FastifyPluginAsyncZod<LlmServersOptions> = async (
  app,
  { models, controller, switching, policy, profile, forbidden },
) => {
  const tags = ['system'];
  const named = z.object({ server_name: AddressedName });

  const describe = (definition: LlmServerDefinition, active: boolean): z.output<typeof LlmServer> => {
    const history = controller.history(definition.name);
    const last = history.at(-1);
    const supports = controller.supports(definition.name);
    return {
      name: definition.name,
      display_name: definition.displayName,
      description: definition.description,
      endpoint: definition.endpoint,
      provider: definition.provider,
      health_url: definition.healthUrl,
      supports,
      capabilities: {
        supports_stop: supports.stop,
        supports_start: supports.start,
        supports_restart: supports.restart,
        supports_health_wait: definition.healthUrl !== null,
        supports_cache_flush: false,
        supports_model_unload: models.runtime(definition.name)?.unload !== undefined,
        is_in_process: false,
        // Memory is watched until it is free; nothing waits a fixed time.
        release_wait_seconds: 0,
      },
      status: active ? (last?.status ?? 'unknown') : 'inactive',
      health: last?.status ?? null,
      latency_ms: last?.latencyMs ?? null,
      last_check: last ? iso(last.at) : null,
      error_message: last?.error ?? null,
      active,
      owned: controller.owns(definition.name),
      ownership: controller.ownership(definition.name),
      has_log: controller.hasLog(definition.name),
      systemd: controller.systemd(definition.name),
      ...poolPayload(models.runtime(definition.provider)),
      pid: controller.pid(definition.name),
      history: history.map(({ at, status, latencyMs, error }) => ({
        at: iso(at),
        status,
        latency_ms: latencyMs,
        error,
      })),
    };
  };

  app.get(
    '/system/llm-servers',
    {
      schema: {
        response: { 200: z.object({ status: z.literal('success'), servers: z.array(LlmServer), count: z.int() }) },
        tags,
      },
    },
    async () => {
      const active = (await models.activeIdentity()).provider;
      await controller.checkAll(CHECK_WITHIN_MS);
      const servers = controller.definitions.map((definition) => describe(definition, definition.name === active));
      const embedded = models.runtime('llama-cpp');
      if (embedded) {
        const health = await embedded.health();
        servers.unshift({
          name: 'llama-cpp',
          display_name: 'Embedded llama.cpp',
          description: 'Runs GGUF models inside this installation',
          endpoint: null,
          provider: 'llama-cpp',
          health_url: null,
          supports: { start: false, stop: false, restart: false },
          capabilities: {
            ...IN_PROCESS,
            supports_health_wait: false,
            supports_cache_flush: false,
            supports_model_unload: true,
            is_in_process: true,
            release_wait_seconds: 0,
          },
          status: active === 'llama-cpp' ? health.state : 'inactive',
          health: health.state,
          latency_ms: health.latencyMs,
          last_check: null,
          error_message: health.error,
          active: active === 'llama-cpp',
          owned: true,
          ownership: 'ours',
          has_log: false,
          systemd: null,
          members: null,
          placement: null,
          pid: typeof health.details['process_id'] === 'number' ? health.details['process_id'] : null,
          history: [],
        });
      }
      return { status: 'success' as const, servers, count: servers.length };
    },
  );

  app.get('/system/llm-servers/active', { schema: { tags } }, async () => {
    const identity = await models.activeIdentity();
    const ollama = models.lastModels('ollama');
    const vllm = models.lastModels('vllm');
    return {
      status: 'success',
      active_server: identity.provider,
      active_endpoint: identity.endpoint,
      active_model: identity.model,
      config_hash: identity.configHash,
      runtime_id: identity.runtimeId,
      source_type: sourceTypeOf(identity.provider),
      requested_model_alias: null,
      resolved_model_id: identity.model || null,
      resolution_reason: identity.model ? 'exact' : null,
      last_models: {
        ollama: ollama.last,
        vllm: vllm.last,
        onnx: '',
        previous_ollama: ollama.previous,
        previous_vllm: vllm.previous,
        previous_onnx: '',
      },
      runtime_switch_policy: policy.payload,
      runtime_switch_gate: gatePayload(switching.gate),
      last_runtime_switch: lastSwitchPayload(switching.last),
      mode_contracts: MODE_CONTRACTS,
    };
  });

  const refuseByProfile = (reply: FastifyReply, operation: string, server: string) =>
    refuseByPolicy(reply, {
      operation,
      message:
        profile === 'llm_off'
          ? 'VENOM_RUNTIME_PROFILE=llm_off keeps every model server off.'
          : `The profile ${profile} does not allow ${server}; name its address in the settings, or set VENOM_RUNTIME_PROFILE=full.`,
      tags: ['runtime', 'profile'],
      context: { server_name: server, runtime_profile: profile },
    });

  app.post('/system/llm-servers/active', { schema: { body: SwitchServerRequest, tags } }, async ({ body }, reply) => {
    policy.check(body);
    if (forbidden.includes(body.server_name)) return refuseByProfile(reply, 'runtime.switch', body.server_name);
    const servers = [
      ...controller.definitions.map(({ name }) => name),
      ...models.runtimes.map(({ provider }) => provider),
    ];
    if (!servers.includes(body.server_name))
      throw new AppError('not_found', `There is no model server called ${body.server_name}.`);
    try {
      const switched = await switching.run({
        serverName: body.server_name,
        model: body.model || undefined,
        alias: body.model_alias || undefined,
        exactOnly: body.exact_only,
        source: body.switch_source,
      });
      const { identity, lifecycle } = switched;
      return {
        status: 'success',
        active_server: identity.provider,
        active_model: identity.model,
        config_hash: identity.configHash,
        runtime_id: identity.runtimeId,
        requested_model_alias: switched.requestedAlias,
        resolved_model_id: identity.model,
        resolution_reason: switched.reason,
        start_result: switched.startResult,
        stop_results: switched.stopResults,
        shutdown_results: {},
        lifecycle_state: {
          from_server: lifecycle.fromServer,
          to_server: lifecycle.toServer,
          completed_steps: lifecycle.completed,
          // A switch that fails changes nothing and answers with its error.
          failed_step: null,
          error_message: null,
          is_complete: true,
          is_in_partial_state: false,
        },
      };
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code !== 'switch_in_progress') throw error;
      // The contract's object in place of a text.
      return reply.status(409).send({
        detail: {
          code: 'runtime_switch_in_progress',
          message: error.message,
          runtime_switch_gate: gatePayload(switching.gate),
        },
        code: error.code,
        request_id: reply.request.id,
      });
    }
  });

  app.post(
    '/system/llm-servers/:server_name/:action',
    { schema: { params: named.extend({ action: z.string().max(50) }), tags } },
    async ({ params: { server_name, action: asked } }, reply) => {
      const action = SERVER_ACTIONS.find((known) => known === asked);
      // 400 and not 422, as the original does.
      if (!action) throw new AppError('invalid_input', `A model server can be told to ${SERVER_ACTIONS.join(', ')}.`);
      if (forbidden.includes(server_name)) return refuseByProfile(reply, `runtime.${action}`, server_name);
      if (!KNOWN.includes(server_name))
        throw new AppError('invalid_input', `There is no model server called ${server_name}.`);
      const done = await controller.run(server_name, action);
      models.changed();
      // As the contract has it: a command that fails is an answer, one that hangs is not.
      if (done.timedOut)
        return reply.status(500).send({ detail: done.message, code: 'internal', request_id: reply.request.id });
      return {
        status: done.ok ? 'success' : 'error',
        action,
        message: done.message,
        stdout: done.stdout,
        stderr: done.stderr,
        exit_code: done.exitCode,
      };
    },
  );

  app.get(
    '/system/llm-servers/:server_name/logs',
    {
      schema: {
        params: named,
        querystring: z.object({ bytes: whole(z.int().min(1).max(1_048_576)).prefault(65_536) }),
        tags,
      },
    },
    async ({ params: { server_name }, query }) => ({
      status: 'success',
      server: server_name,
      text: await controller.logs(server_name, query.bytes),
    }),
  );
};
