// What a model can really do, asked of the model itself in a few short questions. Metadata only promises.
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { BACKGROUND } from '../runtimes/runtime.js';
import { AppError, toAppError } from '../shared/errors.js';
import type { ProbeReport, ProbeResult } from './manifest.js';
import { PICTURES } from './probe-pictures.js';

const TOKENS = 48;
const SHORT_ANSWER_TOKENS = 24;
/** On top, for a model that thinks aloud and was not to be kept from it. */
const THOUGHT_TOKENS = 1_024;
/** With fewer the clock says more about the machine's mood than about the model. */
const LEAST_TIMED_TOKENS = 16;
/** Longer and longer texts, each twice the one before, up to a share of the context and within a share of one question's time. */
const RECALL = {
  leastTokens: 128,
  mostTokens: 32_768,
  shareOfContext: 0.75,
  shareOfTime: 0.5,
  /** A prompt is read several times faster than an answer is written. */
  readPerWritten: 8,
};
const RECALL_NUMBER = '7391';
const FILLER = 'The grass is green and the sky is blue. ';
/** Of the sentence above. */
const FILLER_TOKENS = 10;

/** Each city is spelled otherwise in the other languages, so that its name tells the language of the answer. */
const LANGUAGES: readonly [language: string, question: string, answer: RegExp][] = [
  ['en', 'What is the capital of Poland?', /Warsaw\b/],
  ['pl', 'Jakie miasto jest stolicą Polski?', /Warszaw/],
  ['de', 'Wie heißt die Hauptstadt von Österreich?', /Wien/],
];

const WEATHER = {
  type: 'function' as const,
  name: 'get_weather',
  description: 'Weather of a city',
  inputSchema: {
    type: 'object' as const,
    properties: { city: { type: 'string' as const } },
    required: ['city'],
    additionalProperties: false,
  },
};
const ANSWER_SCHEMA = {
  type: 'object' as const,
  properties: { city: { type: 'string' as const }, sunny: { type: 'boolean' as const } },
  required: ['city', 'sunny'],
  additionalProperties: false,
};

export interface ProbeFacts {
  runtime: string;
  /** Asked once it has answered; null where the engine does not say. */
  runtimeVersion: () => Promise<string | null>;
  /** What the engine's metadata says, where it says something. */
  declared: { vision: boolean | null; thinking: boolean | null; contextLength: number | null };
  /** Asked once it has answered, and so is in memory; null where the engine does not say. */
  memory: () => Promise<{ bytes: number | null; contextLength: number | null }>;
  /** Longest wait for one answer. */
  questionMs: number;
  now: () => number;
}

/** Lets one question run, now or in its turn, and again where it had to give way. */
export type AskInTurn = <T>(question: (signal: AbortSignal) => Promise<T>, signal: AbortSignal) => Promise<T>;

interface Answer {
  text: string;
  /** It thought aloud, whether or not it came to an answer. */
  thought: boolean;
  call: Extract<LanguageModelV4StreamPart, { type: 'tool-call' }> | undefined;
  tokens: number;
  durationMs: number;
  /** Since the first sign of an answer. */
  writingMs: number;
}

type Ask = (
  options: Omit<LanguageModelV4CallOptions, 'prompt' | 'abortSignal'>,
  system: string | null,
  question: string,
  picture?: string,
) => Promise<Answer>;

interface Sight extends Outcome {
  /** @see ProbeReport.takesPictures */
  takesPictures: boolean | null;
}

interface Recall extends Outcome {
  /** Tokens of the longest text whose beginning it still knew; null where none was tried. */
  longest: number | null;
}

interface Outcome {
  /** 0 to 1; null for a question that was not worth asking. */
  score: number | null;
  /** Told even when all is well. */
  detail?: string;
  /** It cannot do it, which counts for nothing because nobody said that it could. */
  failed?: boolean;
}

/**
 * Runs every probe; a failed one is a result, not an error.
 * @param inTurn  where the questions have to wait for something, such as a quiet moment
 * @throws only when the model does not answer at all, and what ends the signal
 */
