// The body of an upstream's answer while it comes: the first bytes at once, later ones gathered, because a hop through
// promises, decoder and parser per packet costs more than the packet. Bounded: a reader that lags stops the socket.
import type { Dispatcher } from 'undici';
import { GATHER_MS, gather, stopGathering } from '../shared/gather.js';

/** Bytes that may wait for the reader before the socket is paused. */
const MAX_WAITING_BYTES = 262_144;
const MAX_INTERIM = 32;

type Headers = Readonly<Record<string, string | string[] | undefined>>;

export class StreamedAnswer implements Dispatcher.DispatchHandler {
  statusCode = 0;
  headers: Headers = {};
  /** Resolves with the headers. Rejects with whatever undici says, before or instead of them. */
  readonly started: Promise<void>;
  #onStart: () => void = () => {};
  #onFailure: (error: Error) => void = () => {};
  #onEnd: () => void = () => {};
  #controller: Dispatcher.DispatchController | undefined;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #takenAt = 0;
  #interim = 0;
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  readonly #flush = () => this.#wakeUp();

  constructor(signal?: AbortSignal | undefined) {
    this.started = new Promise((resolve, reject) => {
      this.#onStart = resolve;
      this.#onFailure = reject;
    });
    // Whoever gives up early still has it handled.
    this.started.catch(() => {});
    if (!signal) return;
    const abort = () => this.abort(signal.reason);
    if (signal.aborted) abort();
    else {
      signal.addEventListener('abort', abort, { once: true });
      this.#leave = () => signal.removeEventListener('abort', abort);
    }
  }

  #leave: () => void = () => {};

  /** Calls back once when it is over, whichever way; at once where it is. */
  onEnd(listener: () => void): void {
    if (this.#ended) listener();
    else this.#onEnd = listener;
  }

  /** Lets go of the answer; what waits for it fails with `reason`. */
  abort(reason: Error): void {
    if (this.#ended) return;
    this.#fail(reason);
    this.#controller?.abort(reason);
  }

  /** The same for an answer nobody reads. */
  discard(): void {
    this.abort(new Error('nobody reads this answer'));
  }

  /**
   * Bytes as they come, joined where several packets waited; undefined at the end. For one reader at a time.
   * @throws what undici says of a broken connection
   */
  async read(): Promise<Buffer | undefined> {
    // Again and again: the timer of the gathering also rings for bytes that were taken before.
    while (this.#waiting.length === 0 && !this.#ended)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    if (this.#waiting.length > 0) return this.#take();
    if (this.#failure) throw this.#failure;
    return undefined;
  }

  #take(): Buffer {
    const pieces = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#takenAt = performance.now();
    // Last, because it hands over what has come meanwhile before it returns.
    if (this.#controller?.paused) this.#controller.resume();
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#failure) controller.abort(this.#failure);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, statusCode: number, headers: Headers): void {
    // Interim answers such as 103 come before the real one, and each of them ends a silence.
    if (statusCode < 200) {
      this.#interim += 1;
      if (this.#interim > MAX_INTERIM) this.abort(new Error('interim answers without end'));
      return;
    }
    this.statusCode = statusCode;
    this.headers = headers;
    this.#onStart();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes > MAX_WAITING_BYTES) controller.pause();
    if (performance.now() - this.#takenAt >= GATHER_MS || this.#waitingBytes > MAX_WAITING_BYTES) this.#wakeUp();
    else gather(this.#flush);
  }

  onResponseEnd(): void {
    this.#ended = true;
    this.#settle();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#ended = true;
    this.#onFailure(this.#failure);
    this.#settle();
  }

  #settle(): void {
    this.#leave();
    this.#onEnd();
    stopGathering(this.#flush);
    this.#wakeUp();
  }
}
