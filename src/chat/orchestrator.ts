// Orchestrator: a task from submission to its stored end. `#run` is the pipeline, stage by stage; each stage is a file in
// tasks/, and what an operator or a restart does with tasks is there too.
import { AppError } from '../shared/errors.js';
import type { Owner } from '../shared/owner.js';
import { AGENT_OF, AGENTS } from './agents/agent.js';
import { TEMPLATE_INTENTS } from './intent-traits.js';
import type { AnswerTranslator, StaticAnswers } from './task-ports.js';
import { type AnswerParts, TurnAnswering } from './tasks/answer-turn.js';
import { Deadline } from './tasks/deadline.js';
import { type DecideParts, decideTurn } from './tasks/decide-turn.js';
import { type InterruptedParts, InterruptedTasks } from './tasks/interrupted-tasks.js';
import type { LiveTask } from './tasks/live-task.js';
import { type FoundTask, LiveTasks } from './tasks/live-tasks.js';
import { logLine } from './tasks/log-lines.js';
import { PartialTexts } from './tasks/partial-texts.js';
import { QueueControl, type QueueStatus } from './tasks/queue-control.js';
import type { Task, TaskPage, TaskRequest } from './tasks/task.js';
import { type AcceptanceParts, TaskAcceptance } from './tasks/task-acceptance.js';
import { type EndParts, TaskEnd } from './tasks/task-end.js';
import { failureOf } from './tasks/task-failure.js';
import { TaskQueue } from './tasks/task-queue.js';
import { type DecidedTurn, readText, type TaskTurn, type TurnOutcome, toTurn } from './tasks/task-turn.js';
import { translateAnswer } from './tasks/translate-answer.js';

const MAX_QUEUED_CHARS = 50_000_000;

const CLEARED = {
  en: 'The conversation begins anew.',
  pl: 'Rozmowa zaczyna się od nowa.',
  de: 'Das Gespräch beginnt von vorn.',
} as const;

/** What its stages need, less what the Orchestrator itself tells them. */
export interface OrchestratorParts
  extends AcceptanceParts,
    InterruptedParts,
    DecideParts,
    Omit<AnswerParts, 'isPaused' | 'whenResumed' | 'pictures' | 'onTool' | 'onPart'>,
    EndParts {
  answers: StaticAnswers;
  translator: AnswerTranslator | null;
}

export interface OrchestratorOptions {
  /** `MAX_CONCURRENT_TASKS`, or null where the limit is off. */
  maxConcurrent: number | null;
  maxQueued: number;
  timeoutMs: number;
}

export class Orchestrator {
  readonly #parts: OrchestratorParts;
  readonly #options: OrchestratorOptions;
  readonly #live: LiveTasks;
  readonly #queue: TaskQueue<LiveTask>;
  readonly #control: QueueControl;
  readonly #acceptance: TaskAcceptance;
  readonly #interrupted: InterruptedTasks;
  readonly #answering: TurnAnswering;
  readonly #partials: PartialTexts;
  readonly #end: TaskEnd;