export async function probeModel(
  model: LanguageModelV4,
  facts: ProbeFacts,
  signal: AbortSignal,
  inTurn: AskInTurn = (question) => question(signal),
): Promise<ProbeReport> {
  let thought = false;
  let tokensToThink = 0;
  const askOnce: Ask = (options, system, question, picture) =>
    inTurn((turn) => {
      const prompt: LanguageModelV4CallOptions['prompt'] = [
        ...(system === null ? [] : [{ role: 'system' as const, content: system }]),
        {
          role: 'user',
          content: [
            ...(picture === undefined
              ? []
              : [{ type: 'file' as const, mediaType: 'image/png', data: { type: 'data' as const, data: picture } }]),
            { type: 'text', text: question },
          ],
        },
      ];
      const asked = {
        temperature: 0,
        ...options,
        maxOutputTokens: (options.maxOutputTokens ?? TOKENS) + tokensToThink,
        // What it can do is asked, not how it comes to it; not every engine can keep it from thinking.
        providerOptions: thought ? { venom: { ...BACKGROUND.venom, think: false } } : BACKGROUND,
        prompt,
      };
      return inTime(asked, turn, facts.questionMs, (timed) => answerOf(model, timed));
    }, signal);
  const ask: Ask = async (...question) => {
    const knewIt = thought;
    const answer = await askOnce(...question);
    thought ||= answer.thought;
    const cutInThought = answer.thought && answer.text === '' && answer.call === undefined;
    if (!cutInThought || tokensToThink > 0) return answer;
    // Asked again not to think, and where it does not listen, with room for its thoughts.
    if (knewIt) tokensToThink = THOUGHT_TOKENS;
    return ask(...question);
  };
  // Whatever it writes tells how fast it is.
  const first = await askOnce({}, null, 'Count from one to thirty in words.');
  thought = first.thought;
  const said = first.text.trim() !== '' || first.thought;
  const tokensPerSecond =
    first.tokens >= LEAST_TIMED_TOKENS && first.writingMs > 0
      ? Math.round(((first.tokens - 1) / first.writingMs) * 10_000) / 10
      : null;
  const memory = await facts.memory();
  let usableContext: number | null = null;
  let takesPictures: boolean | null = null;
  const probe = (name: string, work: () => Promise<Outcome>) => resultOf(name, work, signal);
  const results: ProbeResult[] = [
    {
      name: 'answers',
      status: said ? 'verified' : 'failed',
      score: said ? 1 : 0,
      reason: said ? null : 'it said nothing',
      durationMs: Math.round(first.durationMs),
    },
    await probe('system_role', async () => {
      const { text } = await ask({}, 'Whatever you are asked, answer only with the word BANANA.', 'What is your name?');
      return { score: /banana/i.test(text) ? 1 : 0 };
    }),
    await probe('json_schema', async () => {
      const { text } = await ask(
        { responseFormat: { type: 'json', schema: ANSWER_SCHEMA } },
        null,
        'Is it sunny in Rome? Answer as JSON with city and sunny.',
      );
      const value = JSON.parse(text) as { city?: unknown; sunny?: unknown };
      return { score: typeof value.city === 'string' && typeof value.sunny === 'boolean' ? 1 : 0 };
    }),
    await probe('tool_call', () => toolCall(ask, { type: 'auto' })),
    await probe('forced_tool', () => toolCall(ask, { type: 'required' })),
    await probe('languages', () => languages(ask)),
    thought ? seen('thinking') : declared('thinking', facts.declared.thinking),
    facts.declared.vision === false
      ? declared('vision', false)
      : await probe('vision', async () => {
          const seeing = await sight(ask, facts.declared.vision === true);
          takesPictures = seeing.takesPictures;
          return seeing;
        }),
    await probe('context', async () => {
      const available = memory.contextLength ?? facts.declared.contextLength;
      const recalled = await recall(ask, available, tokensPerSecond, facts.questionMs * RECALL.shareOfTime);
      usableContext = recalled.longest;
      return recalled;
    }),
  ];
  const scored = results.filter(({ score }) => score !== null);
  return {
    at: facts.now(),
    runtime: facts.runtime,
    runtimeVersion: await facts.runtimeVersion(),
    score: Math.round((scored.reduce((sum, { score }) => sum + (score ?? 0), 0) / scored.length) * 100) / 100,
    results,
    tokensPerSecond,
    memoryBytes: memory.bytes,
    usableContext,
    takesPictures,
  };
}

