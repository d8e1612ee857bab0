// One task over the wire: accepted, followed delta by delta, rejoined where the connection breaks, stopped on request.
import { setTimeout as sleep } from 'node:timers/promises';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { AppError, toErrorCode } from '../shared/errors.js';
import type { ApiClient } from './api-client.js';

const MAX_REJOINS = 5;
const REJOIN_AFTER_MS = 500;

export interface PlannedStep {
  step: number;
  agent: string;
  instruction: string;
  status: string;
}

export interface TaskOutcome {
  task_id: string;
  status: string;
  result: string;
  context: Record<string, unknown>;
}

/** A call that waits for the person: for a yes, or for an answer. */
export interface WaitingForYou {
  approval_id?: string;
  question_id?: string;
  tool: string;
  title: string;
}

export interface TaskListener {
  onLog(line: string): void;
  onPlan(plan: readonly PlannedStep[]): void;
  /** Told once of each. */
  onWaiting(waiting: WaitingForYou): void;
  onText(text: string): void;
  /** What was written so far is replaced by what comes. */
  onReset(): void;
}

interface Update {
  status: string;
  logs?: string[];
  context?: Record<string, unknown>;
  llm_error?: { error_code?: string; error_message?: string; message?: string } | null;
}

/**
 * Follows a task to its end; aborting `signal` stops the task too.
 * @throws AppError with the task's own code, `cancelled`, or `upstream_truncated` when the stream cannot be rejoined
 */
export async function followTask(
  client: ApiClient,
  taskId: string,
  listener: TaskListener,
  signal: AbortSignal,
): Promise<TaskOutcome> {
  const path = `/api/v1/tasks/${taskId}/stream?deltas=true`;
  let lastEventId = '';
  let result = '';
  const told = new Set<string>();
  try {
    for (let attempt = 0; attempt <= MAX_REJOINS; attempt += 1) {
      if (attempt > 0) await sleep(REJOIN_AFTER_MS, undefined, { signal });
      try {
        const response = await client.request(path, {
          headers: lastEventId === '' ? {} : { 'last-event-id': lastEventId },
          signal,
        });
        for await (const { event, data, id } of response.body
          ?.pipeThrough(new TextDecoderStream())
          .pipeThrough(new EventSourceParserStream()) ?? []) {
          if (id) lastEventId = id;
          if (event === 'task_delta') {
            const { text } = JSON.parse(data) as { text: string };
            result += text;
            listener.onText(text);
          } else if (event === 'task_reset') {
            result = '';
            listener.onReset();
          } else {
            const update = JSON.parse(data) as Update;
            for (const line of event === 'task_update' ? (update.logs ?? []) : []) listener.onLog(line);
            const plan = update.context?.['plan'];
            if (Array.isArray(plan)) listener.onPlan(plan as PlannedStep[]);
            for (const waiting of (update.context?.['waiting_for_you'] ?? []) as WaitingForYou[]) {
              const waitingId = waiting.approval_id ?? waiting.question_id ?? '';
              if (!told.has(waitingId)) listener.onWaiting(waiting);
              told.add(waitingId);
            }
            if (event === 'task_finished') return outcome(taskId, result, update);
          }
        }
      } catch (error) {
        // A refusal says why; a connection that broke is tried again.
        if (signal.aborted || (error instanceof AppError && error.code !== 'provider_unavailable')) throw error;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    await client.post(`/api/v1/queue/task/${taskId}/abort`, {}).catch(() => {});
    throw new AppError('cancelled', 'Cancelled.', { cause: error });
  }
  throw new AppError('upstream_truncated', `The answer broke off; \`venom tasks show ${taskId}\` has what came of it.`);
}

function outcome(taskId: string, result: string, { status, llm_error: error, context = {} }: Update): TaskOutcome {
  if (status === 'COMPLETED') return { task_id: taskId, status, result, context };
  throw new AppError(
    // Taken out of the queue is stopped, for whoever waits.
    error?.error_code === 'purged' ? 'cancelled' : (toErrorCode(error?.error_code) ?? 'internal'),
    error?.error_message ?? error?.message ?? (result || 'The task failed.'),
    { details: { task_id: taskId } },
  );
}
