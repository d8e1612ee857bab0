// Part of the composition: what is told of the work that goes on: events, traces, metrics, counters.
import type { Logger } from 'pino';
import manifest from '../../package.json' with { type: 'json' };
import type { StoredMessage, TurnUsage } from '../chat/ports.js';
import { TaskCounters } from '../chat/tasks/task-counters.js';
import { RequestTracer } from '../chat/tracing/request-tracer.js';
import type { ChatTarget } from '../chat/turn-ports.js';
import type { Settings } from '../config/config.js';
import { EventHub } from '../http/event-hub.js';
import { Metrics } from '../http/metrics.js';
import { mayKnowOperation, type OperationType } from '../models/model-operation.js';
import type { TrafficControl } from '../runtimes/upstream-traffic.js';
import { systemClock } from '../shared/clock.js';
import type { Owner } from '../shared/owner.js';
import type { ToolGrants } from '../skills/tool-grants.js';
import { SqliteTraces } from '../storage/sqlite-traces.js';
import type { StorageRoom } from './storage.js';

export interface ObservationParts {
  storage: StorageRoom;
  grants: ToolGrants;
  traffic: TrafficControl;
  /** Of a task; undefined where it is none, or gone. */
  ownerOfTask: (id: string) => Owner | undefined;
  /** Whether somebody still works on a request. */
  isAlive: (requestId: string) => boolean;
  liveTurns: () => number;
  /** What a session keeps of an answer. */
  answer: (requestId: string) => StoredMessage | undefined;
  logger: Logger;
}

export type ObservationRoom = Awaited<ReturnType<typeof composeObservation>>;

export async function composeObservation(settings: Settings, parts: ObservationParts) {
  const { storage, grants, logger } = parts;
  // Loaded only where there is somebody to tell.
  const telemetry = settings.OTEL_EXPORTER_OTLP_ENDPOINT
    ? await (await import('../telemetry/otlp-trace-export.js')).openOtlpTraceExport({
        endpoint: settings.OTEL_EXPORTER_OTLP_ENDPOINT,
        headers: settings.OTEL_EXPORTER_OTLP_HEADERS.split(','),
        serviceName: settings.OTEL_SERVICE_NAME,
        serviceVersion: manifest.version,
        withContent: settings.OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT,
        onFailure: (error) => logger.warn({ err: error }, 'traces could not be exported'),
      })
    : null;
  const tracer = new RequestTracer(new SqliteTraces(storage.store), systemClock, {
    lostAfterMs: settings.REQUEST_LOST_AFTER_SECONDS * 1_000,
    isAlive: parts.isAlive,
    onFinished:
      telemetry === null
        ? undefined
        : (trace) =>
            telemetry.export(() => {
              // A session's message keeps what its trace does not.
              const message = trace.sessionId === null ? undefined : parts.answer(trace.requestId);
              return {
                trace,
                receipt: trace.receipt ?? message?.receipt ?? null,
                usage: trace.usage ?? message?.usage ?? null,
                answer: message?.content ?? null,
              };
            }),
  });
  const hub = new EventHub({
    ownerOfRequest: (id) => parts.ownerOfTask(id) ?? tracer.get(id)?.owner ?? null,
    mayHear: (viewer, type, data) =>
      type === 'MCP_SERVER'
        ? grants.mayUseServer(viewer, String(data?.['name']))
        : type !== 'MODEL_OPERATION' || mayKnowOperation(viewer, { type: data?.['operation_type'] as OperationType }),
  });
  const metrics = new Metrics(parts.liveTurns, parts.traffic);
  const counters = new TaskCounters(systemClock.now());
  return {
    hub,
    tracer,
    telemetry,
    metrics,
    counters,
    /** What an answer took. */
    count(taken: TurnUsage, target: Pick<ChatTarget, 'provider' | 'model'>, costUsd: number | null = null): void {
      metrics.answer(target.provider, taken);
      counters.answer(target.model, taken, costUsd);
    },
  };
}
