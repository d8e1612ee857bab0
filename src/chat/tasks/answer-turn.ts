// The second half of a turn: context, agent, model; for code with a reviewer, for complex goals with a plan.

import { type Clock, isoUtc } from '../../shared/clock.js';
import { AppError, toAppError } from '../../shared/errors.js';
import { AGENT_OF, AGENTS, type AgentDefinition, PLAN_AGENTS } from '../agents/agent.js';
import { reviewedCode } from '../agents/code-review.js';
import { type MadePlan, makePlan } from '../planning/make-plan.js';
import type { PlanStep } from '../planning/plan.js';
import { planNote, planReport, stepSection } from '../planning/report.js';
import { runPlan, type StepOutcome } from '../planning/run-plan.js';
import type { EventSink } from '../ports.js';
import type { ChatTool, ToolBox, WaitingCall } from '../task-ports.js';
import type { RequestTracer } from '../tracing/request-tracer.js';
import type { BuiltContext, ChatRouter, ContextBuilder, RoutedTarget } from '../turn-ports.js';
import type { LiveTask } from './live-task.js';
import { checkRouting } from './routing-check.js';
import { routingSummary, runtimeContext } from './runtime-context.js';
import type { Picture } from './task.js';
import { TaskError } from './task-failure.js';
import { TaskModel, type TaskModelOptions } from './task-model.js';
import type { DecidedTurn, TurnOutcome } from './task-turn.js';

const TOUCH_EVERY_MS = 5_000;
const STREAMING_EVERY_MS = 250;
const PREVIEW_CHARS = 200;
const CONTEXT_PREVIEW_CHARS = 4_000;
const SHOWN_INSTRUCTION_CHARS = 300;
const EARLIER_STEP_CHARS = 4_000;
const EARLIER_PLAIN_CHARS = 1_000;
const STEP_PREVIEW_CHARS = 240;
/** A small model does not end by itself. */
const SMALL_STEP_TOKENS = 384;

export interface AnswerParts {
  router: ChatRouter;
  context: ContextBuilder;
  toolBox: ToolBox;
  tracer: RequestTracer;
  events: EventSink;
  clock: Clock;
  /** What a person sees as active now. */
  active: () => Promise<{ configHash: string; runtimeId: string; model: string }>;
  /** Tokens that may be sent to a model. */
  budgetTokens: (model: string) => Promise<number>;
  countTokens: (model: string, text: string, signal: AbortSignal) => number | Promise<number>;
  functionCalling: (model: string, provider: string) => boolean;
  /** Whether a model is known to be too small for long forms. */
  isSmall: (model: string) => Promise<boolean>;
  pictures: (taskId: string) => readonly Picture[];
  /** @throws AppError `unsupported` where the model is known not to see */
  requireSight: TaskModelOptions['requireSight'];
  onAnswer: TaskModelOptions['onAnswer'];
  onFailure: TaskModelOptions['onFailure'];
  onTool: (name: string) => void;
  /** Text that belongs to the answer, for the session. */
  onPart: (turn: DecidedTurn, delta: string) => void;
}

export interface AnsweredTurn extends TurnOutcome {
  streaming: TaskModel['streaming'];
}

