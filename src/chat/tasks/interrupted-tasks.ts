// What a former process left behind: what waited runs, what ran is marked interrupted, and somebody may have it run again.
import { AppError } from '../../shared/errors.js';
import type { Owner } from '../../shared/owner.js';
import type { GoalRepository } from '../campaign/goal.js';
import type { SessionStore } from '../sessions/session-store.js';
import type { RequestTracer } from '../tracing/request-tracer.js';
import { LiveTask } from './live-task.js';
import { logLine } from './log-lines.js';
import type { Task, TaskRepository } from './task.js';
import type { AcceptancePlace } from './task-acceptance.js';
import { INTERRUPTED, toEnvelope } from './task-failure.js';
import { closeFailedTrace, startTrace } from './task-trace.js';

export interface InterruptedParts {
  tasks: TaskRepository;
  sessions: SessionStore;
  goals: GoalRepository;
  tracer: RequestTracer;
}

export class InterruptedTasks {
  readonly #parts: InterruptedParts;
  readonly #place: AcceptancePlace;

  constructor(parts: InterruptedParts, place: AcceptancePlace) {
    this.#parts = parts;
    this.#place = place;
  }

  /** @see Orchestrator.recover */
  async recover(): Promise<{ queued: number; interrupted: number }> {
    const { tasks, goals, tracer } = this.#parts;
    goals.releaseRunning();
    const interrupted: Task[] = [];
    const queued: LiveTask[] = [];
    for (const task of tasks.unfinished()) {
      const live = new LiveTask(task);
      if (!tracer.reopen(task.id)) startTrace(tracer, task);
      if (task.status === 'PENDING') {
        this.#place.live.add(live);
        queued.push(live);
      } else {
        this.#interrupt(live);
        interrupted.push(task);
      }
    }
    await Promise.all([tasks.save(interrupted), ...queued.map((live) => this.#reopenSession(live))]);
    for (const live of queued) this.#place.queue.enqueue(live);
    return { queued: queued.length, interrupted: interrupted.length };
  }

  /** @see Orchestrator.resume */
  async resume(id: string, viewer: Owner): Promise<Task> {
    const { tasks, tracer } = this.#parts;
    const { live: lives, queue, offer } = this.#place;
    const found = lives.find(id, viewer);
    if (found.kind === 'live' || !wasInterrupted(found.task))
      throw new AppError('conflict', `Task ${id} was not interrupted.`);
    queue.reserve();
    const live = new LiveTask({ ...found.task, status: 'PENDING', result: null });
    lives.add(live);
    live.update({ llm_runtime: { status: 'ready', error: null } });
    try {
      await Promise.all([tasks.save([live.task]), this.#reopenSession(live)]);
    } catch (failure) {
      queue.release();
      lives.remove(live);
      throw failure;
    }
    tracer.reopen(id);
    tracer.step(id, 'User', 'resume_request');
    live.log(logLine('resumed'));
    live.repeated = true;
    offer(live);
    return live.task;
  }

  #interrupt(live: LiveTask): void {
    const { task } = live;
    if (task.request.sessionId !== null) task.result = this.#parts.sessions.answer(task.id)?.content || task.result;
    task.status = 'FAILED';
    live.log(INTERRUPTED.message);
    live.update({ llm_runtime: { status: 'error', error: toEnvelope(INTERRUPTED) } });
    closeFailedTrace(this.#parts.tracer, task.id, INTERRUPTED);
  }

  async #reopenSession({ id, task }: LiveTask): Promise<void> {
    if (task.request.sessionId !== null) await this.#parts.sessions.reopenTurn(task.request.sessionId, id);
  }
}

function wasInterrupted({ context }: Task): boolean {
  const runtime = context['llm_runtime'] as { error?: { error_code?: string } | null } | undefined;
  return runtime?.error?.error_code === INTERRUPTED.code;
}
