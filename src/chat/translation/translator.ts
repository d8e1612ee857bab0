// Text from one language to another by the active model, piece by piece, each checked before it is believed. Which model
// that is, and whether the text may leave the house, is the target's affair.
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import { AppError, toAppError } from '../../shared/errors.js';
import { Slots } from '../../shared/slots.js';
import type { TurnUsage } from '../ports.js';
import type { ChatTarget } from '../turn-ports.js';
import { checkTarget, languageName } from './languages.js';
import { mask } from './masked-text.js';
import { toPieces } from './text-chunks.js';
import { TranslationCache } from './translation-cache.js';
import { type Flaw, readTranslation, type TranslationPair, translationPrompt } from './translation-prompt.js';

const CHUNK_CHARS = 1_800;
const AT_ONCE = 3;
/** Pieces of one text that are under way or wait for the one before them. */
const AHEAD = 8;
const MAX_WAITING = 256;
const TRIES = 2;
const TEMPERATURE = 0.2;
/** More than any language takes; a model that rambles is cut here. */
const TOKENS_PER_CHAR = 0.8;
const TOKENS_BESIDE_TEXT = 64;
const LETTER = /\p{L}/u;
/** The text is worth more than what came back, so it stays, with a warning. */
const KEEPS_ORIGINAL: ReadonlySet<Flaw> = new Set(['placeholders_lost', 'markdown_changed']);

export interface TranslatorParts {
  /** @throws AppError `no_model`, `no_endpoint`, and what routing refuses */
  target: (text: string) => Promise<ChatTarget> | ChatTarget;
  /** A code, or null where the text does not tell. */
  detectLanguage: (text: string) => string | null;
  now: () => number;
  onUsage?: (usage: TurnUsage, target: ChatTarget) => void;
}

export interface TranslatorOptions {
  /** For one call of the model. */
  timeoutMs: number;
  /** `TRANSLATION_LANGUAGES`. */
  trustedLanguages: readonly string[];
}

export interface TranslationRequest {
  text: string;
  target: string;
  source?: string | undefined;
  useCache: boolean;
  /** Languages beyond the guaranteed ones are asked for on purpose. */
  allowAny: boolean;
  signal: AbortSignal;
}

export interface TranslationWarning {
  /** Among the pieces of prose, from 0. */
  chunk: number;
  code: Flaw;
  message: string;
}

export interface Translation {
  text: string;
  /** As named or detected; null where neither. */
  source: string | null;
  target: string;
  /** Pieces that stayed as they were. */
  warnings: TranslationWarning[];
}

export interface TranslatedPiece {
  text: string;
  warning: TranslationWarning | null;
}

export class Translator {
  readonly #parts: TranslatorParts;
  readonly #options: TranslatorOptions;
  readonly #cache: TranslationCache;
  readonly #slots = new Slots(AT_ONCE, MAX_WAITING);

  constructor(parts: TranslatorParts, options: TranslatorOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#cache = new TranslationCache(parts.now);
  }

  /** @throws AppError `invalid_input` for a language, `translation_failed` for everything else, `cancelled` */
  async translate(request: TranslationRequest): Promise<Translation> {
    const { source, pieces } = this.begin(request);
    let text = '';
    const warnings: TranslationWarning[] = [];
    for await (const piece of pieces) {
      text += piece.text;
      if (piece.warning) warnings.push(piece.warning);
    }
    return { text, source, target: request.target, warnings };
  }

