// GET /history/requests and one of them.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { FeedbackEntry, LearningRepository } from '../../chat/learning/ports.js';
import type { RequestTrace, TraceStatus } from '../../chat/ports.js';
import type { SessionStore } from '../../chat/sessions/session-store.js';
import type { RequestTracer } from '../../chat/tracing/request-tracer.js';
import { HistoryQuery, TRACE_STATUSES } from '../../contract/history.js';
import { Uuid } from '../../contract/uuid.js';
import { isoUtc } from '../../shared/clock.js';
import { AppError } from '../../shared/errors.js';
import { type MemoryLookup, toContextReport } from './context-shapes.js';
import { toReceipt, toRoutingDecision } from './receipt-shapes.js';

export interface HistoryRoutesOptions {
  tracer: RequestTracer;
  sessions: SessionStore;
  /** A task's result; null for requests that are no task. */
  resultOf: (requestId: string) => string | null;
  memoryOf: MemoryLookup;
  learning: Pick<LearningRepository, 'latestFeedback'>;
}

export const historyRoutes: FastifyPluginAsyncZod<HistoryRoutesOptions> = async (
  app,
  { tracer, sessions, resultOf, memoryOf, learning },
) => {
  app.get(
    '/history/requests',
    { schema: { querystring: HistoryQuery, tags: ['history'] } },
    async ({ query, owner }) => {
      const status = query.status || undefined;
      if (status !== undefined && !TRACE_STATUSES.includes(status as TraceStatus)) {
        throw new AppError('invalid_input', `status must be one of ${TRACE_STATUSES.join(', ')}.`);
      }
      const traces = tracer.list({
        limit: query.limit,
        offset: query.offset,
        status: status as TraceStatus | undefined,
        viewer: owner,
      });
      const said = learning.latestFeedback(traces.map(({ requestId }) => requestId));
      return traces.map((trace) => toSummary(trace, said.get(trace.requestId)));
    },
  );

  app.get(
    '/history/requests/:request_id',
    { schema: { params: z.object({ request_id: Uuid }), tags: ['history'] } },
    async ({ params, owner }) => {
      const trace = tracer.get(params.request_id, owner);
      if (!trace) throw new AppError('request_not_found', `There is no request ${params.request_id}.`);
      const receipt = trace.receipt ?? sessions.answer(trace.requestId)?.receipt;
      return {
        ...toSummary(trace, learning.latestFeedback([trace.requestId]).get(trace.requestId)),
        steps: trace.steps.map((step) => ({ ...step, timestamp: offset(step.timestamp) })),
        first_token: trace.firstToken && {
          at: offset(trace.firstToken.at),
          elapsed_ms: trace.firstToken.elapsedMs,
          preview: trace.firstToken.preview,
        },
        streaming: trace.streaming && {
          chunk_count: trace.streaming.chunkCount,
          first_chunk_ms: trace.streaming.firstChunkMs,
          last_emit_ms: trace.streaming.lastEmitMs,
        },
        context_preview: contextPreview(trace),
        generation_params: trace.generationParams,
        ran_with: trace.ranWith ?? null,
        llm_runtime: trace.provider && {
          provider: trace.provider,
          model: trace.model,
          endpoint: trace.endpoint,
          config_hash: trace.configHash,
          runtime_id: trace.runtimeId,
          status: trace.status === 'FAILED' ? 'error' : 'ready',
          error: trace.error && { code: trace.error.code, message: trace.error.message },
        },
        routing_decision: toRoutingDecision(receipt) ?? trace.routingDecision ?? null,
        receipt: toReceipt(receipt),
        context_used: trace.contextUsed
          ? { lessons: trace.contextUsed.lessons, memory_entries: trace.contextUsed.memoryEntries }
          : null,
        context: toContextReport(trace, memoryOf),
        result: resultOf(params.request_id),
      };
    },
  );
};

// History and streams write UTC as +00:00, stores as Z; both are the contract's.
export const offset = (iso: string | null): string | null => iso?.replace(/Z$/, '+00:00') ?? null;

export const durationSeconds = ({ createdAt, finishedAt }: RequestTrace): number | null =>
  finishedAt === null ? null : (Date.parse(finishedAt) - Date.parse(createdAt)) / 1_000;

function toSummary(trace: RequestTrace, feedback: FeedbackEntry | undefined) {
  return {
    request_id: trace.requestId,
    prompt: trace.prompt,
    status: trace.status,
    session_id: trace.sessionId,
    created_at: offset(trace.createdAt),
    finished_at: offset(trace.finishedAt),
    duration_seconds: durationSeconds(trace),
    llm_provider: trace.provider,
    llm_model: trace.model,
    llm_endpoint: trace.endpoint,
    llm_config_hash: trace.configHash,
    llm_runtime_id: trace.runtimeId,
    adapter_applied: null,
    adapter_id: null,
    forced_tool: trace.forced?.tool ?? null,
    forced_provider: trace.forced?.provider ?? null,
    forced_intent: trace.forced?.intent ?? null,
    error_code: trace.error?.code ?? null,
    error_class: trace.error?.class ?? null,
    error_message: trace.error?.message ?? null,
    error_details: trace.error?.details ?? null,
    error_stage: trace.error?.stage ?? null,
    error_retryable: trace.error?.retryable ?? null,
    feedback: feedback
      ? { rating: feedback.rating, comment: feedback.comment, timestamp: offset(isoUtc(feedback.at)) }
      : null,
    result: null,
  };
}

function contextPreview(trace: RequestTrace): unknown {
  const step = trace.steps.find(({ action }) => action === 'context_preview');
  return step?.details ? JSON.parse(step.details) : null;
}