export class TurnAnswering {
  readonly #parts: AnswerParts;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
  }

  /**
   * @param marked  resolves when the task is on disk as running; no engine is asked before
   * @throws TaskError or AppError: what failed, never a text in its place
   */
  async answer(turn: DecidedTurn, marked: Promise<void>): Promise<AnsweredTurn> {
    const { tracer, events } = this.#parts;
    const { live, intent } = turn;
    const agent = AGENT_OF[intent];
    const [built] = await Promise.all([this.#context(turn, agent), marked]);
    const labels = [...new Set([...built.labels, ...(live.task.request.labels ?? [])])];
    const context = { ...built, labels };
    tracer.step(live.id, 'Orchestrator', 'classify_intent', JSON.stringify({ intent, source: turn.source }));
    events.publish('AGENT_THOUGHT', `Intent: ${intent}`, { task_id: live.id, intent });
    const model = this.#model(turn, agent, await this.#parts.active());
    turn.asked = model;
    let text: string;
    if (intent === 'CODE_GENERATION') {
      tracer.step(live.id, 'DecisionGate', 'select_code_review_loop', null);
      text = await this.#code(turn, model, context);
    } else if (intent === 'COMPLEX_PLANNING') {
      tracer.step(live.id, 'DecisionGate', 'route_to_architect', null);
      text = await this.#plan(turn, model, context);
    } else {
      tracer.step(live.id, 'DecisionGate', 'route_to_agent', JSON.stringify({ agent: agent.id }));
      const answer = await model.ask({
        agent,
        messages: context.messages,
        labels,
        tools: this.#tools(turn, agent),
        mustCall: turn.toolRequired,
        onText: (delta) => this.#show(turn, model, delta),
      });
      text = answer.text;
    }
    return {
      text,
      agent,
      // What was found in the question sticks to what is made from the turn.
      labels: [...new Set([...labels, ...(model.receipt?.decision?.findings ?? [])])],
      streaming: model.streaming,
    };
  }

  async #context(turn: DecidedTurn, agent: AgentDefinition): Promise<BuiltContext> {
    const { live, text } = turn;
    const { request } = live.task;
    const { context, active, budgetTokens, countTokens, tracer } = this.#parts;
    const forced = turn.tool !== null;
    const { model } = await active();
    const built = await context.build({
      sessionId: request.sessionId,
      requestId: live.id,
      text,
      intent: turn.intent,
      language: turn.language,
      budgetTokens: await budgetTokens(model),
      countTokens: (part) => countTokens(model, part, live.signal),
      systemPrompt: agent.prompt,
      preferences: definedOnly({
        scope: request.preferenceScope ?? undefined,
        tone: request.tone ?? undefined,
        styleNotes: request.styleNotes ?? undefined,
        language: request.preferredLanguage ?? undefined,
      }),
      extra: request.extraContext ?? {},
      withHistory: !forced,
      withMemory: !forced && !turn.toolRequired,
      signal: live.signal,
    });
    live.task.contextUsed = {
      lessons: built.lessons.map(({ id }) => id),
      memoryEntries: built.recalled.map(({ id }) => id),
    };
    live.update({
      context_used: { lessons: live.task.contextUsed.lessons, memory_entries: live.task.contextUsed.memoryEntries },
      ...(built.dropped.length > 0 ? { context_dropped: built.dropped } : {}),
      ...(built.degraded ? { context_degraded: built.degraded } : {}),
    });
    if (built.hiddenPrompts > 0)
      tracer.step(live.id, 'DecisionGate', 'hidden_prompts', JSON.stringify({ count: built.hiddenPrompts }));
    const preview = built.messages.map(({ role, content }) => `[${role}] ${content}`).join('\n');
    tracer.step(
      live.id,
      'DecisionGate',
      'context_preview',
      JSON.stringify({
        mode: 'normal',
        prompt_context_preview: preview.slice(0, CONTEXT_PREVIEW_CHARS),
        prompt_context_truncated: preview.length > CONTEXT_PREVIEW_CHARS,
        hidden_prompts_count: built.hiddenPrompts,
      }),
    );
    tracer.update(live.id, (trace) => {
      trace.contextUsed = live.task.contextUsed;
      trace.contextLimits = { dropped: built.dropped, degraded: built.degraded };
    });
    return built;
  }

  #model(turn: DecidedTurn, agent: AgentDefinition, active: { configHash: string; runtimeId: string }): TaskModel {
    const { live } = turn;
    const { request } = live.task;
    const { router, tracer, clock, functionCalling, pictures, requireSight, onAnswer, onFailure } = this.#parts;
    let told: RoutedTarget | undefined;
    let touchedAt = performance.now();
    return new TaskModel({
      router,
      mode: turn.intent === 'COMPLEX_PLANNING' ? 'complex' : 'normal',
      sessionId: request.sessionId,
      requestId: live.id,
      forcedProvider: turn.provider,
      forcedTool: turn.tool,
      language: turn.language,
      generationParams: request.generationParams,
      functionCalling,
      pictures: request.images > 0 ? pictures(live.id) : [],
      requireSight,
      signal: live.signal,
      onTarget: (target) => {
        checkRouting(target, active, {
          configHash: request.expectedConfigHash,
          runtimeId: request.expectedRuntimeId,
          provider: turn.provider,
        });
        if (told && told.model === target.model && told.provider === target.provider) return;
        const first = told === undefined;
        told = target;
        const summary = routingSummary(target.decision);
        live.update({
          llm_runtime: runtimeContext(target, target.decision.target),
          ...(first ? { routing_decision: summary } : {}),
        });
        tracer.update(live.id, (trace) => {
          trace.provider = target.provider;
          trace.model = target.model;
          trace.endpoint = target.endpoint;
          trace.configHash = target.configHash;
          trace.runtimeId = target.runtimeId;
          if (first) trace.routingDecision = summary;
        });
        if (first)
          tracer.step(
            live.id,
            'LLM',
            'start',
            JSON.stringify({
              agent: agent.id,
              provider: target.provider,
              model: target.model,
              reason: target.decision.reason,
            }),
          );
      },
      onActivity: () => {
        const now = performance.now();
        if (now - touchedAt < TOUCH_EVERY_MS) return;
        touchedAt = now;
        // A long answer is not a lost one.
        tracer.touch(live.id);
      },
      onFirstText: (elapsedMs, text) => {
        const at = isoUtc(clock.now());
        const preview = text.slice(0, PREVIEW_CHARS);
        const elapsed = Math.round(elapsedMs);
        live.update({ first_token: { at, elapsed_ms: elapsed, preview } });
        live.log(`First words after ${elapsed} ms.`);
        tracer.update(live.id, (trace) => {
          trace.firstToken = { at, elapsedMs: elapsed, preview };
        });
      },
      onToolCall: (name, result, durationMs) => {
        this.#parts.onTool(name);
        live.log(`Tool ${name} ${result.failed ? 'failed' : 'answered'} in ${Math.round(durationMs)} ms.`);
        tracer.step(
          live.id,
          'Tool',
          name.slice(0, 100),
          JSON.stringify({ duration_ms: Math.round(durationMs), chars: result.text.length }),
          result.failed ? 'error' : 'ok',
        );
      },
      onWaiting: this.#waiting(live),
      onAnswer: (target, usage, receipt) => {
        const answered = receipt.attempts.at(-1);
        // Somebody else stood in: what is said of the engine is said of who answered.
        if (answered && (answered.model !== target.model || answered.provider !== target.provider)) {
          const { provider, model, endpoint } = answered;
          live.update({ llm_runtime: { provider, model, endpoint }, routing_decision: { fallback_applied: true } });
          tracer.update(live.id, (trace) => {
            Object.assign(trace, { provider, model, endpoint });
            if (trace.routingDecision) trace.routingDecision['fallback_applied'] = true;
          });
        }
        onAnswer(target, usage, receipt);
      },
      onFailure,
    });
  }

  /** A call waits for a person: the task says so, and is not taken for a lost one. */
  #waiting(live: LiveTask): TaskModelOptions['onWaiting'] {
    const waiting = new Map<string, WaitingCall>();
    let touching: NodeJS.Timeout | undefined;
    return (call, state) => {
      if (state === 'waits') {
        waiting.set(call.id, call);
        live.log(`${call.tool} waits for your yes.`);
        touching ??= setInterval(() => this.#parts.tracer.touch(live.id), TOUCH_EVERY_MS).unref();
      } else waiting.delete(call.id);
      if (waiting.size === 0) {
        clearInterval(touching);
        touching = undefined;
      }
      const shown = [...waiting.values()].map(({ id, tool, title, reason }) => ({
        approval_id: id,
        tool,
        title,
        reason,
      }));
      live.update({ waiting_for_you: shown.length > 0 ? shown : null });
      this.#parts.tracer.step(live.id, 'Approval', state, JSON.stringify({ approval_id: call.id, tool: call.tool }));
    };
  }

  #tools(turn: DecidedTurn, agent: AgentDefinition): readonly ChatTool[] {
    if (!agent.tools) return [];
    return this.#parts.toolBox.toolsFor({
      intent: turn.intent,
      forcedTool: turn.tool,
      sessionId: turn.live.task.request.sessionId,
      text: turn.text,
    });
  }

  /** Text as it comes, and how the stream goes, a few times a second. */
  #show(turn: DecidedTurn, model: TaskModel, delta: string): void {
    model.shown(delta);
    turn.live.append(delta);
    this.#parts.onPart(turn, delta);
    const { chunkCount, firstChunkMs, lastEmitMs } = model.streaming;
    const told = (turn.live.task.context['streaming'] as { last_emit_ms?: number } | undefined)?.last_emit_ms;
    if (told === undefined || (lastEmitMs ?? 0) - told >= STREAMING_EVERY_MS)
      turn.live.update({
        streaming: { chunk_count: chunkCount, first_chunk_ms: firstChunkMs, last_emit_ms: lastEmitMs },
      });
  }

  async #code(turn: DecidedTurn, model: TaskModel, context: BuiltContext): Promise<string> {
    const { live } = turn;
    const { tracer } = this.#parts;
    let draft = 0;
    const result = await reviewedCode({
      write: async (repair) => {
        draft += 1;
        if (draft > 1) live.replace(null);
        if (draft > 1) live.repeated = true;
        live.log(`Draft ${draft} is being written.`);
        const { text } = await model.ask({
          agent: AGENTS.coder,
          messages: [
            ...context.messages,
            ...(repair
              ? [
                  { role: 'assistant' as const, content: repair.code },
                  {
                    role: 'user' as const,
                    content: `A reviewer found this. Write the whole answer again with it mended:\n${repair.feedback}`,
                  },
                ]
              : []),
          ],
          labels: context.labels,
          onText: (delta) => {
            // The session keeps the first draft as it comes; the end of the turn writes what became of it.
            if (draft === 1) this.#show(turn, model, delta);
            else live.append(delta);
          },
        });
        return text;
      },
      review: async (code) => {
        const { text } = await model.ask({
          agent: AGENTS.critic,
          pictures: false,
          messages: [
            { role: 'system', content: AGENTS.critic.prompt },
            { role: 'user', content: `What was asked for:\n${turn.text}\n\nThe answer:\n${code}` },
          ],
          labels: context.labels,
        });
        return text;
      },
      costUsd: () => model.costUsd,
      onRound: (round, verdict, feedback) => {
        live.log(`Review ${round}: ${verdict}.`);
        tracer.step(
          live.id,
          AGENTS.critic.name,
          'review',
          JSON.stringify({ round, verdict, feedback: feedback.slice(0, 1_000) }),
          verdict === 'approved' ? 'ok' : 'blocked',
        );
      },
    });
    live.update({ code_review: { approved: result.approved, rounds: result.rounds, stopped: result.stopped } });
    return result.approved ? result.code : `${result.code}\n\n---\n${reviewNote(turn, result.feedback)}`;
  }

  async #plan(turn: DecidedTurn, model: TaskModel, context: BuiltContext): Promise<string> {
    const { live } = turn;
    const { tracer, events } = this.#parts;
    const language = turn.live.task.request.preferredLanguage ?? turn.language;
    const small = await this.#parts.isSmall((await this.#parts.active()).model);
    const { steps: plan, source } = await this.#makePlan(turn, model, context, small);
    const statuses = new Map<number, string>();
    /** What running steps have written so far; whole texts stand in the answer once they are done. */
    const written = new Map<number, string>();
    let shownAt = 0;
    const showPlan = () =>
      live.update({
        plan: plan.map(({ number, agent, instruction, dependsOn }) => ({
          step: number,
          agent,
          instruction: instruction.slice(0, SHOWN_INSTRUCTION_CHARS),
          depends_on: dependsOn,
          status: statuses.get(number) ?? 'waiting',
          ...(written.has(number) ? { preview: written.get(number)?.slice(-STEP_PREVIEW_CHARS) } : {}),
        })),
      });
    showPlan();
    live.log(`Plan with ${plan.length} ${plan.length === 1 ? 'step' : 'steps'}.`);
    events.publish(
      'PLAN_CREATED',
      `A plan with ${plan.length} steps.`,
      {
        task_id: live.id,
        goal: turn.text,
        steps_count: plan.length,
        steps: plan.map(({ number, agent, instruction }) => ({
          step: number,
          agent,
          instruction: instruction.slice(0, 100),
        })),
      },
      'Architect',
    );
    const outcomes = await runPlan(plan, {
      run: async (step, earlier, problem) => {
        const { text } = await model.ask({
          agent: small ? { ...PLAN_AGENTS[step.agent], maxOutputTokens: SMALL_STEP_TOKENS } : PLAN_AGENTS[step.agent],
          onText: (delta) => {
            written.set(step.number, (written.get(step.number) ?? '') + delta);
            const now = performance.now();
            if (now - shownAt < STREAMING_EVERY_MS) return;
            shownAt = now;
            showPlan();
          },
          messages: small ? plainStep(step, earlier) : stepMessages(turn.text, step, earlier, problem),
          labels: context.labels,
        });
        return text;
      },
      isFinal: (error) => live.signal.aborted || isFinal(error),
      describe: (error) => (error instanceof TaskError ? error.message : toAppError(error).message),
      onStart: (step, attempt) => {
        statuses.set(step.number, 'running');
        written.delete(step.number);
        showPlan();
        if (attempt > 1) live.repeated = true;
        live.log(`Step ${step.number} (${step.agent})${attempt > 1 ? ' once more' : ''}: ${step.instruction}`);
        events.publish(
          'PLAN_STEP_STARTED',
          `Step ${step.number} started.`,
          { task_id: live.id, step_number: step.number, agent_type: step.agent, instruction: step.instruction },
          'Architect',
        );
      },
      onEnd: (outcome) => {
        const { step, status, text } = outcome;
        statuses.set(step.number, status);
        written.delete(step.number);
        showPlan();
        live.log(`Step ${step.number} ${status === 'done' ? 'done' : `${status}: ${text}`}.`);
        tracer.step(
          live.id,
          'Architect',
          `step_${step.number}`,
          JSON.stringify({ agent: step.agent, status, chars: text.length, attempts: outcome.attempts }),
          status === 'done' ? 'ok' : 'error',
        );
        events.publish(
          'PLAN_STEP_COMPLETED',
          `Step ${step.number} ${status}.`,
          { task_id: live.id, step_number: step.number, result_length: status === 'done' ? text.length : 0, status },
          'Architect',
        );
        this.#show(turn, model, stepSection(outcome, language));
      },
    });
    if (outcomes.every(({ status }) => status !== 'done')) {
      throw new TaskError({
        code: 'plan_failed',
        message: `No step of the plan could be done: ${outcomes[0]?.text ?? 'it was empty'}`,
        stage: 'plan_execution',
        retryable: true,
      });
    }
    return planReport(outcomes, language, source);
  }

  async #makePlan(turn: DecidedTurn, model: TaskModel, context: BuiltContext, small: boolean): Promise<MadePlan> {
    const { live } = turn;
    const made = await makePlan({
      goal: turn.text,
      language: turn.live.task.request.preferredLanguage ?? turn.language,
      messages: context.messages,
      small,
      ask: async (messages, jsonSchema) =>
        (await model.ask({ agent: AGENTS.architect, messages, labels: context.labels, jsonSchema })).text,
      onRefused: (attempt, problems) => {
        live.repeated = true;
        live.log(`The plan was refused: ${problems.join(' ')}`);
        this.#parts.tracer.step(live.id, 'Architect', 'plan_refused', JSON.stringify({ attempt, problems }), 'error');
      },
    });
    live.update({ plan_source: made.source });
    if (made.source !== 'model') live.log(planNote(made.source, 'en'));
    return made;
  }
}