  /** The same piece by piece, in the text's order. @throws AppError `invalid_input`; the rest while it is read */
  begin(request: TranslationRequest): { source: string | null; pieces: AsyncIterable<TranslatedPiece> } {
    checkTarget(request.target, request.allowAny, { trusted: this.#options.trustedLanguages });
    if (request.source !== undefined) languageName(request.source);
    const source = request.source ?? this.#parts.detectLanguage(request.text);
    // Only what the caller says is beyond doubt: a detector that errs must not hide a text from translation.
    if (request.source === request.target)
      return {
        source,
        pieces: (async function* () {
          yield { text: request.text, warning: null };
        })(),
      };
    return { source, pieces: this.#pieces(request, { source, target: request.target }) };
  }

  /**
   * For an answer of the pipeline. Null where there is nothing to do: it has that language already, or no letters at all.
   * What cannot be told apart is translated.
   * @throws AppError as `translate` does
   */
  async translateAnswer(
    text: string,
    targetLanguage: string,
    signal: AbortSignal,
  ): Promise<{ text: string; source: string } | null> {
    if (!LETTER.test(text)) return null;
    const source = this.#parts.detectLanguage(text);
    if (source === targetLanguage) return null;
    const translation = await this.translate({
      text,
      target: targetLanguage,
      ...(source === null ? {} : { source }),
      useCache: true,
      allowAny: false,
      signal,
    });
    return { text: translation.text, source: source ?? 'unknown' };
  }

  /** For text that is shown in any case: the original where it cannot be translated in time. Never throws. */
  async translateOrKeep(text: string, targetLanguage: string, signal: AbortSignal): Promise<string> {
    const translated = await this.translateAnswer(text, targetLanguage, signal).catch(() => null);
    return translated?.text ?? text;
  }

  async *#pieces(request: TranslationRequest, pair: TranslationPair): AsyncGenerator<TranslatedPiece> {
    const pieces = toPieces(request.text, CHUNK_CHARS);
    if (!pieces.some(({ kind }) => kind === 'prose')) {
      yield { text: request.text, warning: null };
      return;
    }
    // Ends the pieces that are under way when one fails or nobody reads on.
    const end = new AbortController();
    const signal = AbortSignal.any([request.signal, end.signal]);
    try {
      const target = await failing(request.signal, async () => this.#parts.target(request.text));
      let chunk = 0;
      const started: Promise<TranslatedPiece>[] = [];
      let next = 0;
      const startMore = () => {
        for (; next < pieces.length && started.length < AHEAD; next += 1) {
          const piece = pieces[next] as (typeof pieces)[number];
          const work =
            piece.kind === 'verbatim'
              ? Promise.resolve({ text: piece.text, warning: null })
              : this.#piece(piece.text, chunk++, pair, target, request, signal);
          work.catch(() => {});
          started.push(work);
        }
      };
      for (startMore(); started.length > 0; startMore()) yield await (started.shift() as Promise<TranslatedPiece>);
    } finally {
      end.abort(new AppError('cancelled', 'The translation has ended.'));
    }
  }

  async #piece(
    text: string,
    chunk: number,
    pair: TranslationPair,
    target: ChatTarget,
    { useCache, signal: asked }: TranslationRequest,
    signal: AbortSignal,
  ): Promise<TranslatedPiece> {
    const key = TranslationCache.key(pair, `${target.provider}/${target.model}`, text);
    const known = useCache ? this.#cache.get(key) : undefined;
    if (known !== undefined) return { text: known, warning: null };
    const masked = mask(text);
    // Nothing but placeholders and punctuation.
    if (!LETTER.test(masked.text)) return { text, warning: null };
    return failing(asked, async () => {
      let flaw: Flaw = 'empty';
      for (let attempt = 0; attempt < TRIES; attempt += 1) {
        const prompt = translationPrompt(masked.text, pair, attempt === 0 ? null : flaw);
        const answer = await this.#slots.run(() => this.#ask(target, prompt, masked.text.length, signal), signal);
        const read = answer.cut
          ? ({ flaw: 'cut_off' } as const)
          : readTranslation(answer.text, masked, pair, this.#parts.detectLanguage);
        if ('text' in read) {
          if (useCache) this.#cache.set(key, read.text);
          return { text: read.text, warning: null };
        }
        flaw = read.flaw;
      }
      if (!KEEPS_ORIGINAL.has(flaw))
        throw new AppError('translation_failed', `The model gave no usable translation: ${flaw}.`, {
          details: { reason: flaw, chunk, model: target.model },
        });
      return {
        text,
        warning: {
          chunk,
          code: flaw,
          message: 'This part was left as it is: the model did not keep what must not change.',
        },
      };
    });
  }

  async #ask(
    target: ChatTarget,
    prompt: LanguageModelV4CallOptions['prompt'],
    chars: number,
    signal: AbortSignal,
  ): Promise<{ text: string; cut: boolean }> {
    const timeout = AbortSignal.timeout(this.#options.timeoutMs);
    const startedAt = performance.now();
    let text = '';
    let cut = false;
    try {
      const batches = await target.stream({
        prompt,
        temperature: TEMPERATURE,
        maxOutputTokens: Math.ceil(chars * TOKENS_PER_CHAR) + TOKENS_BESIDE_TEXT,
        providerOptions: { venom: { quick: true } },
        abortSignal: AbortSignal.any([signal, timeout]),
      });
      for await (const batch of batches)
        for (const part of batch) {
          if (part.type === 'text-delta') text += part.delta;
          else if (part.type === 'error') throw part.error;
          else if (part.type === 'finish') {
            cut = part.finishReason.unified === 'length';
            this.#parts.onUsage?.(
              {
                promptTokens: part.usage.inputTokens.total ?? null,
                cachedPromptTokens: part.usage.inputTokens.cacheRead ?? null,
                completionTokens: part.usage.outputTokens.total ?? null,
                timeToFirstTokenMs: null,
                durationMs: Math.round(performance.now() - startedAt),
                tokensPerSecond: null,
              },
              target,
            );
          }
        }
    } catch (error) {
      if (timeout.aborted && !signal.aborted)
        throw new AppError('upstream_timeout', `The translation took more than ${this.#options.timeoutMs / 1_000} s.`, {
          cause: error,
        });
      throw error;
    }
    return { text, cut };
  }
}

/** One code for all that can go wrong, because clients know one; what it was stands in the details. */
async function failing<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (signal.aborted) throw new AppError('cancelled', 'The translation was stopped.', { cause: thrown });
    const error = toAppError(thrown);
    if (error.code === 'translation_failed') throw error;
    const { status, retryAfterMs } = error.details ?? {};
    throw new AppError('translation_failed', `The text could not be translated: ${error.message}`, {
      cause: error,
      details: {
        reason: error.code,
        // A client that is told to come back later does; of another failure the status says nothing to it.
        ...(status === 429 ? { status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } : {}),
      },
    });
  }
}
