// What a model can really do, asked of the model itself in a few short questions. Metadata only promises.
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4Content } from '@ai-sdk/provider';
import { BACKGROUND } from '../runtimes/runtime.js';
import { toAppError } from '../shared/errors.js';
import type { ProbeReport, ProbeResult } from './manifest.js';

const QUESTION_MS = 30_000;
const TOKENS = 48;

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
  runtimeVersion: string | null;
  /** What the engine's metadata says, where it says something. */
  declared: { tools: boolean | null; vision: boolean | null; thinking: boolean | null; contextLength: number | null };
  memoryBytes: number | null;
  now: () => number;
}

type Ask = (
  options: Omit<LanguageModelV4CallOptions, 'prompt' | 'abortSignal'>,
  system: string | null,
  question: string,
) => Promise<{ text: string; content: LanguageModelV4Content[]; tokens: number; ms: number }>;

/** Runs every probe; a failed one is a result, not an error. @throws only when the model does not answer at all */
export async function probeModel(model: LanguageModelV4, facts: ProbeFacts, signal: AbortSignal): Promise<ProbeReport> {
  const ask: Ask = async (options, system, question) => {
    const startedAt = performance.now();
    const { content, usage } = await model.doGenerate({
      temperature: 0,
      maxOutputTokens: TOKENS,
      providerOptions: BACKGROUND,
      ...options,
      prompt: [
        ...(system === null ? [] : [{ role: 'system' as const, content: system }]),
        { role: 'user', content: [{ type: 'text', text: question }] },
      ],
      abortSignal: AbortSignal.any([signal, AbortSignal.timeout(QUESTION_MS)]),
    });
    return {
      text: content
        .filter((part) => part.type === 'text')
        .map(({ text }) => text)
        .join(''),
      content,
      tokens: usage.outputTokens.total ?? 0,
      ms: performance.now() - startedAt,
    };
  };
  const results: ProbeResult[] = [];
  const first = await ask({}, null, 'Say hello.');
  results.push(verdict('answers', first.text.trim() !== '', 'it said nothing', first.ms));
  const speed = first.tokens > 8 ? Math.round((first.tokens / first.ms) * 10_000) / 10 : null;
  results.push(
    await probe('system_role', async () => {
      const { text } = await ask({}, 'Whatever you are asked, answer only with the word BANANA.', 'What is your name?');
      return /banana/i.test(text) ? 1 : 0;
    }),
    await probe('json_schema', async () => {
      const { text } = await ask(
        { responseFormat: { type: 'json', schema: ANSWER_SCHEMA } },
        null,
        'Is it sunny in Rome? Answer as JSON with city and sunny.',
      );
      const value = JSON.parse(text) as { city?: unknown; sunny?: unknown };
      return typeof value.city === 'string' && typeof value.sunny === 'boolean' ? 1 : 0;
    }),
    await probe('tool_call', () => toolCall(ask, { type: 'auto' })),
    await probe('forced_tool', () => toolCall(ask, { type: 'required' })),
    await probe('languages', async () => {
      const { text } = await ask({}, 'Antworte auf Deutsch.', 'Wie heißt die Hauptstadt von Frankreich?');
      return /paris/i.test(text) ? 1 : 0;
    }),
    declared('thinking', facts.declared.thinking),
    declared('vision', facts.declared.vision),
    {
      name: 'context',
      status: facts.declared.contextLength ? 'metadata_only' : 'skipped',
      score: null,
      reason: facts.declared.contextLength ? `${facts.declared.contextLength} tokens` : 'unknown',
      durationMs: 0,
    },
  );
  const scored = results.filter(({ score }) => score !== null);
  return {
    at: facts.now(),
    runtime: facts.runtime,
    runtimeVersion: facts.runtimeVersion,
    score: Math.round((scored.reduce((sum, { score }) => sum + (score ?? 0), 0) / scored.length) * 100) / 100,
    results,
    tokensPerSecond: speed,
    memoryBytes: facts.memoryBytes,
  };
}

async function toolCall(ask: Ask, toolChoice: LanguageModelV4CallOptions['toolChoice']): Promise<number> {
  const { content } = await ask(
    { tools: [WEATHER], ...(toolChoice ? { toolChoice } : {}) },
    null,
    'What is the weather in Rome? Use the tool.',
  );
  const call = content.find((part) => part.type === 'tool-call');
  if (call?.type !== 'tool-call' || call.toolName !== WEATHER.name) return 0;
  return typeof (JSON.parse(call.input) as { city?: unknown }).city === 'string' ? 1 : 0.5;
}

async function probe(name: string, work: () => Promise<number>): Promise<ProbeResult> {
  const startedAt = performance.now();
  const durationMs = () => Math.round(performance.now() - startedAt);
  try {
    const score = await work();
    return {
      name,
      status: score > 0 ? 'verified' : 'failed',
      score,
      reason: score > 0 ? null : 'the answer was not what was asked for',
      durationMs: durationMs(),
    };
  } catch (error) {
    const { code, message } = toAppError(error);
    const reason = error instanceof SyntaxError ? 'the answer was no JSON' : message;
    return {
      name,
      status: code === 'unsupported' ? 'skipped' : 'failed',
      score: code === 'unsupported' ? null : 0,
      reason,
      durationMs: durationMs(),
    };
  }
}

const verdict = (name: string, ok: boolean, why: string, ms: number): ProbeResult => ({
  name,
  status: ok ? 'verified' : 'failed',
  score: ok ? 1 : 0,
  reason: ok ? null : why,
  durationMs: Math.round(ms),
});

const declared = (name: string, value: boolean | null): ProbeResult => ({
  name,
  status: value === null ? 'skipped' : 'metadata_only',
  score: null,
  reason: value === null ? 'the engine does not say' : value ? 'declared' : 'not declared',
  durationMs: 0,
});
