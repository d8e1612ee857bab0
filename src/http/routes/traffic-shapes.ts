// Pools and outbound traffic in the contract's words.
import type { z } from 'zod';
import type { PoolMember } from '../../contract/llm-servers.js';
import type { Runtime } from '../../runtimes/runtime.js';
import type { TrafficControl } from '../../runtimes/upstream-traffic.js';
import { iso } from './model-shapes.js';

/** Null for an engine that is one server. */
export function poolPayload(runtime: Runtime | undefined) {
  const pool = runtime?.pool?.();
  if (!pool) return { members: null, placement: null };
  const { session, prefix, leastLoaded, movedOn } = pool.placement;
  return {
    members: pool.members.map(
      (member): z.output<typeof PoolMember> => ({
        endpoint: member.endpoint,
        state: member.state,
        in_flight: member.inFlight,
        served: member.served,
        failures: member.failures,
        excluded_until: member.excludedUntil === null ? null : iso(member.excludedUntil),
        last_error: member.lastError,
        load: member.load && {
          running: member.load.running,
          waiting: member.load.waiting,
          kv_cache_usage: member.load.kvCacheUsage,
        },
        models: [...member.models],
      }),
    ),
    placement: { session, prefix, least_loaded: leastLoaded, moved_on: movedOn },
  };
}

/** By endpoint, as `provider@address`. */
export const trafficScopes = (traffic: TrafficControl) =>
  Object.fromEntries(
    traffic.scopes.map(({ name, figures }) => [
      name,
      {
        in_flight: figures.inFlight,
        requests: figures.requests,
        failures: figures.failures,
        retries: figures.retries,
        refused: figures.refused,
        circuit: {
          state: figures.circuit,
          failures_in_a_row: figures.failuresInARow,
          open_until: figures.openUntil === null ? null : iso(figures.openUntil),
        },
        failing_models: figures.failingModels.map(({ model, circuit, failuresInARow, openUntil }) => ({
          model,
          circuit: {
            state: circuit,
            failures_in_a_row: failuresInARow,
            open_until: openUntil === null ? null : iso(openUntil),
          },
        })),
        last_error: figures.lastError,
        last_error_at: figures.lastErrorAt === null ? null : iso(figures.lastErrorAt),
      },
    ]),
  );
