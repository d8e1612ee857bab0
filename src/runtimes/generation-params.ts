// GenerationParamsAdapter (`generation_params_adapter`): generic parameter names to each engine's own, with what was
// dropped or clamped on the way. Pure: tables and rules, no engine.
import type { GenerationSchema } from '../models/manifest.js';
import { familyOf } from './model-families.js';

export type ParamFormat =
  | 'openai'
  | 'openai-compatible'
  | 'google'
  | 'vllm'
  | 'ollama'
  /** Ollama's OpenAI-style wire, which hears less than its own. */
  | 'ollama-v1'
  | 'onnx'
  | 'llama-cpp';

/** Generic name → the engine's. `null` is a name the engine does not know; others pass through unchanged. */
const NAMES: Readonly<Record<ParamFormat, Readonly<Record<string, string | null>>>> = {
  openai: { top_k: null, repeat_penalty: null, min_p: null, think: null },
  'openai-compatible': {},
  google: {
    max_tokens: 'maxOutputTokens',
    top_p: 'topP',
    top_k: 'topK',
    stop: 'stopSequences',
    frequency_penalty: 'frequencyPenalty',
    presence_penalty: 'presencePenalty',
    repeat_penalty: null,
    min_p: null,
    logit_bias: null,
    logprobs: null,
    top_logprobs: null,
    think: null,
  },
  vllm: { repeat_penalty: 'repetition_penalty' },
  ollama: { max_tokens: 'num_predict', logprobs: null, top_logprobs: null, logit_bias: null },
  'ollama-v1': {
    top_k: null,
    min_p: null,
    repeat_penalty: null,
    logprobs: null,
    top_logprobs: null,
    logit_bias: null,
  },
  onnx: { max_tokens: 'max_new_tokens', repeat_penalty: 'repetition_penalty' },
  'llama-cpp': { logprobs: null, top_logprobs: null, logit_bias: null },
};

/** What every engine takes, and where some take less or more: beyond it they answer with an error or with noise. */
const LIMITS: Readonly<Record<string, readonly [min: number, max: number]>> = {
  temperature: [0, 5],
  top_p: [0, 1],
  min_p: [0, 1],
  top_k: [0, 1_000_000],
  repeat_penalty: [0, 10],
  frequency_penalty: [-2, 2],
  presence_penalty: [-2, 2],
};
const NARROWER: Readonly<Partial<Record<ParamFormat, typeof LIMITS>>> = {
  openai: { temperature: [0, 2] },
  google: { temperature: [0, 2] },
  vllm: { temperature: [0, 2], top_p: [0.001, 1], repeat_penalty: [0.01, 10] },
};
const LEAST_VLLM_TOKENS = 64;

export const DEFAULT_SCHEMA: GenerationSchema = {
  temperature: { type: 'float', default: 0.7, min: 0, max: 2, desc: 'How freely words are chosen' },
  max_tokens: { type: 'int', default: 2_048, min: 128, max: 8_192, desc: 'Longest answer, in tokens' },
  top_p: { type: 'float', default: 0.9, min: 0, max: 1, desc: 'Share of likely words to choose from' },
  top_k: { type: 'int', default: 40, min: 1, max: 100, desc: 'Number of likely words to choose from' },
  repeat_penalty: { type: 'float', default: 1.1, min: 1, max: 2, desc: 'How much repetition is avoided' },
};

export interface AdaptedParams {
  sent: Record<string, unknown>;
  /** Generic names the engine does not know. */
  dropped: string[];
  clamped: { name: string; from: number; to: number }[];
}

/** The format a provider speaks; `local` is the active engine's. */
export function formatOf(provider: string, active?: string): ParamFormat {
  const name = provider.toLowerCase();
  if (name === 'local') return active && active !== 'local' ? formatOf(active) : 'vllm';
  if (name.includes('ollama')) return 'ollama';
  if (name.includes('vllm')) return 'vllm';
  if (name.includes('llama-cpp')) return 'llama-cpp';
  if (name.includes('onnx')) return 'onnx';
  if (name.includes('google')) return 'google';
  return 'openai';
}

export interface ModelFacts {
  modelName?: string | undefined;
  /** Tokens; vLLM answers 400 to a `max_tokens` that leaves no room for the prompt. */
  contextLength?: number | undefined;
}

