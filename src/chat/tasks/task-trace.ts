// How a task's trace begins, and how it ends where the task failed.
import type { RequestTracer } from '../tracing/request-tracer.js';
import type { Task } from './task.js';
import type { TaskFailure } from './task-failure.js';

const REQUEST_CHARS = 100;

export function startTrace(tracer: RequestTracer, task: Task): void {
  const { request } = task;
  const runtime = task.context['llm_runtime'] as Record<string, string | null>;
  tracer.start({
    requestId: task.id,
    owner: request.owner ?? null,
    status: 'PENDING',
    prompt: request.content,
    sessionId: request.sessionId,
    provider: runtime['provider'] ?? null,
    model: runtime['model'] ?? null,
    endpoint: runtime['endpoint'] ?? null,
    configHash: runtime['config_hash'] ?? null,
    runtimeId: runtime['runtime_id'] ?? null,
    generationParams: request.generationParams,
    forced: { tool: request.forcedTool, provider: request.forcedProvider, intent: request.forcedIntent },
  });
  tracer.step(task.id, 'User', 'submit_request', request.content.slice(0, REQUEST_CHARS));
  tracer.step(
    task.id,
    'RoutingDecision',
    'compute',
    JSON.stringify({ provider: runtime['provider'], model: runtime['model'], at: 'submission' }),
  );
}

export function closeFailedTrace(tracer: RequestTracer, id: string, failure: TaskFailure): void {
  tracer.step(
    id,
    'System',
    'error',
    JSON.stringify({ code: failure.code, stage: failure.stage, message: failure.message }),
    'error',
  );
  tracer.finish(id, 'FAILED', failure);
}
