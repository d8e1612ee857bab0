// A chat completion of OpenAI's API in the AI SDK's form. Read here only where the body is not passed on to an engine that
// speaks the same wire.
import type {
  JSONSchema7,
  LanguageModelV4CallOptions,
  LanguageModelV4FunctionTool,
  LanguageModelV4ToolChoice,
} from '@ai-sdk/provider';
import type { ChatCompletionRequest } from '../../contract/openai.js';
import { AppError } from '../../shared/errors.js';
import { pictureOfUrl } from '../pictures.js';
import { PromptBuilder } from './prompt-builder.js';
import { samplingOf } from './sampling.js';
import { thinkWish } from './think-wish.js';

type Message = ChatCompletionRequest['messages'][number];

/** @throws AppError `unsupported` for what cannot be said in this form, `invalid_input` */
export function toOpenAiCall(body: ChatCompletionRequest, abortSignal: AbortSignal): LanguageModelV4CallOptions {
  refuseUnsayable(body);
  const prompt = new PromptBuilder();
  for (const message of body.messages) addMessage(prompt, message);
  const tools = body.tools?.map(toTool);
  const format = body.response_format as
    | { type: string; json_schema?: { schema?: JSONSchema7; name?: string } }
    | null
    | undefined;
  return {
    prompt: prompt.prompt,
    abortSignal,
    maxOutputTokens: body.max_completion_tokens ?? body.max_tokens ?? undefined,
    ...samplingOf(body),
    ...(tools?.length ? { tools, toolChoice: toToolChoice(body.tool_choice) } : {}),
    ...(format?.type === 'json_schema' || format?.type === 'json_object'
      ? {
          responseFormat: {
            type: 'json' as const,
            ...(format.json_schema?.schema ? { schema: format.json_schema.schema } : {}),
          },
        }
      : {}),
    providerOptions: {
      venom: {
        ...(body.repeat_penalty ? { repeatPenalty: body.repeat_penalty } : {}),
        ...(body.min_p ? { minP: body.min_p } : {}),
        ...thinkWish(body),
      },
      ...(typeof body.parallel_tool_calls === 'boolean' && tools?.length
        ? { openai: { parallelToolCalls: body.parallel_tool_calls } }
        : {}),
    },
  };
}

const FORMATS: ReadonlySet<string> = new Set(['text', 'json_object', 'json_schema']);

/** What this form has no words for and what would change the answer is refused rather than left out. */
function refuseUnsayable(body: ChatCompletionRequest): void {
  const refuse = (what: string): never => {
    throw new AppError('unsupported', `${what} not supported by this model.`);
  };
  if ((body.n ?? 1) > 1) refuse('n greater than 1 is');
  if (body['logprobs'] === true) refuse('logprobs are');
  const format = body.response_format?.type ?? 'text';
  if (!FORMATS.has(format)) refuse(`response_format ${format.slice(0, 60)} is`);
  if (Object.keys(body['logit_bias'] ?? {}).length > 0) refuse('logit_bias is');
  if (body['audio'] || (Array.isArray(body['modalities']) && body['modalities'].includes('audio'))) refuse('Sound is');
  if (Array.isArray(body['functions']) && body['functions'].length > 0)
    refuse('functions, the older form of tools, are');
}

function addMessage(prompt: PromptBuilder, message: Message): void {
  const text = message.role === 'user' ? '' : plainText(message);
  switch (message.role) {
    case 'system':
    case 'developer':
      prompt.system(text);
      return;
    case 'user':
      addUserParts(prompt, message);
      return;
    case 'assistant':
      prompt.assistant(text);
      for (const call of message.tool_calls ?? []) addToolCall(prompt, call);
      return;
    case 'tool':
      if (!message.tool_call_id) throw new AppError('invalid_input', 'messages: a tool message needs tool_call_id.');
      prompt.toolResult(message.tool_call_id, text);
      return;
    default:
      throw new AppError('unsupported', 'Messages of the role function are replaced by those of the role tool.');
  }
}

function addUserParts(prompt: PromptBuilder, { content }: Message): void {
  for (const part of Array.isArray(content) ? content : [{ type: 'text', text: content ?? '' }])
    if (part.type === 'text') prompt.user(part.text ?? '');
    else if (part.type === 'image_url') {
      const image = (part as Record<string, unknown>)['image_url'];
      // Some clients leave the object out.
      const { mediaType, base64 } = pictureOfUrl(
        typeof image === 'object' && image !== null ? (image as { url?: unknown }).url : image,
      );
      prompt.image(mediaType, base64);
    } else throw new AppError('unsupported', `Parts of type ${part.type.slice(0, 60)} are not taken in by this model.`);
}

function addToolCall(prompt: PromptBuilder, { id, function: called }: Record<string, unknown>): void {
  const { name, arguments: input } = (called ?? {}) as Record<string, unknown>;
  if (typeof id !== 'string' || typeof name !== 'string' || typeof input !== 'string')
    throw new AppError('invalid_input', 'messages: a tool call needs an id and a function with name and arguments.');
  prompt.toolCall(id, name, toArguments(input));
}

function plainText({ content }: Message): string {
  if (!Array.isArray(content)) return content ?? '';
  if (content.some(({ type }) => type !== 'text'))
    throw new AppError('unsupported', 'Only messages of the user may hold more than text.');
  return content.map((part) => part.text ?? '').join('');
}

function toArguments(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    throw new AppError('invalid_input', 'messages: the arguments of a tool call are no JSON.');
  }
}

function toTool(tool: NonNullable<ChatCompletionRequest['tools']>[number]): LanguageModelV4FunctionTool {
  const { name, description, parameters, strict } = (tool['function'] ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string' || name === '')
    throw new AppError('unsupported', 'Only tools of type function, with a name, are supported.');
  return {
    type: 'function',
    name,
    inputSchema: (parameters ?? { type: 'object', properties: {} }) as JSONSchema7,
    ...(typeof description === 'string' ? { description } : {}),
    ...(typeof strict === 'boolean' ? { strict } : {}),
  };
}

/** @throws AppError `unsupported` */
function toToolChoice(choice: ChatCompletionRequest['tool_choice']): LanguageModelV4ToolChoice {
  if (choice === null || choice === undefined) return { type: 'auto' };
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { type: choice };
  const name = typeof choice === 'object' ? (choice['function'] as { name?: unknown } | undefined)?.name : undefined;
  if (typeof name !== 'string') throw new AppError('unsupported', 'tool_choice is auto, none, required or a function.');
  return { type: 'tool', toolName: name };
}
