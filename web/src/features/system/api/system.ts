// Health, version and settings.
import { useQuery } from '@tanstack/react-query';
import { z } from 'zod';
import { request } from '../../../lib/http';

const Info = z.object({
  version: z.string(),
  node_version: z.string(),
  platform: z.string(),
  uptime_seconds: z.number(),
  data_dir: z.string(),
  memory: z.object({ process_rss_bytes: z.number() }),
  runtimes: z.array(
    z.object({
      provider: z.string(),
      endpoint: z.string().nullable(),
      state: z.enum(['online', 'offline', 'degraded', 'ready']),
      latency_ms: z.number().nullable(),
      error: z.string().nullable(),
      details: z.record(z.string(), z.unknown()),
    }),
  ),
  store: z.object({
    size_bytes: z.number(),
    journal_mode: z.string(),
    synchronous: z.string(),
    schema_version: z.number(),
  }),
});

const Settings = z.object({
  settings: z.array(
    z.object({
      name: z.string(),
      value: z.string(),
      default: z.string(),
      source: z.enum(['default', 'env', 'file']),
      description: z.string(),
      secret: z.boolean(),
    }),
  ),
});

export const useSystemInfo = () =>
  useQuery({
    queryKey: ['system', 'info'],
    queryFn: ({ signal }) => request('/system/info', Info, { signal }),
    refetchInterval: 5_000,
  });

export const useSettings = () =>
  useQuery({
    queryKey: ['system', 'settings'],
    queryFn: ({ signal }) => request('/system/settings', Settings, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
