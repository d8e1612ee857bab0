// Clouds that could answer in place of a model here, and which of them does. Nobody is asked beyond this server.
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { z } from 'zod';
import { request, send } from './http';

const MOST_MODELS = 40;

const Options = z.object({
  active: z.looseObject({
    runtime_id: z.string(),
    active_model: z.string().nullish(),
    source_type: z.string().nullish(),
  }),
  runtimes: z.array(
    z.looseObject({
      runtime_id: z.string(),
      source_type: z.string(),
      configured: z.boolean(),
      models: z.array(z.looseObject({ name: z.string(), chat_compatible: z.boolean() })),
    }),
  ),
});
const CostMode = z.looseObject({ enabled: z.boolean(), ai_mode: z.string() });

export interface CloudEngine {
  provider: string;
  /** Null: the one the settings name. */
  model: string | null;
}

/** `active` is null while a model here answers; `mayLeave` says whether the policy may ask a cloud all the same. */
export function useCloudEngines() {
  return useQuery({
    queryKey: ['models', 'clouds'],
    queryFn: async ({ signal }) => {
      const [{ active, runtimes }, cost] = await Promise.all([
        request('/system/llm-runtime/options', Options, { signal }),
        request('/system/cost-mode', CostMode, { signal }),
      ]);
      const clouds = runtimes.filter(({ source_type, configured }) => source_type === 'cloud-api' && configured);
      return {
        active:
          active.source_type === 'cloud-api'
            ? { provider: active.runtime_id, model: active.active_model ?? null }
            : null,
        mayLeave: cost.ai_mode !== 'LOCAL' && cost.enabled && clouds.length > 0,
        offered: clouds.flatMap(({ runtime_id: provider, models }): CloudEngine[] => {
          const known = models.filter(({ chat_compatible }) => chat_compatible).slice(0, MOST_MODELS);
          return known.length === 0
            ? [{ provider, model: null }]
            : known.map(({ name }) => ({ provider, model: name }));
        }),
      };
    },
    staleTime: 10_000,
  });
}

export function useActivateCloud() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ provider, model }: CloudEngine) =>
      send('/system/llm-runtime/active', {
        json: { provider, switch_source: 'ui', ...(model === null ? {} : { model }) },
      }),
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['models'] }),
  });
}
