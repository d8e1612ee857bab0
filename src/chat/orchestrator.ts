// Orchestrator: a task from submission to its stored end. Accepts it durably, lets it through the gate, runs the turn, and
// keeps what came of it. What the turn itself does is in tasks/decide-turn.ts and tasks/answer-turn.ts.
import { type Clock, isoUtc } from '../shared/clock.js';
import { DebouncedWriter } from '../shared/debounced-writer.js';
import { AppError, toAppError } from '../shared/errors.js';
import { maySee, type Owner, ownerOfSession, ownName } from '../shared/owner.js';
import { newRequestId } from '../shared/request-id.js';
import { AGENT_OF, AGENTS } from './agents/agent.js';
import type { GoalRepository } from './campaign/goal.js';
import type { IntentRecognizer, Language } from './intent.js';
import { isComplex, TEMPLATE_INTENTS } from './intent-traits.js';
import type { EventSink, TurnEnd } from './ports.js';
import type { SessionStore } from './sessions/session-store.js';
import type { AnswerTranslator, SlashCommands, StaticAnswers, ToolBox } from './task-ports.js';
import { type AnswerParts, TurnAnswering } from './tasks/answer-turn.js';
import { Deadline } from './tasks/deadline.js';
import { decideTurn } from './tasks/decide-turn.js';
import { executionMode } from './tasks/execution-mode.js';
import { LiveTask } from './tasks/live-task.js';
import { type RuntimeFacts, runtimeContext } from './tasks/runtime-context.js';
import type { Task, TaskPage, TaskRepository, TaskRequest } from './tasks/task.js';
import type { TaskCounters } from './tasks/task-counters.js';
import { TaskError, type TaskFailure, toEnvelope, toTaskFailure } from './tasks/task-failure.js';
import { TaskQueue } from './tasks/task-queue.js';
import { type DecidedTurn, type TaskTurn, type TurnOutcome, toTurn } from './tasks/task-turn.js';
import type { RequestTracer } from './tracing/request-tracer.js';
import type { ChatRouter, ContextBuilder, TurnResults } from './turn-ports.js';

const PARTIAL_DELAY_MS = 200;
const RETRY_SAVE_MS = 2_000;
const NEED_CHARS = 100;
const MAX_QUEUED_CHARS = 50_000_000;
/** On disk, of all tasks that have not ended. */
const MAX_PICTURE_BYTES = 536_870_912;

export interface OrchestratorParts {
  tasks: TaskRepository;
  sessions: SessionStore;
  goals: GoalRepository;
  council: AnswerParts['council'];
  campaign: AnswerParts['campaign'];
  tracer: RequestTracer;
  events: EventSink;
  clock: Clock;
  counters: TaskCounters;
  intents: IntentRecognizer;
  slash: SlashCommands;
  answers: StaticAnswers;
  router: ChatRouter;
  context: ContextBuilder;
  results: TurnResults;
  toolBox: ToolBox;
  translator: AnswerTranslator | null;
  /** Forgets a session and what was made of it. */
  clearSession: (sessionId: string) => Promise<unknown>;
  /** What a person sees as active, from memory: waits for no engine. */
  identity: () => Promise<RuntimeFacts>;
  /** The same, as it is now. */
  active: AnswerParts['active'];
  budgetTokens: AnswerParts['budgetTokens'];
  countTokens: AnswerParts['countTokens'];
  functionCalling: AnswerParts['functionCalling'];
  isSmall: AnswerParts['isSmall'];
  requireSight: AnswerParts['requireSight'];
  onAnswer: AnswerParts['onAnswer'];
  onFailure: AnswerParts['onFailure'];
}

export interface OrchestratorOptions {
  /** `MAX_CONCURRENT_TASKS`, or null where the limit is off. */
  maxConcurrent: number | null;
  maxQueued: number;
  timeoutMs: number;
}

type AnswerEnd = Omit<TurnEnd, 'requestId'>;

/** A task to look at: alive in this process, or from the store. */
export type FoundTask = { kind: 'live'; live: LiveTask } | { kind: 'stored'; task: Task };

export class Orchestrator {
  readonly #parts: OrchestratorParts;
  readonly #options: OrchestratorOptions;
  readonly #queue: TaskQueue<LiveTask>;
  readonly #live = new Map<string, LiveTask>();
  readonly #answering: TurnAnswering;
  /** Partial text of tasks without a session; the session store keeps the others'. */
  readonly #partials: DebouncedWriter<string, string>;
  /** By idempotency key: tasks that are not on disk yet. */
  readonly #starting = new Map<string, Promise<Task>>();
  #closing = false;

