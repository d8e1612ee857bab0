// What the machine uses now, asked again and again; the last minutes are kept for the charts.
import { useQuery } from '@tanstack/react-query';
import { z } from 'zod';
import { request } from '../../../lib/http';

const EVERY_MS = 2_000;
const KEPT = 60;

const Usage = z.object({
  usage: z.object({
    cpu_usage_percent: z.number(),
    memory_total_gb: z.number(),
    memory_used_gb: z.number(),
    memory_usage_percent: z.number(),
    disk_usage_gb: z.number(),
    disk_system_total_gb: z.number(),
    disk_system_used_gb: z.number(),
    disk_system_usage_percent: z.number(),
    vram_usage_mb: z.number(),
    vram_total_mb: z.number().nullable(),
    vram_usage_percent: z.number().nullable(),
  }),
});
export type Usage = z.output<typeof Usage>['usage'];

export interface Sample {
  at: number;
  usage: Usage;
}

let samples: readonly Sample[] = [];

export function useUsage() {
  return useQuery({
    queryKey: ['usage'],
    queryFn: async ({ signal }) => {
      const { usage } = await request('/models/usage', Usage, { signal });
      samples = [...samples, { at: Date.now(), usage }].slice(-KEPT);
      return samples;
    },
    refetchInterval: EVERY_MS,
  });
}
