// How a task ends: well, with a failure, or removed before it ran. The end of the task and of its session's answer is one
// commit, and nobody sees it before it is on disk.
import { type Clock, isoUtc } from '../../shared/clock.js';
import { toAppError } from '../../shared/errors.js';
import { isComplex, TEMPLATE_INTENTS } from '../intent-traits.js';
import type { EventSink, TurnEnd } from '../ports.js';
import type { SessionStore } from '../sessions/session-store.js';
import type { RequestTracer } from '../tracing/request-tracer.js';
import type { TurnResults } from '../turn-ports.js';
import { executionMode } from './execution-mode.js';
import type { LiveTask } from './live-task.js';
import type { LiveTasks } from './live-tasks.js';
import { logLine } from './log-lines.js';
import type { PartialTexts } from './partial-texts.js';
import type { Task, TaskRepository } from './task.js';
import type { TaskCounters } from './task-counters.js';
import { PURGED, TaskError, type TaskFailure, toEnvelope } from './task-failure.js';
import { closeFailedTrace } from './task-trace.js';
import type { DecidedTurn, TaskTurn, TurnOutcome } from './task-turn.js';

const RETRY_SAVE_MS = 2_000;

/** Refused by a rule, not by a fault. */
const BLOCKED: ReadonlySet<string> = new Set(['sensitive_blocked', 'budget_exceeded']);

export interface EndParts {
  tasks: TaskRepository;
  sessions: SessionStore;
  tracer: RequestTracer;
  events: EventSink;
  clock: Clock;
  counters: TaskCounters;
  results: TurnResults;
}

type AnswerEnd = Omit<TurnEnd, 'requestId'>;

export class TaskEnd {
  readonly #parts: EndParts;
  readonly #live: LiveTasks;
  readonly #partials: PartialTexts;
  #closing = false;

  constructor(parts: EndParts, live: LiveTasks, partials: PartialTexts) {
    this.#parts = parts;
    this.#live = live;
    this.#partials = partials;
  }

  /**
   * @param learn  false where nothing of the turn is to be remembered
   * @throws TaskError where the end could not be stored, or the signal's reason; the task has not ended then
   */
  async complete(turn: DecidedTurn, outcome: TurnOutcome, { learn } = { learn: true }): Promise<void> {
    const { tracer, events, counters, clock } = this.#parts;
    const { live, intent } = turn;
    const { agent, text } = outcome;
    live.signal.throwIfAborted();
    live.replace(text);
    live.update({
      llm_runtime: {
        ...(turn.asked === null ? {} : { status: 'ready' }),
        error: null,
        last_success_at: isoUtc(clock.now()),
      },
    });
    live.log(logLine('completed'));
    tracer.step(live.id, agent.name, 'process_task', JSON.stringify({ chars: text.length }));
    await this.#store(live, 'COMPLETED', { text, status: 'complete', error: null, ...askedOf(turn) });
    tracer.step(live.id, 'System', 'complete', JSON.stringify({ result_length: text.length }));
    tracer.finish(live.id, 'COMPLETED');
    counters.completed += 1;
    if (live.repeated) counters.repeated += 1;
    counters.count(counters.agentUsage, agent.name);
    counters.count(counters.executionModes, executionMode(turn.tool, turn.wanted).mode);
    if (turn.toolRequired) counters.toolRequired += 1;
    else counters.llmOnly += 1;
    this.#release(live);
    events.publish('AGENT_ACTION', text, { task_id: live.id, intent }, agent.name);
    events.publish('TASK_COMPLETED', 'A task is complete.', { task_id: live.id, result_length: text.length });
    // A template teaches nothing, and its answer is no memory.
    if (learn && !TEMPLATE_INTENTS.has(intent)) this.#handOn(turn, text, null, outcome);
  }

