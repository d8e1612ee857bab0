// How the newest requests ended, from where answers are kept: for the traces that a crash left a second behind.
import { ownerOfSession } from '../../shared/owner.js';
import type { StoredMessage } from '../ports.js';
import type { Task } from '../tasks/task.js';
import type { StoredEnd } from './request-tracer.js';

/** More than end within a second. */
const MOST = 500;

interface Answers {
  /** Answers that have ended, newest first. */
  newestAnswers(limit: number): StoredMessage[];
  question(requestId: string): StoredMessage | undefined;
}

interface Tasks {
  list(page: { limit: number; offset: number }): Task[];
  get(id: string): Task | undefined;
}

/**
 * Oldest first, so that traces keep their order. Tasks that have not ended are somebody else's affair.
 * @param notBefore  milliseconds since the epoch; older traces are not kept anyway
 */
export function storedEnds(answers: Answers, tasks: Tasks, notBefore: number): StoredEnd[] {
  const ofTasks = tasks.list({ limit: MOST, offset: 0 }).flatMap(taskEnd);
  const ofTurns = answers.newestAnswers(MOST).flatMap((answer): StoredEnd[] => {
    const { requestId, sessionId, content, status, error, model, createdAt } = answer;
    const question = answers.question(requestId);
    if (!question || status === 'streaming' || tasks.get(requestId)) return [];
    const prompt = question.content;
    const owner = ownerOfSession(sessionId);
    return [
      { requestId, owner, sessionId, prompt, text: content, status, error, model, createdAt, component: 'SimpleMode' },
    ];
  });
  return [...ofTasks, ...ofTurns]
    .filter(({ createdAt }) => createdAt >= notBefore)
    .sort((one, other) => one.createdAt - other.createdAt);
}

function taskEnd({ id, request, status, result, context, createdAt }: Task): StoredEnd[] {
  if (status !== 'COMPLETED' && status !== 'FAILED') return [];
  const runtime = context['llm_runtime'] as
    | { model?: string | null; error?: { error_code?: string; error_message?: string } | null }
    | undefined;
  const { error_code: code = 'internal', error_message: message = '' } = runtime?.error ?? {};
  return [
    {
      requestId: id,
      owner: request.owner ?? null,
      sessionId: request.sessionId,
      prompt: request.content,
      text: result ?? '',
      status: status === 'COMPLETED' ? 'complete' : 'failed',
      error: status === 'COMPLETED' ? null : { code, message },
      model: runtime?.model ?? null,
      createdAt,
      component: 'Orchestrator',
    },
  ];
}
