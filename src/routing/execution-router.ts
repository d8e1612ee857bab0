// The decision itself (the original's `execution/model_router`): pure, from facts to a target that says why. First what
// may leave at all, then what the person chose, then the policy, then money, keys and health.
import type { RouteStep, RoutingDecision, TaskType } from './decision.js';
import {
  type CloudProvider,
  evaluatePolicy,
  type PolicyChoice,
  type PolicyNode,
  type PolicyTarget,
  type RoutingReason,
} from './policy.js';
import { estimatedCostUsd, type ModelPrice } from './pricing.js';
import { isMaskable } from './sensitivity.js';
import { complexityOf, type TaskLevel } from './task-complexity.js';

export interface CloudFacts {
  hasKey: boolean;
  endpoint: string | null;
  /** What the two tiers stand for. */
  high: string;
  fast: string;
  /** Failures stopped it for a while. */
  resting: boolean;
}

/** What a person asked for by name; it goes before the policy, and never before sensitivity. */
export type Preference =
  | { where: 'local' }
  /** `strict`: only this one, because it was named; otherwise the local model helps out. */
  | { where: 'cloud'; provider: CloudProvider; model: string | null; strict: boolean };

export interface RouteFacts {
  taskType: TaskType;
  mode: 'direct' | 'normal' | 'complex' | 'background';
  chars: number;
  level: () => TaskLevel;
  language: string | null;
  /** Kinds found in the text, and labels of what goes along. */
  findings: readonly string[];
  labels: readonly string[];
  /** Whether a cloud may have the text with everything sensitive replaced. */
  masking: boolean;
  aiMode: 'LOCAL' | 'HYBRID' | 'CLOUD';
  forceLocal: boolean;
  paid: boolean;
  policy: PolicyNode;
  preference: Preference | null;
  /** The local model that would answer; null where there is none. */
  local: RouteStep | null;
  /** The local server hands questions to this model on to somebody else. */
  localLeaves: boolean;
  cloudProvider: CloudProvider;
  cloud: Readonly<Record<CloudProvider, CloudFacts>>;
  price: (provider: CloudProvider, model: string) => ModelPrice | null;
  budgetRemainingUsd: number | null;
  draw: number;
}

/** One step of the reasoning, for the dry run. */
export interface ReasonStep {
  check: string;
  outcome: string;
}

export interface Decided {
  decision: Omit<RoutingDecision, 'decidedAt' | 'latencyMs'>;
  steps: ReasonStep[];
}

interface Candidate extends RouteStep {
  tier: RoutingDecision['tier'];
  costUsd: number;
}

export function decideRoute(facts: RouteFacts): Decided {
  const weighing = new Weighing(facts);
  return staysInTheHouse(facts, weighing) ?? byTargets(facts, weighing);
}

/** What is known of a text before anybody is chosen, each step of the reasoning, and the decision they come to. */
class Weighing {
  readonly complexity: number;
  readonly kinds: readonly string[];
  readonly sensitive: boolean;
  readonly onlyLocal: readonly Candidate[];
  readonly #facts: RouteFacts;
  readonly #steps: ReasonStep[] = [];

  constructor(facts: RouteFacts) {
    this.#facts = facts;
    this.complexity = complexityOf(facts.taskType, facts.chars);
    this.kinds = [...new Set([...facts.findings, ...facts.labels])];
    this.sensitive = facts.taskType === 'SENSITIVE' || this.kinds.length > 0;
    this.onlyLocal = facts.local ? [{ ...facts.local, tier: 'local', costUsd: 0 }] : [];
    this.note('complexity', `${this.complexity} of 10 for ${facts.taskType}, ${facts.chars} characters`);
    this.note(
      'sensitivity',
      this.sensitive ? `sensitive: ${this.kinds.join(', ') || 'by task type'}` : 'nothing found',
    );
  }

  note(check: string, outcome: string): void {
    this.#steps.push({ check, outcome });
  }

  /** @param chain  who is asked, one after the other; nobody where it is empty */
  decide(chain: readonly Candidate[], reasonCode: RoutingReason, reason: string, policyGatePassed = true): Decided {
    const first = chain[0];
    this.note('decision', `${first ? `${first.provider} ${first.model}` : 'nobody'}: ${reason}`);
    return {
      steps: this.#steps,
      decision: {
        target: first?.target ?? 'local',
        provider: first?.provider ?? '',
        model: first?.model ?? '',
        endpoint: first?.endpoint ?? null,
        reasonCode,
        reason,
        complexity: this.complexity,
        sensitive: this.sensitive,
        findings: [...this.kinds],
        chain: chain.map(({ target, provider, model, endpoint }) => ({ target, provider, model, endpoint })),
        paid: first?.target === 'cloud',
        tier: first?.tier ?? 'local',
        estimatedCostUsd: first?.costUsd ?? 0,
        budgetRemainingUsd: this.#facts.budgetRemainingUsd,
        policyGatePassed,
      },
    };
  }
}

/** Where no cloud comes into question, whatever the policy says. */
function staysInTheHouse(facts: RouteFacts, weighing: Weighing): Decided | undefined {
  const { kinds, onlyLocal } = weighing;
  const inTheHouse = facts.localLeaves ? [] : onlyLocal;
  if (weighing.sensitive) {
    const masked = facts.masking && facts.taskType !== 'SENSITIVE' && kinds.every(isMaskable);
    weighing.note('gate', masked ? 'may leave with everything found replaced' : 'stays in the house');
    // Only the gate masks, and this way does not lead through it.
    if (!masked || facts.localLeaves)
      return weighing.decide(
        inTheHouse,
        'sensitive_content_override',
        `The text is sensitive (${kinds.join(', ') || 'task type'}) and stays local.`,
      );
  }
  if (facts.forceLocal) return weighing.decide(inTheHouse, 'default_eco_mode', 'FORCE_LOCAL_MODEL is set.');
  if (facts.preference?.where === 'local')
    return weighing.decide(onlyLocal, 'user_preference', 'A local model was named.');
  return undefined;
}

