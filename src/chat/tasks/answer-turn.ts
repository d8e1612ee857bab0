// The second half of a turn: context, agent, model. Who works on it and how is in the files named *-turn.ts beside this one.
import { type Clock, isoUtc } from '../../shared/clock.js';
import { AGENT_OF, type AgentDefinition } from '../agents/agent.js';
import type { CampaignBounds } from '../campaign/campaign.js';
import type { GoalRepository } from '../campaign/goal.js';
import type { CouncilBounds } from '../council/council.js';
import { councilChoice } from '../council/council-choice.js';
import type { IntentRecognizer } from '../intent.js';
import { isComplex } from '../intent-traits.js';
import type { EventSink } from '../ports.js';
import type { ToolBox, ToolFinding, WaitingCall } from '../task-ports.js';
import type { RequestTracer } from '../tracing/request-tracer.js';
import type { BuiltContext, ChatRouter, ContextBuilder, RoutedTarget } from '../turn-ports.js';
import { agentTurn } from './agent-turn.js';
import { campaignTurn } from './campaign-turn.js';
import { codeTurn } from './code-turn.js';
import { councilTurn } from './council-turn.js';
import type { LiveTask } from './live-task.js';
import { logLine } from './log-lines.js';
import { planTurn } from './plan-turn.js';
import { checkRouting } from './routing-check.js';
import { routingSummary, runtimeContext } from './runtime-context.js';
import type { Picture } from './task.js';
import { TaskModel, type TaskModelOptions } from './task-model.js';
import { type DecidedTurn, placeOfTools, type TurnOutcome } from './task-turn.js';
import { labelsOf, type TurnWork } from './turn-work.js';

const TOUCH_EVERY_MS = 5_000;
const STREAMING_EVERY_MS = 250;
const PREVIEW_CHARS = 200;
const CONTEXT_PREVIEW_CHARS = 4_000;

