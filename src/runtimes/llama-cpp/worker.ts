// The inference process: one model, several conversations. It may crash; the server lives on.

import { cpus } from 'node:os';
import { Template } from '@huggingface/jinja';
import {
  type ChatWrapper,
  GeneralChatWrapper,
  getLlama,
  InsufficientMemoryError,
  type Llama,
  type LlamaContext,
  type LlamaContextSequence,
  type LlamaEmbeddingContext,
  LlamaGrammarEvaluationState,
  LlamaLogLevel,
  type LlamaModel,
  resolveChatWrapper,
  type SequenceEvaluateOptions,
  type Token,
} from 'node-llama-cpp';
import { AppError, toAppError } from '../../shared/errors.js';
import { JsonEnd } from './json-end.js';
import type { ChatMessage, FromWorker, SamplingOptions, ToWorker } from './worker-protocol.js';

const FLUSH_MS = 12;
/** What grammars for JSON put behind it, and nowhere else: the end of a bare text or number shows in nothing else. */
const AFTER_JSON = '\n'.repeat(4);
const WARM_TOKENS = 3;
const PROBE_TOKENS = 16;
const GIVE_UP_FACTOR = 2;
const PENALTY_TOKENS = 64;
/** Runs of blanks are the longest tokens there are. */
const LONGEST_TOKEN_CHARS = 256;
const MAX_PROBED_THREADS = 8;

interface Slot {
  sequence: LlamaContextSequence;
  busy: boolean;
  usedAt: number;
}

type Loaded =
  | { kind: 'chat'; llama: Llama; model: LlamaModel; context: LlamaContext; slots: Slot[]; wrapper: ChatWrapper }
  | { kind: 'embedding'; llama: Llama; model: LlamaModel; context: LlamaEmbeddingContext; contextLength: number };

let loaded: Loaded | undefined;
const running = new Map<number, AbortController>();
const waiting: (() => void)[] = [];

const send = (message: FromWorker) => process.send?.(message);

process.on('message', (message: ToWorker) => {
  const id = 'id' in message ? message.id : null;
  handle(message).catch((thrown) => {
    const error =
      thrown instanceof InsufficientMemoryError
        ? new AppError('insufficient_memory', thrown.message)
        : toAppError(thrown);
    const cause = error.cause instanceof Error ? ` (${error.cause.message.slice(0, 200)})` : '';
    send({ type: 'failed', id, code: error.code, message: error.message + cause });
  });
});
// The parent is gone: nobody reads the answers.
process.on('disconnect', () => process.exit(0));

async function handle(message: ToWorker): Promise<void> {
  switch (message.type) {
    case 'load':
      return load(message);
    case 'generate':
      return generate(message.id, message.messages, message.sampling);
    case 'embed':
      return embed(message.id, message.texts, message.truncate);
    case 'count':
      return count(message.id, message.messages);
    case 'count-text':
      if (!loaded) throw new AppError('unsupported', 'No model is loaded.');
      send({ type: 'counted', id: message.id, tokens: loaded.model.tokenize(message.text).length });
      return;
    case 'cancel':
      running.get(message.id)?.abort();
      return;
    case 'threads':
      if (loaded) loaded.llama.maxThreads = message.limit;
  }
}

async function load(order: Extract<ToWorker, { type: 'load' }>): Promise<void> {
  const startedAt = performance.now();
  const llama = await getLlama({
    build: 'never',
    gpu: 'auto',
    logLevel: LlamaLogLevel.error,
    progressLogs: false,
    maxThreads: 0,
    skipDownload: true,
  });
  const model = await llama.loadModel({ modelPath: order.path });
  const measured =
    order.threads === null ? await measureThreads(model) : { threads: order.threads, tokensPerSecond: null };
  if (order.embedding) {
    loaded = {
      kind: 'embedding',
      llama,
      model,
      context: await model.createEmbeddingContext({ threads: measured.threads, contextSize: order.contextLength }),
      contextLength: order.contextLength,
    };
  } else {
    const context = await model.createContext({
      sequences: order.sequences,
      contextSize: order.contextLength,
      batchSize: Math.min(512, order.contextLength),
      threads: measured.threads,
    });
    const slots = Array.from(
      { length: order.sequences },
      (): Slot => ({ sequence: context.getSequence(), busy: false, usedAt: 0 }),
    );
    loaded = {
      kind: 'chat',
      llama,
      model,
      context,
      slots,
      wrapper: resolveChatWrapper(model) ?? new GeneralChatWrapper(),
    };
  }
  send({
    type: 'loaded',
    threads: measured.threads,
    contextLength: order.contextLength,
    gpu: llama.gpu === false ? null : llama.gpu,
    tokensPerSecond: measured.tokensPerSecond,
    loadMs: Math.round(performance.now() - startedAt),
    templateProblem: order.embedding ? null : templateProblem(model),
  });
}

