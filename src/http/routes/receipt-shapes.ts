// A routing decision and a receipt as the contract and the UI name their fields.
import type { AnswerReceipt, RoutingDecision } from '../../routing/decision.js';
import { isoUtc } from '../../shared/clock.js';

const offset = (at: number): string => isoUtc(at).replace(/Z$/, '+00:00');

/** What is kept of money; further digits are the arithmetic's. */
const toBillionths = (usd: number): number => Math.round(usd * 1e9) / 1e9;

/** The contract's RoutingTarget has no names for engines of our own. */
const TARGETS = new Set(['ollama', 'vllm', 'openai', 'google', 'azure']);

/** `routing_decision` of the history's detail. */
export function toRoutingDecision(receipt: AnswerReceipt | null | undefined) {
  const decision = receipt?.decision;
  if (!decision) return null;
  const failed = receipt.attempts.filter(({ outcome }) => outcome === 'failed');
  const first = decision.chain[0];
  return {
    target_runtime: TARGETS.has(decision.provider) ? decision.provider : null,
    provider: decision.provider || null,
    model: decision.model || null,
    reason_code: decision.reasonCode,
    complexity_score: decision.complexity,
    is_sensitive: decision.sensitive,
    fallback_applied: first !== undefined && (first.provider !== decision.provider || first.model !== decision.model),
    fallback_chain: decision.chain.map(({ provider, model }) => `${provider}:${model}`),
    policy_gate_passed: decision.policyGatePassed,
    estimated_cost_usd: toBillionths(decision.estimatedCostUsd),
    budget_remaining_usd: decision.budgetRemainingUsd,
    decision_timestamp: offset(decision.decidedAt),
    decision_latency_ms: decision.latencyMs,
    error_message: failed.at(-1)?.error ?? null,
  };
}

export const toDecisionDetail = (decision: RoutingDecision) => ({
  target: decision.target,
  provider: decision.provider,
  model: decision.model,
  endpoint: decision.endpoint,
  reason_code: decision.reasonCode,
  reason: decision.reason,
  complexity: decision.complexity,
  sensitive: decision.sensitive,
  findings: decision.findings,
  chain: decision.chain.map(({ target, provider, model, endpoint }) => ({ target, provider, model, endpoint })),
  paid: decision.paid,
  tier: decision.tier,
  estimated_cost_usd: toBillionths(decision.estimatedCostUsd),
  budget_remaining_usd: decision.budgetRemainingUsd,
  policy_gate_passed: decision.policyGatePassed,
  decided_at: isoUtc(decision.decidedAt),
  latency_ms: decision.latencyMs,
});

export function toReceipt(receipt: AnswerReceipt | null | undefined) {
  if (!receipt) return null;
  return {
    decision: receipt.decision && toDecisionDetail(receipt.decision),
    ran_with: receipt.ranWith && {
      runtime: receipt.ranWith.runtime,
      model: receipt.ranWith.model,
      sent: receipt.ranWith.sent,
      dropped: receipt.ranWith.dropped,
      clamped: receipt.ranWith.clamped,
      unknown: receipt.ranWith.unknown,
    },
    attempts: receipt.attempts.map((attempt) => ({
      provider: attempt.provider,
      model: attempt.model,
      endpoint: attempt.endpoint,
      location: attempt.location,
      bytes_sent: attempt.bytesSent,
      bytes_received: attempt.bytesReceived,
      outcome: attempt.outcome,
      error: attempt.error,
    })),
    masked: receipt.masked,
    cost_usd: receipt.costUsd === null ? null : toBillionths(receipt.costUsd),
  };
}
