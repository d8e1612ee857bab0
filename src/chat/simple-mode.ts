// Direct mode: one question goes straight to the active runtime, its answer is streamed and kept. No intents, no tools
// of our own, no memory beyond the session's earlier messages.
import type { LanguageModelV4Prompt, LanguageModelV4StreamPart, LanguageModelV4Usage } from '@ai-sdk/provider';
import type { RanWith } from '../routing/decision.js';
import { refuseUnlessExact } from '../routing/strict-params.js';
import type { Clock } from '../shared/clock.js';
import { isoUtc } from '../shared/clock.js';
import { AppError, type ErrorCode, toAppError } from '../shared/errors.js';
import { maySee, type Owner, ownerOfSession, ownName } from '../shared/owner.js';
import { newRequestId } from '../shared/request-id.js';
import type { StoredMessage, TurnUsage } from './ports.js';
import type { SessionStore } from './sessions/session-store.js';
import type { RequestTracer } from './tracing/request-tracer.js';
import type { CallParameters, ChatRouter, ChatTarget, FinishedTurn, RoutedTarget } from './turn-ports.js';
import { LiveTurn } from './turns/live-turn.js';
import type { LiveTurns } from './turns/live-turns.js';
import { readAhead } from './turns/read-ahead.js';
import { PASSING, publicFailure, STOPPED } from './turns/turn-failure.js';

const COMPONENT = 'SimpleMode';
const RESPONSE_TRACE_CHARS = 4_000;
const PREVIEW_CHARS = 200;
const TOUCH_EVERY_MS = 5_000;

export interface SimpleRequest {
  content: string;
  /** Whose, where it belongs to no session that says so. */
  owner?: Owner | undefined;
  model?: string | undefined;
  sessionId?: string | undefined;
  /** For its session from now on, or where it has none for this answer alone; absent leaves them as they are. */
  instructions?: string | undefined;
  idempotencyKey?: string | undefined;
  resumable: boolean;
  options: CallParameters;
  /** Refused unless every parameter reaches the engine as it is. */
  strict?: boolean | undefined;
  /** Names of parameters that nobody knows. */
  unknownParams?: readonly string[] | undefined;
  /** As the client named them, for the trace. */
  generationParams: Record<string, unknown>;
}

export interface SimpleModeOptions {
  systemPrompt: string;
  rejoinGraceMs: number;
  /** Characters of earlier messages that go along. */
  historyChars: number;
}

export interface SimpleModeParts {
  sessions: SessionStore;
  tracer: RequestTracer;
  turns: LiveTurns;
  router: ChatRouter;
  clock: Clock;
  onUsage?: (usage: TurnUsage, target: Pick<ChatTarget, 'provider' | 'model'>, costUsd: number | null) => void;
  /** How the engine did; not called for answers that were stopped. */
  onOutcome?: (target: Pick<ChatTarget, 'model'>, failure: ErrorCode | null) => void;
  /** The first turn of a session has ended: it gets its title. Later ones leave nothing to do. */
  onFirstTurn?: (turn: FinishedTurn) => void;
}

/** An answer to follow: live, or whole from the store. */
export type Followed = { kind: 'live'; turn: LiveTurn } | { kind: 'stored'; answer: StoredMessage };

export class SimpleMode {
  readonly #parts: SimpleModeParts;
  readonly #options: SimpleModeOptions;
  /** By idempotency key: requests whose question is not on disk yet. */
  readonly #starting = new Map<string, Promise<Followed>>();