/** Those that a person named or the policy says, as far as each may be asked. */
function byTargets(facts: RouteFacts, weighing: Weighing): Decided {
  const explicit = facts.preference?.where === 'cloud' ? facts.preference : null;
  const { targets, reason, path } = explicit ? namedTargets(explicit) : policyTargets(facts, weighing);
  weighing.note(explicit ? 'preference' : 'policy', path.join(' → '));
  const { chain, barred } = chainOf(facts, targets, weighing);
  const first = chain[0];
  if (barred && first?.target !== 'cloud') {
    // Without a fallback in the tree the house still answers, and says why; a model that was named is not replaced.
    const rest = first ? chain : explicit?.strict ? [] : weighing.onlyLocal;
    return weighing.decide(rest, barred.code, barred.reason, false);
  }
  if (first?.target === 'cloud' && facts.aiMode === 'CLOUD' && reason === 'user_preference' && !explicit)
    return weighing.decide(chain, 'user_preference', 'AI_MODE is CLOUD.');
  const code = reason ?? (facts.aiMode === 'LOCAL' ? 'default_eco_mode' : 'user_preference');
  return weighing.decide(chain, code, REASONS[code] ?? 'The policy says so.');
}

const namedTargets = ({ provider, model, strict }: Extract<Preference, { where: 'cloud' }>): PolicyChoice => ({
  targets: [{ where: 'cloud', provider, model: model ?? undefined }, ...(strict ? [] : [{ where: 'local' } as const])],
  reason: 'user_preference',
  path: [`${provider} was asked for`],
});

const policyTargets = (facts: RouteFacts, { complexity, sensitive }: Weighing): PolicyChoice =>
  evaluatePolicy(facts.policy, {
    taskType: facts.taskType,
    mode: facts.mode,
    complexity,
    level: facts.level,
    sensitive,
    language: facts.language,
    chars: facts.chars,
    costUsd: costOn(facts, facts.cloudProvider, facts.cloud[facts.cloudProvider].high) ?? Number.POSITIVE_INFINITY,
    draw: facts.draw,
  });

/** `barred` is why the first of those that may not be asked may not. */
function chainOf(facts: RouteFacts, targets: readonly PolicyTarget[], weighing: Weighing) {
  const [local] = weighing.onlyLocal;
  const chain: Candidate[] = [];
  let barred: Barred | undefined;
  for (const target of targets) {
    if (target.where === 'local') {
      const { model } = target;
      if (local) chain.push(model && model !== local.model ? { ...local, model } : local);
      continue;
    }
    const candidate = toCandidate(facts, target);
    const refused = guard(facts, candidate);
    weighing.note(
      'guard',
      `${candidate.provider} ${candidate.model}${refused ? `: ${refused.reason}` : ' may be asked'}`,
    );
    if (refused) barred ??= refused;
    else chain.push(candidate);
  }
  return { chain, barred };
}

const REASONS: Partial<Record<RoutingReason, string>> = {
  default_eco_mode: 'Answers are given in the house.',
  task_complexity_low: 'The task is easy enough for the local model.',
  task_complexity_high: 'The task is hard enough for a cloud model.',
  user_preference: 'It was chosen by hand or by the policy.',
};

function costOn(facts: RouteFacts, provider: CloudProvider, model: string): number | null {
  const price = facts.price(provider, model);
  return price && estimatedCostUsd(price, facts.chars);
}

function toCandidate(facts: RouteFacts, target: PolicyTarget): Candidate {
  const provider = target.provider ?? facts.cloudProvider;
  const { high, fast, endpoint } = facts.cloud[provider];
  const model = target.model ?? (target.tier === 'fast' ? fast : high);
  return {
    target: 'cloud',
    provider,
    model,
    endpoint,
    tier: target.tier ?? 'high',
    costUsd: costOn(facts, provider, model) ?? 0,
  };
}

interface Barred {
  code: RoutingReason;
  reason: string;
}

/** Why a cloud model may not be asked; undefined when it may. */
function guard(facts: RouteFacts, { provider, model, costUsd }: Candidate): Barred | undefined {
  const explicit = facts.preference !== null;
  const cloud = facts.cloud[provider as CloudProvider];
  if (facts.aiMode === 'LOCAL' && !explicit) return { code: 'default_eco_mode', reason: 'AI_MODE is LOCAL.' };
  if (cloud.endpoint === null || model === '')
    return { code: 'policy_blocked_no_provider', reason: `${provider} is not configured.` };
  if (!cloud.hasKey) return { code: 'fallback_auth_error', reason: `There is no key for ${provider}.` };
  // The whole cloud, the fast models too: what is cheap still costs.
  if (!facts.paid && !explicit) return { code: 'default_eco_mode', reason: 'Paid answers are switched off.' };
  if (facts.price(provider as CloudProvider, model) === null)
    return { code: 'policy_blocked_budget', reason: `The price of ${model} is not known.` };
  if (facts.budgetRemainingUsd !== null && costUsd > facts.budgetRemainingUsd)
    return { code: 'policy_blocked_budget', reason: 'The budget is used up.' };
  if (cloud.resting) return { code: 'fallback_provider_degraded', reason: `${provider} failed too often just now.` };
  return undefined;
}
