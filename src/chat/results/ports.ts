// What the work after a turn needs from outside. No I/O in this file.
import type { FinishedTurn } from '../turn-ports.js';

/** `light` work follows at once; `heavy` work, which asks an engine, waits until nobody waits for an answer. */
export type ResultLane = 'light' | 'heavy' | 'given_up';

export interface ResultJob {
  requestId: string;
  turn: FinishedTurn;
  /** Steps that are done; a step may run again after a crash, so each of them may be repeated without harm. */
  done: readonly string[];
  attempts: number;
  createdAt: number;
}

export interface ResultQueue {
  /** Survives the process when it returns, and the power a moment later; a turn that is there already is left alone. */
  add(turn: FinishedTurn, now: number): void;
  /** The oldest that is due, and when the next one will be. */
  next(lane: ResultLane, now: number): { job: ResultJob | null; nextDueAt: number | null };
  save(job: ResultJob, lane: ResultLane, dueAt: number, error: string | null): Promise<void>;
  remove(requestId: string): Promise<void>;
  /** Nothing of a deleted session is worked on. */
  removeSession(sessionId: string): Promise<number>;
  removeGivenUpBefore(createdBefore: number): Promise<number>;
  counts(): Readonly<Record<ResultLane, number>>;
}

/** A model for work nobody waits for. */
export interface BackgroundModel {
  /** @throws AppError `no_model` and what engines throw, `sensitive_blocked` */
  complete(request: {
    system: string;
    prompt: string;
    maxTokens: number;
    temperature: number;
    sessionId: string | null;
    labels: readonly string[];
    /** No cloud, whatever the policy says. */
    onlyLocal?: boolean;
    signal: AbortSignal;
  }): Promise<{ text: string; model: string }>;
}

export interface ResultStep {
  readonly name: string;
  readonly lane: 'light' | 'heavy';
  /** Does nothing for turns it does not concern. `patient` = no person waits long enough for it to be put off again. */
  run(turn: FinishedTurn, signal: AbortSignal): Promise<void>;
}