/** Chat goes on with a plain template where the model's own is broken; whoever is about to trust it should know. */
function templateProblem(model: LlamaModel): string | null {
  const template = model.fileInfo.metadata.tokenizer?.chat_template;
  if (typeof template !== 'string') return null;
  try {
    new Template(template);
    return null;
  } catch (error) {
    return (error as Error).message.slice(0, 200);
  }
}

// More threads than free cores make llama.cpp many times slower, and on small models one can beat two, so a few
// tokens with each count say more than any rule.
async function measureThreads(model: LlamaModel): Promise<{ threads: number; tokensPerSecond: number | null }> {
  const cores = cpus().length;
  const candidates = [
    ...new Set([1, 2, 4, 6, 8, cores].filter((count) => count <= Math.min(cores, MAX_PROBED_THREADS))),
  ];
  const prompt = model.tokenize('Once upon a time there was a small house in the woods, and');
  let best = { threads: 1, tokensPerSecond: 0 };
  let bestMs = Number.POSITIVE_INFINITY;
  // Twice around, because a neighbour's moment of work must not decide for ever.
  for (const threads of [...candidates, ...candidates]) {
    const context = await model.createContext({ sequences: 1, contextSize: 256, batchSize: 64, threads });
    const begunAt = performance.now();
    let count = 0;
    let startedAt = 0;
    let lost = false;
    for await (const _token of context.getSequence().evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
      if (count === WARM_TOKENS) startedAt = performance.now();
      count += 1;
      if (count > WARM_TOKENS + PROBE_TOKENS) break;
      // On a busy machine a wrong count is many times slower; it has lost long before its last token.
      lost = performance.now() - begunAt > GIVE_UP_FACTOR * bestMs;
      if (lost) break;
    }
    const endedAt = performance.now();
    await context.dispose();
    const tokensPerSecond = ((count - WARM_TOKENS - 1) / (endedAt - startedAt)) * 1_000;
    if (lost || tokensPerSecond <= best.tokensPerSecond) continue;
    best = { threads, tokensPerSecond };
    bestMs = endedAt - begunAt;
  }
  return { threads: best.threads, tokensPerSecond: Math.round(best.tokensPerSecond * 10) / 10 };
}

