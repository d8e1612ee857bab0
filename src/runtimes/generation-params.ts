// GenerationParamsAdapter: generic parameter names to each engine's own, with what was dropped or clamped on the way.
// Pure: tables and rules, no engine.
import type { GenerationSchema } from '../models/manifest.js';

export type ParamFormat = 'openai' | 'vllm' | 'ollama' | 'onnx' | 'llama-cpp';

/** Generic name → the engine's. A missing name is one the engine does not know; others pass through unchanged. */
const NAMES: Readonly<Record<ParamFormat, Readonly<Record<string, string | null>>>> = {
  openai: { top_k: null, repeat_penalty: null },
  vllm: { repeat_penalty: 'repetition_penalty' },
  ollama: { max_tokens: 'num_predict' },
  onnx: { max_tokens: 'max_new_tokens', repeat_penalty: 'repetition_penalty' },
  'llama-cpp': {},
};

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
  return 'openai';
}

/** @param contextLength  tokens of the model; vLLM answers 400 to a `max_tokens` that leaves no room for the prompt */
export function toRuntimeParams(
  format: ParamFormat,
  params: Readonly<Record<string, unknown>>,
  contextLength?: number,
): AdaptedParams {
  const adapted: AdaptedParams = { sent: {}, dropped: [], clamped: [] };
  for (const [name, given] of Object.entries(params)) {
    if (given === undefined || given === null) continue;
    const known = NAMES[format][name];
    if (known === null) {
      adapted.dropped.push(name);
      continue;
    }
    let value = given;
    if (format === 'vllm' && name === 'max_tokens' && contextLength && typeof given === 'number') {
      const most = Math.max(64, Math.floor(contextLength / 4));
      if (given > most) {
        adapted.clamped.push({ name, from: given, to: most });
        value = most;
      }
    }
    adapted.sent[known ?? name] = value;
  }
  return adapted;
}

/** A model's own schema wins; Llama 3 derails above a temperature of 1. */
export function schemaFor(modelName: string, format: ParamFormat, own?: GenerationSchema): GenerationSchema {
  if (own) return own;
  const temperature = DEFAULT_SCHEMA['temperature'];
  if (format === 'ollama' && temperature && /llama-?3(?=[:-]|$)/i.test(modelName))
    return { ...DEFAULT_SCHEMA, temperature: { ...temperature, max: 1 } };
  return DEFAULT_SCHEMA;
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
