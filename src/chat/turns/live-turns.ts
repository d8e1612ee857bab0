// The answers being written now, by request id, and how many there may be.
import { AppError } from '../../shared/errors.js';
import type { LiveTurn } from './live-turn.js';

export class LiveTurns {
  readonly #turns = new Map<string, LiveTurn>();
  readonly #limit: number;
  #closing = false;
  #idle: (() => void) | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @throws AppError `runtime_busy` at the limit, `shutting_down` */
  add(turn: LiveTurn): void {
    if (this.#closing) throw new AppError('shutting_down', 'The server is stopping.');
    if (this.#turns.size >= this.#limit)
      throw new AppError('runtime_busy', `${this.#limit} answers are being written already.`);
    this.#turns.set(turn.requestId, turn);
  }

  get(requestId: string): LiveTurn | undefined {
    return this.#turns.get(requestId);
  }

  cancelSession(sessionId: string): void {
    for (const turn of this.#turns.values()) if (turn.sessionId === sessionId) turn.cancel();
  }

  remove(requestId: string): void {
    this.#turns.delete(requestId);
    if (this.#turns.size === 0) this.#idle?.();
  }

  get size(): number {
    return this.#turns.size;
  }

  /** Waits for the running answers, at most `graceMs`, then cancels what is left and waits for their ends. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    if (this.#turns.size === 0) return;
    const idle = new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
    await Promise.race([idle, delay(graceMs)]);
    for (const turn of this.#turns.values()) turn.cancel('interrupted');
    await Promise.race([idle, delay(1_000)]);
  }
}

const delay = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds).unref());
