// A call of the AI SDK's contract as an order to the inference process, every number within its range.
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import { AppError } from '../../shared/errors.js';
import { type GenericParams, paramsOfCall } from '../call-params.js';
import { ownTools, toolResultText } from '../function-tools.js';
import { type AdaptedParams, toRuntimeParams } from '../generation-params.js';
import { familyOf } from '../model-families.js';
import { completionOf } from '../text-completion.js';
import { checkSchemaSize } from './grammar-limits.js';
import { heardThink, type ThoughtTraits, toThink } from './thoughts/thought-traits.js';
import { toToolOrder } from './tool-calls/tool-order.js';
import type { ChatMessage, ToolCallMessage, ToWorker } from './worker-protocol.js';

export interface SamplingDefaults {
  temperature: number;
  topP: number;
  topK: number;
  repeatPenalty: number;
}

const SMALL_MODEL_PARAMETERS = 1_000_000_000;
const DEFAULT_TOP_K = 40;
const DEFAULT_REPEAT_PENALTY = 1;

/** What the family's makers recommend; else small models lose the thread at the temperature that makes large ones lively. */
export function samplingDefaults(modelName: string, parameters: number): SamplingDefaults {
  const sampling = familyOf(modelName)?.sampling ?? {};
  const small = parameters < SMALL_MODEL_PARAMETERS;
  return {
    temperature: sampling['temperature'] ?? (small ? 0.2 : 0.7),
    topP: sampling['top_p'] ?? (small ? 0.9 : 0.95),
    topK: sampling['top_k'] ?? DEFAULT_TOP_K,
    repeatPenalty: sampling['repeat_penalty'] ?? DEFAULT_REPEAT_PENALTY,
  };
}

/** The same as in an order, for whoever wants to know before or after it. */
export function adaptToLlamaCpp(
  params: GenericParams,
  model: { defaults: SamplingDefaults; thoughts: ThoughtTraits | null } | null,
): AdaptedParams {
  const adapted = toRuntimeParams('llama-cpp', params);
  if (model === null) return adapted;
  const { temperature, topP, topK, repeatPenalty } = model.defaults;
  const { think, ...sent } = adapted.sent;
  const heard = heardThink(toThink(think), model.thoughts);
  return {
    ...adapted,
    sent: {
      temperature,
      top_p: topP,
      top_k: topK,
      repeat_penalty: repeatPenalty,
      ...sent,
      ...(heard === undefined || heard === null ? {} : { think: heard }),
    },
    dropped: heard === null ? [...adapted.dropped, 'think'] : adapted.dropped,
  };
}

/** @throws AppError `invalid_input` for a parameter that is no number, and schemas and tools that are too large, `unsupported` for parts that are not text */
export function toGenerateOrder(
  options: LanguageModelV4CallOptions,
  defaults: SamplingDefaults,
  thoughts: ThoughtTraits | null = null,
): Omit<Extract<ToWorker, { type: 'generate' }>, 'id'> {
  const own = options.providerOptions?.['venom'] ?? {};
  const { sent } = adaptToLlamaCpp(paramsOfCall(options), { defaults, thoughts });
  const json = options.responseFormat?.type === 'json' ? (options.responseFormat.schema ?? true) : undefined;
  checkSchemaSize(json);
  const completion = completionOf(options);
  return {
    type: 'generate',
    messages: options.prompt.flatMap(toMessages),
    tools: toToolOrder({ ...options, ...ownTools(options) }),
    // A text that is gone on with has no turns, and what follows it is none.
    dropOldest: own['dropOldest'] === true && completion === undefined,
    completion,
    sampling: {
      temperature: number('temperature', sent) ?? defaults.temperature,
      topP: number('top_p', sent) ?? defaults.topP,
      topK: number('top_k', sent) ?? defaults.topK,
      minP: number('min_p', sent) ?? 0,
      repeatPenalty: number('repeat_penalty', sent) ?? defaults.repeatPenalty,
      frequencyPenalty: number('frequency_penalty', sent) ?? 0,
      presencePenalty: number('presence_penalty', sent) ?? 0,
      seed: number('seed', sent),
      maxTokens: number('max_tokens', sent),
      stop: options.stopSequences?.filter(Boolean) ?? [],
      json,
      think: toThink(own['think']) ?? (own['quick'] === true ? false : undefined),
    },
  };
}

function number(name: string, sent: Readonly<Record<string, unknown>>): number | undefined {
  const value = sent[name];
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isFinite(value) && (name !== 'max_tokens' || value >= 1)) return value;
  throw new AppError('invalid_input', `${name} must be a number${name === 'max_tokens' ? ' from 1' : ''}.`);
}

export function toMessages(message: LanguageModelV4CallOptions['prompt'][number]): ChatMessage[] {
  if (message.role === 'system') return [{ role: 'system', text: message.content }];
  if (message.role === 'tool')
    return message.content.flatMap((part): ChatMessage[] =>
      part.type === 'tool-result'
        ? [{ role: 'tool', id: part.toolCallId, name: part.toolName, text: toolResultText(part) }]
        : [],
    );
  const calls: ToolCallMessage[] = [];
  let text = '';
  let thought = '';
  for (const part of message.content) {
    if (part.type === 'text') text += part.text;
    else if (part.type === 'reasoning') thought += part.text;
    else if (part.type === 'tool-call') calls.push({ id: part.toolCallId, name: part.toolName, input: part.input });
    else throw new AppError('unsupported', 'This model reads text only.');
  }
  if (message.role === 'user') return [{ role: 'user', text }];
  return [{ role: 'assistant', text, ...(thought ? { thought } : {}), ...(calls.length > 0 ? { calls } : {}) }];
}
