// A call of the AI SDK's contract as the body of OpenAI's chat completions.
import type { LanguageModelV4CallOptions, LanguageModelV4Message } from '@ai-sdk/provider';
import { AppError } from '../../shared/errors.js';
import { paramsOfCall } from '../call-params.js';
import { toFunctionTools, toolResultText, withoutUndefined } from '../function-tools.js';
import { GenerationParamsAdapter, type ParamFormat } from '../generation-params.js';

/**
 * @param format  whose names the parameters get; servers on this machine know more of them than OpenAI does
 * @param contextLength  tokens, where the server said so
 */
export function toOpenAiChat(
  model: string,
  options: LanguageModelV4CallOptions,
  format: ParamFormat = 'openai-compatible',
  contextLength?: number,
): Record<string, unknown> {
  const own = (options.providerOptions?.['venom'] ?? {}) as Record<string, unknown>;
  const schema = options.responseFormat?.type === 'json' ? options.responseFormat.schema : undefined;
  return withoutUndefined({
    model,
    messages: toMessages(options.prompt),
    stream: own['stream'] !== false,
    stream_options: own['stream'] === false ? undefined : { include_usage: true },
    ...GenerationParamsAdapter.toRuntimeParams(format, paramsOfCall(options), { modelName: model, contextLength }).sent,
    response_format:
      own['responseFormat'] ??
      (schema
        ? {
            type: 'json_schema',
            json_schema: {
              name: options.responseFormat?.type === 'json' ? (options.responseFormat.name ?? 'answer') : 'answer',
              schema,
            },
          }
        : options.responseFormat?.type === 'json'
          ? { type: 'json_object' }
          : undefined),
    tools: own['tools'] ?? toFunctionTools(options.tools),
    tool_choice: own['toolChoice'] ?? toToolChoice(options.toolChoice),
    format: own['format'],
    keep_alive: own['keepAlive'],
  });
}

const toToolChoice = (choice: LanguageModelV4CallOptions['toolChoice']): unknown =>
  choice?.type === 'tool' ? { type: 'function', function: { name: choice.toolName } } : choice?.type;

// Written with loops: a conversation is translated anew for each of its turns, all of it.
function toMessages(prompt: readonly LanguageModelV4Message[]): Record<string, unknown>[] {
  const messages: Record<string, unknown>[] = [];
  for (const message of prompt) {
    if (message.role === 'system') messages.push({ role: 'system', content: message.content });
    else if (message.role === 'user') messages.push({ role: 'user', content: toUserContent(message.content) });
    else if (message.role === 'assistant') messages.push(toAssistantMessage(message.content));
    else
      for (const part of message.content)
        if (part.type === 'tool-result')
          messages.push({ role: 'tool', tool_call_id: part.toolCallId, content: toolResultText(part) });
  }
  return messages;
}

function toAssistantMessage(parts: AssistantContent): Record<string, unknown> {
  let text = '';
  const calls: object[] = [];
  for (const part of parts)
    if (part.type === 'text') text += part.text;
    else if (part.type === 'tool-call')
      calls.push({
        id: part.toolCallId,
        type: 'function',
        function: { name: part.toolName, arguments: JSON.stringify(part.input) },
      });
  return calls.length > 0
    ? { role: 'assistant', content: text, tool_calls: calls }
    : { role: 'assistant', content: text };
}

type AssistantContent = Extract<LanguageModelV4Message, { role: 'assistant' }>['content'];
type UserContent = Extract<LanguageModelV4Message, { role: 'user' }>['content'];

/** One text where nothing else is in it: older servers know nothing of parts. */
function toUserContent(content: UserContent): string | Record<string, unknown>[] {
  let text = '';
  for (const part of content) {
    if (part.type !== 'text') return toUserParts(content);
    text += part.text;
  }
  return text;
}

function toUserParts(content: UserContent): Record<string, unknown>[] {
  return content.map((part) => {
    if (part.type === 'text') return { type: 'text', text: part.text };
    if (part.data.type !== 'data' || typeof part.data.data !== 'string' || !part.mediaType.startsWith('image/'))
      throw new AppError('unsupported', 'Only pictures in base64 are passed on beside text.');
    return { type: 'image_url', image_url: { url: `data:${part.mediaType};base64,${part.data.data}` } };
  });
}
