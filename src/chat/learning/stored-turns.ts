// Turns people can judge: tasks, and Direct answers from their session or what the trace keeps of them.
import { maySee, type Owner, ownerOfSession } from '../../shared/owner.js';
import type { SessionContextRepository } from '../context/ports.js';
import { INTENTS, type IntentId } from '../intent.js';
import type { SessionStore } from '../sessions/session-store.js';
import type { Task } from '../tasks/task.js';
import type { RequestTracer } from '../tracing/request-tracer.js';
import type { JudgedTurn, JudgedTurns } from './ports.js';

export interface StoredTurnsParts {
  sessions: SessionStore;
  tracer: RequestTracer;
  sessionContext: SessionContextRepository;
  task: (id: string) => Task | undefined;
}

export class StoredTurns implements JudgedTurns {
  readonly #parts: StoredTurnsParts;

  constructor(parts: StoredTurnsParts) {
    this.#parts = parts;
  }

  find(taskId: string, viewer: Owner): JudgedTurn | undefined {
    const { sessions, tracer, sessionContext } = this.#parts;
    const task = this.#parts.task(taskId);
    const answer = sessions.answer(taskId);
    const trace = task || answer ? undefined : tracer.get(taskId);
    if (!task && !answer && !trace) return undefined;
    const sessionId = task?.request.sessionId ?? answer?.sessionId ?? trace?.sessionId ?? null;
    const owner = task?.request.owner ?? trace?.owner ?? ownerOfSession(sessionId);
    if (!maySee(viewer, owner)) return undefined;
    return {
      taskId,
      owner,
      prompt: task?.request.content ?? sessions.question(taskId)?.content ?? trace?.prompt ?? '',
      result: task?.result ?? answer?.content ?? '',
      ...requirementOf(task),
      sessionId,
      labels: [
        ...new Set([...(task?.request.labels ?? []), ...(sessionId === null ? [] : sessionContext.labels(sessionId))]),
      ],
    };
  }
}

/** As the pipeline wrote it down. */
function requirementOf(task: Task | undefined): { intent: IntentId | null; toolRequired: boolean } {
  const kept = task?.context['tool_requirement'] as { required?: unknown; intent?: unknown } | undefined;
  return { intent: INTENTS.find((intent) => intent === kept?.intent) ?? null, toolRequired: kept?.required === true };
}
