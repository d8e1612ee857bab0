// What happened to one request: its steps, what was really sent, and where it went. Several pages show it.
import { useQuery } from '@tanstack/react-query';
import { z } from 'zod';
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
  fallback_chain: z.array(z.string()).nullish(),
  estimated_cost_usd: z.number().nullish(),
});

const Receipt = z.looseObject({
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
