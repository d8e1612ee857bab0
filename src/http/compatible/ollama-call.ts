// A request of Ollama's API as a call of the AI SDK's contract.
import type { JSONSchema7, LanguageModelV4CallOptions } from '@ai-sdk/provider';
import type { OllamaChatRequest, OllamaGenerateRequest, OllamaMessage, OllamaOptions } from '../../contract/ollama.js';
import type { TextCompletion } from '../../runtimes/text-completion.js';
import { AppError } from '../../shared/errors.js';
import { mediaTypeOf } from '../pictures.js';
import { PromptBuilder } from './prompt-builder.js';

/** Options that say where and how fast a model runs, never what it answers. */
const PLACEMENT = new Set([
  'f16_kv',
  'low_vram',
  'main_gpu',
  'num_batch',
  'num_ctx',
  'num_gpu',
  'num_keep',
  'num_thread',
  'numa',
  'use_mlock',
  'use_mmap',
  'vocab_only',
]);

/**
 * Options that say what is done anyway, or what only counts where another one is set: libraries send whole lists of
 * Ollama's defaults.
 */
const NEUTRAL: Readonly<Record<string, (value: unknown, options: OllamaOptions) => boolean>> = {
  mirostat: (value) => value === 0,
  mirostat_tau: (_value, { mirostat }) => !mirostat,
  mirostat_eta: (_value, { mirostat }) => !mirostat,
  // No engine has it any more, Ollama neither.
  penalize_newline: () => true,
  repeat_last_n: (value, { repeat_penalty }) => value === 64 || (repeat_penalty ?? 1) === 1,
  tfs_z: (value) => value === 1,
  typical_p: (value) => value === 1,
};

type Common = Pick<OllamaChatRequest, 'format' | 'keep_alive' | 'options' | 'think' | 'max_output_tokens'>;

/** @throws AppError `unsupported`, `invalid_input` */
export function toOllamaChatCall(body: OllamaChatRequest): LanguageModelV4CallOptions {
  const builder = new PromptBuilder();
  const open: OpenCall[] = [];
  for (const message of body.messages ?? []) addMessage(builder, message, open);
  return {
    prompt: builder.prompt,
    tools: body.tools?.map(({ function: { name, description, parameters } }) => ({
      type: 'function' as const,
      name,
      inputSchema: (parameters ?? { type: 'object', properties: {} }) as JSONSchema7,
      ...(description ? { description } : {}),
    })),
    ...(body.tools?.length && body.tool_choice ? { toolChoice: toToolChoice(body.tool_choice) } : {}),
    ...toParameters(body),
  };
}

/** @throws AppError `unsupported` */
function toToolChoice(choice: NonNullable<OllamaChatRequest['tool_choice']>): LanguageModelV4CallOptions['toolChoice'] {
  if (typeof choice === 'string') return { type: choice };
  const name = (choice['function'] as { name?: unknown } | undefined)?.name;
  if (typeof name !== 'string') throw new AppError('unsupported', 'tool_choice is auto, none, required or a function.');
  return { type: 'tool', toolName: name };
}

/** @throws AppError `unsupported`, `invalid_input` */
export function toOllamaGenerateCall(body: OllamaGenerateRequest): LanguageModelV4CallOptions {
  const builder = new PromptBuilder();
  builder.system(body.system ?? '');
  for (const image of body.images ?? []) builder.image(mediaTypeOf(image), image);
  builder.user(body.prompt ?? '');
  const { raw, suffix, template } = body;
  const completion = withoutEmpty({
    raw: raw || undefined,
    suffix: suffix || undefined,
    template: template || undefined,
  });
  const parameters = toParameters(body);
  if (!completion) return { prompt: builder.prompt, ...parameters };
  const venom = { ...parameters.providerOptions?.['venom'], completion };
  return { prompt: builder.prompt, ...parameters, providerOptions: { venom } };
}

