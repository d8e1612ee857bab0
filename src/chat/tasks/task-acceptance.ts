// How a task comes in: refused at once where that can be told, else on disk before anybody hears that it was accepted.
// Whether it then runs or waits is the queue's.
import type { Clock } from '../../shared/clock.js';
import { AppError } from '../../shared/errors.js';
import { ownerOfSession, ownName } from '../../shared/owner.js';
import { newRequestId } from '../../shared/request-id.js';
import type { EventSink } from '../ports.js';
import type { SessionStore } from '../sessions/session-store.js';
import type { SlashCommands } from '../task-ports.js';
import type { RequestTracer } from '../tracing/request-tracer.js';
import { executionMode } from './execution-mode.js';
import { LiveTask } from './live-task.js';
import type { LiveTasks } from './live-tasks.js';
import { type RuntimeFacts, runtimeContext } from './runtime-context.js';
import type { Task, TaskRepository, TaskRequest } from './task.js';
import type { TaskCounters } from './task-counters.js';
import type { TaskModelOptions } from './task-model.js';
import type { TaskQueue } from './task-queue.js';
import { startTrace } from './task-trace.js';
import { readText } from './task-turn.js';

/** On disk, of all tasks that have not ended. */
const MAX_PICTURE_BYTES = 536_870_912;

export interface AcceptanceParts {
  tasks: TaskRepository;
  sessions: SessionStore;
  tracer: RequestTracer;
  events: EventSink;
  clock: Clock;
  counters: TaskCounters;
  slash: SlashCommands;
  /** Forgets a session and what was made of it. */
  clearSession: (sessionId: string) => Promise<unknown>;
  /** What a person sees as active, from memory: waits for no engine. */
  identity: () => Promise<RuntimeFacts>;
  /** @throws AppError `unsupported` where the model is known not to see */
  requireSight: TaskModelOptions['requireSight'];
}

export interface AcceptancePlace {
  live: LiveTasks;
  queue: TaskQueue<LiveTask>;
  /** Takes the place that was reserved in the queue. */
  offer: (live: LiveTask) => void;
}

export class TaskAcceptance {
  readonly #parts: AcceptanceParts;
  readonly #place: AcceptancePlace;
  /** By idempotency key: tasks that are not on disk yet. */
  readonly #starting = new Map<string, Promise<Task>>();

  constructor(parts: AcceptanceParts, place: AcceptancePlace) {
    this.#parts = parts;
    this.#place = place;
  }

  /** @see Orchestrator.submit */
  async submit(given: TaskRequest, key: string | null): Promise<Task> {
    const owner = given.owner ?? ownerOfSession(given.sessionId);
    const request = { ...given, owner };
    if (key === null) return this.#accept(request, null);
    const idempotencyKey = ownName(owner, key);
    const starting = this.#starting.get(idempotencyKey);
    if (starting) return starting;
    const earlier = this.#parts.tasks.idOf(idempotencyKey);
    if (earlier !== undefined) return this.#place.live.get(earlier, null);
    const accepted = this.#accept(request, idempotencyKey).finally(() => this.#starting.delete(idempotencyKey));
    this.#starting.set(idempotencyKey, accepted);
    return accepted;
  }

  async #accept(request: TaskRequest, idempotencyKey: string | null): Promise<Task> {
    const { tracer, events, counters, slash } = this.#parts;
    const { queue, live: lives, offer } = this.#place;
    await this.#checkPictures(request);
    queue.reserve();
    let live: LiveTask | undefined;
    try {
      const facts = await this.#parts.identity();
      const { tool, clear } = readText(request, slash);
      live = new LiveTask(this.#newTask(request, tool, facts));
      lives.add(live);
      if (clear && request.sessionId !== null) await this.#parts.clearSession(request.sessionId);
      await this.#store(live.task, facts.model, idempotencyKey);
    } catch (error) {
      queue.release();
      if (live) lives.remove(live);
      throw error;
    }
    const { task } = live;
    // A long queue is not to hold them all in memory.
    task.request = { ...request, pictures: undefined };
    counters.created += 1;
    startTrace(tracer, task);
    events.publish('TASK_CREATED', 'A task was created.', { task_id: task.id, content: request.content });
    // As it was accepted: the contract's answer is PENDING, however soon it runs.
    const accepted = { ...task };
    offer(live);
    return accepted;
  }

  /** Refused at once where that can be told, rather than when its turn comes. */
  async #checkPictures({ pictures = [], forcedProvider }: TaskRequest): Promise<void> {
    if (pictures.length === 0) return;
    const bytes = pictures.reduce((sum, { base64 }) => sum + base64.length, 0);
    if (this.#parts.tasks.pictureBytes() + bytes > MAX_PICTURE_BYTES)
      throw new AppError('queue_full', 'Too many pictures are waiting already.');
    const { provider, model } = await this.#parts.identity();
    if (forcedProvider === null) await this.#parts.requireSight({ provider, model });
  }

  #newTask(request: TaskRequest, tool: string | null, facts: RuntimeFacts): Task {
    const mode = executionMode(request.forcedTool ?? tool, request.forcedIntent);
    return {
      id: newRequestId(),
      seq: 0,
      request,
      status: 'PENDING',
      result: null,
      logs: [],
      context: {
        llm_runtime: {
          ...runtimeContext(facts),
          ...(request.expectedConfigHash === null ? {} : { expected_config_hash: request.expectedConfigHash }),
          ...(request.expectedRuntimeId === null ? {} : { expected_runtime_id: request.expectedRuntimeId }),
          status: 'ready',
          error: null,
        },
        execution_mode: mode.mode,
        execution_mode_reason_code: mode.reasonCode,
        ...(mode.fallbackReason === null ? {} : { fallback_reason: mode.fallbackReason }),
        ...sessionContext(request),
        ...(request.generationParams === null ? {} : { generation_params: request.generationParams }),
      },
      contextUsed: null,
      createdAt: this.#parts.clock.now(),
    };
  }

  /** The task and its place in the session are on disk together. */
  async #store(task: Task, model: string, idempotencyKey: string | null): Promise<void> {
    const { tasks, sessions } = this.#parts;
    const { sessionId, content, instructions } = task.request;
    const insert = () => tasks.insert(task, idempotencyKey);
    await (sessionId === null
      ? insert()
      : sessions.beginTurn(
          { sessionId, requestId: task.id, userText: content, model, idempotencyKey: null, instructions },
          insert,
        ));
  }
}

function sessionContext(request: TaskRequest): Record<string, unknown> {
  const session = Object.fromEntries(
    Object.entries({
      session_id: request.sessionId,
      preference_scope: request.preferenceScope,
      tone: request.tone,
      style_notes: request.styleNotes,
      preferred_language: request.preferredLanguage,
    }).filter(([, value]) => value),
  );
  return Object.keys(session).length > 0 ? { session } : {};
}
