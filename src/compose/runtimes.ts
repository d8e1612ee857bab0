// Part of the composition: the embedded engine, and the control of those that run as servers of their own.
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { EventSink } from '../chat/ports.js';
import type { StateManager } from '../chat/state/state-manager.js';
import type { Settings } from '../config/config.js';
import { availableMemory } from '../machine/usage-meter.js';
import { LlamaCppRuntime } from '../runtimes/llama-cpp/llama-cpp-runtime.js';
import { LlmServerController } from '../runtimes/llm-server-controller.js';
import { OllamaFigures } from '../runtimes/ollama/ollama-figures.js';
import type { Runtime } from '../runtimes/runtime.js';
import { findProgram } from '../runtimes/servers/argument-vector.js';
import { DEFAULT_TRAFFIC, TrafficControl } from '../runtimes/upstream-traffic.js';
import { systemClock } from '../shared/clock.js';
import { modelServers } from './model-servers.js';

export interface RuntimesParts {
  /** Replaces the engines; for tests. */
  instead: Runtime[] | undefined;
  distDir: string;
  modelsDir: string;
  environment: Readonly<Record<string, string | undefined>>;
  traffic: TrafficControl;
  state: StateManager;
  events: EventSink;
  /** Whether somebody wants a model of this engine to stay. */
  isPinned: (model: string, runtime: string) => boolean;
  logger: Logger;
}

export type RuntimesRoom = ReturnType<typeof composeRuntimes>;

/** Retries and circuits of every call to a model server. */
export const upstreamTraffic = (settings: Settings): TrafficControl =>
  new TrafficControl(
    {
      retry: {
        ...DEFAULT_TRAFFIC.retry,
        attempts: settings.UPSTREAM_RETRY_MAX_ATTEMPTS,
        backOffMs: settings.UPSTREAM_RETRY_BACKOFF_SECONDS * 1_000,
        retryAfterMaxMs: settings.UPSTREAM_RETRY_AFTER_MAX_SECONDS * 1_000,
      },
      circuitFailures: settings.UPSTREAM_CIRCUIT_FAILURES,
      circuitOpenMs: settings.UPSTREAM_CIRCUIT_OPEN_SECONDS * 1_000,
    },
    systemClock.now,
  );

/** @throws AppError `invalid_settings` when an engine that counts as local is a cloud */
export function composeRuntimes(settings: Settings, parts: RuntimesParts) {
  const { environment, traffic, events } = parts;
  const ollamaFigures = new OllamaFigures();
  const servers = modelServers(settings, { environment, traffic, ollamaFigures });
  const controller = new LlmServerController({
    definitions: servers.definitions,
    stateDir: join(settings.VENOM_DATA_DIR, 'servers'),
    environment,
    systemctl: findProgram('systemctl', environment['PATH']),
    now: Date.now,
    onHealth: (name, { status, error, latencyMs }) =>
      events.publish('SERVICE_STATUS_UPDATE', `${name} is ${status}.`, {
        name,
        type: 'llm',
        service_type: 'llm',
        status,
        error_message: error,
        latency_ms: latencyMs,
      }),
  });
  return {
    runtimes: parts.instead ?? [embeddedEngine(settings, parts), ...servers.runtimes],
    /** What the engines' own libraries install. */
    sources: servers.sources,
    /** Names of servers that are here and that the profile keeps off. */
    forbidden: servers.forbidden,
    controller,
    ollamaFigures,
  };
}

const embeddedEngine = (settings: Settings, { distDir, modelsDir, state, isPinned, logger }: RuntimesParts) =>
  new LlamaCppRuntime({
    modelsDir,
    workerPath: join(distDir, 'server', 'worker.js'),
    keepAlive: settings.LLM_KEEP_ALIVE,
    contextLength: settings.LLAMA_CONTEXT_LENGTH || undefined,
    conversations: settings.LLAMA_CONVERSATIONS,
    limits: {
      loadedModels: settings.LLAMA_MAX_LOADED_MODELS,
      memoryBytes: settings.LLAMA_MEMORY_LIMIT_GB * 1_073_741_824,
      queued: settings.LLAMA_QUEUE_LIMIT,
    },
    keepAlives: {
      get: (model) => state.get(`keep_alive:llama-cpp:${model}`) ?? '',
      set: (model, keepAlive) => state.kept.set(`keep_alive:llama-cpp:${model}`, keepAlive),
    },
    pinned: (model) => isPinned(model, 'llama-cpp'),
    availableMemoryBytes: availableMemory,
    threads: settings.LLAMA_THREADS || undefined,
    measurements: {
      get: async (key) => state.get(`measured:${key}`) ?? null,
      set: async (key, value) => state.set(`measured:${key}`, value),
    },
    logger,
  });
