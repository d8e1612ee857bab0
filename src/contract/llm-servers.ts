// Model servers and the switch between them.
import { z } from 'zod';
import { flag } from './lax-values.js';
import { Uuid } from './uuid.js';

export const SwitchServerRequest = z.object({
  server_name: z.string().min(1).max(50),
  model: z.string().max(300).nullish(),
  model_alias: z.string().max(300).nullish(),
  exact_only: flag().prefault(false),
  trace_id: Uuid.nullish(),
  switch_source: z.string().max(50).default('ui'),
  ownership_token: z.string().max(500).nullish(),
});

export const SwitchRuntimeRequest = z.object({
  provider: z.string().min(1).max(50),
  model: z.string().max(300).nullish(),
  switch_source: z.string().max(50).default('ui'),
  ownership_token: z.string().max(500).nullish(),
});

export const SERVER_ACTIONS = ['start', 'stop', 'restart'] as const;

/** One server of a pool. */
export const PoolMember = z.object({
  endpoint: z.string(),
  state: z.enum(['in-service', 'excluded']),
  in_flight: z.int(),
  served: z.int(),
  failures: z.int(),
  /** When the next probe is due. */
  excluded_until: z.string().nullable(),
  last_error: z.string().nullable(),
  load: z.object({ running: z.number(), waiting: z.number(), kv_cache_usage: z.number().nullable() }).nullable(),
  models: z.array(z.string()),
});

export const LlmServer = z.object({
  name: z.string(),
  display_name: z.string(),
  description: z.string(),
  endpoint: z.string().nullable(),
  provider: z.string(),
  health_url: z.string().nullable(),
  supports: z.object({ start: z.boolean(), stop: z.boolean(), restart: z.boolean() }),
  capabilities: z.object({
    supports_stop: z.boolean(),
    supports_start: z.boolean(),
    supports_restart: z.boolean(),
    supports_health_wait: z.boolean(),
    supports_cache_flush: z.boolean(),
    supports_model_unload: z.boolean(),
    is_in_process: z.boolean(),
    release_wait_seconds: z.number().int(),
  }),
  /** As clients of the original know it: only the active server has one, the others are `inactive`. */
  status: z.string(),
  /** How it is, active or not; null before the first check. */
  health: z.string().nullable(),
  latency_ms: z.number().nullable().optional(),
  last_check: z.string().nullable().optional(),
  error_message: z.string().nullable().optional(),
  active: z.boolean(),
  owned: z.boolean(),
  /** Who started it. */
  ownership: z.enum(['ours', 'systemd', 'adopted', 'none']),
  systemd: z.object({ unit: z.string(), state: z.string() }).nullable(),
  /** Null where one server stands behind the name. */
  members: z.array(PoolMember).nullable(),
  placement: z.object({ session: z.int(), prefix: z.int(), least_loaded: z.int(), moved_on: z.int() }).nullable(),
  pid: z.number().nullable(),
  /** Whether something it wrote is kept here: of those that were started here. */
  has_log: z.boolean(),
  history: z.array(
    z.object({ at: z.string(), status: z.string(), latency_ms: z.number().nullable(), error: z.string().nullable() }),
  ),
});
