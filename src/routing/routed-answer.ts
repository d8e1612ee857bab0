// Does what was decided: asks the chain in turn, with retries and another engine before the first word, and keeps the
// account of it. After the first word a failure is the answer's own, and the part that came is kept.
import type { LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import type { CallParameters, ChatTarget, RoutedTarget } from '../chat/turn-ports.js';
import { ranWith } from '../models/ran-with.js';
import { paramsOfCall } from '../runtimes/call-params.js';
import { AppError, toAppError } from '../shared/errors.js';
import { resumed } from '../shared/resumed-stream.js';
import type { Budgets, Reservation } from './budgets.js';
import { errorIn, hasAnswer, textBytes, watched } from './counted-stream.js';
import type { AnswerReceipt, RanWith, RouteStep, RoutingDecision } from './decision.js';
import { MaskedCall, promptBytes, promptFiles, promptTexts } from './masked-call.js';
import type { CloudProvider, RoutingReason } from './policy.js';
import type { CloudExit, SensitivityRules, StreamBatches } from './ports.js';
import type { ModelPrice } from './pricing.js';
import type { ProviderRest } from './provider-rest.js';
import { findSensitiveInTurns, isMaskable, kindsOf } from './sensitivity.js';
import { splitKinds } from './split-values.js';

const TRIES = 3;
const FIRST_WAIT_MS = 500;
/** A provider that wants more patience than this gets none: the next engine is asked. */
const LONGEST_WAIT_MS = 10_000;
/** So that the most an answer can cost is known before it is asked for. */
const MAX_OUTPUT_TOKENS = 4_096;

/** Of one answer, thoughts and tool calls with it: hours of writing on most machines. */
const MOST_BYTES = 8_388_608;

/** Above what the clouds count for their largest. */
const MOST_TOKENS_PER_PICTURE = 4_000;

type Attempt = { -readonly [Key in keyof AnswerReceipt['attempts'][number]]: AnswerReceipt['attempts'][number][Key] };

export interface RoutedAnswerParts {
  decision: RoutingDecision;
  identity: Pick<ChatTarget, 'provider' | 'endpoint' | 'model' | 'runtimeId' | 'configHash'>;
  /** The local model that is known already. */
  local: ChatTarget | null;
  localTarget: (model: string) => Promise<ChatTarget>;
  exit: CloudExit;
  budgets: Budgets;
  rest: ProviderRest;
  price: (provider: CloudProvider, model: string) => ModelPrice | null;
  sensitivity: SensitivityRules;
  labels: readonly string[];
  wait: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

export class RoutedAnswer implements RoutedTarget {
  readonly decision: RoutingDecision;
  readonly provider: string;
  readonly endpoint: string | null;
  readonly model: string;
  readonly runtimeId: string;
  readonly configHash: string;
  readonly #parts: RoutedAnswerParts;
  readonly #attempts: Attempt[] = [];
  #masked: { kind: string; count: number }[] = [];
  #costUsd: number | null = null;
  /** Without the prompt: it is not kept for as long as the answer takes. */
  #asked: Omit<LanguageModelV4CallOptions, 'prompt'> | null = null;
  #local: ChatTarget | null = null;
  #fellBackFor: RoutingReason | null = null;

  constructor(parts: RoutedAnswerParts) {
    this.#parts = parts;
    this.decision = parts.decision;
    this.provider = parts.identity.provider;
    this.endpoint = parts.identity.endpoint;
    this.model = parts.identity.model;
    this.runtimeId = parts.identity.runtimeId;
    this.configHash = parts.identity.configHash;
  }

  receipt(): AnswerReceipt {
    const last = this.#attempts.at(-1);
    const decision =
      this.#fellBackFor === null || !last
        ? this.decision
        : {
            ...this.decision,
            target: last.location,
            provider: last.provider,
            model: last.model,
            endpoint: last.endpoint,
            reasonCode: this.#fellBackFor,
            paid: last.location === 'cloud',
            tier: last.location === 'local' ? ('local' as const) : this.decision.tier,
          };
    return {
      decision,
      ranWith: this.#asked ? this.ranWith(this.#asked, []) : null,
      attempts: this.#attempts,
      masked: this.#masked,
      costUsd: this.#costUsd,
    };
  }

  /** Of the engine that was asked last, or would be asked first. */
  ranWith(options: CallParameters, unknown: readonly string[]): RanWith {
    const last = this.#attempts.at(-1) ?? { ...this.decision, location: this.decision.target };
    const local = last.location === 'local' ? (this.#local ?? this.#parts.local) : null;
    return (
      local?.ranWith?.(options, unknown) ??
      ranWith({ provider: last.provider }, last.model, paramsOfCall(options), unknown, 'own')
    );
  }

  async stream(options: LanguageModelV4CallOptions): Promise<StreamBatches> {
    const { prompt: _prompt, ...asked } = options;
    this.#asked = asked;
    const { chain } = this.decision;
    let failure: unknown;
    for (const [index, step] of chain.entries()) {
      const last = index === chain.length - 1;
      try {
        if (step.target === 'cloud') return await this.#cloud(step, options);
        const source = await this.#house(step, options);
        return last ? source : await firstWord(source);
      } catch (error) {
        failure = error;
        if (options.abortSignal?.aborted) throw error;
        if (!last) this.#fellBackFor ??= reasonOf(toAppError(error));
      }
    }
    throw failure ?? new AppError('no_endpoint', 'No engine is left that could answer.');
  }

  async #house(step: RouteStep, options: LanguageModelV4CallOptions): Promise<StreamBatches> {
    const attempt = this.#attempt(step);
    this.#masked = [];
    try {
      const target = await this.#parts.localTarget(step.model);
      this.#local = target;
      attempt.bytesSent = promptBytes(options.prompt);
      return counted(await target.stream(options), attempt, options.abortSignal);
    } catch (error) {
      close(attempt, error, options.abortSignal);
      throw error;
    }
  }

  async #cloud(step: RouteStep, options: LanguageModelV4CallOptions): Promise<StreamBatches> {
    const provider = step.provider as CloudProvider;
    const { rest, wait } = this.#parts;
    for (let tries = 1; ; tries += 1) {
      const settle = rest.enter(provider);
      // It began to rest since the route was chosen, or another request tries whether it is well again.
      if (!settle)
        throw new AppError('provider_unavailable', `${provider} failed repeatedly and is left alone for a while.`);
      const attempt = this.#attempt(step);
      try {
        const answer = await this.#ask(provider, step, options, attempt);
        settle('success');
        return answer;
      } catch (thrown) {
        const error = toAppError(thrown);
        close(attempt, error, options.abortSignal);
        settle(isPassing(error) && !options.abortSignal?.aborted ? 'failure' : 'neither');
        if (options.abortSignal?.aborted) throw error;
        const waitMs = retryAfter(error, tries);
        if (waitMs === null || tries >= TRIES || rest.resting(provider)) throw error;
        await wait(waitMs, options.abortSignal);
      }
    }
  }

  async #ask(
    provider: CloudProvider,
    step: RouteStep,
    options: LanguageModelV4CallOptions,
    attempt: Attempt,
  ): Promise<StreamBatches> {
    const { exit } = this.#parts;
    const { call, labels, restore } = await this.#cleared(options);
    const price = this.#parts.price(provider, step.model);
    if (!price) throw new AppError('budget_exceeded', `The price of ${step.model} is not known.`);
    const bounded = { ...call, maxOutputTokens: call.maxOutputTokens ?? MAX_OUTPUT_TOKENS };
    const inputTokens = mostTokens(bounded);
    const reservation = this.#parts.budgets.reserve({
      provider,
      model: step.model,
      price,
      inputTokens,
      outputTokens: bounded.maxOutputTokens,
    });
    if (typeof reservation === 'string')
      throw new AppError('budget_exceeded', `The limit for clouds is reached: ${reservation}.`, {
        details: { limit: reservation },
      });
    const settle = this.#account(reservation, attempt, inputTokens, bounded.maxOutputTokens);
    let failed = true;
    try {
      const source = await firstWord(
        watched(await exit.stream({ provider, model: step.model, options: bounded, labels, meter: attempt }), {
          onBatch: (batch) => {
            settle.see(batch);
            refuseEndless(attempt);
          },
          onEnd: (failure) => {
            settle.end();
            close(attempt, failure, options.abortSignal);
          },
        }),
      );
      failed = false;
      return restore(source);
    } finally {
      if (failed) settle.end();
    }
  }

  /** What the reservation comes to, from what the provider says, or from what was seen where it says nothing. */
  #account(reservation: Reservation, attempt: Attempt, mostInput: number, mostOutput: number) {
    let usage: { inputTokens: number; outputTokens: number } | undefined;
    let ended = false;
    let seen = false;
    let finished = false;
    return {
      see: (batch: readonly LanguageModelV4StreamPart[]) => {
        seen ||= hasAnswer(batch);
        for (const part of batch) {
          if (part.type !== 'finish') continue;
          finished = true;
          const input = part.usage.inputTokens.total;
          const output = part.usage.outputTokens.total;
          if (input !== undefined && output !== undefined) usage = { inputTokens: input, outputTokens: output };
        }
      },
      end: () => {
        if (ended) return;
        ended = true;
        // Refused, or never reached: nobody bills that.
        if (!seen && !finished) return reservation.release();
        const cost = reservation.settle(
          usage ?? { inputTokens: mostInput, outputTokens: Math.min(mostOutput, attempt.bytesReceived) },
        );
        this.#costUsd = (this.#costUsd ?? 0) + cost;
      },
    };
  }

  /** Looks at everything that would be sent, the earlier messages too. @throws AppError `sensitive_blocked` */
  async #cleared(options: LanguageModelV4CallOptions): Promise<{
    call: LanguageModelV4CallOptions;
    labels: string[];
    restore: (source: StreamBatches) => StreamBatches;
  }> {
    const { sensitivity, labels } = this.#parts;
    const found = sensitivity.localOnly ? await sensitiveKinds(options, sensitivity) : [];
    // Of a value that is cut in two no part can be told from other text, and so none be masked.
    const split = sensitivity.localOnly ? await splitKinds(saidIn(options), sensitivity.options) : [];
    const barred = [...new Set([...found, ...labels, ...split])];
    if (barred.length === 0) return { call: options, labels: [], restore: (source) => source };
    if (!sensitivity.masking || split.length > 0 || !barred.every(isMaskable))
      throw new AppError(
        'sensitive_blocked',
        `What would be sent is sensitive (${barred.join(', ')}) and stays local.`,
        {
          details: { findings: barred },
        },
      );
    const masked = await MaskedCall.of(options, sensitivity.options);
    this.#masked = masked.counts;
    return { call: masked.options, labels: [], restore: (source) => masked.restore(source) };
  }

  #attempt({ provider, model, endpoint, target }: RouteStep): Attempt {
    const attempt: Attempt = {
      provider,
      model,
      endpoint,
      location: target,
      bytesSent: 0,
      bytesReceived: 0,
      outcome: 'stopped',
      error: null,
      startedAt: Date.now(),
    };
    this.#attempts.push(attempt);
    return attempt;
  }
}

