// Writes one task as server-sent events to one client, pushed as it changes and at the client's own pace. By default the
// contract's events, with the whole result a few times a second; on request the result as deltas that can be rejoined, and the
// text of each step while it is written.
import type { ServerResponse } from 'node:http';
import type { LivePart, LiveTask } from '../chat/tasks/live-task.js';
import type { Task } from '../chat/tasks/task.js';
import type { Owner } from '../shared/owner.js';
import { shownTo } from './ownership.js';
import { runtimeOf, toContextUsed } from './routes/task-shapes.js';

/** Where a client of deltas stands. */
export interface TaskPosition {
  taskId: string;
  /** How often the result had begun anew. */
  version: number;
  chars: number;
  logs: number;
}

export interface TaskStreamOptions {
  deltas: boolean;
  from: TaskPosition | undefined;
  /** Who follows it. */
  viewer: Owner;
}

const UPDATE_MS = 250;
const DELTA_MS = 30;
const HEARTBEAT_MS = 2_500;
/** Whole results may take this much of a connection: a long one is sent less often. */
const BYTES_PER_MS = 1_000;

/** The form of our ids: `<task>:<version>.<characters>.<log lines>`. */
export function parseTaskEventId(id: string | undefined): TaskPosition | undefined {
  const match = /^([0-9a-f-]{36}):(\d{1,6})\.(\d{1,9})\.(\d{1,6})$/.exec(id ?? '');
  return match
    ? { taskId: match[1] as string, version: Number(match[2]), chars: Number(match[3]), logs: Number(match[4]) }
    : undefined;
}

export function followTask(response: ServerResponse, live: LiveTask, options: TaskStreamOptions): void {
  const writer = new TaskEvents(
    live.task,
    () => live.resultVersion,
    options,
    () => live.parts,
  );
  let timer: NodeJS.Timeout | undefined;
  let waiting = false;
  let closed = false;
  let writtenAt = performance.now();

  const write = (blocks: string) => {
    writtenAt = performance.now();
    if (blocks !== '') heartbeat.refresh();
    if (blocks === '' || response.write(blocks)) return;
    // Nothing is kept for a slow reader: what it gets next is made from the task as it is then.
    waiting = true;
    response.once('drain', () => {
      waiting = false;
      onChange();
    });
  };
  const pump = () => {
    clearTimeout(timer);
    timer = undefined;
    if (closed || waiting) return;
    if (live.ended || live.detached) {
      leave();
      response.end(live.ended ? writer.update() + writer.finished() : writer.update());
    } else write(writer.update());
  };
  const onChange = () => {
    if (closed || waiting) return;
    if (writer.urgent || live.ended || live.detached) return pump();
    const wait = writtenAt + writer.intervalMs - performance.now();
    if (wait <= 0) pump();
    else timer ??= setTimeout(pump, wait);
  };
  // Counted from the last event, whichever it was.
  const heartbeat = setTimeout(() => {
    if (waiting) heartbeat.refresh();
    else write(writer.heartbeat());
  }, HEARTBEAT_MS);
  const stopListening = live.listen(onChange);
  const leave = () => {
    if (closed) return;
    closed = true;
    clearTimeout(timer);
    clearTimeout(heartbeat);
    stopListening();
  };
  response.on('close', leave);
  response.on('error', leave);
  pump();
}

export function replayTask(response: ServerResponse, task: Task, options: TaskStreamOptions): void {
  const version = Number(task.context['result_version'] ?? 0);
  const writer = new TaskEvents(task, () => version, options);
  response.end(writer.update() + writer.finished());
}

/** What one client has been told, and how the rest is put into events. */
class TaskEvents {
  readonly #task: Task;
  readonly #version: () => number;
  readonly #deltas: boolean;
  readonly #viewer: Owner;
  #told: { status: string; version: number; chars: number; logs: number } | undefined;
  readonly #parts: () => ReadonlyMap<number, LivePart>;
  readonly #toldParts = new Map<number, { beginning: number; chars: number }>();
  #started = false;

