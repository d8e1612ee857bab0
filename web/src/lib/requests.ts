// What happened to one request: its steps, what was really sent, and where it went. Several pages show it.
import { useQuery } from '@tanstack/react-query';
import { z } from 'zod';
import { ContextReport as ContextReportShape } from '../../../src/contract/history';
import { RanWith } from '../../../src/contract/simple-chat';
import { request } from './http';

const Step = z.object({
  component: z.string(),
  action: z.string(),
  timestamp: z.string(),
  status: z.enum(['ok', 'error', 'blocked']),
  details: z.string().nullable(),
});
export type RequestStep = z.output<typeof Step>;

const Decision = z.looseObject({
  target_runtime: z.string().nullish(),
  provider: z.string().nullish(),
  model: z.string().nullish(),
  reason_code: z.string().nullish(),
  reason: z.string().nullish(),
  complexity_score: z.number().nullish(),
  is_sensitive: z.boolean().nullish(),
  decision_latency_ms: z.number().nullish(),
  fallback_chain: z.array(z.string()).nullish(),
  estimated_cost_usd: z.number().nullish(),
});

export const Receipt = z.looseObject({
  decision: z
    .looseObject({ reason: z.string(), reason_code: z.string(), sensitive: z.boolean(), findings: z.array(z.string()) })
    .nullish(),
  attempts: z
    .array(
      z.looseObject({
        provider: z.string(),
        model: z.string(),
        endpoint: z.string().nullish(),
        location: z.enum(['local', 'cloud']),
        bytes_sent: z.number(),
        bytes_received: z.number(),
        outcome: z.string(),
        error: z.string().nullish(),
      }),
    )
    .default([]),
  masked: z.array(z.object({ kind: z.string(), count: z.number() })).default([]),
  cost_usd: z.number().nullish(),
});
export type Receipt = z.output<typeof Receipt>;
export type ContextReport = z.output<typeof ContextReportShape>;

const RequestDetail = z.looseObject({
  request_id: z.string(),
  prompt: z.string(),
  status: z.string(),
  created_at: z.string(),
  finished_at: z.string().nullable(),
  duration_seconds: z.number().nullable(),
  llm_provider: z.string().nullable(),
  llm_model: z.string().nullable(),
  error_message: z.string().nullable(),
  steps: z.array(Step),
  first_token: z.looseObject({ elapsed_ms: z.number() }).nullable(),
  context_preview: z
    .looseObject({
      mode: z.string().nullish(),
      prompt_context_preview: z.string().nullish(),
      prompt_context_truncated: z.boolean().nullish(),
    })
    .nullable(),
  generation_params: z.record(z.string(), z.unknown()).nullable(),
  routing_decision: Decision.nullable(),
  context_used: z.looseObject({ lessons: z.array(z.string()), memory_entries: z.array(z.string()) }).nullable(),
  receipt: Receipt.nullish(),
  ran_with: RanWith.nullish(),
  context: ContextReportShape.nullish(),
});
export type RequestDetail = z.output<typeof RequestDetail>;

export function useRequestDetail(requestId: string | null) {
  return useQuery({
    queryKey: ['requests', requestId],
    queryFn: ({ signal }) => request(`/history/requests/${requestId}`, RequestDetail, { signal }),
    enabled: requestId !== null,
    refetchInterval: ({ state }) => (state.data?.finished_at === null ? 1_000 : false),
  });
}

const Flow = z.looseObject({ mermaid_diagram: z.string() });

/** The request's steps as the text of a Mermaid diagram. */
export function useFlowDiagram(requestId: string) {
  return useQuery({
    queryKey: ['requests', requestId, 'flow'],
    queryFn: async ({ signal }) => (await request(`/flow/${requestId}`, Flow, { signal })).mermaid_diagram,
  });
}
