// What running tasks have written so far, for whoever looks after a crash: with the session where there is one, else with
// the task.
import { DebouncedWriter } from '../../shared/debounced-writer.js';
import type { SessionStore } from '../sessions/session-store.js';
import type { LiveTask } from './live-task.js';
import type { TaskRepository } from './task.js';

const DELAY_MS = 200;

export class PartialTexts {
  readonly #sessions: SessionStore;
  readonly #ofTasks: DebouncedWriter<string, string>;

  constructor(tasks: TaskRepository, sessions: SessionStore) {
    this.#sessions = sessions;
    this.#ofTasks = new DebouncedWriter(DELAY_MS, (texts) => {
      try {
        tasks.appendParts(texts);
      } catch {
        // The whole text is written at the end; a failing disk shows itself there with a code.
      }
    });
  }

  append({ id, task }: LiveTask, delta: string): void {
    if (task.request.sessionId !== null) this.#sessions.appendPart(id, delta);
    else this.#ofTasks.set(id, (this.#ofTasks.get(id) ?? '') + delta);
  }

  /** Its whole text is about to be written. */
  forget({ id }: LiveTask): void {
    this.#ofTasks.delete(id);
  }

  flush(): void {
    this.#ofTasks.flush();
  }
}
