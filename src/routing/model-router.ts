// ModelRouter: which model answers, and why. Gathers the facts, lets `decideRoute` decide, and hands back a target that
// does what was decided. Every mode of the chat asks here, Direct mode included.
import type { ChatRouter, ChatTarget, RoutedTarget, RouteRequest } from '../chat/turn-ports.js';
import { isRunElsewhere } from '../models/cloud-hosts.js';
import { runtimeIdentity } from '../models/runtime-identity.js';
import { AppError } from '../shared/errors.js';
import type { Budgets } from './budgets.js';
import type { RoutingDecision } from './decision.js';
import { type CloudFacts, type Decided, decideRoute, type Preference, type RouteFacts } from './execution-router.js';
import { CLOUD_PROVIDERS, type CloudProvider } from './policy.js';
import type { PolicyStore } from './policy-store.js';
import type { CloudExit, LocalEngines, RoutingMemory, SensitivityRules, SessionLabels } from './ports.js';
import type { ModelPrice } from './pricing.js';
import type { ProviderRest } from './provider-rest.js';
import { RoutedAnswer } from './routed-answer.js';
import { findSensitiveInTurns, kindsOf } from './sensitivity.js';
import { taskLevel } from './task-complexity.js';

const PAID_KEY = 'paid_mode';
const NOTHING: readonly string[] = [];

export interface ModelRouterOptions {
  local: LocalEngines;
  exit: CloudExit;
  labels: SessionLabels;
  budgets: Budgets;
  policy: PolicyStore;
  memory: RoutingMemory;
  rest: ProviderRest;
  price: (provider: CloudProvider, model: string) => ModelPrice | null;
  sensitivity: SensitivityRules;
  aiMode: 'LOCAL' | 'HYBRID' | 'CLOUD';
  forceLocal: boolean;
  cloudProvider: CloudProvider;
  /** Models of the two tiers. */
  tiers: Readonly<Record<CloudProvider, { high: string; fast: string }>>;
  now: () => number;
  draw: () => number;
  wait: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

export class ModelRouter implements ChatRouter {
  readonly #options: ModelRouterOptions;

  constructor(options: ModelRouterOptions) {
    this.#options = options;
  }

  /** Whether answers may cost money without being asked for by name. Off until somebody switches it on. */
  get paid(): boolean {
    return this.#options.memory.get(PAID_KEY) === 'true';
  }

  set paid(on: boolean) {
    this.#options.memory.set(PAID_KEY, String(on));
    this.#options.memory.flush();
  }

  /** @throws AppError `no_model`, `model_not_found`, `sensitive_blocked`, `budget_exceeded`, `no_endpoint` */
  async route(request: RouteRequest): Promise<RoutedTarget> {
    const { labels: sessionLabels, sensitivity } = this.#options;
    const startedAt = performance.now();
    const findings = await this.#findings(request);
    if (findings.length > 0 && request.sessionId !== null) sessionLabels.add(request.sessionId, findings);
    const { facts, target, waitedMs, labels } = await this.#facts(request, findings);
    // What goes along, from the memory or a tool, may be new to the session.
    if (facts.findings.length > findings.length && request.sessionId !== null)
      sessionLabels.add(request.sessionId, facts.findings);
    const decided = decideRoute(facts);
    const decision = this.#stamped(decided, performance.now() - startedAt - waitedMs);
    const first = decision.chain[0];
    if (!first) throw this.#nobody(decision, request.model);
    const named = new Map<string, ChatTarget>(target ? [[target.model, target]] : []);
    return new RoutedAnswer({
      decision,
      identity:
        first.target === 'local' && target && first.model === target.model
          ? target
          : runtimeIdentity(first.provider, first.model, first.endpoint),
      local: target,
      localTarget: async (model) => named.get(model) ?? this.#options.local.target(model),
      exit: this.#options.exit,
      budgets: this.#options.budgets,
      rest: this.#options.rest,
      price: this.#options.price,
      sensitivity,
      labels,
      wait: this.#options.wait,
    });
  }

  /** The same decision with each step of the reasoning; nothing is sent, kept or labelled. */
  async explain(request: RouteRequest): Promise<Decided & { decision: RoutingDecision; level: string }> {
    const startedAt = performance.now();
    const { facts, waitedMs } = await this.#facts(request, await this.#findings(request));
    const decided = decideRoute(facts);
    return {
      steps: decided.steps,
      decision: this.#stamped(decided, performance.now() - startedAt - waitedMs),
      level: facts.level(),
    };
  }

  async #findings({ text, retold = false, images = false }: RouteRequest): Promise<readonly string[]> {
    const { localOnly, imagesMayLeave } = this.#options.sensitivity;
    if (!localOnly) return NOTHING;
    const kinds = await this.#kinds(text, retold);
    return images && !imagesMayLeave ? [...kinds, 'image'] : kinds;
  }

