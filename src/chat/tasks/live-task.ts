// One task while it waits or runs: its state so far, who listens, and who may stop it.
import { AppError } from '../../shared/errors.js';
import type { Deadline } from './deadline.js';
import type { Task } from './task.js';

const MAX_LOGS = 500;
const MAX_LOG_CHARS = 2_000;
const MAX_RESULT_CHARS = 1_000_000;

/** Text of a step, a statement or a goal while it is written. */
export interface LivePart {
  /** Another one each time it begins. */
  beginning: number;
  text: string;
}

export type StopReason = 'cancelled' | 'interrupted' | 'task_timeout';

export class LiveTask {
  readonly task: Task;
  /** Of its run, once it runs. */
  deadline: Deadline | undefined;
  /** Something of it was asked once more. */
  repeated = false;
  readonly #abort = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #parts = new Map<number, LivePart>();
  #beginnings = 0;
  #why: StopReason | undefined;
  #version = 0;
  #ended = false;
  #detached = false;
  #settle: () => void = () => {};
  /** Resolves when the end is on disk. */
  readonly done: Promise<void>;

  constructor(task: Task) {
    this.task = task;
    this.done = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get id(): string {
    return this.task.id;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Why it was stopped, if it was. */
  get stopped(): StopReason | undefined {
    return this.#why;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Nothing more comes from this process, though the task has not ended. */
  get detached(): boolean {
    return this.#detached;
  }

  /** Counts how often the result began anew; within one version it only grows. */
  get resultVersion(): number {
    return this.#version;
  }

  stop(why: StopReason): void {
    this.#why ??= why;
    this.#abort.abort(new AppError(why, 'The task was stopped.'));
  }

  log(text: string): void {
    if (this.task.logs.length >= MAX_LOGS) return;
    this.task.logs.push(text.length > MAX_LOG_CHARS ? `${text.slice(0, MAX_LOG_CHARS)}…` : text);
    this.notify();
  }

  /** `null` deletes a key; an object onto an object merges one level. */
  update(context: Record<string, unknown>): void {
    for (const [key, value] of Object.entries(context)) {
      const known = this.task.context[key];
      if (value === null || value === undefined) delete this.task.context[key];
      else if (isRecord(value) && isRecord(known)) {
        const merged = { ...known, ...value };
        for (const [name, inner] of Object.entries(merged)) if (inner === undefined) delete merged[name];
        this.task.context[key] = merged;
      } else this.task.context[key] = value;
    }
    this.notify();
  }

  /** @throws AppError `upstream_protocol` when an engine does not stop */
  append(delta: string): void {
    const text = (this.task.result ?? '') + delta;
    if (text.length > MAX_RESULT_CHARS)
      throw new AppError('upstream_protocol', `The answer is longer than ${MAX_RESULT_CHARS} characters.`);
    this.task.result = text;
    this.notify();
  }

  /** The result begins anew, such as with the next draft of some code. */
  replace(text: string | null): void {
    if (this.task.result === text) return;
    const shown = this.task.result !== null && this.task.result !== '';
    this.task.result = text;
    if (shown) {
      this.#version += 1;
      this.task.context['result_version'] = this.#version;
    }
    this.notify();
  }

  /** Parts that are being written side by side, by their numbers; a part that has ended is in the result. */
  get parts(): ReadonlyMap<number, LivePart> {
    return this.#parts;
  }

  /** A part is written from its beginning, perhaps anew. */
  beginPart(number: number): void {
    this.#beginnings += 1;
    this.#parts.set(number, { beginning: this.#beginnings, text: '' });
  }

  /** @throws AppError `upstream_protocol` when an engine does not stop */
  appendPart(number: number, delta: string): void {
    const part = this.#parts.get(number);
    if (!part) return;
    part.text += delta;
    if (part.text.length > MAX_RESULT_CHARS)
      throw new AppError('upstream_protocol', `A part of the answer is longer than ${MAX_RESULT_CHARS} characters.`);
    this.notify();
  }

  endPart(number: number): void {
    this.#parts.delete(number);
  }

  /** Called once the end is on disk. */
  end(): void {
    this.#ended = true;
    this.notify();
    this.#listeners.clear();
    this.#settle();
  }

  /** Listeners are told that nothing more comes from this process. */
  detach(): void {
    this.#detached = true;
    this.notify();
    this.#listeners.clear();
  }

  /** `onChange` is called after each change; returns how to leave. */
  listen(onChange: () => void): () => void {
    this.#listeners.add(onChange);
    return () => this.#listeners.delete(onChange);
  }

  notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
