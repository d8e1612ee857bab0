// A request of OpenAI's Responses API, and what came before it, as a call of the AI SDK's contract.
import type { JSONSchema7, LanguageModelV4CallOptions } from '@ai-sdk/provider';
import type { ResponseItem, ResponseRequest, ResponseTool } from '../../contract/responses.js';
import { AppError } from '../../shared/errors.js';
import { pictureOfUrl } from '../pictures.js';
import { PromptBuilder } from './prompt-builder.js';
import { thinkWish } from './think-wish.js';

/**
 * @param items  the whole conversation, oldest first
 * @throws AppError `unsupported`, `invalid_input`
 */
export function toResponsesCall(body: ResponseRequest, items: readonly ResponseItem[]): LanguageModelV4CallOptions {
  const builder = new PromptBuilder();
  // Instructions are of this request alone: those of former ones do not come along.
  builder.system(body.instructions ?? '');
  for (const item of items) addItem(builder, item);
  if (builder.prompt.every(({ role }) => role === 'system'))
    throw new AppError('invalid_input', 'input: there is nothing to answer.');
  const format = body.text?.format;
  return {
    prompt: builder.prompt,
    maxOutputTokens: body.max_output_tokens ?? undefined,
    temperature: body.temperature ?? undefined,
    topP: body.top_p ?? undefined,
    tools: body.tools?.map(toTool),
    toolChoice: toToolChoice(body.tool_choice),
    // Clients send an effort to every model, also to those that have none.
    providerOptions: { venom: { ...thinkWish({ reasoning_effort: body.reasoning?.effort }), thinkIfAble: true } },
    ...(format?.type === 'json_object' ? { responseFormat: { type: 'json' as const } } : {}),
    ...(format?.type === 'json_schema'
      ? { responseFormat: { type: 'json' as const, name: format.name, schema: format.schema as JSONSchema7 } }
      : {}),
  };
}

export const inputItems = ({ input }: ResponseRequest): ResponseItem[] =>
  typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : (input ?? []);

function addItem(builder: PromptBuilder, item: ResponseItem): void {
  switch (item.type) {
    case undefined:
    case 'message':
      addMessage(builder, item);
      return;
    case 'function_call':
      builder.toolCall(field(item, 'call_id'), field(item, 'name'), toArguments(field(item, 'arguments')));
      return;
    case 'function_call_output':
      builder.toolResult(field(item, 'call_id'), texts(item['output'], ['input_text']).join(''));
      return;
    // What a model thought before is not shown to it again.
    case 'reasoning':
      return;
    default:
      throw new AppError('unsupported', `Items of type ${item.type.slice(0, 60)} are not supported.`);
  }
}

function addMessage(builder: PromptBuilder, item: ResponseItem): void {
  const { role, content } = item;
  switch (role) {
    case 'system':
    case 'developer':
      builder.system(texts(content, ['input_text']).join(''));
      return;
    case 'assistant':
      builder.assistant(texts(content, ['output_text', 'input_text', 'refusal']).join(''));
      return;
    case 'user':
      for (const part of parts(content)) addUserPart(builder, part);
      return;
    default:
      throw new AppError('invalid_input', `input: ${String(role).slice(0, 40)} is no role of a message.`);
  }
}

type Part = Readonly<Record<string, unknown>>;

function addUserPart(builder: PromptBuilder, part: Part): void {
  if (part['type'] === 'input_text') builder.user(String(part['text'] ?? ''));
  else if (part['type'] === 'input_image') {
    const { mediaType, base64 } = pictureOfUrl(part['image_url']);
    builder.image(mediaType, base64);
  } else throw new AppError('unsupported', `Parts of type ${String(part['type']).slice(0, 60)} are not supported.`);
}

/** @throws AppError `unsupported` for other parts than those named */
function texts(content: unknown, types: readonly string[]): string[] {
  return parts(content).map((part) => {
    if (!types.includes(String(part['type'])))
      throw new AppError('unsupported', `Parts of type ${String(part['type']).slice(0, 60)} are not supported here.`);
    return String(part['text'] ?? part['refusal'] ?? '');
  });
}

function parts(content: unknown): Part[] {
  if (typeof content === 'string') return [{ type: 'input_text', text: content }];
  if (Array.isArray(content) && content.every((part) => typeof part === 'object' && part !== null)) return content;
  throw new AppError('invalid_input', 'input: content must be a string or a list of parts.');
}

function field(item: ResponseItem, name: string): string {
  const value = item[name];
  if (typeof value !== 'string') throw new AppError('invalid_input', `input: a ${item.type} item needs ${name}.`);
  return value;
}

function toArguments(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    throw new AppError('invalid_input', 'input: the arguments of a function_call are no JSON.');
  }
}

function toTool(tool: ResponseTool) {
  if (tool.type !== 'function' || !tool.name)
    throw new AppError('unsupported', `Tools of type ${tool.type.slice(0, 60)} are not run here; only functions are.`);
  return {
    type: 'function' as const,
    name: tool.name,
    inputSchema: (tool.parameters ?? { type: 'object', properties: {} }) as JSONSchema7,
    ...(tool.description ? { description: tool.description } : {}),
  };
}

function toToolChoice(choice: ResponseRequest['tool_choice']): LanguageModelV4CallOptions['toolChoice'] {
  if (choice === null || choice === undefined) return undefined;
  if (typeof choice === 'string') return { type: choice };
  if (choice.type !== 'function' || !choice.name)
    throw new AppError('unsupported', `tool_choice of type ${choice.type.slice(0, 60)} is not supported.`);
  return { type: 'tool', toolName: choice.name };
}
