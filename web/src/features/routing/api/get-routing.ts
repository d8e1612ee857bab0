// Where an answer would come from, the policy behind it, what may be spent, and the clouds' keys.
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { z } from 'zod';
import { request, send } from '../../../lib/http';

const Explained = z.object({
  decision: z.object({
    target: z.enum(['local', 'cloud']),
    provider: z.string(),
    model: z.string(),
    reason_code: z.string(),
    reason: z.string(),
    complexity: z.number(),
    sensitive: z.boolean(),
    findings: z.array(z.string()),
    chain: z.array(z.object({ target: z.string(), provider: z.string(), model: z.string() })),
    estimated_cost_usd: z.number(),
    budget_remaining_usd: z.number().nullable(),
  }),
  steps: z.array(z.object({ check: z.string(), outcome: z.string() })),
  task_level: z.string(),
  ai_mode: z.string(),
});
export type Explained = z.output<typeof Explained>;

const Policy = z.object({
  version: z.number(),
  source: z.string(),
  ai_mode: z.string(),
  policy: z.unknown(),
  versions: z.array(z.object({ version: z.number(), created_at: z.string(), policy: z.unknown() })),
});
const CostMode = z.object({
  enabled: z.boolean(),
  ai_mode: z.string(),
  budget: z.looseObject({
    spent_today_usd: z.number(),
    spent_month_usd: z.number(),
    remaining_usd: z.number().nullable(),
    hard_per_day_usd: z.number().nullable(),
    hard_per_month_usd: z.number().nullable(),
  }),
});
const Providers = z.object({
  providers: z.array(
    z.looseObject({
      name: z.string(),
      display_name: z.string(),
      type: z.string(),
      configured: z.boolean(),
      key_source: z.string().nullable(),
      connection_status: z.string(),
    }),
  ),
});

export interface Explain {
  text: string;
  mode: 'direct' | 'normal' | 'complex';
  task_type: string;
}

export const useExplain = () =>
  useMutation({ mutationFn: (json: Explain) => request('/routing/explain', Explained, { json }) });

export const usePolicy = () =>
  useQuery({
    queryKey: ['routing', 'policy'],
    queryFn: ({ signal }) => request('/routing/policy', Policy, { signal }),
  });
export const useCostMode = () =>
  useQuery({
    queryKey: ['routing', 'cost'],
    queryFn: ({ signal }) => request('/system/cost-mode', CostMode, { signal }),
  });
export const useProviders = () =>
  useQuery({
    queryKey: ['routing', 'providers'],
    queryFn: async ({ signal }) =>
      (await request('/providers', Providers, { signal })).providers.filter(({ type }) => type === 'cloud_provider'),
  });

export function useRoutingAction() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ path, ...init }: { path: string } & RequestInit & { json?: unknown }) => send(path, init),
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['routing'] }),
  });
}
