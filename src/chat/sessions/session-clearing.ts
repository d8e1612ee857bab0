// Forgetting: a session, or the end of one, with everything that was made from it. Work in the background that was under way
// looks for its turn's messages before it keeps anything, and does not find them.
import type { SessionContextRepository } from '../context/ports.js';
import type { LearningRepository } from '../learning/ports.js';
import type { Memory } from '../memory/memory.js';
import type { ResultQueue } from '../results/ports.js';
import type { SessionStore } from './session-store.js';

const READ_AT_ONCE = 100_000;

export interface SessionClearingParts {
  sessions: SessionStore;
  memory: Memory;
  sessionContext: SessionContextRepository;
  learning: LearningRepository;
  results: ResultQueue;
  /** Stops what is being written in the session. */
  stop: (sessionId: string) => void;
  /** Empties what tasks keep of the session; returns how many did. */
  clearTasks?: ((sessionId: string) => number | Promise<number>) | undefined;
}

export class SessionClearing {
  readonly #parts: SessionClearingParts;

  constructor(parts: SessionClearingParts) {
    this.#parts = parts;
    parts.sessions.removeAlong((sessionId) => this.#forget(sessionId));
  }

  /** Clearing an unknown session is no mistake: what remains of one is removed all the same. */
  async clear(sessionId: string): Promise<{ existed: boolean; deletedVectors: number; clearedTasks: number }> {
    const { sessions, stop, clearTasks } = this.#parts;
    stop(sessionId);
    const { existed, vectors } = await sessions.removeWhole(sessionId);
    return { existed, deletedVectors: vectors, clearedTasks: (await clearTasks?.(sessionId)) ?? 0 };
  }

  /** Asked for in one breath with the session's own removal, so that a session of the same name starts empty. */
  async #forget(sessionId: string): Promise<number> {
    const { memory, sessionContext, learning, results } = this.#parts;
    const [{ vectors }] = await Promise.all([
      memory.clear({ kind: 'session', sessionId }),
      results.removeSession(sessionId),
      sessionContext.forget(sessionId),
      learning.forgetSession(sessionId),
    ]);
    return vectors;
  }

  /** Takes back the messages from `fromSeq` on; returns how many. @throws AppError `session_not_found` */
  async truncate(sessionId: string, fromSeq: number): Promise<number> {
    const { sessions, memory, sessionContext, stop } = this.#parts;
    stop(sessionId);
    const requestIds = sessions
      .messages(sessionId, { limit: READ_AT_ONCE })
      .filter(({ seq }) => seq >= fromSeq)
      .map(({ requestId }) => requestId);
    const removed = await sessions.truncate(sessionId, fromSeq);
    await sessionContext.forget(sessionId, fromSeq);
    await memory.removeTurns(sessionId, [...new Set(requestIds)]);
    return removed;
  }

  /** Sessions past their time, with all that was made from them. Returns how many are gone. */
  async expire(createdBefore: number): Promise<number> {
    const gone = await this.#parts.sessions.removeOlderThan(createdBefore);
    for (const sessionId of gone) await this.clear(sessionId);
    return gone.length;
  }
}
