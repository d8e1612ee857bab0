// Gives every remembered text its vector, in the background: only while nobody waits for an answer. What is left to do is
// in the store, so that a crash loses nothing and a changed embedder starts over by itself.
import { AppError, type ErrorCode, toAppError } from '../../shared/errors.js';
import type { Embedder, MemoryRepository } from './ports.js';

const BATCH = 16;
const BATCH_MS = 120_000;
/** Whether an embedder has appeared, been changed or come back. */
const LOOK_EVERY_MS = 30_000;
const BUSY_MS = 200;
const RETRY_MS = 15_000;
const REFUSED: ReadonlySet<ErrorCode> = new Set(['invalid_input', 'upstream_rejected']);

export interface EmbeddingBacklogOptions {
  repository: MemoryRepository;
  embedder: Embedder;
  /** Whether no person waits for an answer now. */
  idle: () => boolean;
  onFailure?: (error: unknown) => void;
}

export class EmbeddingBacklog {
  readonly #options: EmbeddingBacklogOptions;
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(options: EmbeddingBacklogOptions) {
    this.#options = options;
  }

  /** There may be something to do; returns at once. */
  wake(): void {
    if (this.#closing.signal.aborted || this.#options.repository.vectorsUnavailable !== null) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#running = this.#work()
      .then((delayMs) => this.#sleep(delayMs))
      .catch((error) => {
        this.#options.onFailure?.(error);
        this.#sleep(RETRY_MS);
      })
      .finally(() => {
        this.#running = undefined;
        if (this.#again) {
          this.#again = false;
          this.#sleep(0);
        }
      });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  #sleep(delayMs: number): void {
    clearTimeout(this.#timer);
    if (this.#closing.signal.aborted) return;
    this.#timer = setTimeout(() => this.wake(), delayMs);
    this.#timer.unref();
  }

  /** A text the engine refuses goes without a vector, so that it does not hold up the others for ever. */
  async #embed(texts: readonly string[], signal: AbortSignal): Promise<readonly (readonly number[])[]> {
    const { embedder } = this.#options;
    try {
      return await embedder.embed(texts, signal, { background: true });
    } catch (error) {
      if (!REFUSED.has(toAppError(error).code)) throw error;
      if (texts.length === 1) return [[]];
      const vectors: (readonly number[])[] = [];
      for (const text of texts) vectors.push(...(await this.#embed([text], signal)));
      return vectors;
    }
  }

  /** Milliseconds until it is worth looking again. */
  async #work(): Promise<number> {
    const { repository, embedder, idle } = this.#options;
    const identity = await embedder.identity();
    if (!identity) return LOOK_EVERY_MS;
    for (;;) {
      if (this.#closing.signal.aborted) return 0;
      if (!idle()) return BUSY_MS;
      const chunks = repository.withoutVector(BATCH);
      const texts = chunks.length > 0 ? chunks.map(({ text }) => text) : null;
      // Asked even when nothing waits: a new embedder is taken into use before the next question, not by it.
      if (texts === null && repository.isEmbedder(identity.id)) return LOOK_EVERY_MS;
      const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(BATCH_MS)]);
      const vectors = await this.#embed(texts ?? ['warm up'], signal);
      const dimensions = Math.max(...vectors.map(({ length }) => length));
      if (vectors.length !== (texts?.length ?? 1) || (dimensions === 0 && !repository.isEmbedder(identity.id)))
        throw new AppError('upstream_protocol', `${identity.model} returned no vectors for some of the texts.`);
      if (dimensions > 0) repository.useEmbedder(identity.id, dimensions);
      await repository.saveVectors(
        identity.id,
        chunks.map(({ chunkId }, index) => ({ chunkId, vector: vectors[index] ?? [] })),
      );
    }
  }
}