const saidIn = ({ prompt }: LanguageModelV4CallOptions): string[] =>
  promptTexts(prompt).flatMap(({ text, own }) => (own ? [] : [text]));

/** Kinds in everything a call would send; bare words only where a person speaks. */
async function sensitiveKinds(
  options: LanguageModelV4CallOptions,
  { options: rules }: SensitivityRules,
): Promise<string[]> {
  const kinds = new Set<string>();
  for (const { text, own } of promptTexts(options.prompt))
    for (const kind of kindsOf(await findSensitiveInTurns(text, own ? { ...rules, shapesOnly: true } : rules)))
      kinds.add(kind);
  return [...kinds];
}

/** Of an engine in the house. Holds nothing of what was asked. */
const counted = (source: StreamBatches, attempt: Attempt, signal: AbortSignal | undefined): StreamBatches =>
  watched(source, {
    onBatch: (batch) => {
      attempt.bytesReceived += textBytes(batch);
      refuseEndless(attempt);
    },
    onEnd: (failure) => close(attempt, failure, signal),
  });

/** Thoughts above all: nobody keeps them, and so nobody else counts them. */
function refuseEndless({ bytesReceived }: Attempt): void {
  if (bytesReceived > MOST_BYTES)
    throw new AppError('upstream_protocol', `The answer and its thoughts take more than ${MOST_BYTES} bytes.`);
}