/** What of the generic parameters an engine gets, under its own names and within what it and the model take. */
export function toRuntimeParams(
  format: ParamFormat,
  params: Readonly<Record<string, unknown>>,
  facts: ModelFacts = {},
): AdaptedParams {
  const adapted: AdaptedParams = { sent: {}, dropped: [], clamped: [] };
  const names = NAMES[format];
  for (const name in params) {
    const given = params[name];
    if (given === undefined || given === null) continue;
    const known = Object.hasOwn(names, name) ? names[name] : undefined;
    if (known === null) {
      // `false` asks for nothing, so nothing is lost with it.
      if (given !== false) adapted.dropped.push(name);
      continue;
    }
    let value = given;
    if (typeof given === 'number') {
      const within = clamp(given, limits(format, name, facts));
      if (within !== given) adapted.clamped.push({ name, from: given, to: within });
      value = within;
    }
    adapted.sent[known ?? name] = value;
  }
  return adapted;
}

function limits(format: ParamFormat, name: string, { modelName, contextLength }: ModelFacts) {
  if (name === 'max_tokens')
    return format === 'vllm' && contextLength
      ? ([1, Math.max(LEAST_VLLM_TOKENS, Math.floor(contextLength / 4))] as const)
      : undefined;
  const range = NARROWER[format]?.[name] ?? LIMITS[name];
  if (name === 'temperature' && range && modelName !== undefined && derailsAboveOne(modelName, format))
    return [range[0], 1] as const;
  return range;
}

const clamp = (value: number, range: readonly [number, number] | undefined): number =>
  range === undefined ? value : Math.min(range[1], Math.max(range[0], value));

/** Llama 3 loses the thread above a temperature of 1. */
const derailsAboveOne = (modelName: string, format: ParamFormat): boolean =>
  format.startsWith('ollama') && /llama-?3(?=[:-]|$)/i.test(modelName);

/** A model's own schema wins; its family's published sampling comes before the defaults of all. */
export function schemaFor(modelName: string, format: ParamFormat, own?: GenerationSchema): GenerationSchema {
  if (own) return own;
  const recommended = familyOf(modelName)?.sampling ?? {};
  const narrow = derailsAboveOne(modelName, format);
  if (!narrow && Object.keys(recommended).length === 0) return DEFAULT_SCHEMA;
  return Object.fromEntries(
    Object.entries(DEFAULT_SCHEMA).map(([name, rule]) => [
      name,
      {
        ...rule,
        default: recommended[name] ?? rule.default,
        ...(narrow && name === 'temperature' ? { max: 1 } : {}),
      },
    ]),
  );
}

/** Every problem at once, in the person's words. */
export function validateParams(
  schema: GenerationSchema,
  params: Readonly<Record<string, unknown>>,
): { valid: Record<string, number | boolean | string>; problems: string[] } {
  const valid: Record<string, number | boolean | string> = {};
  const problems: string[] = [];
  for (const [name, value] of Object.entries(params)) {
    const rule = Object.hasOwn(schema, name) ? schema[name] : undefined;
    if (!rule) {
      problems.push(`${name.slice(0, 60)} is unknown`);
      continue;
    }
    switch (rule.type) {
      case 'bool':
        if (typeof value === 'boolean') valid[name] = value;
        else problems.push(`${name} must be true or false`);
        break;
      case 'select':
        if (rule.options?.includes(String(value))) valid[name] = String(value);
        else problems.push(`${name} must be one of ${rule.options?.join(', ')}`);
        break;
      case 'string':
        if (typeof value === 'string' && value.length <= 10_000) valid[name] = value;
        else problems.push(`${name} must be a text`);
        break;
      default: {
        if (typeof value !== 'number' || !Number.isFinite(value)) {
          problems.push(`${name} must be a number`);
          break;
        }
        const number = rule.type === 'int' ? Math.trunc(value) : value;
        if (rule.min !== undefined && number < rule.min) problems.push(`${name} must be at least ${rule.min}`);
        else if (rule.max !== undefined && number > rule.max) problems.push(`${name} must be at most ${rule.max}`);
        else valid[name] = number;
      }
    }
  }
  return { valid, problems };
}

export const GenerationParamsAdapter = { formatOf, toRuntimeParams, schemaFor, validateParams };