async function generate(id: number, messages: ChatMessage[], sampling: SamplingOptions): Promise<void> {
  if (loaded?.kind !== 'chat') throw new AppError('unsupported', 'This model cannot chat.');
  const { model, context } = loaded;
  const abort = new AbortController();
  running.set(id, abort);
  let slot: Slot | undefined;
  try {
    refuseHopeless(messages, context.contextSize);
    const tokens = promptTokens(loaded, messages);
    const room = context.contextSize - tokens.length - 1;
    if (room < 1) {
      throw new AppError(
        'invalid_input',
        `The conversation has ${tokens.length} tokens; the model's context holds ${context.contextSize}.`,
        {
          details: { prompt_tokens: tokens.length, context_length: context.contextSize },
        },
      );
    }
    slot = await freeSlot(loaded.slots, tokens, abort.signal);
    if (!slot) return;
    await slot.sequence.adaptStateToTokens(tokens, false);
    // At least one token must be evaluated to get the next one.
    if (slot.sequence.nextTokenIndex >= tokens.length) {
      await slot.sequence.eraseContextTokenRanges([{ start: tokens.length - 1, end: slot.sequence.nextTokenIndex }]);
    }
    const cachedTokens = slot.sequence.nextTokenIndex;
    const limit = Math.min(sampling.maxTokens ?? room, room);
    const produced: Token[] = [];
    const options = await evaluateOptions(loaded, sampling, () => produced.slice(-PENALTY_TOKENS));
    const out = new TextOut(id, sampling.json === undefined ? sampling.stop : [...sampling.stop, AFTER_JSON]);
    const json = sampling.json === undefined ? undefined : new JsonEnd();
    let pending: Token[] = [];
    let finish: 'stop' | 'length' = 'stop';
    for await (const token of slot.sequence.evaluate(tokens.slice(cachedTokens), options)) {
      if (abort.signal.aborted) break;
      produced.push(token);
      pending.push(token);
      const text = model.detokenize(pending, false, produced.slice(-pending.length - 4, -pending.length));
      // A character of several tokens is shown when it is whole.
      if (!text.endsWith('\uFFFD') || pending.length > 8) {
        pending = [];
        if (out.push(text) || json?.push(text)) break;
      }
      if (produced.length >= limit) {
        finish = 'length';
        break;
      }
    }
    if (pending.length > 0 && !abort.signal.aborted) out.push(model.detokenize(pending, false));
    out.end();
    send({ type: 'end', id, finish, promptTokens: tokens.length, cachedTokens, completionTokens: produced.length });
  } finally {
    running.delete(id);
    if (slot) {
      slot.busy = false;
      slot.usedAt = performance.now();
      waiting.shift()?.();
    }
  }
}

/** Tokenizing megabytes takes seconds, in which nobody else is answered; that they do not fit is seen at once. */
function refuseHopeless(messages: readonly ChatMessage[], contextLength: number): void {
  const chars = messages.reduce((sum, { text }) => sum + text.length, 0);
  if (chars <= contextLength * LONGEST_TOKEN_CHARS) return;
  throw new AppError(
    'invalid_input',
    `The conversation has ${chars} characters; the model's context holds ${contextLength} tokens.`,
    { details: { context_length: contextLength } },
  );
}

function count(id: number, messages: ChatMessage[]): void {
  if (loaded?.kind !== 'chat') throw new AppError('unsupported', 'This model cannot chat.');
  send({ type: 'counted', id, tokens: promptTokens(loaded, messages).length });
}

function promptTokens({ wrapper, model }: Extract<Loaded, { kind: 'chat' }>, messages: ChatMessage[]): Token[] {
  const { contextText } = wrapper.generateContextState({
    chatHistory: [
      ...messages.map((message) =>
        message.role === 'assistant'
          ? { type: 'model' as const, response: [message.text] }
          : { type: message.role, text: message.text },
      ),
      { type: 'model', response: [] },
    ],
  });
  const tokens = contextText.tokenize(model.tokenizer);
  // Where a template begins with the begin-of-text token itself, the wrapper's own one would stand there twice.
  return tokens[0] === model.tokens.bos && tokens[1] === tokens[0] ? tokens.slice(1) : tokens;
}