function close(attempt: Attempt, failure: unknown, signal: AbortSignal | undefined): void {
  attempt.endedAt = Date.now();
  if (failure === undefined) attempt.outcome = signal?.aborted ? 'stopped' : 'ok';
  else {
    const { code } = toAppError(failure);
    attempt.outcome = code === 'cancelled' || signal?.aborted ? 'stopped' : 'failed';
    attempt.error = code;
  }
}

/** Reads up to the first word, so that a failure before it can still be answered by another engine. */
async function firstWord(source: StreamBatches): Promise<StreamBatches> {
  const iterator = source[Symbol.asyncIterator]();
  const early: Promise<IteratorResult<readonly LanguageModelV4StreamPart[]>>[] = [];
  for (;;) {
    const next = iterator.next();
    const result = await next;
    if (result.done) break;
    const error = errorIn(result.value);
    if (error !== undefined) {
      await iterator.return?.();
      throw error;
    }
    early.push(next);
    if (hasAnswer(result.value)) break;
  }
  return resumed(early, iterator);
}

/** A token is never less than a byte, and hardly ever less than two. */
function mostTokens(options: LanguageModelV4CallOptions): number {
  let bytes = options.tools ? JSON.stringify(options.tools).length : 0;
  for (const { text } of promptTexts(options.prompt)) bytes += Buffer.byteLength(text) + 16;
  return Math.ceil(bytes / 2) + promptFiles(options.prompt).length * MOST_TOKENS_PER_PICTURE;
}