  constructor(parts: OrchestratorParts, options: OrchestratorOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#queue = new TaskQueue({
      limit: options.maxConcurrent,
      maxWaiting: options.maxQueued,
      maxWaitingSize: MAX_QUEUED_CHARS,
      sizeOf: ({ task }) => task.request.content.length,
      run: (live) => this.#run(live),
    });
    this.#partials = new DebouncedWriter(PARTIAL_DELAY_MS, (texts) => {
      try {
        parts.tasks.appendParts(texts);
      } catch {
        // The whole text is written at the end; a failing disk shows itself there with a code.
      }
    });
    this.#answering = new TurnAnswering({
      ...parts,
      pictures: (id) => parts.tasks.pictures(id),
      isPaused: () => this.#queue.paused,
      whenResumed: async (live) => {
        live.deadline?.hold();
        await this.#queue.whenResumed(live.signal);
        live.deadline?.go();
      },
      onTool: (name) => parts.counters.count(parts.counters.toolUsage, name),
      onPart: ({ live }, delta) => {
        if (live.task.request.sessionId !== null) parts.sessions.appendPart(live.id, delta);
        else this.#partials.set(live.id, (this.#partials.get(live.id) ?? '') + delta);
      },
    });
  }

  /**
   * Resolves when the task is on disk; it runs by itself. The same key gets the same task.
   * @throws AppError `queue_full`, `shutting_down`, `insufficient_storage`, `unsupported` for pictures nobody here sees
   */
  async submit(given: TaskRequest, key: string | null = null): Promise<Task> {
    const owner = given.owner ?? ownerOfSession(given.sessionId);
    const request = { ...given, owner };
    if (key === null) return this.#submit(request, null);
    const idempotencyKey = ownName(owner, key);
    const starting = this.#starting.get(idempotencyKey);
    if (starting) return starting;
    const earlier = this.#parts.tasks.idOf(idempotencyKey);
    if (earlier !== undefined) return this.get(earlier);
    const submitted = this.#submit(request, idempotencyKey).finally(() => this.#starting.delete(idempotencyKey));
    this.#starting.set(idempotencyKey, submitted);
    return submitted;
  }

  /** @throws AppError `task_not_found`, also for a task that is not the viewer's */
  get(id: string, viewer: Owner = null): Task {
    const found = this.find(id, viewer);
    return found.kind === 'live' ? found.live.task : found.task;
  }

  /** @throws AppError `task_not_found`, also for a task that is not the viewer's */
  find(id: string, viewer: Owner = null): FoundTask {
    const live = this.#live.get(id);
    if (live && maySee(viewer, live.task.request.owner ?? null)) return { kind: 'live', live };
    const task = live ? undefined : this.#parts.tasks.get(id);
    if (!task || !maySee(viewer, task.request.owner ?? null))
      throw new AppError('task_not_found', `There is no task ${id}.`);
    return { kind: 'stored', task };
  }

  /** Whose a task is; the house's also where there is none. */
  ownerOf(id: string): Owner {
    return (this.#live.get(id)?.task ?? this.#parts.tasks.get(id))?.request.owner ?? null;
  }

  /** Whether the task waits or runs. */
  isLive(id: string): boolean {
    return this.#live.has(id);
  }

  /** Null for a request that is no task. */
  resultOf(id: string): string | null {
    return (this.#live.get(id)?.task ?? this.#parts.tasks.get(id))?.result ?? null;
  }

  /** Newest first. */
  list(page: TaskPage): Task[] {
    return this.#parts.tasks.list(page).map((task) => this.#live.get(task.id)?.task ?? task);
  }

  countOfSession(sessionId: string): number {
    return this.#parts.tasks.countOfSession(sessionId);
  }

  /** Stops what runs in a session, because its messages are about to go. */
  stopSession(sessionId: string): void {
    for (const live of this.#queue.active) if (live.task.request.sessionId === sessionId) live.stop('cancelled');
  }

  get queue(): { paused: boolean; pending: number; active: number; processing: number; limit: number | null } {
    const active = this.#queue.active.size;
    return {
      paused: this.#queue.paused,
      pending: this.#queue.waiting,
      active,
      processing: active,
      limit: this.#queue.limit,
    };
  }

  pause(): { activeTasks: number } {
    this.#queue.pause();
    const activeTasks = this.#queue.active.size;
    this.#parts.events.publish('QUEUE_PAUSED', 'The queue is paused.', { active_tasks: activeTasks });
    return { activeTasks };
  }

  resumeQueue(): { pendingTasks: number } {
    const pendingTasks = this.#queue.waiting;
    this.#queue.resume();
    this.#parts.events.publish('QUEUE_RESUMED', 'The queue goes on.', { pending_tasks: pendingTasks });
    return { pendingTasks };
  }

  /** What waits is removed and never runs. */
  async purge(): Promise<{ removed: number; activeTasks: number }> {
    const removed = await this.#purge();
    const activeTasks = this.#queue.active.size;
    this.#parts.events.publish('QUEUE_PURGED', `${removed} tasks were removed.`, { removed, active: activeTasks });
    return { removed, activeTasks };
  }

  async emergencyStop(): Promise<{ cancelled: number; purged: number }> {
    this.#queue.pause();
    const purging = this.#purge();
    const running = [...this.#queue.active];
    for (const live of running) live.stop('cancelled');
    await Promise.all(running.map(({ done }) => done));
    const purged = await purging;
    this.#parts.events.publish('EMERGENCY_STOP', 'Everything was stopped.', { cancelled: running.length, purged });
    return { cancelled: running.length, purged };
  }

  /** Resolves when its end is on disk and its trace closed. @throws AppError `task_not_found` where none runs */
  async abort(id: string, viewer: Owner = null): Promise<void> {
    const live = this.#live.get(id);
    if (!live || !this.#queue.active.has(live) || !maySee(viewer, live.task.request.owner ?? null))
      throw new AppError('task_not_found', `No task ${id} is running.`);
    live.stop('cancelled');
    await live.done;
    // It came to its end in the same moment.
    if (live.task.status === 'COMPLETED') throw new AppError('task_not_found', `Task ${id} is complete.`);
  }

  /** Runs an interrupted task again. @throws AppError `task_not_found`, `conflict` where it was not interrupted */
  async resume(id: string, viewer: Owner = null): Promise<Task> {
    const found = this.find(id, viewer);
    const runtime = found.kind === 'stored' ? (found.task.context['llm_runtime'] as { error?: unknown }) : undefined;
    const error = runtime?.error as { error_code?: string } | null | undefined;
    if (found.kind === 'live' || error?.error_code !== 'interrupted')
      throw new AppError('conflict', `Task ${id} was not interrupted.`);
    this.#queue.reserve();
    const live = new LiveTask({ ...found.task, status: 'PENDING', result: null });
    this.#live.set(id, live);
    live.update({ llm_runtime: { status: 'ready', error: null } });
    try {
      await Promise.all([this.#parts.tasks.save([live.task]), this.#reopenSession(live)]);
    } catch (failure) {
      this.#queue.release();
      this.#live.delete(id);
      throw failure;
    }
    this.#parts.tracer.reopen(id);
    this.#parts.tracer.step(id, 'User', 'resume_request');
    live.log('Resumed.');
    live.repeated = true;
    this.#offer(live);
    return live.task;
  }

  /** Ids of tasks a former process left, so that their traces stay open until `recover`. */
  unfinishedIds(): ReadonlySet<string> {
    return new Set(this.#parts.tasks.unfinished().map(({ id }) => id));
  }

  /** Called once at start: what waited runs, what ran is marked interrupted. */
  async recover(): Promise<{ queued: number; interrupted: number }> {
    const { tasks, sessions, goals } = this.#parts;
    goals.releaseRunning();
    const unfinished = tasks.unfinished();
    const interrupted: Task[] = [];
    const queued: LiveTask[] = [];
    for (const task of unfinished) {
      const live = new LiveTask(task);
      if (!this.#parts.tracer.reopen(task.id)) this.#startTrace(task);
      if (task.status === 'PENDING') {
        this.#live.set(task.id, live);
        queued.push(live);
        continue;
      }
      if (task.request.sessionId !== null) task.result = sessions.answer(task.id)?.content || task.result;
      task.status = 'FAILED';
      live.log(INTERRUPTED.message);
      live.update({ llm_runtime: { status: 'error', error: toEnvelope(INTERRUPTED) } });
      interrupted.push(task);
      this.#closeTrace(task.id, INTERRUPTED);
    }
    await Promise.all([tasks.save(interrupted), ...queued.map((live) => this.#reopenSession(live))]);
    for (const live of queued) this.#queue.enqueue(live);
    return { queued: queued.length, interrupted: interrupted.length };
  }

  /** Lets running tasks end, then stops them; what waits stays for the next process. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    await this.#queue.close(graceMs);
    const running = [...this.#queue.active];
    for (const live of running) live.stop('interrupted');
    await Promise.all(running.map(({ done }) => done));
    for (const live of this.#live.values()) live.detach();
    this.#partials.flush();
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

  async #submit(request: TaskRequest, idempotencyKey: string | null): Promise<Task> {
    const { tasks, sessions, clock, events, counters } = this.#parts;
    await this.#checkPictures(request);
    this.#queue.reserve();
    let live: LiveTask | undefined;
    try {
      const facts = await this.#parts.identity();
      const parsed = this.#parsed(request);
      const mode = executionMode(request.forcedTool ?? parsed.tool, request.forcedIntent);
      const task: Task = {
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
        createdAt: clock.now(),
      };
      live = new LiveTask(task);
      this.#live.set(task.id, live);
      const { sessionId } = request;
      if (parsed.clear && sessionId !== null) await this.#parts.clearSession(sessionId);
      // One turn of the event loop, one commit: the task and its place in the session are on disk together.
      await Promise.all([
        tasks.insert(task, idempotencyKey),
        ...(sessionId === null
          ? []
          : [
              sessions.beginTurn({
                sessionId,
                requestId: task.id,
                userText: request.content,
                model: facts.model,
                idempotencyKey: null,
                instructions: request.instructions,
              }),
            ]),
      ]);
    } catch (error) {
      this.#queue.release();
      if (live) this.#live.delete(live.id);
      throw error;
    }
    const { task } = live;
    // A long queue is not to hold them all in memory.
    task.request = { ...request, pictures: undefined };
    counters.created += 1;
    this.#startTrace(task);
    events.publish('TASK_CREATED', 'A task was created.', { task_id: task.id, content: request.content });
    // As it was accepted: the contract's answer is PENDING, however soon it runs.
    const accepted = { ...task };
    this.#offer(live);
    return accepted;
  }

  #offer(live: LiveTask): void {
    const { events } = this.#parts;
    const got = this.#queue.offer(live);
    if (got === 'running') return;
    live.log(got === 'paused' ? 'Waiting: the queue is paused.' : 'Waiting for a free place.');
    events.publish('TASK_QUEUED', 'A task waits.', {
      task_id: live.id,
      ...(got === 'full' ? { active: this.#queue.active.size, limit: this.#queue.limit } : {}),
    });
  }

  async #run(live: LiveTask): Promise<void> {
    const { tracer, events } = this.#parts;
    const deadline = new Deadline(this.#options.timeoutMs, () => live.stop('task_timeout'));
    live.deadline = deadline;
    let turn: TaskTurn | DecidedTurn | undefined;
    try {
      live.task.status = 'PROCESSING';
      tracer.update(live.id, (trace) => {
        trace.status = 'PROCESSING';
      });
      tracer.step(live.id, 'Orchestrator', 'start_processing');
      events.publish('TASK_STARTED', 'A task runs.', { task_id: live.id });
      live.log('Started.');
      const parsed = this.#parsed(live.task.request);
      turn = toTurn(live, parsed);
      for (const command of parsed.unknown) live.log(`${command} is no command here; it was left out.`);
      if (parsed.clear && parsed.text.trim() === '') return await this.#cleared(turn);
      const decided = await decideTurn(turn, this.#parts);
      turn = decided;
      await this.#finish(
        decided,
        TEMPLATE_INTENTS.has(decided.intent) ? this._run_task_fastpath(decided) : await this.#answer(decided),
      );
    } catch (thrown) {
      await this.#fail(live, turn, failureOf(thrown, live));
    } finally {
      deadline.hold();
    }
  }

  /** A command and nothing else: it was carried out when the task was accepted. */
  async #cleared(turn: TaskTurn): Promise<void> {
    const { live } = turn;
    const language = live.task.request.preferredLanguage;
    const text = CLEARED[language ?? 'en'];
    live.update({ llm_runtime: { status: 'skipped' } });
    await this.#finish(
      {
        ...turn,
        intent: 'GENERAL_CHAT',
        wanted: 'GENERAL_CHAT',
        source: 'forced',
        language,
        toolRequired: false,
        asked: null,
      },
      { text, agent: AGENTS.session, labels: [] },
      { learn: false },
    );
  }

  /**
   * The fast path: static intents are answered from templates. No memory, no history, no engine, no network.
   */
  private _run_task_fastpath(turn: DecidedTurn): TurnOutcome {
    const { tracer, events, answers } = this.#parts;
    const { live, intent, text } = turn;
    tracer.step(live.id, 'Orchestrator', 'classify_intent', JSON.stringify({ intent, source: turn.source }));
    events.publish('AGENT_THOUGHT', `Intent: ${intent}`, { task_id: live.id, intent });
    tracer.step(
      live.id,
      'DecisionGate',
      intent === 'HELP_REQUEST' ? 'route_help' : 'route_to_agent',
      `{"intent":"${intent}"}`,
    );
    tracer.step(live.id, 'LLM', 'start', '{"skipped":"static answer"}');
    const answer = answers.answer(intent, {
      text,
      wanted: turn.wanted,
      language: live.task.request.preferredLanguage ?? turn.language,
      timeZone: live.task.request.timeZone ?? null,
      requestId: live.id,
    });
    live.replace(answer.text);
    live.update({ llm_runtime: { status: 'skipped' } });
    if (answer.widget !== undefined) {
      const widget = { id: `help-${live.id}`, type: 'markdown', data: { content: answer.widget } };
      events.publish('RENDER_WIDGET', 'Help', { widget }, null, live.task.request.owner ?? null);
    }
    return { text: answer.text, agent: AGENT_OF[intent], labels: [] };
  }

  async #answer(turn: DecidedTurn): Promise<TurnOutcome> {
    const { tasks, tracer, translator } = this.#parts;
    const { live } = turn;
    const answered = await this.#answering.answer(turn, tasks.markProcessing(live.id));
    const { chunkCount, firstChunkMs, lastEmitMs } = answered.streaming;
    live.update({ streaming: { chunk_count: chunkCount, first_chunk_ms: firstChunkMs, last_emit_ms: lastEmitMs } });
    tracer.update(live.id, (trace) => {
      trace.streaming = answered.streaming;
    });
    const target = live.task.request.preferredLanguage;
    if (target === null || translator === null) return answered;
    return { ...answered, text: await this.#translated(live, answered.text, target, translator) };
  }

  /** Where it cannot be translated, the text stays as it is, and the task says so. */
  async #translated(live: LiveTask, text: string, target: Language, translator: AnswerTranslator): Promise<string> {
    try {
      const translated = await translator.translate(text, target, live.signal);
      if (translated === null) return text;
      live.update({ translation: { source: translated.source, target, applied: true } });
      this.#parts.tracer.step(live.id, 'Orchestrator', 'translate_response', JSON.stringify({ target }));
      return translated.text;
    } catch (error) {
      live.signal.throwIfAborted();
      const { code } = toAppError(error);
      live.update({ translation: { target, applied: false, error: code } });
      live.log(`The answer could not be translated: ${code}.`);
      this.#parts.tracer.step(live.id, 'Orchestrator', 'translate_response', code, 'error');
      return text;
    }
  }

  async #finish(turn: DecidedTurn, outcome: TurnOutcome, { learn } = { learn: true }): Promise<void> {
    const { tracer, events, counters } = this.#parts;
    const { live, intent } = turn;
    const { agent, text } = outcome;
    live.signal.throwIfAborted();
    live.replace(text);
    live.update({
      llm_runtime: {
        ...(turn.asked === null ? {} : { status: 'ready' }),
        error: null,
        last_success_at: isoUtc(this.#parts.clock.now()),
      },
    });
    live.log('Completed.');
    tracer.step(live.id, agent.name, 'process_task', JSON.stringify({ chars: text.length }));
    await this.#store(live, 'COMPLETED', {
      text,
      status: 'complete',
      error: null,
      ...askedOf(turn),
    });
    tracer.step(live.id, 'System', 'complete', JSON.stringify({ result_length: text.length }));
    tracer.finish(live.id, 'COMPLETED');
    counters.completed += 1;
    if (live.repeated) counters.repeated += 1;
    counters.count(counters.agentUsage, agent.name);
    counters.count(counters.executionModes, executionMode(turn.tool, turn.wanted).mode);
    if (turn.toolRequired) counters.toolRequired += 1;
    else counters.llmOnly += 1;
    this.#end(live);
    events.publish('AGENT_ACTION', text, { task_id: live.id, intent }, agent.name);
    events.publish('TASK_COMPLETED', 'A task is complete.', { task_id: live.id, result_length: text.length });
    // A template teaches nothing, and its answer is no memory.
    if (learn && !TEMPLATE_INTENTS.has(intent)) this.#results(turn, text, null, outcome);
  }

  async #fail(live: LiveTask, turn: TaskTurn | DecidedTurn | undefined, failure: TaskFailure): Promise<void> {
    const { events, counters, clock } = this.#parts;
    // What was written so far is kept; the reason has a place of its own, and only without text is it the result.
    const partial = live.task.result ?? '';
    if (partial === '') live.replace(failure.message);
    live.update({
      llm_runtime: { status: 'error', error: toEnvelope(failure), last_error_at: isoUtc(clock.now()) },
      ...(BLOCKED.has(failure.code)
        ? { policy_blocked: true, decision: 'block', reason_code: failure.code, user_message: failure.message }
        : {}),
    });
    live.log(failure.message);
    const stopped = failure.code === 'cancelled' || failure.code === 'interrupted';
    const ended: AnswerEnd = {
      text: partial,
      status: stopped ? (failure.code as 'cancelled' | 'interrupted') : 'failed',
      error: { code: failure.code, message: failure.message },
      ...askedOf(turn),
    };
    const stored = await this.#store(live, 'FAILED', ended).then(
      () => true,
      () => false,
    );
    this.#closeTrace(live.id, failure);
    counters.failed += 1;
    if (failure.code === 'routing_mismatch') counters.modelMismatches += 1;
    if (live.repeated) counters.repeated += 1;
    if (BLOCKED.has(failure.code)) counters.block(failure.code, live.task.request.sessionId);
    if (stored) this.#end(live);
    else {
      // The place in the queue is given back; the task stays in sight until a disk takes its end.
      live.task.status = 'FAILED';
      live.end();
      this.#storeLater(live, ended);
    }
    if (failure.code === 'cancelled') {
      counters.aborted += 1;
      events.publish('TASK_ABORTED', 'A task was stopped.', { task_id: live.id });
    } else events.publish('TASK_FAILED', failure.message, { task_id: live.id, error: failure.message });
    if (turn && 'intent' in turn && !stopped) this.#results(turn, partial, failure.message, null);
  }

  /** Task and answer in one commit; nobody sees the end before it is on disk. */
  async #store(live: LiveTask, status: 'COMPLETED' | 'FAILED', end: AnswerEnd): Promise<void> {
    const { tasks, sessions } = this.#parts;
    const { sessionId } = live.task.request;
    this.#partials.delete(live.id);
    this.#parts.tracer.update(live.id, (trace) => {
      // The session's message keeps the receipt for as long as it lives.
      trace.receipt = sessionId === null ? end.receipt : null;
    });
    try {
      await Promise.all([
        tasks.save([{ ...live.task, status }]),
        ...(sessionId === null ? [] : [sessions.endTurn(sessionId, { requestId: live.id, ...end })]),
      ]);
    } catch (failure) {
      throw new TaskError(
        {
          code: toAppError(failure).code,
          message: 'The end of the task could not be stored.',
          stage: 'result_processing',
          retryable: true,
        },
        { cause: failure },
      );
    }
    live.task.status = status;
  }

  #storeLater(live: LiveTask, end: AnswerEnd): void {
    setTimeout(() => {
      if (this.#closing) return;
      this.#store(live, 'FAILED', end).then(
        () => this.#live.delete(live.id),
        () => this.#storeLater(live, end),
      );
    }, RETRY_SAVE_MS).unref();
  }

  #end(live: LiveTask): void {
    this.#live.delete(live.id);
    live.end();
  }

  #results(turn: DecidedTurn, answer: string, error: string | null, outcome: TurnOutcome | null): void {
    const { request } = turn.live.task;
    this.#parts.results.enqueue({
      requestId: turn.live.id,
      sessionId: request.sessionId,
      mode: isComplex(turn.intent) ? 'complex' : 'normal',
      intent: turn.wanted,
      toolRequired: turn.toolRequired,
      prompt: turn.text,
      answer,
      success: error === null,
      error,
      model: turn.asked?.model ?? null,
      language: turn.language,
      storeKnowledge: request.storeKnowledge,
      labels: outcome?.labels ?? [],
      finishedAt: this.#parts.clock.now(),
    });
  }

  async #purge(): Promise<number> {
    const removed = this.#queue.purge();
    for (const live of removed) live.stop('cancelled');
    for (const live of removed) {
      live.task.status = 'FAILED';
      live.replace(PURGED.message);
      live.update({ llm_runtime: { status: 'error', error: toEnvelope(PURGED) } });
      live.log(PURGED.message);
    }
    await Promise.all([
      this.#parts.tasks.save(removed.map(({ task }) => task)),
      ...removed.map(({ id, task }) =>
        task.request.sessionId === null
          ? undefined
          : this.#parts.sessions.endTurn(task.request.sessionId, {
              requestId: id,
              text: '',
              status: 'cancelled',
              error: { code: PURGED.code, message: PURGED.message },
              usage: null,
            }),
      ),
    ]);
    for (const live of removed) {
      this.#closeTrace(live.id, PURGED);
      this.#parts.counters.failed += 1;
      this.#end(live);
    }
    return removed.length;
  }

  #parsed(request: TaskRequest) {
    // The UI has taken the commands out itself where it forces something.
    if (request.forcedTool !== null || request.forcedProvider !== null)
      return { text: request.content, tool: null, provider: null, clear: false, unknown: [] };
    return this.#parts.slash.parse(request.content);
  }

  async #reopenSession({ id, task }: LiveTask): Promise<void> {
    if (task.request.sessionId !== null) await this.#parts.sessions.reopenTurn(task.request.sessionId, id);
  }

  #startTrace(task: Task): void {
    const { tracer } = this.#parts;
    const { request } = task;
    const runtime = task.context['llm_runtime'] as Record<string, string | null>;
    tracer.start({
      requestId: task.id,
      owner: request.owner ?? null,
      status: 'PENDING',
      prompt: request.content,
      sessionId: request.sessionId,
      provider: runtime['provider'] ?? null,
      model: runtime['model'] ?? null,
      endpoint: runtime['endpoint'] ?? null,
      configHash: runtime['config_hash'] ?? null,
      runtimeId: runtime['runtime_id'] ?? null,
      generationParams: request.generationParams,
      forced: { tool: request.forcedTool, provider: request.forcedProvider, intent: request.forcedIntent },
    });
    tracer.step(task.id, 'User', 'submit_request', request.content.slice(0, NEED_CHARS));
    tracer.step(
      task.id,
      'RoutingDecision',
      'compute',
      JSON.stringify({ provider: runtime['provider'], model: runtime['model'], at: 'submission' }),
    );
  }

  #closeTrace(id: string, failure: TaskFailure): void {
    const { tracer } = this.#parts;
    tracer.step(
      id,
      'System',
      'error',
      JSON.stringify({ code: failure.code, stage: failure.stage, message: failure.message }),
      'error',
    );
    tracer.finish(id, 'FAILED', failure);
  }
}