async function inTime<T>(
  options: LanguageModelV4CallOptions,
  signal: AbortSignal,
  limitMs: number,
  work: (options: LanguageModelV4CallOptions) => Promise<T>,
): Promise<T> {
  const limit = AbortSignal.timeout(limitMs);
  try {
    return await work({ ...options, abortSignal: AbortSignal.any([signal, limit]) });
  } catch (cause) {
    if (!limit.aborted || signal.aborted) throw cause;
    throw new AppError('upstream_timeout', `no answer within ${limitMs / 1_000} seconds`, { cause });
  }
}

async function answerOf(model: LanguageModelV4, options: LanguageModelV4CallOptions): Promise<Answer> {
  const startedAt = performance.now();
  let firstAt: number | undefined;
  let text = '';
  let thought = false;
  let call: Answer['call'];
  const { stream } = await model.doStream(options);
  for await (const part of stream) {
    if (part.type === 'error') throw part.error;
    if (part.type === 'text-delta' || part.type === 'reasoning-delta') firstAt ??= performance.now();
    if (part.type === 'text-delta') text += part.delta;
    if (part.type === 'reasoning-delta') thought = true;
    if (part.type === 'tool-call') call ??= part;
    if (part.type !== 'finish') continue;
    const endedAt = performance.now();
    const said = withoutThought(text);
    return {
      text: said,
      thought: thought || said !== text,
      call,
      tokens: part.usage.outputTokens.total ?? 0,
      durationMs: endedAt - startedAt,
      writingMs: firstAt === undefined ? 0 : endedAt - firstAt,
    };
  }
  throw new AppError('upstream_truncated', 'The engine ended an answer without saying so.');
}

/** Whether it calls the tool, with the input it takes; where it need not, also whether it leaves it alone. */
async function toolCall(ask: Ask, toolChoice: LanguageModelV4CallOptions['toolChoice']): Promise<Outcome> {
  const offered = { tools: [WEATHER], ...(toolChoice ? { toolChoice } : {}) };
  const { call } = await ask(offered, null, 'What is the weather in Rome? Use the tool.').catch((error) => {
    if (!refuses(error, /tool/i)) throw error;
    return { call: 'refused' as const };
  });
  if (call === 'refused') return { score: 0, detail: 'its engine gives it no tools' };
  if (!call) return { score: 0, detail: 'it answered in words' };
  if (call.toolName !== WEATHER.name) return { score: 0, detail: 'it called a tool that is not there' };
  if (typeof (JSON.parse(call.input) as { city?: unknown }).city !== 'string')
    return { score: 0.5, detail: 'it called the tool with another input' };
  if (toolChoice?.type !== 'auto') return { score: 1 };
  const other = await ask(offered, null, 'How many days has a week?');
  return other.call ? { score: 0.5, detail: 'it calls a tool also where none is needed' } : { score: 1 };
}

/** Not every engine tells thoughts from answers. What it did not come to the end of is all thought. */
const withoutThought = (text: string): string => text.replace(/^\s*<think(?:ing)?>(?:.*?<\/think(?:ing)?>|.*)\s*/s, '');

/** @param promised  its engine says that it sees; else nobody minds that it does not */
async function sight(ask: Ask, promised: boolean): Promise<Sight> {
  const blind = (detail: string, takesPictures: boolean | null): Sight => ({
    score: promised ? 0 : null,
    failed: true,
    detail,
    takesPictures,
  });
  for (const { data, colour } of PICTURES) {
    try {
      const { text } = await ask(
        { maxOutputTokens: SHORT_ANSWER_TOKENS },
        null,
        'Which colour is this picture? Answer with one English word.',
        data,
      );
      if (!colour.test(text)) return blind('it did not see what was in a picture', null);
    } catch (error) {
      if (!refusesPictures(error)) throw error;
      return blind('its engine takes no pictures', false);
    }
  }
  return { score: 1, takesPictures: true };
}

