// What routing decides and what an answer's receipt says. Values only.

export const TASK_TYPES = [
  'STANDARD',
  'CHAT',
  'CODING_SIMPLE',
  'CODING_COMPLEX',
  'RESEARCH',
  'GENERATION',
  'ANALYSIS',
  'SENSITIVE',
] as const;
export type TaskType = (typeof TASK_TYPES)[number];

export interface RouteStep {
  target: 'local' | 'cloud';
  provider: string;
  model: string;
  endpoint: string | null;
}

export interface RoutingDecision {
  target: 'local' | 'cloud';
  provider: string;
  model: string;
  endpoint: string | null;
  /** A code of the contract's RoutingReason, or one of ours. */
  reasonCode: string;
  /** One sentence for a person. */
  reason: string;
  /** 0..10 */
  complexity: number;
  sensitive: boolean;
  /** Kinds of what was found, such as `iban`; never the text itself. */
  findings: readonly string[];
  /** What is tried in turn, the first choice included. */
  chain: readonly RouteStep[];
  paid: boolean;
  tier: 'local' | 'fast' | 'high';
  estimatedCostUsd: number;
  budgetRemainingUsd: number | null;
  policyGatePassed: boolean;
  decidedAt: number;
  latencyMs: number;
}

/** How an answer's parameters reached the engine. */
export interface RanWith {
  runtime: string;
  model: string;
  /** In the engine's own names. */
  sent: Readonly<Record<string, unknown>>;
  /** Generic names the engine does not know. */
  dropped: readonly string[];
  clamped: readonly { name: string; from: number; to: number }[];
  /** Names nobody knows. */
  unknown: readonly string[];
}

export interface AnswerReceipt {
  decision: RoutingDecision | null;
  ranWith: RanWith | null;
  /** Every endpoint that was asked, in order. */
  attempts: readonly {
    provider: string;
    model: string;
    endpoint: string | null;
    location: 'local' | 'cloud';
    bytesSent: number;
    bytesReceived: number;
    outcome: 'ok' | 'failed' | 'stopped';
    error: string | null;
    /** Milliseconds since the epoch; absent in receipts of earlier versions. */
    startedAt?: number;
    endedAt?: number;
  }[];
  /** Kinds that were replaced before they left, and put back in the answer. */
  masked: readonly { kind: string; count: number }[];
  costUsd: number | null;
}