  /** Never rejects: where the failure cannot be stored either, it is tried again until it can. */
  async fail(live: LiveTask, turn: TaskTurn | DecidedTurn | undefined, failure: TaskFailure): Promise<void> {
    const { tracer, events, counters, clock } = this.#parts;
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
    const stopped = failure.code === 'cancelled' || failure.code === 'interrupted' ? failure.code : null;
    const end: AnswerEnd = {
      text: partial,
      status: stopped ?? 'failed',
      error: { code: failure.code, message: failure.message },
      ...askedOf(turn),
    };
    const stored = await this.#store(live, 'FAILED', end).then(
      () => true,
      () => false,
    );
    closeFailedTrace(tracer, live.id, failure);
    counters.failed += 1;
    if (failure.code === 'routing_mismatch') counters.modelMismatches += 1;
    if (live.repeated) counters.repeated += 1;
    if (BLOCKED.has(failure.code)) counters.block(failure.code, live.task.request.sessionId);
    if (stored) this.#release(live);
    else {
      // The place in the queue is given back; the task stays in sight until a disk takes its end.
      live.task.status = 'FAILED';
      live.end();
      this.#storeLater(live, end);
    }
    if (failure.code === 'cancelled') {
      counters.aborted += 1;
      events.publish('TASK_ABORTED', 'A task was stopped.', { task_id: live.id });
    } else events.publish('TASK_FAILED', failure.message, { task_id: live.id, error: failure.message });
    if (turn && 'intent' in turn && stopped === null) this.#handOn(turn, partial, failure.message, null);
  }

  /** Tasks that waited and were taken out of the queue; each with its session's answer in one commit. */
  async purge(removed: readonly LiveTask[]): Promise<void> {
    const { tracer, counters } = this.#parts;
    for (const live of removed) live.stop('cancelled');
    for (const live of removed) {
      live.task.status = 'FAILED';
      live.replace(PURGED.message);
      live.update({ llm_runtime: { status: 'error', error: toEnvelope(PURGED) } });
      live.log(PURGED.message);
    }
    await Promise.all(
      removed.map(({ id, task }) =>
        this.#saved(task, {
          requestId: id,
          text: '',
          status: 'cancelled',
          error: { code: PURGED.code, message: PURGED.message },
          usage: null,
        }),
      ),
    );
    for (const live of removed) {
      closeFailedTrace(tracer, live.id, PURGED);
      counters.failed += 1;
      this.#release(live);
    }
  }

  /** The process is about to end: what no disk has taken so far is left to the next one. */
  retryNoMore(): void {
    this.#closing = true;
  }

  /** Task and answer in one commit; nobody sees the end before it is on disk. */
  async #store(live: LiveTask, status: 'COMPLETED' | 'FAILED', end: AnswerEnd): Promise<void> {
    const { tracer } = this.#parts;
    const { sessionId } = live.task.request;
    this.#partials.forget(live);
    tracer.update(live.id, (trace) => {
      // The session's message keeps the receipt for as long as it lives.
      trace.receipt = sessionId === null ? end.receipt : null;
    });
    try {
      await this.#saved({ ...live.task, status }, { requestId: live.id, ...end });
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

  /** A task that has ended, and the answer of its session with it. */
  async #saved(task: Task, end: TurnEnd): Promise<void> {
    const { tasks, sessions } = this.#parts;
    const { sessionId } = task.request;
    const save = () => tasks.save([task]);
    await (sessionId === null ? save() : sessions.endTurn(sessionId, end, save));
  }

  #storeLater(live: LiveTask, end: AnswerEnd): void {
    setTimeout(() => {
      if (this.#closing) return;
      this.#store(live, 'FAILED', end).then(
        () => this.#live.remove(live),
        () => this.#storeLater(live, end),
      );
    }, RETRY_SAVE_MS).unref();
  }

  #release(live: LiveTask): void {
    this.#live.remove(live);
    live.end();
  }

  /** To the background: titles, learning, memory. */
  #handOn(turn: DecidedTurn, answer: string, error: string | null, outcome: TurnOutcome | null): void {
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
}

/** What a turn has asked for, whether it ended well or not. */
function askedOf(turn: TaskTurn | DecidedTurn | undefined): Pick<AnswerEnd, 'usage' | 'model' | 'receipt'> {
  const asked = turn && 'asked' in turn ? turn.asked : null;
  return { usage: asked?.usage() ?? null, model: asked?.model ?? null, receipt: asked?.receipt ?? null };
}