export interface AnswerParts {
  router: ChatRouter;
  context: ContextBuilder;
  toolBox: ToolBox;
  intents: IntentRecognizer;
  goals: GoalRepository;
  council: CouncilBounds;
  campaign: CampaignBounds;
  /** Resolves at once where the queue is not paused. @throws the signal's reason */
  whenResumed: (live: LiveTask) => Promise<void>;
  isPaused: () => boolean;
  tracer: RequestTracer;
  events: EventSink;
  clock: Clock;
  /** What a person sees as active now. */
  active: () => Promise<{ configHash: string; runtimeId: string; model: string }>;
  /** Tokens that may be sent to a model. */
  budgetTokens: (model: string) => Promise<number>;
  countTokens: (model: string, text: string, signal: AbortSignal) => number | Promise<number>;
  functionCalling: (model: string, provider: string) => boolean | Promise<boolean>;
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
    const work = await this.#work(turn, model, context);
    const text = await this.#text(work, agent);
    return {
      text,
      agent,
      // What was found in the question sticks to what is made from the turn.
      labels: [...new Set([...labelsOf(work), ...(model.receipt?.decision?.findings ?? [])])],
      streaming: model.streaming,
    };
  }

  async #work(turn: DecidedTurn, model: TaskModel, context: BuiltContext): Promise<TurnWork> {
    const { tracer, events, toolBox, intents, clock, active, isSmall, budgetTokens } = this.#parts;
    const name = turn.live.task.request.model ?? (await active()).model;
    const [small, tokens] = await Promise.all([isSmall(name), budgetTokens(name)]);
    return {
      turn,
      model,
      context,
      small,
      budgetTokens: tokens,
      language: turn.live.task.request.preferredLanguage ?? turn.language ?? 'en',
      tracer,
      events,
      toolBox,
      intents,
      clock,
      callTool: (name, input) => this.#callTool(turn, model, context, name, input),
      show: (delta) => this.#show(turn, model, delta),
    };
  }

  #text(work: TurnWork, agent: AgentDefinition): Promise<string> {
    const { tracer, turn, small } = work;
    const { id } = turn.live;
    const gate = (action: string, details: object | null = null) =>
      tracer.step(id, 'DecisionGate', action, details && JSON.stringify(details));
    if (turn.intent === 'START_CAMPAIGN') {
      gate('route_campaign');
      const { goals, campaign, isPaused, whenResumed } = this.#parts;
      return campaignTurn(work, { goals, bounds: campaign, isPaused, whenResumed: () => whenResumed(turn.live) });
    }
    if (turn.intent === 'CODE_GENERATION') {
      gate('select_code_review_loop');
      return codeTurn(work);
    }
    if (turn.intent === 'COMPLEX_PLANNING') {
      const choice = councilChoice(turn.text, { enabled: this.#parts.council.rounds > 0, small });
      turn.live.update({ council_choice: choice });
      if (choice.convened) {
        gate('select_council_mode', choice);
        return councilTurn(work, this.#parts.council);
      }
      gate('route_to_architect', choice);
      return planTurn(work);
    }
    gate('route_to_agent', { agent: agent.id });
    return agentTurn(work, agent);
  }

  async #context(turn: DecidedTurn, agent: AgentDefinition): Promise<BuiltContext> {
    const { live, text } = turn;
    const { request } = live.task;
    const { context, active, budgetTokens, countTokens, tracer } = this.#parts;
    const forced = turn.tool !== null;
    const model = request.model ?? (await active()).model;
    const built = await context.build({
      sessionId: request.sessionId,
      owner: request.owner ?? null,
      requestId: live.id,
      text,
      intent: turn.intent,
      language: turn.language,
      budgetTokens: await budgetTokens(model),
      countTokens: (part) => countTokens(model, part, live.signal),
      systemPrompt: agent.prompt,
      instructions: request.instructions,
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
      mode: isComplex(turn.intent) ? 'complex' : 'normal',
      sessionId: request.sessionId,
      requestId: live.id,
      forcedProvider: turn.provider,
      model: request.model,
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
        live.log(logLine('first_words', { value: elapsed }));
        tracer.update(live.id, (trace) => {
          trace.firstToken = { at, elapsedMs: elapsed, preview };
        });
      },
      onToolCall: (name, { failed, text }, durationMs) =>
        this.#toolCalled(live, name, { failed, chars: text.length }, durationMs),
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
        touching ??= setInterval(() => this.#parts.tracer.touch(live.id), TOUCH_EVERY_MS).unref();
      } else waiting.delete(call.id);
      if (waiting.size === 0) {
        clearInterval(touching);
        touching = undefined;
      }
      const shown = [...waiting.values()].map(({ kind, id, tool, title, reason }) => ({
        [`${kind}_id`]: id,
        tool,
        title,
        reason,
      }));
      live.update({ waiting_for_you: shown.length > 0 ? shown : null });
      // After it: followers are told with the line, and the line alone does not say what to answer.
      if (state === 'waits')
        live.log(
          logLine(call.kind === 'approval' ? 'approval_waits' : 'question_waits', {
            tool: call.title === call.tool ? call.tool : `${call.title} (${call.tool})`,
          }),
        );
      const step = call.kind === 'approval' ? 'Approval' : 'Question';
      this.#parts.tracer.step(live.id, step, state, JSON.stringify({ [`${call.kind}_id`]: call.id, tool: call.tool }));
    };
  }

  async #callTool(
    { live }: DecidedTurn,
    model: TaskModel,
    context: BuiltContext,
    name: string,
    input: Record<string, unknown>,
  ): Promise<ToolFinding> {
    const startedAt = performance.now();
    const found = await this.#parts.toolBox.call(name, input, {
      signal: live.signal,
      ...placeOfTools(live.task.request),
      requestId: live.id,
      labels: labelsOf({ context, model }),
      onWaiting: this.#waiting(live),
    });
    model.foundLabels(found.labels);
    this.#toolCalled(live, name, { failed: found.failed, chars: found.text.length }, performance.now() - startedAt);
    return found;
  }

  #toolCalled(
    live: LiveTask,
    name: string,
    { failed, chars }: { failed: boolean; chars: number },
    durationMs: number,
  ): void {
    this.#parts.onTool(name);
    live.log(logLine(failed ? 'tool_failed' : 'tool_answered', { tool: name, value: Math.round(durationMs) }));
    this.#parts.tracer.step(
      live.id,
      'Tool',
      name.slice(0, 100),
      JSON.stringify({ duration_ms: Math.round(durationMs), chars }),
      failed ? 'error' : 'ok',
    );
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
}

function definedOnly<T extends Record<string, unknown>>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
