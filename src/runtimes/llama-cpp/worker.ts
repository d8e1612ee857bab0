// The inference process: one model, several conversations. It may crash; the server lives on.
import { cpus } from 'node:os';
import { Template } from '@huggingface/jinja';
import {
  getLlama,
  getModuleVersion,
  InsufficientMemoryError,
  type Llama,
  type LlamaContext,
  type LlamaContextSequence,
  type LlamaEmbeddingContext,
  LlamaLogLevel,
  type LlamaModel,
  type Token,
} from 'node-llama-cpp';
import { AppError, toAppError } from '../../shared/errors.js';
import { AnswerWriter, Grammars } from './answer-writer.js';
import { ConversationSlots, type Slot } from './conversation-slots.js';
import { fitConversation, refuseHopeless } from './fit-conversation.js';
import { PromptTokenizer } from './prompt-tokens.js';
import type { ChatMessage, FromWorker, ToWorker } from './worker-protocol.js';

const WARM_TOKENS = 3;
const PROBE_TOKENS = 16;
const GIVE_UP_FACTOR = 2;
const MAX_PROBED_THREADS = 8;

type Loaded =
  | {
      kind: 'chat';
      llama: Llama;
      model: LlamaModel;
      context: LlamaContext;
      slots: ConversationSlots<LlamaContextSequence>;
      prompts: PromptTokenizer;
      grammars: Grammars;
    }
  | { kind: 'embedding'; llama: Llama; model: LlamaModel; context: LlamaEmbeddingContext; contextLength: number };

let loaded: Loaded | undefined;
const running = new Map<number, AbortController>();

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
      return generate(message);
    case 'embed':
      return embed(message);
    case 'count':
      return count(message);
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
    const slots = new ConversationSlots(Array.from({ length: order.sequences }, () => context.getSequence()));
    loaded = {
      kind: 'chat',
      llama,
      model,
      context,
      slots,
      prompts: new PromptTokenizer(model),
      grammars: new Grammars(llama, model),
    };
  }
  send({
    type: 'loaded',
    threads: measured.threads,
    contextLength: order.contextLength,
    gpu: llama.gpu === false ? null : llama.gpu,
    engine: `llama.cpp ${llama.llamaCppRelease.release} (node-llama-cpp ${await getModuleVersion()})`,
    callFamily: loaded.kind === 'chat' ? loaded.prompts.callFamily : null,
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

async function generate({
  id,
  messages,
  sampling,
  tools,
  dropOldest,
  completion,
}: Extract<ToWorker, { type: 'generate' }>): Promise<void> {
  if (loaded?.kind !== 'chat') throw new AppError('unsupported', 'This model cannot chat.');
  const { model, context, slots, prompts, grammars } = loaded;
  const abort = new AbortController();
  running.set(id, abort);
  let slot: Slot<LlamaContextSequence> | undefined;
  try {
    const { think, maxTokens } = sampling;
    const conversation = { messages: withSuffix(messages, completion?.suffix), tools, think, dropOldest, maxTokens };
    const reader = completion ? { tokens: () => prompts.asItIs(textOf(messages), completion.suffix) } : prompts;
    const { tokens, syntax, thoughts, dropped } = fitConversation(reader, conversation, context.contextSize);
    if (dropped > 0) send({ type: 'shortened', id, messages: dropped });
    const room = context.contextSize - tokens.length - 1;
    slot = await slots.take(tokens, abort.signal);
    // Said to nobody, but the end of it.
    if (!slot) throw new AppError('cancelled', 'The answer was stopped.');
    const writer = new AnswerWriter(model, grammars, slot.sequence, {
      prompt: tokens,
      sampling,
      tools,
      syntax,
      thoughts,
      limit: Math.min(sampling.maxTokens ?? room, room),
      signal: abort.signal,
      emit: (event) => send({ ...event, id }),
    });
    const finish = await writer.write();
    const { cachedTokens, completionTokens, thoughtTokens } = writer;
    send({ type: 'end', id, finish, promptTokens: tokens.length, cachedTokens, completionTokens, thoughtTokens });
  } finally {
    running.delete(id);
    slots.giveBack(slot);
  }
}

const textOf = (messages: readonly ChatMessage[]): string => messages.map(({ text }) => text).join('');

/** It takes room, too. */
const withSuffix = (messages: ChatMessage[], suffix: string | undefined): ChatMessage[] =>
  suffix ? [...messages, { role: 'user', text: suffix }] : messages;

function count({ id, messages, tools, think }: Extract<ToWorker, { type: 'count' }>): void {
  if (loaded?.kind !== 'chat') throw new AppError('unsupported', 'This model cannot chat.');
  refuseHopeless(messages, tools, loaded.context.contextSize);
  send({ type: 'counted', id, tokens: loaded.prompts.tokens(messages, tools, think).tokens.length });
}

async function embed({ id, inputs, truncate }: Extract<ToWorker, { type: 'embed' }>): Promise<void> {
  if (loaded?.kind !== 'embedding') throw new AppError('unsupported', 'This model makes no embeddings.');
  const { model, context, contextLength } = loaded;
  const stop = new AbortController();
  running.set(id, stop);
  try {
    const vectors: number[][] = [];
    let read = 0;
    for (const [index, input] of inputs.entries()) {
      if (stop.signal.aborted) throw new AppError('cancelled', 'The request was stopped.');
      let tokens = typeof input === 'string' ? model.tokenize(input) : knownTokens(model, input, index);
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
  } finally {
    running.delete(id);
  }
}

/** llama.cpp is not asked about a token that is none. */
function knownTokens(model: LlamaModel, ids: readonly number[], index: number): Token[] {
  const size = model.fileInfo.metadata.tokenizer?.ggml?.tokens?.length ?? 0;
  const unknown = ids.find((id) => id >= size);
  if (unknown !== undefined)
    throw new AppError(
      'invalid_input',
      `Text ${index + 1} holds token ${unknown}; this model has ${size} tokens. They are those of its own vocabulary.`,
    );
  return [...ids] as Token[];
}
