// A call of the AI SDK's contract as the body of Ollama's `/api/chat`, or of `/api/generate` where a text is gone on with.
import type { LanguageModelV4CallOptions, LanguageModelV4Message } from '@ai-sdk/provider';
import { AppError } from '../../shared/errors.js';
import { paramsOfCall } from '../call-params.js';
import { toFunctionTools, toolResultText, withoutUndefined } from '../function-tools.js';
import { GenerationParamsAdapter } from '../generation-params.js';
import { completionOf } from '../text-completion.js';

/** Ollama takes a duration text or a number of seconds, and refuses the text "-1". */
export const toKeepAlive = (keepAlive: string): string | number =>
  /^-?\d+(\.\d+)?$/.test(keepAlive.trim()) ? Number(keepAlive) : keepAlive.trim() === '' ? -1 : keepAlive.trim();

export interface OllamaDefaults {
  keepAlive: string;
  /** `num_ctx` and the like; what a request says wins. */
  options: Readonly<Record<string, unknown>>;
}

export function toOllamaChat(
  model: string,
  call: LanguageModelV4CallOptions,
  defaults: OllamaDefaults,
): Record<string, unknown> {
  const own = (call.providerOptions?.['venom'] ?? {}) as Record<string, unknown>;
  const schema = call.responseFormat?.type === 'json' ? (call.responseFormat.schema ?? 'json') : undefined;
  const tools = own['tools'] ?? toFunctionTools(call.tools);
  const { think, ...params } = GenerationParamsAdapter.toRuntimeParams('ollama', paramsOfCall(call), {
    modelName: model,
  }).sent;
  // Ollama has no choice of tools: one that may not be called is not shown.
  if (call.toolChoice?.type === 'required' || call.toolChoice?.type === 'tool')
    throw new AppError('unsupported', 'Ollama leaves it to the model whether a tool is called.');
  const none = call.toolChoice?.type === 'none' || own['toolChoice'] === 'none';
  return withoutUndefined({
    model,
    ...said(call),
    stream: own['stream'] !== false,
    format: schema ?? own['format'],
    tools: none ? undefined : tools,
    think,
    keep_alive: toKeepAlive(typeof own['keepAlive'] === 'string' ? own['keepAlive'] : defaults.keepAlive),
    options: withoutUndefined({
      ...defaults.options,
      ...(own['ollamaOptions'] as object | undefined),
      ...params,
    }),
  });
}

function said(call: LanguageModelV4CallOptions): Record<string, unknown> {
  const messages = call.prompt.flatMap(toMessages);
  const completion = completionOf(call);
  if (!completion) return { messages };
  const of = (role: string) => messages.filter((message) => message['role'] === role).map(({ content }) => content);
  return { ...completion, system: of('system').join('\n') || undefined, prompt: of('user').join('') };
}

function toMessages(message: LanguageModelV4Message): Record<string, unknown>[] {
  if (message.role === 'system') return [{ role: 'system', content: message.content }];
  if (message.role === 'tool')
    return message.content.flatMap((part) =>
      part.type === 'tool-result' ? [{ role: 'tool', tool_name: part.toolName, content: toolResultText(part) }] : [],
    );
  const text = message.content.map((part) => (part.type === 'text' ? part.text : '')).join('');
  if (message.role === 'user') {
    const images = message.content.flatMap((part) =>
      part.type === 'file' && part.data.type === 'data' && typeof part.data.data === 'string' ? [part.data.data] : [],
    );
    return [withoutUndefined({ role: 'user', content: text, images: images.length > 0 ? images : undefined })];
  }
  const calls = message.content.flatMap((part) =>
    part.type === 'tool-call' ? [{ function: { name: part.toolName, arguments: part.input } }] : [],
  );
  return [withoutUndefined({ role: 'assistant', content: text, tool_calls: calls.length > 0 ? calls : undefined })];
}