/** The idle conversation that shares most with the prompt; a fresh one rather than somebody's whole history. */
async function freeSlot(slots: Slot[], tokens: Token[], signal: AbortSignal): Promise<Slot | undefined> {
  for (;;) {
    if (signal.aborted) return undefined;
    const idle = slots.filter(({ busy }) => !busy);
    const scored = idle.map((slot) => ({ slot, shared: sharedPrefix(slot.sequence.contextTokens, tokens) }));
    scored.sort(
      (a, b) =>
        b.shared - a.shared ||
        a.slot.sequence.nextTokenIndex - b.slot.sequence.nextTokenIndex ||
        a.slot.usedAt - b.slot.usedAt,
    );
    const best = scored[0];
    if (best) {
      const whole = best.shared >= best.slot.sequence.nextTokenIndex / 2;
      const chosen = whole ? best.slot : (scored.find(({ slot }) => slot.sequence.nextTokenIndex === 0) ?? best).slot;
      chosen.busy = true;
      return chosen;
    }
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
}

function sharedPrefix(a: readonly Token[], b: readonly Token[]): number {
  let index = 0;
  while (index < a.length && index < b.length && a[index] === b[index]) index += 1;
  return index;
}

async function evaluateOptions(
  { llama, model }: Extract<Loaded, { kind: 'chat' }>,
  sampling: SamplingOptions,
  lastTokens: () => Token[],
): Promise<SequenceEvaluateOptions> {
  const options: SequenceEvaluateOptions = {
    temperature: sampling.temperature,
    topP: sampling.topP,
    topK: sampling.topK,
    minP: sampling.minP,
    contextShift: { size: 1 },
  };
  if (sampling.seed !== undefined) options.seed = sampling.seed >>> 0;
  if (sampling.repeatPenalty !== 1 || sampling.frequencyPenalty !== 0 || sampling.presencePenalty !== 0) {
    options.repeatPenalty = {
      punishTokens: lastTokens,
      penalty: sampling.repeatPenalty,
      frequencyPenalty: sampling.frequencyPenalty,
      presencePenalty: sampling.presencePenalty,
    };
  }
  if (sampling.json !== undefined) {
    try {
      const grammar =
        sampling.json === true
          ? await llama.getGrammarFor('json')
          : await llama.createGrammarForJsonSchema(sampling.json as never);
      options.grammarEvaluationState = new LlamaGrammarEvaluationState({ model, grammar });
    } catch (cause) {
      throw new AppError('invalid_input', 'The JSON schema cannot be turned into a grammar.', { cause });
    }
  }
  return options;
}

/** Text on its way out: stop sequences are held back, small pieces travel together. */
class TextOut {
  readonly #id: number;
  readonly #stops: string[];
  readonly #longest: number;
  #held = '';
  #unsent = '';
  #sentAt = 0;

  constructor(id: number, stops: string[]) {
    this.#id = id;
    this.#stops = stops;
    this.#longest = Math.max(0, ...stops.map(({ length }) => length));
  }

  /** Whether a stop sequence was met. */
  push(text: string): boolean {
    if (this.#longest === 0) {
      this.#emit(text);
      return false;
    }
    this.#held += text;
    const at = Math.min(...this.#stops.map((stop) => this.#held.indexOf(stop)).filter((index) => index >= 0));
    if (Number.isFinite(at)) {
      this.#emit(this.#held.slice(0, at));
      this.#held = '';
      return true;
    }
    const keep = this.#partialStop();
    this.#emit(this.#held.slice(0, this.#held.length - keep));
    this.#held = this.#held.slice(this.#held.length - keep);
    return false;
  }

  end(): void {
    this.#unsent += this.#held;
    this.#held = '';
    this.#flush();
  }

  #partialStop(): number {
    for (let length = Math.min(this.#longest - 1, this.#held.length); length > 0; length -= 1) {
      const tail = this.#held.slice(-length);
      if (this.#stops.some((stop) => stop.startsWith(tail))) return length;
    }
    return 0;
  }

  #emit(text: string): void {
    if (text === '') return;
    this.#unsent += text;
    if (performance.now() - this.#sentAt >= FLUSH_MS) this.#flush();
  }

  #flush(): void {
    if (this.#unsent === '') return;
    send({ type: 'text', id: this.#id, text: this.#unsent });
    this.#unsent = '';
    this.#sentAt = performance.now();
  }
}

async function embed(id: number, texts: string[], truncate: boolean): Promise<void> {
  if (loaded?.kind !== 'embedding') throw new AppError('unsupported', 'This model makes no embeddings.');
  const { model, context, contextLength } = loaded;
  const vectors: number[][] = [];
  let read = 0;
  for (const [index, text] of texts.entries()) {
    let tokens = model.tokenize(text);
    // With the marks the model wants around it, and one token less than there is room for.
    const over = context.calculateInputLength(tokens) - (contextLength - 1);
    if (over > 0 && !truncate)
      throw new AppError(
        'invalid_input',
        `Text ${index + 1} has ${tokens.length} tokens; this model reads ${tokens.length - over}.`,
      );
    if (over > 0) tokens = tokens.slice(0, tokens.length - over);
    read += tokens.length;
    vectors.push([...(await context.getEmbeddingFor(tokens)).vector]);
  }
  send({ type: 'vectors', id, vectors, tokens: read });
}