  constructor(parts: OrchestratorParts, options: OrchestratorOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#live = new LiveTasks(parts.tasks);
    this.#queue = new TaskQueue({
      limit: options.maxConcurrent,
      maxWaiting: options.maxQueued,
      maxWaitingSize: MAX_QUEUED_CHARS,
      sizeOf: ({ task }) => task.request.content.length,
      run: (live) => this.#run(live),
    });
    const place = { live: this.#live, queue: this.#queue, offer: (live: LiveTask) => this.#offer(live) };
    this.#acceptance = new TaskAcceptance(parts, place);
    this.#interrupted = new InterruptedTasks(parts, place);
    this.#partials = new PartialTexts(parts.tasks, parts.sessions);
    this.#end = new TaskEnd(parts, this.#live, this.#partials);
    this.#control = new QueueControl(this.#queue, this.#end, parts.events);
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
      onPart: ({ live }, delta) => this.#partials.append(live, delta),
    });
  }

  /**
   * Resolves when the task is on disk; it runs by itself. The same key gets the same task.
   * @throws AppError `queue_full`, `shutting_down`, `insufficient_storage`, `unsupported` for pictures nobody here sees
   */
  async submit(request: TaskRequest, key: string | null = null): Promise<Task> {
    return this.#acceptance.submit(request, key);
  }

  /** Runs an interrupted task again. @throws AppError `task_not_found`, `conflict` where it was not interrupted */
  async resume(id: string, viewer: Owner = null): Promise<Task> {
    return this.#interrupted.resume(id, viewer);
  }

  /** @throws AppError `task_not_found`, also for a task that is not the viewer's */
  get(id: string, viewer: Owner = null): Task {
    return this.#live.get(id, viewer);
  }

  /** @throws AppError `task_not_found`, also for a task that is not the viewer's */
  find(id: string, viewer: Owner = null): FoundTask {
    return this.#live.find(id, viewer);
  }

  /** Newest first. */
  list(page: TaskPage): Task[] {
    return this.#live.list(page);
  }

  /** Whose a task is; the house's also where there is none. */
  ownerOf(id: string): Owner {
    return this.#live.peek(id)?.request.owner ?? null;
  }

  /** Whether the task waits or runs. */
  isLive(id: string): boolean {
    return this.#live.has(id);
  }

  /** Null for a request that is no task. */
  resultOf(id: string): string | null {
    return this.#live.peek(id)?.result ?? null;
  }

  countOfSession(sessionId: string): number {
    return this.#parts.tasks.countOfSession(sessionId);
  }

  get queue(): QueueStatus {
    return this.#control.status;
  }

  pause(): { activeTasks: number } {
    return this.#control.pause();
  }

  resumeQueue(): { pendingTasks: number } {
    return this.#control.resume();
  }

  /** What waits is removed and never runs. */
  async purge(): Promise<{ removed: number; activeTasks: number }> {
    return this.#control.purge();
  }

  async emergencyStop(): Promise<{ cancelled: number; purged: number }> {
    return this.#control.emergencyStop();
  }

  /** Resolves when its end is on disk and its trace closed. @throws AppError `task_not_found` where none runs */
  async abort(id: string, viewer: Owner = null): Promise<void> {
    const live = this.#live.liveOf(id, viewer);
    if (!live || !this.#queue.active.has(live)) throw new AppError('task_not_found', `No task ${id} is running.`);
    live.stop('cancelled');
    await live.done;
    // It came to its end in the same moment.
    if (live.task.status === 'COMPLETED') throw new AppError('task_not_found', `Task ${id} is complete.`);
  }

  /** Stops what runs in a session, because its messages are about to go. */
  stopSession(sessionId: string): void {
    for (const live of this.#queue.active) if (live.task.request.sessionId === sessionId) live.stop('cancelled');
  }

  /** Ids of tasks a former process left, so that their traces stay open until `recover`. */
  unfinishedIds(): ReadonlySet<string> {
    return new Set(this.#parts.tasks.unfinished().map(({ id }) => id));
  }

  /** Called once at start: what waited runs, what ran is marked interrupted. */
  async recover(): Promise<{ queued: number; interrupted: number }> {
    return this.#interrupted.recover();
  }

  /** Lets running tasks end, then stops them; what waits stays for the next process. */
  async close(graceMs: number): Promise<void> {
    this.#end.retryNoMore();
    await this.#queue.close(graceMs);
    const running = [...this.#queue.active];
    for (const live of running) live.stop('interrupted');
    await Promise.all(running.map(({ done }) => done));
    for (const live of this.#live) live.detach();
    this.#partials.flush();
  }

  /** Takes the place that was reserved in the queue: the task runs, or is told why it waits. */
  #offer(live: LiveTask): void {
    const got = this.#queue.offer(live);
    if (got === 'running') return;
    live.log(logLine(got === 'paused' ? 'waits_paused' : 'waits_place'));
    this.#parts.events.publish('TASK_QUEUED', 'A task waits.', {
      task_id: live.id,
      ...(got === 'full' ? { active: this.#queue.active.size, limit: this.#queue.limit } : {}),
    });
  }

  /** One run: begin, read the text, decide, answer from a template or by a model, end. Never rejects. */
  async #run(live: LiveTask): Promise<void> {
    const deadline = new Deadline(this.#options.timeoutMs, () => live.stop('task_timeout'));
    live.deadline = deadline;
    let turn: TaskTurn | DecidedTurn | undefined;
    try {
      this.#begin(live);
      const parsed = readText(live.task.request, this.#parts.slash);
      turn = toTurn(live, parsed);
      for (const command of parsed.unknown) live.log(logLine('unknown_command', { command }));
      if (parsed.clear && parsed.text.trim() === '') return await this.#cleared(turn);
      const decided = await decideTurn(turn, this.#parts);
      turn = decided;
      const outcome = TEMPLATE_INTENTS.has(decided.intent)
        ? this._run_task_fastpath(decided)
        : await this.#answer(decided);
      await this.#end.complete(decided, outcome);
    } catch (thrown) {
      await this.#end.fail(live, turn, failureOf(thrown, live));
    } finally {
      deadline.hold();
    }
  }

  #begin(live: LiveTask): void {
    const { tracer, events } = this.#parts;
    live.task.status = 'PROCESSING';
    tracer.update(live.id, (trace) => {
      trace.status = 'PROCESSING';
    });
    tracer.step(live.id, 'Orchestrator', 'start_processing');
    events.publish('TASK_STARTED', 'A task runs.', { task_id: live.id });
    live.log(logLine('started'));
  }

  /** A command and nothing else: it was carried out when the task was accepted. */
  async #cleared(turn: TaskTurn): Promise<void> {
    const { live } = turn;
    const language = live.task.request.preferredLanguage;
    live.update({ llm_runtime: { status: 'skipped' } });
    await this.#end.complete(
      {
        ...turn,
        intent: 'GENERAL_CHAT',
        wanted: 'GENERAL_CHAT',
        source: 'forced',
        language,
        toolRequired: false,
        asked: null,
      },
      { text: CLEARED[language ?? 'en'], agent: AGENTS.session, labels: [] },
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

  /** Everything else: an agent and its model, then the language the request asks for. */
  async #answer(turn: DecidedTurn): Promise<TurnOutcome> {
    const { tasks, tracer } = this.#parts;
    const { live } = turn;
    const answered = await this.#answering.answer(turn, tasks.markProcessing(live.id));
    const { chunkCount, firstChunkMs, lastEmitMs } = answered.streaming;
    live.update({ streaming: { chunk_count: chunkCount, first_chunk_ms: firstChunkMs, last_emit_ms: lastEmitMs } });
    tracer.update(live.id, (trace) => {
      trace.streaming = answered.streaming;
    });
    return { ...answered, text: await translateAnswer(live, answered.text, this.#parts) };
  }
}
