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
    messages: options.prompt.flatMap(toMessages),
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

function toMessages(message: LanguageModelV4Message): Record<string, unknown>[] {
  switch (message.role) {
    case 'system':
      return [{ role: 'system', content: message.content }];
    case 'user':
      return [{ role: 'user', content: toUserContent(message.content) }];
    case 'assistant': {
      const text = message.content.map((part) => (part.type === 'text' ? part.text : '')).join('');
      const calls = message.content.flatMap((part) =>
        part.type === 'tool-call'
          ? [
              {
                id: part.toolCallId,
                type: 'function',
                function: { name: part.toolName, arguments: JSON.stringify(part.input) },
              },
            ]
          : [],
      );
      return [withoutUndefined({ role: 'assistant', content: text, tool_calls: calls.length > 0 ? calls : undefined })];
    }
    default:
      return message.content.flatMap((part) =>
        part.type === 'tool-result'
          ? [{ role: 'tool', tool_call_id: part.toolCallId, content: toolResultText(part) }]
          : [],
      );
  }
}

type UserContent = Extract<LanguageModelV4Message, { role: 'user' }>['content'];

/** One text where nothing else is in it: older servers know nothing of parts. */
function toUserContent(content: UserContent): string | Record<string, unknown>[] {
  if (content.every(({ type }) => type === 'text'))
    return content.map((part) => (part.type === 'text' ? part.text : '')).join('');
  return content.map((part) => {
    if (part.type === 'text') return { type: 'text', text: part.text };
    if (part.data.type !== 'data' || typeof part.data.data !== 'string' || !part.mediaType.startsWith('image/'))
      throw new AppError('unsupported', 'Only pictures in base64 are passed on beside text.');
    return { type: 'image_url', image_url: { url: `data:${part.mediaType};base64,${part.data.data}` } };
  });
}
