// The rules by which a target is chosen, as a tree an administrator can write. What guards say (sensitivity, money, keys)
// stands outside it: no tree can send what may not leave.
import type { TaskType } from './decision.js';
import type { TaskLevel } from './task-complexity.js';

/** The contract's RoutingReason. */
export const ROUTING_REASONS = [
  'default_eco_mode',
  'task_complexity_low',
  'task_complexity_high',
  'sensitive_content_override',
  'fallback_timeout',
  'fallback_auth_error',
  'fallback_budget_exceeded',
  'fallback_provider_degraded',
  'fallback_provider_offline',
  'fallback_rate_limit',
  'policy_blocked_budget',
  'policy_blocked_rate_limit',
  'policy_blocked_no_provider',
  'policy_blocked_content',
  'user_preference',
] as const;
export type RoutingReason = (typeof ROUTING_REASONS)[number];

export const CLOUD_PROVIDERS = ['openai', 'google', 'cloud-compatible'] as const;
export type CloudProvider = (typeof CLOUD_PROVIDERS)[number];

export interface PolicyTarget {
  where: 'local' | 'cloud';
  /** Of a cloud target; HYBRID_CLOUD_PROVIDER otherwise. */
  provider?: CloudProvider | undefined;
  /** A model's name; the active local one, or the cloud model of the tier, otherwise. */
  model?: string | undefined;
  tier?: 'fast' | 'high' | undefined;
}

interface Range {
  min?: number | undefined;
  max?: number | undefined;
}

/** All that are named must hold. Bounds are included. */
export interface PolicyCondition {
  task?: readonly TaskType[] | undefined;
  mode?: readonly ('direct' | 'normal' | 'complex' | 'background')[] | undefined;
  complexity?: Range | undefined;
  level?: readonly TaskLevel[] | undefined;
  sensitive?: boolean | undefined;
  /** Never holds where the language is not known. */
  language?: readonly string[] | undefined;
  /** Characters. */
  length?: Range | undefined;
  /** Estimated US dollars on the high cloud model. */
  cost?: Range | undefined;
}

export type PolicyNode =
  | { kind: 'single'; target: PolicyTarget }
  | { kind: 'fallback'; nodes: readonly PolicyNode[] }
  | { kind: 'balance'; choices: readonly { weight: number; node: PolicyNode }[] }
  | {
      kind: 'conditional';
      cases: readonly { when: PolicyCondition; reason?: RoutingReason | undefined; node: PolicyNode }[];
      otherwise: PolicyNode;
      reason?: RoutingReason | undefined;
    };

export interface PolicyFacts {
  taskType: TaskType;
  mode: 'direct' | 'normal' | 'complex' | 'background';
  complexity: number;
  level: () => TaskLevel;
  sensitive: boolean;
  language: string | null;
  chars: number;
  costUsd: number;
  /** 0 to below 1: which choice of a balance is taken. */
  draw: number;
}

export interface PolicyChoice {
  /** In the order in which they are tried. */
  targets: PolicyTarget[];
  reason: RoutingReason | null;
  /** Which ways were taken in the tree. */
  path: string[];
}

export function evaluatePolicy(node: PolicyNode, facts: PolicyFacts): PolicyChoice {
  switch (node.kind) {
    case 'single':
      return { targets: [node.target], reason: null, path: [describeTarget(node.target)] };
    case 'fallback': {
      const choices = node.nodes.map((child) => evaluatePolicy(child, facts));
      return {
        targets: choices.flatMap(({ targets }) => targets),
        reason: choices[0]?.reason ?? null,
        path: [`fallback of ${choices.length}`, ...choices.flatMap(({ path }) => path)],
      };
    }
    case 'balance': {
      const total = node.choices.reduce((sum, { weight }) => sum + weight, 0);
      let left = facts.draw * total;
      const taken = Math.max(
        0,
        node.choices.findIndex(({ weight }) => {
          left -= weight;
          return left < 0;
        }),
      );
      const ordered = [...node.choices.slice(taken), ...node.choices.slice(0, taken)];
      const choices = ordered.map(({ node: child }) => evaluatePolicy(child, facts));
      return {
        targets: choices.flatMap(({ targets }) => targets),
        reason: choices[0]?.reason ?? null,
        path: [`balance: choice ${taken + 1} of ${node.choices.length}`, ...(choices[0]?.path ?? [])],
      };
    }
    case 'conditional': {
      const index = node.cases.findIndex(({ when }) => holds(when, facts));
      const found = node.cases[index];
      const choice = evaluatePolicy(found?.node ?? node.otherwise, facts);
      return {
        ...choice,
        reason: choice.reason ?? (found ? found.reason : node.reason) ?? null,
        path: [found ? `case ${index + 1} of ${node.cases.length}` : 'otherwise', ...choice.path],
      };
    }
  }
}

const describeTarget = ({ where, provider, model, tier }: PolicyTarget): string =>
  where === 'local' ? `local${model ? ` ${model}` : ''}` : ['cloud', provider, model ?? tier].filter(Boolean).join(' ');

const within = (range: Range | undefined, value: number): boolean =>
  range === undefined || (value >= (range.min ?? -Infinity) && value <= (range.max ?? Infinity));

function holds(when: PolicyCondition, facts: PolicyFacts): boolean {
  return (
    (when.task?.includes(facts.taskType) ?? true) &&
    (when.mode?.includes(facts.mode) ?? true) &&
    within(when.complexity, facts.complexity) &&
    (when.level?.includes(facts.level()) ?? true) &&
    (when.sensitive === undefined || when.sensitive === facts.sensitive) &&
    (when.language === undefined || (facts.language !== null && when.language.includes(facts.language))) &&
    within(when.length, facts.chars) &&
    within(when.cost, facts.costUsd)
  );
}

const LOCAL: PolicyNode = { kind: 'single', target: { where: 'local' } };
const cloudThenLocal = (tier: 'fast' | 'high'): PolicyNode => ({
  kind: 'fallback',
  nodes: [{ kind: 'single', target: { where: 'cloud', tier } }, LOCAL],
});

/** What AI_MODE says, as a tree. */
export function defaultPolicy(
  mode: 'LOCAL' | 'HYBRID' | 'CLOUD',
  { complexityThreshold, costThresholdUsd }: { complexityThreshold: number; costThresholdUsd: number },
): PolicyNode {
  if (mode === 'LOCAL') return LOCAL;
  if (mode === 'CLOUD')
    return {
      kind: 'conditional',
      cases: [
        {
          when: { complexity: { min: complexityThreshold } },
          reason: 'task_complexity_high',
          node: cloudThenLocal('high'),
        },
      ],
      otherwise: cloudThenLocal('high'),
      reason: 'user_preference',
    };
  return {
    kind: 'conditional',
    cases: [
      // Summaries and the like: nobody asked for them, so nobody pays for them.
      { when: { mode: ['background'] }, reason: 'task_complexity_low', node: LOCAL },
      { when: { task: ['RESEARCH'] }, reason: 'task_complexity_high', node: cloudThenLocal('high') },
      { when: { task: ['STANDARD', 'CHAT', 'CODING_SIMPLE'] }, reason: 'task_complexity_low', node: LOCAL },
      {
        when: { complexity: { max: complexityThreshold - 1 } },
        reason: 'task_complexity_low',
        node: LOCAL,
      },
      {
        when: { cost: { min: costThresholdUsd + Number.EPSILON } },
        reason: 'task_complexity_high',
        node: cloudThenLocal('fast'),
      },
    ],
    otherwise: cloudThenLocal('high'),
    reason: 'task_complexity_high',
  };
}
