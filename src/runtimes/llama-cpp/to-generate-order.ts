// A call of the AI SDK's contract as an order to the inference process, every number within its range.
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import { AppError } from '../../shared/errors.js';
import type { ChatMessage, ToWorker } from './worker-protocol.js';

export interface SamplingDefaults {
  temperature: number;
  topP: number;
}

const SMALL_MODEL_PARAMETERS = 1_000_000_000;
const DEFAULT_TOP_K = 40;
const DEFAULT_REPEAT_PENALTY = 1;

/** Small models lose the thread at the temperature that makes large ones lively. */
export const samplingDefaults = (parameters: number): SamplingDefaults =>
  parameters < SMALL_MODEL_PARAMETERS ? { temperature: 0.2, topP: 0.9 } : { temperature: 0.7, topP: 0.95 };

/** @throws AppError `invalid_input` for a parameter out of range, `unsupported` for parts that are not text */
export function toGenerateOrder(
  options: LanguageModelV4CallOptions,
  defaults: SamplingDefaults,
): Omit<Extract<ToWorker, { type: 'generate' }>, 'id'> {
  const own = (options.providerOptions?.['venom'] ?? {}) as Record<string, unknown>;
  return {
    type: 'generate',
    messages: options.prompt.map(toMessage),
    sampling: {
      temperature: within('temperature', options.temperature, 0, 5) ?? defaults.temperature,
      topP: within('top_p', options.topP, 0, 1) ?? defaults.topP,
      topK: within('top_k', options.topK, 0, 1_000_000) ?? DEFAULT_TOP_K,
      minP: within('min_p', own['minP'], 0, 1) ?? 0,
      repeatPenalty: within('repeat_penalty', own['repeatPenalty'], 0, 10) ?? DEFAULT_REPEAT_PENALTY,
      frequencyPenalty: within('frequency_penalty', options.frequencyPenalty, -2, 2) ?? 0,
      presencePenalty: within('presence_penalty', options.presencePenalty, -2, 2) ?? 0,
      seed: within('seed', options.seed, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
      maxTokens: within('max_tokens', options.maxOutputTokens, 1, Number.MAX_SAFE_INTEGER),
      stop: options.stopSequences?.filter(Boolean) ?? [],
      json: options.responseFormat?.type === 'json' ? (options.responseFormat.schema ?? true) : undefined,
    },
  };
}

function within(name: string, value: unknown, minimum: number, maximum: number): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && value >= minimum && value <= maximum) return value;
  throw new AppError('invalid_input', `${name} must be a number from ${minimum} to ${maximum}.`);
}

export function toMessage(message: LanguageModelV4CallOptions['prompt'][number]): ChatMessage {
  if (message.role === 'system') return { role: 'system', text: message.content };
  if (message.role === 'tool') throw new AppError('unsupported', 'This model takes no tool results.');
  const text = message.content
    .map((part) => {
      if (part.type === 'text') return part.text;
      if (part.type === 'reasoning') return '';
      throw new AppError('unsupported', 'This model reads text only.');
    })
    .join('');
  return { role: message.role, text };
}
