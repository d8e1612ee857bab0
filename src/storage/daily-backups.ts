// One copy of the database a day, for as long as the server runs.
import { listBackups } from './backups.js';
import type { SqliteStore } from './sqlite-store.js';

const EVERY_MS = 86_400_000;
/** How often it is looked whether one is due: the newest may be of a former run. */
const LOOK_MS = 60_000;

export class DailyBackups {
  readonly #store: SqliteStore;
  readonly #onFailure: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(store: SqliteStore, onFailure: (error: unknown) => void) {
    this.#store = store;
    this.#onFailure = onFailure;
  }

  start(): void {
    this.#timer = setInterval(() => this.#makeIfDue(), LOOK_MS).unref();
  }

  /** Begins none any more; one that is being made goes on. */
  close(): void {
    clearInterval(this.#timer);
  }

  #makeIfDue(): void {
    const newest = listBackups(this.#store.path).find(({ kind }) => kind === 'daily');
    if (Date.now() - (newest?.createdAt.getTime() ?? 0) < EVERY_MS) return;
    this.#store.backUp('daily', new Date()).catch(this.#onFailure);
  }
}
