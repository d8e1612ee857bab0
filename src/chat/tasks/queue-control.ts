// What an operator does with the queue: look, hold, go on, empty, stop everything. Each is told as an event.
import type { EventSink } from '../ports.js';
import type { LiveTask } from './live-task.js';
import type { TaskEnd } from './task-end.js';
import type { TaskQueue } from './task-queue.js';

export interface QueueStatus {
  paused: boolean;
  pending: number;
  /** The contract's two names for what runs. */
  active: number;
  processing: number;
  /** Null = no limit. */
  limit: number | null;
}

export class QueueControl {
  readonly #queue: TaskQueue<LiveTask>;
  readonly #end: TaskEnd;
  readonly #events: EventSink;

  constructor(queue: TaskQueue<LiveTask>, end: TaskEnd, events: EventSink) {
    this.#queue = queue;
    this.#end = end;
    this.#events = events;
  }

  get status(): QueueStatus {
    const { paused, waiting, active, limit } = this.#queue;
    return { paused, pending: waiting, active: active.size, processing: active.size, limit };
  }

  pause(): { activeTasks: number } {
    this.#queue.pause();
    const activeTasks = this.#queue.active.size;
    this.#events.publish('QUEUE_PAUSED', 'The queue is paused.', { active_tasks: activeTasks });
    return { activeTasks };
  }

  resume(): { pendingTasks: number } {
    const pendingTasks = this.#queue.waiting;
    this.#queue.resume();
    this.#events.publish('QUEUE_RESUMED', 'The queue goes on.', { pending_tasks: pendingTasks });
    return { pendingTasks };
  }

  /** What waits is removed and never runs. */
  async purge(): Promise<{ removed: number; activeTasks: number }> {
    const removed = await this.#empty();
    const activeTasks = this.#queue.active.size;
    this.#events.publish('QUEUE_PURGED', `${removed} tasks were removed.`, { removed, active: activeTasks });
    return { removed, activeTasks };
  }

  async emergencyStop(): Promise<{ cancelled: number; purged: number }> {
    this.#queue.pause();
    const emptying = this.#empty();
    const running = [...this.#queue.active];
    for (const live of running) live.stop('cancelled');
    await Promise.all(running.map(({ done }) => done));
    const purged = await emptying;
    this.#events.publish('EMERGENCY_STOP', 'Everything was stopped.', { cancelled: running.length, purged });
    return { cancelled: running.length, purged };
  }

  async #empty(): Promise<number> {
    const removed = this.#queue.purge();
    await this.#end.purge(removed);
    return removed.length;
  }
}