  constructor(
    task: Task,
    version: () => number,
    { deltas, from, viewer }: TaskStreamOptions,
    parts: () => ReadonlyMap<number, LivePart> = () => new Map(),
  ) {
    this.#parts = parts;
    this.#task = task;
    this.#version = version;
    this.#deltas = deltas;
    this.#viewer = viewer;
    if (from && from.taskId === task.id)
      this.#told = {
        status: '',
        version: from.version,
        chars: from.chars,
        logs: Math.min(from.logs, task.logs.length),
      };
  }

  /** A change of status and the first words do not wait. */
  get urgent(): boolean {
    const told = this.#told;
    return !told || told.status !== this.#task.status || (told.chars === 0 && this.#result !== '');
  }

  get intervalMs(): number {
    return this.#deltas ? DELTA_MS : Math.max(UPDATE_MS, this.#result.length / BYTES_PER_MS);
  }

  get #result(): string {
    return this.#task.result ?? '';
  }

  /** Nothing where nothing has changed. */
  update(): string {
    const task = this.#task;
    const told = this.#told ?? { status: '', version: this.#version(), chars: 0, logs: 0 };
    const version = this.#version();
    const anew = version !== told.version;
    const textChanged = anew || this.#result.length !== told.chars;
    const stateChanged = !this.#started || told.status !== task.status || told.logs !== task.logs.length;
    const parts = this.#deltas ? this.#partDeltas() : '';
    if (!stateChanged && !textChanged) return parts;
    this.#started = true;
    const logs = task.logs.slice(told.logs);
    this.#told = { status: task.status, version, chars: this.#result.length, logs: task.logs.length };
    if (!this.#deltas) return block('task_update', { ...this.#payload(task.result), logs });
    const from = anew ? 0 : told.chars;
    const text = this.#result.slice(from);
    return (
      parts +
      (stateChanged ? this.#withId('task_update', { ...this.#payload(null), logs }, told.chars) : '') +
      (anew && told.chars > 0 ? this.#withId('task_reset', { task_id: task.id }, 0) : '') +
      (text === '' ? '' : this.#withId('task_delta', { task_id: task.id, offset: from, text }, this.#result.length))
    );
  }

  /** What is written side by side. `offset` 0 begins a part anew, also for who comes back. */
  #partDeltas(): string {
    let blocks = '';
    const parts = this.#parts();
    for (const [step, { beginning, text }] of parts) {
      const told = this.#toldParts.get(step);
      const offset = told?.beginning === beginning ? told.chars : 0;
      if (text.length === offset) continue;
      this.#toldParts.set(step, { beginning, chars: text.length });
      blocks += block('step_delta', { task_id: this.#task.id, step, offset, text: text.slice(offset) });
    }
    return blocks;
  }

  heartbeat(): string {
    return block('heartbeat', { ...this.#payload(this.#deltas ? null : this.#task.result), logs: [] });
  }

  finished(): string {
    const payload = this.#payload(this.#deltas ? null : this.#task.result);
    if (!this.#deltas) return block('task_finished', payload);
    return this.#withId('task_finished', { ...payload, result_length: this.#result.length }, this.#result.length);
  }

  #withId(event: string, payload: object, chars: number): string {
    const { version, logs } = this.#told as { version: number; logs: number };
    return `event:${event}\ndata:${JSON.stringify(payload)}\nid:${this.#task.id}:${version}.${chars}.${logs}\n\n`;
  }

  #payload(result: string | null) {
    const task = this.#task;
    const runtime = runtimeOf(task);
    const context = shownTo(this.#viewer, task.context);
    return {
      task_id: task.id,
      status: task.status,
      result,
      timestamp: new Date().toISOString().replace('Z', '+00:00'),
      llm_provider: runtime.provider ?? null,
      llm_model: runtime.model ?? null,
      llm_endpoint: runtime.endpoint ?? null,
      llm_status: runtime.status ?? null,
      llm_error: runtime.error ?? null,
      context_history: context,
      context,
      context_used: toContextUsed(task),
    };
  }
}

const block = (event: string, payload: object): string => `event:${event}\ndata:${JSON.stringify(payload)}\n\n`;