  constructor(parts: SimpleModeParts, options: SimpleModeOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  /**
   * Resolves when the question is on disk; the answer goes on by itself.
   * @throws AppError `no_model`, `model_not_found`, `no_endpoint`, `runtime_busy`, `insufficient_storage`,
   * `unknown_parameter` in strict mode
   */
  async start(request: SimpleRequest): Promise<Followed> {
    if (request.idempotencyKey === undefined) return this.#start(request);
    const key = ownName(request.owner ?? null, request.idempotencyKey);
    const earlier = this.#parts.sessions.requestOf(key);
    if (earlier !== undefined) return this.follow(earlier);
    const running = this.#starting.get(key);
    if (running) return running;
    const started = this.#start({ ...request, idempotencyKey: key }).finally(() => this.#starting.delete(key));
    this.#starting.set(key, started);
    return started;
  }

  async #start(request: SimpleRequest): Promise<Followed> {
    const { sessions, tracer, turns } = this.#parts;
    const sessionId = request.sessionId ?? null;
    const history = sessionId === null ? [] : this.#history(sessionId, request.content.length);
    const instructions = request.instructions ?? (sessionId === null ? '' : sessions.instructions(sessionId));
    const target = await this.#parts.router.route({
      text: request.content,
      mode: 'direct',
      taskType: 'CHAT',
      sessionId,
      model: request.model,
      labels: [],
      // Words are weighed where a person said them; shapes are looked for in everything before it leaves.
      context: () =>
        [instructions, ...history.filter(({ role }) => role === 'user').map(({ content }) => content)].join('\n'),
    });
    const ranWith = () => target.ranWith?.(request.options, request.unknownParams ?? []) ?? null;
    const refused = request.strict ? ranWith() : null;
    if (refused !== null) refuseUnlessExact(refused);
    const turn = new LiveTurn({
      requestId: newRequestId(),
      owner: request.owner ?? ownerOfSession(sessionId),
      sessionId,
      resumable: request.resumable && sessionId !== null,
      graceMs: sessionId === null ? 0 : this.#options.rejoinGraceMs,
    });
    const system = [this.#options.systemPrompt, instructions].filter(Boolean).join('\n\n');
    const prompt: LanguageModelV4Prompt = [
      ...(system ? [{ role: 'system' as const, content: system }] : []),
      ...history.map(toPromptMessage),
      { role: 'user', content: [{ type: 'text', text: request.content }] },
    ];
    turns.add(turn);
    const startedAt = performance.now();
    // Disk, engine and trace, in this order: the first two work while the last is written. Nothing of the answer is
    // shown until the question is safe.
    const safe =
      sessionId === null
        ? undefined
        : sessions.beginTurn({
            sessionId,
            requestId: turn.requestId,
            userText: request.content,
            model: target.model,
            idempotencyKey: request.idempotencyKey ?? null,
            instructions: request.instructions,
            labels: target.decision.findings,
          });
    // Looked at below, once the trace has begun.
    safe?.catch(() => {});
    const stream = readAhead(target.stream({ ...request.options, prompt, abortSignal: turn.signal }));
    stream.catch(() => {});
    tracer.start({
      requestId: turn.requestId,
      owner: turn.owner,
      prompt: request.content,
      sessionId,
      provider: target.provider,
      model: target.model,
      endpoint: target.endpoint,
      configHash: target.configHash,
      runtimeId: target.runtimeId,
      generationParams: Object.keys(request.generationParams).length > 0 ? request.generationParams : null,
      receipt: target.receipt(),
    });
    tracer.step(
      turn.requestId,
      COMPONENT,
      'request',
      JSON.stringify({ session_id: sessionId, model: target.model, history: history.length }),
    );
    tracer.step(
      turn.requestId,
      COMPONENT,
      'context_preview',
      JSON.stringify({
        mode: 'direct',
        prompt_context_preview: request.content.slice(0, RESPONSE_TRACE_CHARS),
        prompt_context_truncated: request.content.length > RESPONSE_TRACE_CHARS,
      }),
    );
    try {
      await safe;
    } catch (error) {
      turn.cancel();
      turns.remove(turn.requestId);
      this.#traceFailure(turn.requestId, toAppError(error));
      throw error;
    }
    void this.#run(turn, target, stream, startedAt, history.length === 0 ? request.content : null, ranWith);
    return { kind: 'live', turn };
  }

  /** @throws AppError `request_not_found`, also for an answer that is not the viewer's */
  follow(requestId: string, viewer: Owner = null): Followed {
    const turn = this.#parts.turns.get(requestId);
    if (turn && maySee(viewer, turn.owner)) return { kind: 'live', turn };
    const answer = turn ? undefined : this.#parts.sessions.answer(requestId);
    if (answer && maySee(viewer, ownerOfSession(answer.sessionId))) return { kind: 'stored', answer };
    throw new AppError('request_not_found', `There is no answer ${requestId}.`);
  }

  cancel(requestId: string, viewer: Owner = null): boolean {
    const turn = this.#parts.turns.get(requestId);
    if (!turn || !maySee(viewer, turn.owner)) return false;
    turn.cancel();
    return true;
  }

  /** Stops what is being written in a session, because its messages are about to go. */
  cancelSession(sessionId: string): void {
    this.#parts.turns.cancelSession(sessionId);
  }

  async #run(
    turn: LiveTurn,
    target: RoutedTarget,
    asked: Promise<AsyncIterable<readonly LanguageModelV4StreamPart[]>>,
    startedAt: number,
    firstQuestion: string | null,
    ranWith: () => RanWith | null,
  ): Promise<void> {
    const { sessions, tracer, turns, clock } = this.#parts;
    let chunks = 0;
    let firstMs: number | null = null;
    let lastMs: number | null = null;
    let touchedAt = startedAt;
    let usage: LanguageModelV4Usage | undefined;
    let failure: AppError | undefined;
    try {
      for await (const batch of await asked) {
        let text = '';
        let thought = '';
        const show = () => {
          if (text === '' && thought === '') return;
          turn.append(text, thought);
          if (turn.sessionId !== null) sessions.appendPart(turn.requestId, text, thought);
        };
        for (const part of batch) {
          switch (part.type) {
            case 'reasoning-delta':
            case 'text-delta': {
              if (part.delta === '') break;
              lastMs = performance.now() - startedAt;
              chunks += 1;
              if (firstMs === null) {
                firstMs = lastMs;
                this.#traceFirst(turn.requestId, firstMs, part.delta, clock);
              }
              if (part.type === 'text-delta') text += part.delta;
              else thought += part.delta;
              break;
            }
            case 'tool-call':
              // Engines that stream their calls have shown them already.
              if (turn.events.some(({ type }) => type === 'tool-calls')) break;
              turn.emit({
                type: 'tool-calls',
                toolCalls: [
                  {
                    index: 0,
                    id: part.toolCallId,
                    type: 'function',
                    function: { name: part.toolName, arguments: part.input },
                  },
                ],
              });
              break;
            case 'raw':
              this.#traceShortening(turn.requestId, part.rawValue);
              this.#tracePlace(turn.requestId, part.rawValue);
              emitRaw(turn, part.rawValue);
              break;
            case 'finish':
              usage = part.usage;
              break;
            case 'error':
              show();
              throw part.error;
          }
        }
        show();
        const now = performance.now();
        if (now - touchedAt > TOUCH_EVERY_MS) {
          touchedAt = now;
          tracer.touch(turn.requestId);
        }
      }
    } catch (error) {
      failure = toAppError(error);
    } finally {
      // Whichever way it ended: an engine that waits for its reader would wait for ever.
      turn.letEngineGo();
    }
    const stopped = turn.stopped;
    const durationMs = performance.now() - startedAt;
    const completionTokens = usage?.outputTokens.total ?? null;
    const writingMs = firstMs === null ? 0 : durationMs - firstMs;
    turn.ranWith = ranWith();
    const turnUsage: TurnUsage = {
      promptTokens: usage?.inputTokens.total ?? null,
      cachedPromptTokens: usage?.inputTokens.cacheRead ?? null,
      completionTokens,
      timeToFirstTokenMs: firstMs === null ? null : round(firstMs),
      durationMs: round(durationMs),
      tokensPerSecond:
        writingMs > 0 && (completionTokens ?? chunks) > 1
          ? round((((completionTokens ?? chunks) - 1) / writingMs) * 1_000)
          : null,
      ranWith: turn.ranWith,
    };
    const status = stopped ?? (failure ? 'failed' : 'complete');
    let error = stopped ? STOPPED[stopped] : failure ? publicFailure(failure) : null;
    const receipt = { ...target.receipt(), ranWith: turn.ranWith };
    const answered = receipt.attempts.at(-1) ?? target;
    if (turn.sessionId !== null) {
      try {
        await sessions.endTurn(turn.sessionId, {
          requestId: turn.requestId,
          text: turn.text,
          thought: turn.thought,
          status,
          error,
          usage: turnUsage,
          receipt,
        });
      } catch (storeError) {
        failure = toAppError(storeError);
        error = { code: failure.code, message: failure.message };
      }
    }
    tracer.update(turn.requestId, (trace) => {
      trace.ranWith = turn.ranWith;
      // A message keeps its receipt for as long as it lives, a trace for a week: once is enough.
      trace.receipt = turn.sessionId === null || failure !== undefined ? receipt : null;
      if (answered.model !== target.model || answered.provider !== target.provider) {
        trace.provider = answered.provider;
        trace.model = answered.model;
        trace.endpoint = answered.endpoint;
      }
      trace.streaming = {
        chunkCount: chunks,
        firstChunkMs: firstMs === null ? null : Math.round(firstMs),
        lastEmitMs: lastMs === null ? null : Math.round(lastMs),
      };
    });
    if (failure && !stopped) this.#traceFailure(turn.requestId, failure);
    else {
      tracer.step(
        turn.requestId,
        COMPONENT,
        'response',
        JSON.stringify({
          chunks,
          total_ms: Math.round(durationMs),
          chars: turn.text.length,
          response: turn.text.slice(0, RESPONSE_TRACE_CHARS),
          truncated: turn.text.length > RESPONSE_TRACE_CHARS,
        }),
      );
      if (stopped) {
        tracer.finish(turn.requestId, 'FAILED', {
          ...STOPPED[stopped],
          class: 'Stopped',
          stage: 'stream',
          retryable: true,
        });
      } else tracer.finish(turn.requestId, 'COMPLETED');
    }
    turns.remove(turn.requestId);
    turn.end(status, error);
    if (firstQuestion !== null && turn.sessionId !== null) {
      this.#parts.onFirstTurn?.({
        requestId: turn.requestId,
        sessionId: turn.sessionId,
        mode: 'direct',
        intent: null,
        toolRequired: false,
        prompt: firstQuestion,
        answer: turn.text,
        success: status === 'complete',
        error: error?.code ?? null,
        model: answered.model,
        language: null,
        storeKnowledge: false,
        labels: target.decision.findings,
        finishedAt: clock.now(),
      });
    }
    this.#parts.onUsage?.(turnUsage, answered, receipt.costUsd);
    if (!stopped) this.#parts.onOutcome?.(answered, failure?.code ?? null);
  }

  #history(sessionId: string, contentChars: number): Earlier[] {
    const kept = this.#parts.sessions.recentTexts(sessionId, Math.max(0, this.#options.historyChars - contentChars));
    // A conversation that starts with an answer confuses chat templates.
    const first = kept.findIndex(({ role }) => role !== 'assistant');
    return first === -1 ? [] : kept.slice(first);
  }

  #traceFirst(requestId: string, elapsedMs: number, text: string, clock: Clock): void {
    const preview = text.slice(0, PREVIEW_CHARS);
    this.#parts.tracer.update(requestId, (trace) => {
      trace.firstToken = { at: isoUtc(clock.now()), elapsedMs: Math.round(elapsedMs), preview };
    });
    this.#parts.tracer.step(
      requestId,
      COMPONENT,
      'first_chunk',
      `elapsed_ms=${Math.round(elapsedMs)} preview=${preview}`,
    );
  }

  /** How much of the conversation did not fit into the model's context. */
  #traceShortening(requestId: string, value: unknown): void {
    const { droppedMessages } = value as { droppedMessages?: unknown };
    if (typeof droppedMessages !== 'number') return;
    const details = JSON.stringify({ dropped_messages: droppedMessages });
    this.#parts.tracer.step(requestId, COMPONENT, 'prompt_trim', details);
  }

  /** Which server of a pool answers, and why that one. */
  #tracePlace(requestId: string, value: unknown): void {
    const { servedBy, placedBy } = value as { servedBy?: unknown; placedBy?: unknown };
    if (typeof servedBy !== 'string') return;
    this.#parts.tracer.step(requestId, COMPONENT, 'placed', JSON.stringify({ endpoint: servedBy, reason: placedBy }));
  }

  #traceFailure(requestId: string, failure: AppError): void {
    const { code, message } = publicFailure(failure);
    this.#parts.tracer.step(
      requestId,
      COMPONENT,
      'error',
      JSON.stringify({ code, cause: failure.code, message }),
      'error',
    );
    this.#parts.tracer.finish(requestId, 'FAILED', {
      code,
      class: failure.code,
      message,
      stage: 'stream',
      retryable: PASSING.has(failure.code),
    });
  }
}

interface Earlier {
  role: StoredMessage['role'];
  content: string;
}

function toPromptMessage(message: Earlier): LanguageModelV4Prompt[number] {
  if (message.role === 'system') return { role: 'system', content: message.content };
  return { role: message.role, content: [{ type: 'text', text: message.content }] };
}

function emitRaw(turn: LiveTurn, value: unknown): void {
  const { toolCalls, logprobs } = value as { toolCalls?: unknown; logprobs?: unknown };
  if (Array.isArray(toolCalls)) turn.emit({ type: 'tool-calls', toolCalls });
  if (Array.isArray(logprobs)) turn.emit({ type: 'logprobs', content: logprobs });
}

const round = (value: number): number => Math.round(value * 100) / 100;
