// Switching the engine that answers, with a way back: the new one is started, healthy and has its model before the old
// one is let go. Whatever fails before that leaves everything as it was, and chat goes on all the while.
import type { LlmServerController } from '../runtimes/llm-server-controller.js';
import { AppError, toAppError } from '../shared/errors.js';
import { waitAtMost } from '../shared/wait-at-most.js';
import { CODING_ALIAS, type CodingFacts, type ResolutionReason, resolveModelName } from './coding-models.js';
import type { ModelManager } from './model-manager.js';
import { type RuntimeIdentity, runtimeIdentity } from './runtime-identity.js';

const HEALTHY_WITHIN_MS = 30_000;
/** How long an answer waits for the old engine to let go; the switch itself is done by then. */
const LET_GO_WITHIN_MS = 2_000;

export type SwitchStep =
  | 'process_stopped'
  | 'release_done'
  | 'cache_invalidated'
  | 'start_done'
  | 'health_ready'
  | 'endpoint_switched'
  | 'config_saved';

export interface SwitchRequest {
  serverName: string;
  model?: string | undefined;
  alias?: string | undefined;
  exactOnly: boolean;
  source: string;
}

export interface SwitchGate {
  switchId: string;
  source: string;
  fromRuntime: string;
  toRuntime: string;
  startedAt: number;
}

export interface SwitchResult {
  identity: RuntimeIdentity;
  requestedAlias: string | null;
  reason: ResolutionReason | null;
  startResult: { ok: boolean; exit_code?: number; error?: string } | null;
  stopResults: Record<string, { ok: boolean; exit_code?: number; error?: string }>;
  lifecycle: {
    fromServer: string;
    toServer: string;
    completed: SwitchStep[];
  };
}

export interface LastSwitch {
  event: 'runtime_model_selected';
  source: string;
  runtime: string;
  model: string;
  fromRuntime: string;
  at: number;
}

export interface RuntimeSwitchOptions {
  models: ModelManager;
  controller: LlmServerController;
  newId: () => string;
  now: () => number;
  codingFacts: () => Promise<Omit<CodingFacts, 'installed'>>;
  onSelected: (selected: LastSwitch) => void;
}

export class RuntimeSwitch {
  readonly #options: RuntimeSwitchOptions;
  #gate: SwitchGate | undefined;
  #last: LastSwitch | undefined;

  constructor(options: RuntimeSwitchOptions) {
    this.#options = options;
  }

  get gate(): SwitchGate | undefined {
    return this.#gate;
  }

  get last(): LastSwitch | undefined {
    return this.#last;
  }

