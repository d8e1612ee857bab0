// Turns people can judge: from the session where there is one, else what the trace keeps of them.
import type { SessionContextRepository } from '../context/ports.js';
import type { SessionStore } from '../sessions/session-store.js';
import type { RequestTracer } from '../tracing/request-tracer.js';
import type { JudgedTurn, JudgedTurns } from './ports.js';

export class StoredTurns implements JudgedTurns {
  readonly #sessions: SessionStore;
  readonly #tracer: RequestTracer;
  readonly #sessionContext: SessionContextRepository;

  constructor(sessions: SessionStore, tracer: RequestTracer, sessionContext: SessionContextRepository) {
    this.#sessions = sessions;
    this.#tracer = tracer;
    this.#sessionContext = sessionContext;
  }

  find(taskId: string): JudgedTurn | undefined {
    const answer = this.#sessions.answer(taskId);
    const trace = this.#tracer.get(taskId);
    if (!answer && !trace) return undefined;
    const sessionId = answer?.sessionId ?? trace?.sessionId ?? null;
    return {
      taskId,
      prompt: this.#sessions.question(taskId)?.content ?? trace?.prompt ?? '',
      result: answer?.content ?? '',
      intent: null,
      toolRequired: false,
      sessionId,
      labels: sessionId === null ? [] : this.#sessionContext.labels(sessionId),
    };
  }
}