/** What a small model can follow: the step and what came just before it. Headings it would repeat. */
function plainStep(step: PlanStep, earlier: readonly StepOutcome[]) {
  const before = earlier.at(-1)?.text.slice(0, EARLIER_PLAIN_CHARS);
  return [
    { role: 'system' as const, content: AGENTS.chat.prompt },
    ...(before
      ? [
          { role: 'user' as const, content: earlier.at(-1)?.step.instruction ?? '' },
          { role: 'assistant' as const, content: before },
        ]
      : []),
    { role: 'user' as const, content: step.instruction },
  ];
}

function stepMessages(goal: string, step: PlanStep, earlier: readonly StepOutcome[], problem: string | null) {
  const before = earlier
    .map(({ step: { number }, text }) => `Result of step ${number}:\n${text.slice(0, EARLIER_STEP_CHARS)}`)
    .join('\n\n');
  return [
    { role: 'system' as const, content: PLAN_AGENTS[step.agent].prompt },
    {
      role: 'user' as const,
      content: [
        step.instruction === goal ? '' : `The whole goal, for orientation:\n${goal}`,
        before,
        problem ? `The last try failed: ${problem}` : '',
        step.instruction === goal ? goal : `Your step:\n${step.instruction}`,
      ]
        .filter(Boolean)
        .join('\n\n'),
    },
  ];
}

/** Failures that a second try of one step cannot mend. */
const isFinal = (error: unknown): boolean =>
  error instanceof TaskError ||
  (error instanceof AppError &&
    ['no_model', 'model_not_found', 'no_endpoint', 'sensitive_blocked', 'budget_exceeded'].includes(error.code));

const REVIEW_NOTE = {
  en: 'Not approved by the reviewer, whose last remarks were:',
  pl: 'Bez akceptacji recenzenta; ostatnie uwagi:',
  de: 'Vom Prüfer nicht freigegeben; seine letzten Anmerkungen:',
} as const;

const reviewNote = (turn: DecidedTurn, feedback: string): string =>
  `⚠ ${REVIEW_NOTE[turn.live.task.request.preferredLanguage ?? turn.language ?? 'en']}\n${feedback}`;

function definedOnly<T extends Record<string, unknown>>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
