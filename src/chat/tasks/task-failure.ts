// Why a task failed, in the contract's envelope: never a text that poses as a result.
import { AppError, type ErrorCode, toAppError } from '../../shared/errors.js';
import { PASSING } from '../turns/turn-failure.js';
import type { LiveTask, StopReason } from './live-task.js';
import { LOG_LINES } from './log-lines.js';

const PREVIEW_CHARS = 400;

export interface TaskFailure {
  code: string;
  class: string;
  message: string;
  details: Record<string, unknown> | null;
  stage: string;
  retryable: boolean;
}

/** Thrown where a turn cannot go on and the reason is the contract's, not an engine's. */
export class TaskError extends Error {
  override readonly name = 'TaskError';
  readonly failure: TaskFailure;

  constructor(failure: Pick<TaskFailure, 'code' | 'message' | 'stage'> & Partial<TaskFailure>, options?: ErrorOptions) {
    super(failure.message, options);
    this.failure = { class: failure.code, details: null, retryable: false, ...failure };
  }
}

const RETRYABLE: ReadonlySet<ErrorCode> = new Set([...PASSING, 'provider_unavailable', 'insufficient_storage']);

/** Any thrown value; what nobody foresaw is `agent_error`, and only its kind is told. */
export function toTaskFailure(thrown: unknown, prompt: string): TaskFailure {
  if (thrown instanceof TaskError) return thrown.failure;
  const error = toAppError(thrown);
  const unforeseen = error.code === 'internal';
  return {
    code: unforeseen ? 'agent_error' : error.code,
    class: unforeseen ? 'agent_error' : error.code,
    message: unforeseen ? 'The agent met an unexpected failure.' : error.message,
    details: {
      exception: thrown instanceof AppError ? error.code : thrown instanceof Error ? thrown.name : typeof thrown,
      prompt_preview: prompt.slice(0, PREVIEW_CHARS),
    },
    stage: 'agent_runtime',
    retryable: RETRYABLE.has(error.code),
  };
}

export const toEnvelope = (failure: TaskFailure): Record<string, unknown> => ({
  error_code: failure.code,
  error_class: failure.class,
  error_message: failure.message,
  error_details: failure.details,
  stage: failure.stage,
  retryable: failure.retryable,
});

const stopFailure = (code: string, message: string): TaskFailure => ({
  code,
  class: code,
  message,
  details: null,
  stage: 'queue',
  retryable: true,
});

export const INTERRUPTED = stopFailure('interrupted', LOG_LINES.interrupted);
export const PURGED = stopFailure('purged', LOG_LINES.purged);

const STOPPED: Record<StopReason, TaskFailure> = {
  cancelled: stopFailure('cancelled', 'The task was stopped.'),
  interrupted: INTERRUPTED,
  task_timeout: stopFailure('task_timeout', 'The task took too long and was stopped.'),
};

/** Whatever was thrown after somebody stopped the task is a consequence of that. */
export const failureOf = (thrown: unknown, { stopped, task }: LiveTask): TaskFailure =>
  stopped ? STOPPED[stopped] : toTaskFailure(thrown, task.request.content);
