// One way to an answer for every API that stands beside our own: finds the engine, counts, traces, and stops the engine
// when the client goes away. What an answer looks like on the wire is the routes' affair.
import type { LanguageModelV4CallOptions, LanguageModelV4StreamPart, LanguageModelV4Usage } from '@ai-sdk/provider';
import type { FastifyReply } from 'fastify';
import type { TurnUsage } from '../../chat/ports.js';
import type { RequestTracer } from '../../chat/tracing/request-tracer.js';
import type { ChatTarget, RoutedTarget } from '../../chat/turn-ports.js';
import { type Abilities, isTelling } from '../../models/abilities.js';
import { requireSight } from '../../models/sight.js';
import { goesOnWith, type TextCompletion } from '../../runtimes/text-completion.js';
import { AppError, type ErrorCode, toAppError } from '../../shared/errors.js';
import { newRequestId } from '../../shared/request-id.js';
import { allText, lastUserText } from './prompt-text.js';

const PREVIEW_CHARS = 200;
const TOUCH_EVERY_MS = 5_000;
const LAST_WORDS_MS = 1_000;

/** Answers that are being written for clients of these APIs, all together. */
export class AnswerGate {
  readonly #limit: number;
  /** By request id: how each of those inside is stopped. */
  readonly #inside = new Map<string, (reason: AppError) => void>();
  #closing = false;
  #empty: () => void = () => {};

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * @param stop  called when the server cannot wait any longer
   * @returns how to leave; calling it twice does no harm. @throws AppError `runtime_busy`, `shutting_down`
   */
  enter(requestId: string, stop: (reason: AppError) => void): () => void {
    if (this.#closing) throw new AppError('shutting_down', 'The server is stopping.');
    if (this.#inside.size >= this.#limit)
      throw new AppError('runtime_busy', `${this.#limit} answers are being written already.`);
    this.#inside.set(requestId, stop);
    return () => {
      this.#inside.delete(requestId);
      if (this.#inside.size === 0) this.#empty();
    };
  }

  has(requestId: string): boolean {
    return this.#inside.has(requestId);
  }

  get size(): number {
    return this.#inside.size;
  }

  /** Nobody enters any more; those inside may end, and are stopped when they take too long. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    if (this.#inside.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#empty = resolve;
    });
    await Promise.race([empty, delay(graceMs)]);
    const reason = new AppError('interrupted', 'The server stopped before this answer was complete.');
    for (const stop of this.#inside.values()) stop(reason);
    await Promise.race([empty, delay(LAST_WORDS_MS)]);
  }
}

const delay = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds).unref());

/** An engine, with an account of what it was asked where routing chose it. */
type Answering = ChatTarget & Partial<Pick<RoutedTarget, 'receipt'>>;

export interface CompatibleParts {
  /**
   * @param text  what people said
   * @throws AppError `no_model`, `model_not_found`, `no_endpoint`, and what routing refuses
   */
  target: (model: string | undefined, text: string, images: boolean) => Promise<Answering> | Answering;
  /** What a model's engine says it can; null where it does not say. */
  abilities: (model: string, provider: string) => Promise<Abilities>;
  tracer: RequestTracer;
  gate: AnswerGate;
  onUsage?: (usage: TurnUsage, target: ChatTarget, costUsd: number | null) => void;
  onOutcome?: (target: ChatTarget, failure: ErrorCode | null) => void;
}

export interface CompatibleRequest {
  /** For the trace, such as `Anthropic`. */
  api: string;
  model: string;
  options: LanguageModelV4CallOptions;
  reply: FastifyReply;
}

export interface CompatibleAnswer {
  requestId: string;
  target: ChatTarget;
  /** Fails with an AppError, `cancelled` among them; reading it to its end is what closes the trace. */
  batches: AsyncIterable<readonly LanguageModelV4StreamPart[]>;
  /** Milliseconds so far: until the first part, and in all. */
  timing(): { firstMs: number; totalMs: number };
}

export interface WholeAnswer {
  text: string;
  reasoning: string;
  toolCalls: { id: string; name: string; input: string }[];
  finish: string;
  usage: LanguageModelV4Usage;
}

export class CompatibleAnswers {
  readonly #parts: CompatibleParts;

  constructor(parts: CompatibleParts) {
    this.#parts = parts;
  }

  /**
   * Resolves with the first part, so that a refusal is an HTTP error and not a broken stream.
   * @throws AppError whatever the engine or the routing refuses
   */
  async ask({ api, model, options, reply }: CompatibleRequest): Promise<CompatibleAnswer> {
    const { target: route, tracer, gate, onOutcome } = this.#parts;
    const { prompt } = options;
    const requestId = newRequestId();
    const abort = new AbortController();
    const leave = gate.enter(requestId, (reason) => abort.abort(reason));
    // Refusals, too, name the request that history tells of.
    reply.header('x-request-id', requestId);
    let target: Answering | undefined;
    const end = (error: AppError | null) => {
      leave();
      const { code, message } = error ?? {};
      const receipt = target?.receipt?.();
      if (receipt)
        tracer.update(requestId, (trace) => {
          trace.receipt = receipt;
        });
      if (target && code !== 'cancelled') onOutcome?.(target, code ?? null);
      if (code) tracer.step(requestId, api, 'error', code, 'error');
      tracer.finish(
        requestId,
        error ? 'FAILED' : 'COMPLETED',
        code && message ? { code, class: code, message, stage: api, retryable: code === 'cancelled' } : null,
      );
    };
    let ended = false;
    const endOnce = (error: AppError | null) => {
      if (!ended) end(error);
      ended = true;
    };
    // Whether the answer is whole or not: when the response is closed, nobody reads on.
    reply.raw.on('close', () => {
      abort.abort();
      endOnce(new AppError('cancelled', 'The client went away.'));
    });
    if (reply.raw.destroyed) abort.abort();
    const startedAt = performance.now();
    try {
      // Words are weighed where a person said them; shapes are looked for in everything before it leaves.
      target = await route(model, allText(prompt.filter(({ role }) => role === 'user')), prompt.some(hasFile));
      const asked = await this.#withinAbilities(options, target);
      tracer.start({
        requestId,
        owner: reply.request.owner,
        prompt: lastUserText(prompt),
        sessionId: null,
        provider: target.provider,
        model: target.model,
        endpoint: target.endpoint,
        configHash: target.configHash,
        runtimeId: target.runtimeId,
      });
      tracer.step(requestId, api, 'request', JSON.stringify({ messages: options.prompt.length, model: target.model }));
      const stream = await target.stream({ ...asked, abortSignal: abort.signal });
      const parts = stream[Symbol.asyncIterator]();
      const first = await parts.next();
      const firstMs = performance.now() - startedAt;
      return {
        requestId,
        target,
        timing: () => ({ firstMs, totalMs: performance.now() - startedAt }),
        batches: this.#watched(requestId, api, target, parts, first, { startedAt, firstMs }, endOnce),
      };
    } catch (thrown) {
      const error = toAppError(thrown);
      endOnce(error);
      throw error;
    }
  }

  async *#watched(
    requestId: string,
    api: string,
    target: Answering,
    parts: AsyncIterator<readonly LanguageModelV4StreamPart[]>,
    first: IteratorResult<readonly LanguageModelV4StreamPart[]>,
    { startedAt, firstMs }: { startedAt: number; firstMs: number },
    end: (error: AppError | null) => void,
  ): AsyncGenerator<readonly LanguageModelV4StreamPart[]> {
    const { tracer, onUsage } = this.#parts;
    let usage: LanguageModelV4Usage | undefined;
    let chars = 0;
    let shown = false;
    let touchedAt = startedAt;
    try {
      for (let next = first; !next.done; next = await parts.next()) {
        for (const part of next.value) {
          if (part.type === 'error') throw part.error;
          if (part.type === 'finish') usage = part.usage;
          if (part.type !== 'text-delta') continue;
          chars += part.delta.length;
          if (!shown) tracer.step(requestId, api, 'first_chunk', preview(firstMs, part.delta));
          shown = true;
        }
        yield next.value;
        const now = performance.now();
        if (now - touchedAt > TOUCH_EVERY_MS) {
          touchedAt = now;
          tracer.touch(requestId);
        }
      }
      const durationMs = performance.now() - startedAt;
      tracer.step(requestId, api, 'response', JSON.stringify({ chars, total_ms: Math.round(durationMs) }));
      const taken = toTurnUsage(usage, firstMs, durationMs);
      tracer.update(requestId, (trace) => {
        trace.usage = taken;
      });
      onUsage?.(taken, target, target.receipt?.().costUsd ?? null);
      end(null);
    } catch (thrown) {
      const error = toAppError(thrown);
      end(error);
      throw error;
    } finally {
      // Also when the reader leaves in the middle.
      await parts.return?.();
    }
  }

  /**
   * Without a word about thoughts for a model that has none; `thinkIfAble` says that it may answer all the same.
   * @throws AppError `unsupported` for pictures the model cannot see, and thoughts it does not have
   */
  async #withinAbilities(options: LanguageModelV4CallOptions, target: ChatTarget): Promise<LanguageModelV4CallOptions> {
    const { prompt, providerOptions } = options;
    const { thinkIfAble, completionIfAble, ...rest } = providerOptions?.['venom'] ?? {};
    const own = withCompletion(rest, completionIfAble as TextCompletion | undefined, target);
    const needed = own['ollamaOptionsNeeded'];
    if (Array.isArray(needed) && needed.length > 0 && target.provider !== 'ollama')
      throw new AppError(
        'unsupported',
        `${target.provider} does not know the options ${needed.join(', ').slice(0, 200)}.`,
      );
    const thinks = own['think'] !== undefined && own['think'] !== false && thinkIfAble !== true;
    const files = prompt.flatMap((message) =>
      message.role === 'user' ? message.content.filter((part) => part.type === 'file') : [],
    );
    // An engine that knows its models has nothing to leave out of one that does not think; to ask first would delay each answer.
    const leavesOut = own['think'] === false && isTelling(target.provider);
    if (files.length === 0 && (own['think'] === undefined || leavesOut))
      return { ...options, providerOptions: { ...providerOptions, venom: own } };
    const can = await this.#parts.abilities(target.model, target.provider);
    if (thinks && can.thinking !== true) throw new AppError('unsupported', `${target.model} does not think aloud.`);
    for (const { mediaType } of files)
      if (!mediaType.startsWith('image/'))
        throw new AppError('unsupported', `${target.model} does not take in ${mediaType.split('/')[0]} parts.`);
    if (files.length > 0) requireSight(target.model, can.vision);
    const { think, ...others } = own;
    const venom = can.thinking === true && think !== undefined ? own : others;
    return { ...options, providerOptions: { ...providerOptions, venom } };
  }
}

type Own = NonNullable<LanguageModelV4CallOptions['providerOptions']>[string];

/**
 * A text is gone on with where that is asked for, or where the engine can and it would be the better answer.
 * @throws AppError `unsupported`
 */
function withCompletion(own: Own, ifAble: TextCompletion | undefined, { provider, model }: ChatTarget): Own {
  const asked = (own['completion'] as TextCompletion | undefined) ?? better(ifAble, provider);
  if (!asked) return own;
  if (!goesOnWith(provider, asked))
    throw new AppError(
      'unsupported',
      `The engine of ${model} takes conversations only: no raw, suffix or template of one's own.`,
    );
  return { ...own, completion: { ...asked } };
}

function better(ifAble: TextCompletion | undefined, provider: string): TextCompletion | undefined {
  if (provider === 'llama-cpp') return ifAble;
  // Ollama's own route of this kind fills in by the model's template, and else has it answer.
  return ifAble?.suffix ? { suffix: ifAble.suffix } : undefined;
}

/** @throws AppError what the engine said */
export async function readWhole({ batches }: CompatibleAnswer): Promise<WholeAnswer> {
  const answer: WholeAnswer = { text: '', reasoning: '', toolCalls: [], finish: 'other', usage: NO_USAGE };
  for await (const batch of batches)
    for (const part of batch) {
      if (part.type === 'text-delta') answer.text += part.delta;
      else if (part.type === 'reasoning-delta') answer.reasoning += part.delta;
      else if (part.type === 'tool-call')
        answer.toolCalls.push({ id: part.toolCallId, name: part.toolName, input: part.input });
      else if (part.type === 'finish') {
        answer.finish = part.finishReason.unified;
        answer.usage = part.usage;
      }
    }
  return answer;
}

export const NO_USAGE: LanguageModelV4Usage = {
  inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: undefined, text: undefined, reasoning: undefined },
};

/** Arguments of a tool call as an object. @throws AppError `upstream_protocol` */
export function toolInput(input: string): Record<string, unknown> {
  if (input.trim() === '') return {};
  try {
    const value = JSON.parse(input);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // As below.
  }
  throw new AppError('upstream_protocol', 'The model called a tool with arguments that are no JSON object.');
}

const hasFile = ({ content }: LanguageModelV4CallOptions['prompt'][number]): boolean =>
  typeof content !== 'string' && content.some(({ type }) => type === 'file');

const preview = (firstMs: number, text: string): string =>
  `elapsed_ms=${Math.round(firstMs)} preview=${text.slice(0, PREVIEW_CHARS)}`;

export function toTurnUsage(
  usage: LanguageModelV4Usage | undefined,
  firstMs: number | null,
  durationMs: number,
): TurnUsage {
  return {
    promptTokens: usage?.inputTokens.total ?? null,
    cachedPromptTokens: usage?.inputTokens.cacheRead ?? null,
    completionTokens: usage?.outputTokens.total ?? null,
    timeToFirstTokenMs: firstMs === null ? null : Math.round(firstMs * 10) / 10,
    durationMs: Math.round(durationMs * 10) / 10,
    tokensPerSecond: null,
  };
}
