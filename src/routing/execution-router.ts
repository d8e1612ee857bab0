// The decision itself (the original's `execution/model_router`): pure, from facts to a target that says why. First what
// may leave at all, then what the person chose, then the policy, then money, keys and health.
import type { RouteStep, RoutingDecision, TaskType } from './decision.js';
import {
  type CloudProvider,
  evaluatePolicy,
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
  const steps: ReasonStep[] = [];
  const note = (check: string, outcome: string) => steps.push({ check, outcome });
  const complexity = complexityOf(facts.taskType, facts.chars);
  const kinds = [...new Set([...facts.findings, ...facts.labels])];
  const sensitive = facts.taskType === 'SENSITIVE' || kinds.length > 0;
  note('complexity', `${complexity} of 10 for ${facts.taskType}, ${facts.chars} characters`);
  note('sensitivity', sensitive ? `sensitive: ${kinds.join(', ') || 'by task type'}` : 'nothing found');

  const local: Candidate | null = facts.local && { ...facts.local, tier: 'local', costUsd: 0 };
  const done = (chain: readonly Candidate[], reasonCode: RoutingReason, reason: string, passed = true): Decided => {
    const first = chain[0];
    note('decision', `${first ? `${first.provider} ${first.model}` : 'nobody'}: ${reason}`);
    return {
      steps,
      decision: {
        target: first?.target ?? 'local',
        provider: first?.provider ?? '',
        model: first?.model ?? '',
        endpoint: first?.endpoint ?? null,
        reasonCode,
        reason,
        complexity,
        sensitive,
        findings: kinds,
        chain: chain.map(({ target, provider, model, endpoint }) => ({ target, provider, model, endpoint })),
        paid: first?.target === 'cloud',
        tier: first?.tier ?? 'local',
        estimatedCostUsd: first?.costUsd ?? 0,
        budgetRemainingUsd: facts.budgetRemainingUsd,
        policyGatePassed: passed,
      },
    };
  };
  const onlyLocal = local ? [local] : [];
  const inTheHouse = facts.localLeaves ? [] : onlyLocal;

  if (sensitive) {
    const masked = facts.masking && facts.taskType !== 'SENSITIVE' && kinds.every(isMaskable);
    note('gate', masked ? 'may leave with everything found replaced' : 'stays in the house');
    // Only the gate masks, and this way does not lead through it.
    if (!masked || facts.localLeaves)
      return done(
        inTheHouse,
        'sensitive_content_override',
        `The text is sensitive (${kinds.join(', ') || 'task type'}) and stays local.`,
      );
  }
  if (facts.forceLocal) return done(inTheHouse, 'default_eco_mode', 'FORCE_LOCAL_MODEL is set.');
  if (facts.preference?.where === 'local') return done(onlyLocal, 'user_preference', 'A local model was named.');

  const explicit = facts.preference;
  const choice = explicit
    ? {
        targets: [
          { where: 'cloud', provider: explicit.provider, model: explicit.model ?? undefined } as PolicyTarget,
          ...(explicit.strict ? [] : [{ where: 'local' } as PolicyTarget]),
        ],
        reason: 'user_preference' as const,
        path: [`${explicit.provider} was asked for`],
      }
    : evaluatePolicy(facts.policy, {
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
  note(explicit ? 'preference' : 'policy', choice.path.join(' → '));

  const chain: Candidate[] = [];
  let barred: { code: RoutingReason; reason: string } | undefined;
  for (const target of choice.targets) {
    if (target.where === 'local') {
      const model = target.model;
      if (local) chain.push(model && model !== local.model ? { ...local, model } : local);
      continue;
    }
    const candidate = toCandidate(facts, target);
    const refused = guard(facts, candidate, explicit !== null);
    if (!refused) {
      note('guard', `${candidate.provider} ${candidate.model} may be asked`);
      chain.push(candidate);
    } else {
      note('guard', `${candidate.provider} ${candidate.model}: ${refused.reason}`);
      barred ??= refused;
    }
  }
  const first = chain[0];
  if (barred && first?.target !== 'cloud') {
    // Without a fallback in the tree the house still answers, and says why; a model that was named is not replaced.
    const rest = first ? chain : explicit?.strict ? [] : onlyLocal;
    return done(rest, barred.code, barred.reason, false);
  }
  if (first?.target === 'cloud' && facts.aiMode === 'CLOUD' && choice.reason === 'user_preference' && !explicit)
    return done(chain, 'user_preference', 'AI_MODE is CLOUD.');
  const code = choice.reason ?? (facts.aiMode === 'LOCAL' ? 'default_eco_mode' : 'user_preference');
  return done(chain, code, REASONS[code] ?? 'The policy says so.');
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

/** Why a cloud model may not be asked; undefined when it may. */
function guard(
  facts: RouteFacts,
  { provider, model, costUsd }: Candidate,
  explicit: boolean,
): { code: RoutingReason; reason: string } | undefined {
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