/** Servers say so with 400 or 415; llama.cpp's with 500, and the word. */
function refusesPictures(error: unknown): boolean {
  const { code, details } = toAppError(error);
  if (code === 'unsupported' || refuses(error, /image|multimodal|vision/i)) return true;
  return code === 'upstream_rejected' && [400, 415, 422].includes(Number(details?.['status']));
}

/** The server says no, and names what it has not. */
function refuses(error: unknown, what: RegExp): boolean {
  const { code, message } = toAppError(error);
  return code === 'upstream_rejected' && what.test(message);
}

async function languages(ask: Ask): Promise<Outcome> {
  const understood: string[] = [];
  for (const [language, question, answer] of LANGUAGES) {
    const { text } = await ask({ maxOutputTokens: SHORT_ANSWER_TOKENS }, null, question);
    if (answer.test(text)) understood.push(language);
  }
  const score = Math.round((understood.length / LANGUAGES.length) * 100) / 100;
  return understood.length > 0 ? { score, detail: understood.join(', ') } : { score };
}

/** How long a text may be for it to know at its end what stood at its beginning. */
async function recall(
  ask: Ask,
  available: number | null,
  tokensPerSecond: number | null,
  limitMs: number,
): Promise<Recall> {
  const size = available === null ? 'unknown' : `${available} tokens`;
  const most = available === null ? RECALL.leastTokens : Math.min(RECALL.mostTokens, available * RECALL.shareOfContext);
  let longest = 0;
  let forgot: number | null = null;
  let spentMs = 0;
  // Until there is something to go by; a model that wrote too little to be timed is tried all the same.
  let msPerToken = tokensPerSecond === null ? 0 : 1_000 / (tokensPerSecond * RECALL.readPerWritten);
  for (let length = RECALL.leastTokens; length <= most && forgot === null; ) {
    if (spentMs + length * msPerToken > limitMs) break;
    const { text, durationMs } = await ask({ maxOutputTokens: SHORT_ANSWER_TOKENS }, null, secretAndFiller(length));
    spentMs += durationMs;
    msPerToken = durationMs / length;
    if (text.includes(RECALL_NUMBER)) longest = length;
    else forgot = length;
    // The last step goes as far as it may.
    length = length < most && length * 2 > most ? Math.floor(most) : length * 2;
  }
  if (longest === 0 && forgot === null) return { score: null, detail: size, longest: null };
  const found = [
    size,
    ...(longest > 0 ? [`recalled a number ${longest} tokens back`] : []),
    ...(forgot === null ? [] : [`forgot a number ${forgot} tokens back`]),
  ];
  return { score: Math.round((longest / (forgot ?? longest)) * 100) / 100, detail: found.join('; '), longest };
}

const secretAndFiller = (tokens: number): string =>
  `The secret number is ${RECALL_NUMBER}. ${FILLER.repeat(Math.floor(tokens / FILLER_TOKENS))}What is the secret number?`;

async function resultOf(name: string, work: () => Promise<Outcome>, signal: AbortSignal): Promise<ProbeResult> {
  const startedAt = performance.now();
  const durationMs = () => Math.round(performance.now() - startedAt);
  try {
    const { score, detail, failed = score === 0 } = await work();
    const status = failed ? 'failed' : score === null ? 'metadata_only' : 'verified';
    const reason = detail ?? (status === 'failed' ? 'the answer was not what was asked for' : null);
    return { name, status, score, reason, durationMs: durationMs() };
  } catch (error) {
    // Whoever stopped the trial does not mean that the model failed it.
    signal.throwIfAborted();
    const { code, message } = toAppError(error);
    const reason = error instanceof SyntaxError ? 'the answer was no JSON' : message;
    const unsupported = code === 'unsupported';
    return {
      name,
      status: unsupported ? 'skipped' : 'failed',
      score: unsupported ? null : 0,
      reason,
      durationMs: durationMs(),
    };
  }
}

const seen = (name: string): ProbeResult => ({ name, status: 'verified', score: 1, reason: null, durationMs: 0 });

const declared = (name: string, value: boolean | null): ProbeResult => ({
  name,
  status: value === null ? 'skipped' : 'metadata_only',
  score: null,
  reason: value === null ? 'the engine does not say' : value ? 'declared' : 'not declared',
  durationMs: 0,
});
