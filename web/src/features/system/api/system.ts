// Health, version and settings.
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { z } from 'zod';
import { request, send } from '../../../lib/http';
import { saveFile } from '../../../lib/save-file';

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

const Services = z.object({
  services: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      status: z.string(),
      latency_ms: z.number().nullable(),
      last_check: z.string().nullable(),
      is_critical: z.boolean(),
    }),
  ),
});
const Metrics = z.object({
  tasks: z.object({
    created: z.number(),
    success_rate: z.number().nullable(),
    completed: z.number(),
    failed: z.number(),
    aborted: z.number(),
  }),
  feedback: z.object({ up: z.number(), down: z.number() }),
  network: z.object({ total_bytes: z.number() }),
  llm: z.object({ first_token_samples: z.number(), first_token_avg_ms: z.number().nullable() }),
  tokens_used_session: z.number(),
});
const Tokens = z.object({ session_cost_usd: z.number() });

export const useServices = () =>
  useQuery({
    queryKey: ['system', 'services'],
    queryFn: async ({ signal }) => (await request('/system/services', Services, { signal })).services,
    refetchInterval: 10_000,
  });

/** Counted since the server started. */
export const useMetrics = () =>
  useQuery({
    queryKey: ['system', 'metrics'],
    queryFn: async ({ signal }) => {
      const [metrics, tokens] = await Promise.all([
        request('/metrics/system', Metrics, { signal }),
        request('/metrics/tokens', Tokens, { signal }),
      ]);
      return { ...metrics, costUsd: tokens.session_cost_usd };
    },
    refetchInterval: 10_000,
  });

const Backup = z.object({
  name: z.string(),
  kind: z.enum(['daily', 'manual', 'before_update', 'replaced']),
  created_at: z.string(),
  size_bytes: z.number(),
});
export type Backup = z.output<typeof Backup>;
const Backups = z.object({ backups: z.array(Backup) });

export const useBackups = () =>
  useQuery({
    queryKey: ['system', 'backups'],
    queryFn: ({ signal }) => request('/system/backups', Backups, { signal }),
    select: ({ backups }) => backups,
  });

function useBackupChange<T = void>(change: (value: T) => Promise<unknown>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['system', 'backups'] }),
  });
}

export const useMakeBackup = () => useBackupChange(() => request('/system/backups', Backup, { method: 'POST' }));
export const useRemoveBackup = () =>
  useBackupChange((name: string) => send(`/system/backups/${name}`, { method: 'DELETE' }));
export const useSaveBackup = () =>
  useBackupChange(async (name: string) => saveFile(await (await send(`/system/backups/${name}`)).blob(), name));