/** Refused by a rule, not by a fault. */
const BLOCKED: ReadonlySet<string> = new Set(['sensitive_blocked', 'budget_exceeded']);

const CLEARED = {
  en: 'The conversation begins anew.',
  pl: 'Rozmowa zaczyna się od nowa.',
  de: 'Das Gespräch beginnt von vorn.',
} as const;

/** What a turn has asked for, whether it ended well or not. */
function askedOf(turn: TaskTurn | DecidedTurn | undefined): Pick<AnswerEnd, 'usage' | 'model' | 'receipt'> {
  const asked = turn && 'asked' in turn ? turn.asked : null;
  return { usage: asked?.usage() ?? null, model: asked?.model ?? null, receipt: asked?.receipt ?? null };
}

const stopFailure = (code: string, message: string, retryable: boolean): TaskFailure => ({
  code,
  class: code,
  message,
  details: null,
  stage: 'queue',
  retryable,
});

const INTERRUPTED = stopFailure('interrupted', 'The server stopped while this task ran; it can be resumed.', true);
const PURGED = stopFailure('purged', 'The task was removed from the queue before it ran.', true);
const STOPPED = {
  cancelled: stopFailure('cancelled', 'The task was stopped.', true),
  interrupted: INTERRUPTED,
  task_timeout: stopFailure('task_timeout', 'The task took too long and was stopped.', true),
};

const failureOf = (thrown: unknown, live: LiveTask): TaskFailure =>
  live.stopped ? STOPPED[live.stopped] : toTaskFailure(thrown, live.task.request.content);

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