const status = (error: AppError): number | undefined => {
  const value = error.details?.['status'];
  return typeof value === 'number' ? value : undefined;
};

/** A failure of the provider's health, not of the request: the same may work a little later. */
function isPassing(error: AppError): boolean {
  const code = status(error);
  return error.code === 'upstream_rejected'
    ? code === 408 || code === 429 || (code !== undefined && code >= 500)
    : error.code === 'upstream_unreachable' || error.code === 'upstream_timeout' || error.code === 'upstream_reset';
}

/** How long to wait before the same is tried again; null where that helps nobody. */
function retryAfter(error: AppError, tries: number): number | null {
  if (!isPassing(error)) return null;
  const asked = error.details?.['retryAfterMs'];
  const waitMs = typeof asked === 'number' ? asked : FIRST_WAIT_MS * 2 ** (tries - 1) * (0.9 + Math.random() * 0.2);
  return waitMs > LONGEST_WAIT_MS ? null : waitMs;
}

function reasonOf(error: AppError): RoutingReason {
  const code = status(error);
  if (error.code === 'sensitive_blocked') return 'sensitive_content_override';
  if (error.code === 'budget_exceeded')
    return String(error.details?.['limit']).endsWith('per_minute') ? 'fallback_rate_limit' : 'fallback_budget_exceeded';
  if (code === 401 || code === 403) return 'fallback_auth_error';
  if (code === 429) return 'fallback_rate_limit';
  if (error.code === 'upstream_timeout' || code === 408) return 'fallback_timeout';
  if (error.code === 'upstream_unreachable') return 'fallback_provider_offline';
  return 'fallback_provider_degraded';
}
