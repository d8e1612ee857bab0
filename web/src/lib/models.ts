// Installed models, which chat and models both show.
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { i18n as I18n } from 'i18next';
import { z } from 'zod';
import { engineName } from './engines';
import { bytes } from './format';
import { request } from './http';

const Model = z.object({
  name: z.string(),
  size_gb: z.number().nullable(),
  quantization: z.string(),
  provider: z.string(),
  type: z.string(),
  active: z.boolean(),
  chat_compatible: z.boolean(),
  /** What it was seen to do; null where it was not tried. */
  measured_abilities: z.array(z.string()).nullable(),
});
export type Model = z.output<typeof Model>;

const GIGABYTE = 1_073_741_824;

/** For people; null where nobody knows. */
export function figuresOf({ size_gb, quantization, provider }: Model, { t, language }: I18n) {
  return {
    size: size_gb === null ? null : bytes(size_gb * GIGABYTE, language),
    quantization: quantization === 'unknown' ? null : quantization,
    engine: engineName(t, provider),
  };
}

/** The same in one line. */
export function figureLine(model: Model, i18n: I18n): string {
  const { size, quantization, engine } = figuresOf(model, i18n);
  return [engine, size, quantization].filter(Boolean).join(' · ');
}

const Models = z.object({
  models: z.array(Model),
  unavailable: z.array(z.object({ provider: z.string(), error: z.string() })).default([]),
});

export function useModels() {
  return useQuery({
    queryKey: ['models'],
    queryFn: ({ signal }) => request('/models', Models, { signal }),
    staleTime: 10_000,
  });
}

export function useSwitchModel() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, provider }: Pick<Model, 'name' | 'provider'>) =>
      request('/models/switch', z.object({ active_model: z.string() }), { json: { name, runtime: provider } }),
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSuccess: () =>
      Promise.all(['models', 'versions', 'servers'].map((key) => queries.invalidateQueries({ queryKey: [key] }))),
  });
}
