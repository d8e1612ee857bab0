// What the embedded engine's scheduler knows, in the names of /system/llm-runtime/queue-snapshot.
import type { SchedulerState } from '../../runtimes/runtime.js';
import { iso } from './model-shapes.js';

const SCOPES = ['interactive', 'background'] as const;

export const toQueueStatus = ({ queue, loaded, limits, rejected, dropped }: SchedulerState) => ({
  waiting: queue.length,
  limit: limits.queued,
  running: loaded.reduce((sum, { answers }) => sum + answers, 0),
  rejected,
  dropped,
});

export const toIntrospection = ({ loaded, waiting, swaps, loads, evictions, limits }: SchedulerState) => ({
  loaded: loaded.map((model) => ({
    name: model.name,
    state: model.state,
    bytes: model.bytes,
    answers: model.answers,
    conversations: model.conversations,
    pinned: model.pinned,
    idle_left_seconds: model.idleLeftMs === null ? null : Math.round(model.idleLeftMs / 1_000),
    process_id: model.processId,
  })),
  waiting,
  swaps,
  loads,
  evictions: evictions.map(({ at, ...eviction }) => ({ at: iso(at), ...eviction })),
  limits: { loaded_models: limits.loadedModels, memory_bytes: limits.memoryBytes, queued: limits.queued },
});

/** Who waits, by class of service. */
export const toScopes = ({ queue }: SchedulerState) =>
  Object.fromEntries(
    SCOPES.map((scope) => {
      const waits = queue.filter(({ serviceClass }) => serviceClass === scope).map(({ waitedMs }) => waitedMs);
      return [scope, { waiting: waits.length, longest_wait_ms: Math.max(0, ...waits) }];
    }),
  );
