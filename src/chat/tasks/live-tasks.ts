// Where to find a task: alive in this process, or in the store. What lives here has the newest state.
import { AppError } from '../../shared/errors.js';
import { maySee, type Owner } from '../../shared/owner.js';
import type { LiveTask } from './live-task.js';
import type { Task, TaskPage, TaskRepository } from './task.js';

/** A task to look at: alive in this process, or from the store. */
export type FoundTask = { kind: 'live'; live: LiveTask } | { kind: 'stored'; task: Task };

export class LiveTasks implements Iterable<LiveTask> {
  readonly #live = new Map<string, LiveTask>();
  readonly #stored: TaskRepository;

  constructor(stored: TaskRepository) {
    this.#stored = stored;
  }

  add(live: LiveTask): void {
    this.#live.set(live.id, live);
  }

  remove({ id }: LiveTask): void {
    this.#live.delete(id);
  }

  /** Whether the task waits or runs. */
  has(id: string): boolean {
    return this.#live.has(id);
  }

  [Symbol.iterator](): Iterator<LiveTask> {
    return this.#live.values();
  }

  /** Undefined where it is somebody else's, too. */
  liveOf(id: string, viewer: Owner): LiveTask | undefined {
    const live = this.#live.get(id);
    return live && maySee(viewer, live.task.request.owner ?? null) ? live : undefined;
  }

  /** @throws AppError `task_not_found`, also for a task that is not the viewer's */
  find(id: string, viewer: Owner): FoundTask {
    const live = this.liveOf(id, viewer);
    if (live) return { kind: 'live', live };
    const task = this.#live.has(id) ? undefined : this.#stored.get(id);
    if (!task || !maySee(viewer, task.request.owner ?? null))
      throw new AppError('task_not_found', `There is no task ${id}.`);
    return { kind: 'stored', task };
  }

  /** @throws AppError `task_not_found`, also for a task that is not the viewer's */
  get(id: string, viewer: Owner): Task {
    const found = this.find(id, viewer);
    return found.kind === 'live' ? found.live.task : found.task;
  }

  /** Whoever asks; undefined for a request that is no task. */
  peek(id: string): Task | undefined {
    return this.#live.get(id)?.task ?? this.#stored.get(id);
  }

  /** Newest first. */
  list(page: TaskPage): Task[] {
    return this.#stored.list(page).map((task) => this.#live.get(task.id)?.task ?? task);
  }
}
