// One answer while it is being written: its text so far, who listens, and who may stop it.
import type { RanWith } from '../../routing/decision.js';
import { AppError } from '../../shared/errors.js';
import type { Owner } from '../../shared/owner.js';
import type { MessageStatus } from '../ports.js';

export type TurnEvent = { type: 'tool-calls'; toolCalls: unknown[] } | { type: 'logprobs'; content: unknown[] };

export interface TurnFailure {
  code: string;
  message: string;
}

// It stays in memory until its end is on disk, for those who come back to it.
const MAX_ANSWER_CHARS = 1_000_000;
/** Tool calls and probabilities as JSON, which are many times longer than the text they stand for. */
const MAX_EVENT_CHARS = 8_000_000;
/** What an event takes beside its text. */
const EVENT_CHARS = 100;

export interface LiveTurnOptions {
  requestId: string;
  /** The house where it is not said. */
  owner?: Owner;
  sessionId: string | null;
  /** Goes on when nobody listens any more. */
  resumable: boolean;
  /** How long it waits for a listener to come back before it is cancelled; 0 = not at all. */
  graceMs: number;
}

export class LiveTurn {
  readonly requestId: string;
  readonly owner: Owner;
  readonly sessionId: string | null;
  readonly #resumable: boolean;
  readonly #graceMs: number;
  readonly #abort = new AbortController();
  readonly #listeners = new Set<() => void>();
  #grace: NodeJS.Timeout | undefined;
  #why: 'cancelled' | 'interrupted' | undefined;
  #text = '';
  #thought = '';
  readonly events: TurnEvent[] = [];
  #eventChars = 0;
  /** What became of the parameters, once the engine is done. */
  ranWith: RanWith | null = null;
  /** Set once the end is on disk. */
  outcome: { status: Exclude<MessageStatus, 'streaming'>; failure: TurnFailure | null } | undefined;

  constructor(options: LiveTurnOptions) {
    this.requestId = options.requestId;
    this.owner = options.owner ?? null;
    this.sessionId = options.sessionId;
    this.#resumable = options.resumable;
    this.#graceMs = options.graceMs;
  }

  get text(): string {
    return this.#text;
  }

  /** What the model thought before it answered. */
  get thought(): string {
    return this.#thought;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Stops the engine. `interrupted` says that the server, not the client, wanted it. */
  cancel(why: 'cancelled' | 'interrupted' = 'cancelled'): void {
    this.#why ??= why;
    this.#abort.abort();
  }

  /** Why it was stopped, if it was. */
  get stopped(): 'cancelled' | 'interrupted' | undefined {
    return this.#why;
  }

  /** Lets go of the engine, whatever it is still writing: nobody reads on. Says nothing about how the turn ended. */
  letEngineGo(): void {
    this.#abort.abort();
  }

  /** @throws AppError `upstream_protocol` when an engine does not stop */
  append(delta: string, thought = ''): void {
    if (this.#text.length + this.#thought.length + delta.length + thought.length > MAX_ANSWER_CHARS)
      throw this.#endless(`The answer is longer than ${MAX_ANSWER_CHARS} characters.`);
    this.#text += delta;
    this.#thought += thought;
    this.#notify();
  }

  /** @throws AppError `upstream_protocol` when an engine does not stop */
  emit(event: TurnEvent): void {
    this.#eventChars += EVENT_CHARS + JSON.stringify(event).length;
    if (this.#eventChars > MAX_EVENT_CHARS)
      throw this.#endless(`The tool calls or probabilities take more than ${MAX_EVENT_CHARS} characters.`);
    this.events.push(event);
    this.#notify();
  }

  end(status: Exclude<MessageStatus, 'streaming'>, failure: TurnFailure | null): void {
    clearTimeout(this.#grace);
    this.outcome = { status, failure };
    this.#notify();
    this.#listeners.clear();
  }

  /** `onChange` is called after each change; returns how to leave. */
  listen(onChange: () => void): () => void {
    clearTimeout(this.#grace);
    this.#grace = undefined;
    this.#listeners.add(onChange);
    return () => {
      if (this.#listeners.delete(onChange) && this.#listeners.size === 0 && !this.outcome && !this.#resumable) {
        if (this.#graceMs === 0) this.cancel();
        else this.#grace = setTimeout(() => this.cancel(), this.#graceMs);
      }
    };
  }

  #endless(message: string): AppError {
    this.letEngineGo();
    return new AppError('upstream_protocol', message);
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
