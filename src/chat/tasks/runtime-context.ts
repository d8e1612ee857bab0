// What a task's context says of the engine and of the routing, under the contract's names.
import type { RoutingDecision } from '../../routing/decision.js';
import { isoUtc } from '../../shared/clock.js';

export interface RuntimeFacts {
  provider: string;
  model: string;
  endpoint: string | null;
  configHash: string;
  runtimeId: string;
}

/** The contract's closed list; an engine beside it is named in `provider`. */
const TARGETS = new Set(['ollama', 'vllm', 'openai', 'google', 'azure']);

export function runtimeContext(facts: RuntimeFacts, place: 'local' | 'cloud' = 'local'): Record<string, unknown> {
  const url = facts.endpoint ? URL.parse(facts.endpoint) : null;
  return {
    provider: facts.provider,
    model: facts.model,
    endpoint: facts.endpoint,
    endpoint_host: url?.hostname ?? null,
    endpoint_port: url ? Number(url.port || (url.protocol === 'https:' ? 443 : 80)) : null,
    service_type: place === 'local' ? 'local' : facts.provider,
    mode: place === 'local' ? 'LOCAL' : 'CLOUD',
    label: `${facts.model.split('/').at(-1)} · ${facts.provider} @ ${url?.host ?? 'local'}`,
    config_hash: facts.configHash,
    runtime_id: facts.runtimeId,
    adapter_applied: false,
    adapter_id: null,
  };
}

export const routingSummary = (decision: RoutingDecision): Record<string, unknown> => ({
  target_runtime: TARGETS.has(decision.provider) ? decision.provider : null,
  provider: decision.provider,
  model: decision.model,
  reason_code: decision.reasonCode,
  complexity_score: decision.complexity,
  is_sensitive: decision.sensitive,
  fallback_applied: false,
  fallback_chain: decision.chain.map(({ provider, model }) => `${provider}:${model}`),
  policy_gate_passed: decision.policyGatePassed,
  estimated_cost_usd: decision.estimatedCostUsd,
  budget_remaining_usd: decision.budgetRemainingUsd,
  decision_timestamp: isoUtc(decision.decidedAt),
  decision_latency_ms: decision.latencyMs,
  error_message: null,
});