  async #kinds(text: string, shapesOnly: boolean): Promise<readonly string[]> {
    const { options } = this.#options.sensitivity;
    return kindsOf(await findSensitiveInTurns(text, shapesOnly ? { ...options, shapesOnly } : options));
  }

  async #facts(request: RouteRequest, found: readonly string[]) {
    const { exit, budgets, policy, rest, labels: sessionLabels } = this.#options;
    const askedAt = performance.now();
    const preference = await this.#preference(request);
    const current = policy.current;
    // Where nothing can leave anyway, nothing is read to find out whether it may.
    const cloudOpen =
      preference?.where === 'cloud' || (this.#options.aiMode !== 'LOCAL' && preference?.where !== 'local');
    const target = await this.#localTarget(request.model, preference);
    const waitedMs = performance.now() - askedAt;
    const localLeaves = target !== null && isRunElsewhere(target.provider, target.model);
    const labels =
      cloudOpen || localLeaves
        ? [...request.labels, ...(request.sessionId === null ? NOTHING : sessionLabels.of(request.sessionId))]
        : request.labels;
    const findings =
      (cloudOpen || localLeaves) && request.context && this.#options.sensitivity.localOnly
        ? [...new Set([...found, ...(await this.#kinds(request.context(), false))])]
        : found;
    const facts: RouteFacts = {
      taskType: request.taskType,
      mode: request.mode,
      chars: request.text.length,
      level: () => taskLevel(request.text),
      language: request.language ?? null,
      findings,
      labels,
      masking: this.#options.sensitivity.masking,
      aiMode: this.#options.aiMode,
      forceLocal: this.#options.forceLocal,
      paid: cloudOpen && this.paid,
      policy: current.tree,
      preference,
      local: target && { target: 'local', provider: target.provider, model: target.model, endpoint: target.endpoint },
      localLeaves,
      cloudProvider: this.#options.cloudProvider,
      cloud: Object.fromEntries(
        CLOUD_PROVIDERS.map((provider): [CloudProvider, CloudFacts] => [
          provider,
          {
            ...this.#options.tiers[provider],
            hasKey: cloudOpen && exit.hasKey(provider),
            endpoint: exit.endpoint(provider),
            resting: cloudOpen && rest.resting(provider),
          },
        ]),
      ) as Record<CloudProvider, CloudFacts>,
      price: this.#options.price,
      budgetRemainingUsd: cloudOpen ? budgets.remainingUsd() : null,
      draw: this.#options.draw(),
    };
    return { facts, target, waitedMs, labels };
  }

  /** A name goes before what is active, and a local model before a cloud's of the same name. */
  async #preference({ model, forcedProvider }: RouteRequest): Promise<Preference | null> {
    const { local, exit, aiMode } = this.#options;
    const forced = forcedProvider === undefined ? undefined : FORCED[forcedProvider.toLowerCase()];
    const active = local.activeCloud();
    const open = aiMode !== 'LOCAL' || active !== null;
    if (forced === 'local') return { where: 'local' };
    if (forced !== undefined && open) return { where: 'cloud', provider: forced, model: model ?? null, strict: false };
    if (model !== undefined) {
      if (active?.model === model) return { where: 'cloud', ...active, strict: false };
      const named = open ? exit.providerOf(model) : null;
      if (named && exit.hasKey(named.provider) && !(await local.knows(model)))
        return { where: 'cloud', ...named, strict: true };
      return { where: 'local' };
    }
    return active && { where: 'cloud', ...active, strict: false };
  }

  async #localTarget(model: string | undefined, preference: Preference | null): Promise<ChatTarget | null> {
    if (preference?.where !== 'cloud') {
      // What the person named must be there; otherwise a cloud may still answer.
      if (preference?.where === 'local' || this.#options.aiMode === 'LOCAL') return this.#options.local.target(model);
    }
    try {
      return await this.#options.local.target(undefined);
    } catch (error) {
      if (error instanceof AppError && (error.code === 'no_model' || error.code === 'model_not_found')) return null;
      throw error;
    }
  }

  #stamped({ decision }: Decided, latencyMs: number): RoutingDecision {
    return { ...decision, decidedAt: this.#options.now(), latencyMs: Math.round(latencyMs * 1_000) / 1_000 };
  }

  #nobody(decision: RoutingDecision, model: string | undefined): AppError {
    if (decision.reasonCode === 'sensitive_content_override')
      return new AppError(
        'sensitive_blocked',
        'The text is sensitive, and there is no local model that could answer.',
        {
          details: { findings: [...decision.findings] },
        },
      );
    if (decision.reasonCode === 'policy_blocked_budget')
      return new AppError('budget_exceeded', `${decision.reason} ${model ?? 'A cloud model'} was not asked.`);
    return new AppError('no_model', `No model can answer: ${decision.reason}`);
  }
}

const FORCED: Readonly<Record<string, CloudProvider | 'local'>> = {
  gpt: 'openai',
  openai: 'openai',
  gem: 'google',
  google: 'google',
  'google-gemini': 'google',
  'cloud-compatible': 'cloud-compatible',
  local: 'local',
  ollama: 'local',
  vllm: 'local',
  'llama-cpp': 'local',
};
