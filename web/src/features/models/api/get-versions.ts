// Versions, models other applications hold, and a model's measured abilities and parameters.
import { notifications } from '@mantine/notifications';
import { keepPreviousData, skipToken, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { z } from 'zod';
import { ForeignModel, Version } from '../../../../../src/contract/models';
import { request } from '../../../lib/http';

const Capabilities = z.object({
  capabilities: z.object({
    max_context_length: z.number(),
    quantization: z.string().nullable(),
    measured: z
      .object({
        at: z.string(),
        score: z.number(),
        tokens_per_second: z.number().nullable(),
        memory_bytes: z.number().nullable(),
        usable_context_tokens: z.number().nullable(),
        runtime_version: z.string().nullable(),
        results: z.array(
          z.object({
            name: z.string(),
            status: z.string(),
            score: z.number().nullable(),
            reason: z.string().nullable(),
          }),
        ),
      })
      .nullable(),
  }),
});

const Config = z.object({
  generation_schema: z.record(
    z.string(),
    z.object({ type: z.string(), min: z.number().optional(), max: z.number().optional(), desc: z.string().optional() }),
  ),
  current_values: z.record(z.string(), z.union([z.number(), z.boolean(), z.string(), z.null()])),
});

/** One model of one engine: two engines may have the name. */
export interface ModelRef {
  name: string;
  provider: string;
}

const path = ({ name, provider }: ModelRef, view: string) =>
  `/models/${encodeURIComponent(name)}/${view}?${new URLSearchParams({ runtime: provider })}`;

export const useVersions = () =>
  useQuery({
    queryKey: ['versions'],
    queryFn: async ({ signal }) =>
      (await request('/models/versions', z.object({ versions: z.array(Version) }), { signal })).versions,
  });

export const useAdoptable = () =>
  useQuery({
    queryKey: ['adoptable'],
    queryFn: async ({ signal }) =>
      (await request('/models/adoptable', z.object({ models: z.array(ForeignModel) }), { signal })).models,
    staleTime: 60_000,
  });

/** @param triedAt  when its last trial ended: afterwards it is another answer */
export const useCapabilities = (model: ModelRef | null, triedAt: string | null) =>
  useQuery({
    queryKey: ['capabilities', model?.provider, model?.name, triedAt],
    placeholderData: keepPreviousData,
    queryFn: model
      ? async ({ signal }) => (await request(path(model, 'capabilities'), Capabilities, { signal })).capabilities
      : skipToken,
    gcTime: 0,
  });

export const useConfig = (model: ModelRef | null) =>
  useQuery({
    queryKey: ['config', model?.provider, model?.name],
    queryFn: model ? ({ signal }) => request(path(model, 'config'), Config, { signal }) : skipToken,
    gcTime: 0,
  });

export function useSaveConfig() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ model, params }: { model: ModelRef; params: Record<string, unknown> }) =>
      request(path(model, 'config'), z.object({ success: z.boolean() }), { json: { params } }),
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['config'] }),
  });
}
