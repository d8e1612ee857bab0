// Answers of ours that have not ended, by model, so that a model is let go only afterwards.
import { waitAtMost } from '../../shared/wait-at-most.js';

export class OpenAnswers {
  readonly #open = new Map<string, Set<Promise<void>>>();

  /** @returns what ends it; calling it again does nothing */
  begin(model: string): () => void {
    const key = plain(model);
    const { promise, resolve } = Promise.withResolvers<void>();
    const open = this.#open.get(key) ?? new Set();
    open.add(promise);
    this.#open.set(key, open);
    return () => {
      open.delete(promise);
      if (open.size === 0 && this.#open.get(key) === open) this.#open.delete(key);
      resolve();
    };
  }

  /** Resolves when those that are open now have ended, or the time is over. */
  async idle(model: string, withinMs: number): Promise<void> {
    const open = this.#open.get(plain(model));
    if (open) await waitAtMost(Promise.all(open), withinMs);
  }
}

const plain = (model: string): string => model.replace(/:latest$/, '');