  /** Notes a choice that was made without a switch of engines. */
  selected(source: string, identity: RuntimeIdentity, fromRuntime: string): void {
    this.#last = {
      event: 'runtime_model_selected',
      source,
      runtime: identity.provider,
      model: identity.model,
      fromRuntime,
      at: this.#options.now(),
    };
    this.#options.onSelected(this.#last);
  }

  /**
   * @throws AppError `switch_in_progress`, `not_found`, `no_model`, `conflict` when only the exact model will do,
   * `provider_unavailable` when the new engine does not come up
   */
  async run(request: SwitchRequest): Promise<SwitchResult> {
    const { models, newId, now } = this.#options;
    if (this.#gate) throw new AppError('switch_in_progress', 'Another runtime switch is running.');
    // Closed before anything is waited for, or two that come together would both pass.
    const gate: SwitchGate = {
      switchId: newId(),
      source: request.source,
      fromRuntime: models.activeServer ?? '',
      toRuntime: request.serverName,
      startedAt: now(),
    };
    this.#gate = gate;
    try {
      gate.fromRuntime = (await models.activeIdentity()).provider;
      return await this.#run(request, gate.fromRuntime);
    } finally {
      this.#gate = undefined;
    }
  }

  async #run(request: SwitchRequest, fromServer: string): Promise<SwitchResult> {
    const { models } = this.#options;
    const lifecycle: SwitchResult['lifecycle'] = {
      fromServer,
      toServer: request.serverName,
      completed: [],
    };
    const runtime = models.runtime(request.serverName);
    if (!runtime) throw new AppError('not_found', `There is no model server called ${request.serverName}.`);
    const startResult = await this.#bringUp(request.serverName, lifecycle);
    models.changed();
    const { model, reason } = await this.#chooseModel(request);
    await models.choose(model, request.serverName);
    lifecycle.completed.push('endpoint_switched', 'config_saved');
    // Only now the old one is let go, once it has ended what it is saying; that may outlast the switch.
    const stopResults: SwitchResult['stopResults'] = {};
    if (fromServer !== request.serverName) {
      await waitAtMost(this.#letGo(fromServer, lifecycle, stopResults), LET_GO_WITHIN_MS);
    }
    const identity = runtimeIdentity(runtime.provider, model, runtime.endpoint);
    this.selected(request.source, identity, fromServer);
    return {
      identity,
      requestedAlias: request.alias ?? null,
      reason,
      startResult,
      stopResults: { ...stopResults },
      lifecycle: { ...lifecycle, completed: [...lifecycle.completed] },
    };
  }

  /** Never throws: the new engine serves already. */
  async #letGo(
    server: string,
    lifecycle: SwitchResult['lifecycle'],
    stopResults: SwitchResult['stopResults'],
  ): Promise<void> {
    const { models, controller } = this.#options;
    try {
      await models.runtime(server)?.unloadAll();
      lifecycle.completed.push('release_done', 'cache_invalidated');
      const ours = controller.definitions.some(({ name }) => name === server) && controller.owns(server);
      // Somebody may have switched back while the last answer went on.
      if (!ours || (await models.activeIdentity()).provider === server) return;
      const { ok, exitCode } = await controller.run(server, 'stop');
      stopResults[server] = { ok, ...(exitCode === null ? {} : { exit_code: exitCode }) };
      if (ok) lifecycle.completed.push('process_stopped');
    } catch (error) {
      stopResults[server] = { ok: false, error: toAppError(error).message };
    }
  }

  async #bringUp(name: string, lifecycle: SwitchResult['lifecycle']): Promise<SwitchResult['startResult']> {
    const { models, controller } = this.#options;
    const definition = controller.definitions.find((candidate) => candidate.name === name);
    const unhealthy = (why: string) =>
      new AppError('provider_unavailable', `${name} is not ready: ${why}. ${lifecycle.fromServer} serves on.`);
    if (!definition) {
      // Inside this process, or a server that only an address is known of.
      const health = await models.runtime(name)?.health(AbortSignal.timeout(5_000));
      if (!health || health.state === 'offline') throw unhealthy(health?.error ?? 'it does not answer');
      lifecycle.completed.push('start_done', 'health_ready');
      return null;
    }
    const { status } = await controller.check(name);
    // Of a pool some members are enough.
    if (status === 'online' || (status === 'degraded' && models.runtime(name)?.pool)) {
      lifecycle.completed.push('start_done', 'health_ready');
      return { ok: true, exit_code: 0 };
    }
    if (!controller.supports(name).start) throw unhealthy('it does not answer, and there is no command to start it');
    const started = await controller.run(name, 'start');
    if (!started.ok) throw unhealthy(started.message);
    lifecycle.completed.push('start_done');
    if (!(await controller.waitFor(name, 'up', HEALTHY_WITHIN_MS))) {
      await controller.run(name, 'stop');
      throw unhealthy(`it was not healthy within ${HEALTHY_WITHIN_MS / 1_000} s, and was stopped again`);
    }
    lifecycle.completed.push('health_ready');
    return { ok: true, exit_code: started.exitCode ?? 0 };
  }

  async #chooseModel(request: SwitchRequest): Promise<{ model: string; reason: ResolutionReason | null }> {
    const { models, codingFacts } = this.#options;
    const server = request.serverName;
    const { models: all } = await models.list();
    const installed = all.filter(({ provider, chat }) => provider === server && chat).map(({ name }) => name);
    if (request.alias !== undefined && (request.alias !== CODING_ALIAS || server !== 'ollama'))
      throw new AppError('invalid_input', `There is no alias ${request.alias} on ${server}.`);
    const wanted = request.alias ?? request.model;
    if (wanted !== undefined) {
      const resolved = resolveModelName(wanted, { installed, ...(await codingFacts()) });
      if (resolved.model !== null) return { model: resolved.model, reason: resolved.reason };
      if (request.exactOnly) throw new AppError('conflict', `${wanted} is not installed on ${server}.`);
    }
    const active = await models.activeModel();
    const { last, previous } = models.lastModels(server);
    const next = [active, last, previous, ...installed.toSorted()].find((name) => name && installed.includes(name));
    if (!next) throw new AppError('no_model', `No model that can chat is installed on ${server}.`);
    return { model: next, reason: wanted === undefined ? null : 'fallback' };
  }
}