function withoutEmpty(completion: TextCompletion): Record<string, string | boolean> | undefined {
  const given = Object.entries(completion).filter(([, value]) => value !== undefined);
  return given.length > 0 ? Object.fromEntries(given) : undefined;
}

interface OpenCall {
  id: string;
  name: string;
}

function addMessage(builder: PromptBuilder, message: OllamaMessage, open: OpenCall[]): void {
  const text = message.content ?? '';
  switch (message.role) {
    case 'system':
      builder.system(text);
      return;
    case 'user':
      for (const image of message.images ?? []) builder.image(mediaTypeOf(image), image);
      builder.user(text);
      return;
    case 'assistant':
      builder.assistant(text);
      for (const { id, function: called } of message.tool_calls ?? []) {
        const call = { id: id ?? `call_${builder.prompt.length}_${open.length}`, name: called.name };
        open.push(call);
        builder.toolCall(call.id, call.name, called.arguments ?? {});
      }
      return;
    case 'tool':
      builder.toolResult(answered(message, open).id, text);
  }
}

/** Results carry the tool's name at most: they belong to the first call of it that is still open. */
function answered({ tool_call_id, tool_name }: OllamaMessage, open: OpenCall[]): OpenCall {
  const index = open.findIndex(({ id, name }) =>
    tool_call_id ? id === tool_call_id : tool_name ? name === tool_name : true,
  );
  const [call] = index === -1 ? [] : open.splice(index, 1);
  if (!call) throw new AppError('invalid_input', 'messages: a tool message answers no call made before it.');
  return call;
}

function toParameters({
  options,
  format,
  think,
  keep_alive,
  max_output_tokens,
}: Common): Omit<LanguageModelV4CallOptions, 'prompt'> {
  const {
    num_predict,
    temperature,
    top_p,
    top_k,
    min_p,
    seed,
    stop,
    repeat_penalty,
    presence_penalty,
    frequency_penalty,
    ...rest
  } = (options ?? {}) as OllamaOptions;
  const others = Object.entries(rest).filter(([, value]) => value !== null && value !== undefined);
  const forOllama = Object.fromEntries(others);
  const changing = others
    .filter(([name, value]) => !PLACEMENT.has(name) && !NEUTRAL[name]?.(value, options ?? {}))
    .map(([name]) => name);
  return {
    // -1 and -2 are "without end" and "to the end of the context".
    maxOutputTokens: num_predict && num_predict > 0 ? num_predict : (max_output_tokens ?? undefined),
    temperature: temperature ?? undefined,
    topP: top_p ?? undefined,
    topK: top_k || undefined,
    seed: seed ?? undefined,
    stopSequences: typeof stop === 'string' ? [stop] : (stop ?? undefined),
    presencePenalty: presence_penalty ?? undefined,
    frequencyPenalty: frequency_penalty ?? undefined,
    ...(format === 'json' ? { responseFormat: { type: 'json' as const } } : {}),
    ...(typeof format === 'object' && format !== null
      ? { responseFormat: { type: 'json' as const, schema: format as JSONSchema7 } }
      : {}),
    providerOptions: {
      venom: {
        ...(typeof min_p === 'number' ? { minP: min_p } : {}),
        ...(typeof repeat_penalty === 'number' ? { repeatPenalty: repeat_penalty } : {}),
        ...(think === null || think === undefined ? {} : { think }),
        // As Ollama does with what is too long.
        dropOldest: true,
        ...(keep_alive === null || keep_alive === undefined ? {} : { keepAlive: String(keep_alive) }),
        ...(others.length > 0 ? { ollamaOptions: forOllama as never, ollamaOptionsNeeded: changing } : {}),
      },
    },
  };
}

/** Whether the model shall leave memory after the answer. */
export function unloadsAfter(keepAlive: OllamaChatRequest['keep_alive']): boolean {
  return keepAlive === 0 || (typeof keepAlive === 'string' && /^0+(?:\.0+)?(?:ms|s|m|h)?$/.test(keepAlive.trim()));
}
