// A request of Ollama's API as a call of the AI SDK's contract.
import type { JSONSchema7, LanguageModelV4CallOptions } from '@ai-sdk/provider';
import type { OllamaChatRequest, OllamaGenerateRequest, OllamaMessage, OllamaOptions } from '../../contract/ollama.js';
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

type Common = Pick<OllamaChatRequest, 'format' | 'keep_alive' | 'options' | 'think'>;

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
    ...toParameters(body),
  };
}

/** @throws AppError `unsupported`, `invalid_input` */
export function toOllamaGenerateCall(body: OllamaGenerateRequest): LanguageModelV4CallOptions {
  const builder = new PromptBuilder();
  builder.system(body.system ?? '');
  for (const image of body.images ?? []) builder.image(mediaTypeOf(image), image);
  builder.user(body.prompt ?? '');
  return { prompt: builder.prompt, ...toParameters(body) };
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

function toParameters({ options, format, think, keep_alive }: Common): Omit<LanguageModelV4CallOptions, 'prompt'> {
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
  const changing = others.map(([name]) => name).filter((name) => !PLACEMENT.has(name));
  return {
    // -1 and -2 are "without end" and "to the end of the context".
    maxOutputTokens: num_predict !== undefined && num_predict > 0 ? num_predict : undefined,
    temperature,
    topP: top_p,
    topK: top_k || undefined,
    seed,
    stopSequences: typeof stop === 'string' ? [stop] : stop,
    presencePenalty: presence_penalty,
    frequencyPenalty: frequency_penalty,
    ...(format === 'json' ? { responseFormat: { type: 'json' as const } } : {}),
    ...(typeof format === 'object' && format !== null
      ? { responseFormat: { type: 'json' as const, schema: format as JSONSchema7 } }
      : {}),
    providerOptions: {
      venom: {
        ...(min_p === undefined ? {} : { minP: min_p }),
        ...(repeat_penalty === undefined ? {} : { repeatPenalty: repeat_penalty }),
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
