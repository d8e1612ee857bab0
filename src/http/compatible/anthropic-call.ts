// A request of Anthropic's Messages API as a call of the AI SDK's contract.
import type { JSONSchema7, LanguageModelV4CallOptions } from '@ai-sdk/provider';
import type { AnthropicBlock, AnthropicCountRequest, AnthropicRequest } from '../../contract/anthropic.js';
import { AppError } from '../../shared/errors.js';
import { PromptBuilder } from './prompt-builder.js';

/** @throws AppError `unsupported`, `invalid_input` */
export function toAnthropicCall(body: AnthropicRequest): LanguageModelV4CallOptions {
  const { schema } = body.output_config?.format ?? body.output_format ?? {};
  return {
    ...toConversation(body),
    maxOutputTokens: body.max_tokens,
    temperature: body.temperature,
    topP: body.top_p,
    topK: body.top_k || undefined,
    stopSequences: body.stop_sequences,
    ...(schema ? { responseFormat: { type: 'json', schema: schema as JSONSchema7 } } : {}),
  };
}

/** The part that costs tokens: messages and tools. @throws AppError `unsupported`, `invalid_input` */
export function toConversation(body: AnthropicCountRequest): LanguageModelV4CallOptions {
  const builder = new PromptBuilder();
  builder.system(plainText(body.system ?? '', 'system'));
  for (const { role, content } of body.messages) {
    const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
    if (role === 'system') builder.system(plainText(content, 'system'));
    else for (const block of inOrder(blocks)) addBlock(builder, role, block);
  }
  const last = builder.prompt.at(-1);
  if (last?.role === 'assistant')
    throw new AppError('unsupported', 'The last message must be of the user: answers are not continued here.');
  return {
    prompt: builder.prompt,
    tools: body.tools?.map(toTool),
    toolChoice: toToolChoice(body.tool_choice),
    providerOptions: { venom: thinkWish(body) },
  };
}

/** Who does not ask for thoughts pays for none, where a model can leave them out. */
function thinkWish(body: AnthropicCountRequest): { think?: boolean; thinkIfAble?: boolean } {
  // A leave to think rather than an order: some clients give it whatever the model is.
  if (thinks(body)) return { think: true, thinkIfAble: true };
  return body.thinking?.type === 'adaptive' ? {} : { think: false };
}

/** Asked for, not merely allowed. */
const thinks = ({ thinking }: AnthropicCountRequest): boolean =>
  thinking?.type === 'enabled' || thinking?.type === 'between_tools';

/** Asked for, or left to the model. */
export const showsThoughts = (body: AnthropicCountRequest): boolean =>
  thinks(body) || body.thinking?.type === 'adaptive';

/** Results of tools belong together; a model sees pictures in what the user says, so those of a result come after all of them. */
function inOrder(blocks: readonly AnthropicBlock[]): AnthropicBlock[] {
  const results = blocks.filter(({ type }) => type === 'tool_result');
  const pictures = results.flatMap(({ content }) =>
    Array.isArray(content) ? (content as AnthropicBlock[]).filter(({ type }) => type === 'image') : [],
  );
  return [...results, ...pictures, ...blocks.filter(({ type }) => type !== 'tool_result')];
}

function addBlock(builder: PromptBuilder, role: 'user' | 'assistant', block: AnthropicBlock): void {
  switch (`${role} ${block.type}`) {
    case 'user text':
    case 'assistant text':
      builder[role](field(block, 'text'));
      return;
    case 'user image':
      addImage(builder, block['source']);
      return;
    case 'user document':
    case 'user search_result':
      builder.user(`${readable(block)}\n\n`);
      return;
    case 'assistant tool_use':
      builder.toolCall(field(block, 'id'), field(block, 'name'), block['input'] ?? {});
      return;
    case 'user tool_result': {
      const content = (block['content'] ?? '') as string | AnthropicBlock[];
      builder.toolResult(field(block, 'tool_use_id'), resultText(content), block['is_error'] === true);
      return;
    }
    // What a model thought before is not shown to it again.
    case 'assistant thinking':
    case 'assistant redacted_thinking':
      return;
    default:
      throw new AppError(
        'unsupported',
        `Blocks of type ${block.type.slice(0, 60)} are not supported in a message of the ${role}.`,
      );
  }
}

function addImage(builder: PromptBuilder, source: unknown): void {
  const { type, media_type, data } = (source ?? {}) as Record<string, unknown>;
  if (type !== 'base64' || typeof data !== 'string' || typeof media_type !== 'string' || !/^image\//.test(media_type))
    throw new AppError('unsupported', 'Images must come as base64; no address is fetched for a client.');
  builder.image(media_type, data);
}

/** A document of text, or something found, as a person would paste it. @throws AppError `unsupported` for files */
function readable(block: AnthropicBlock): string {
  const { type, data, content } = (block['source'] ?? {}) as Record<string, unknown>;
  const head = [block['title'], block.type === 'search_result' ? block['source'] : undefined];
  const text =
    block.type === 'search_result'
      ? plainText((block['content'] ?? '') as string | AnthropicBlock[], 'search_result')
      : type === 'text' && typeof data === 'string'
        ? data
        : type === 'content'
          ? plainText((content ?? '') as string | AnthropicBlock[], 'document')
          : undefined;
  if (text === undefined) throw new AppError('unsupported', 'Documents must be plain text.');
  return [...head.filter((line) => typeof line === 'string' && line !== ''), text].join('\n\n');
}

/** Its pictures are shown beside it. @throws AppError `unsupported` */
function resultText(content: string | AnthropicBlock[]): string {
  if (typeof content === 'string') return content;
  const shown = content.filter(({ type }) => type !== 'image');
  return shown
    .map((block) =>
      block.type === 'document' || block.type === 'search_result' ? readable(block) : plainText([block], 'tool_result'),
    )
    .join('\n');
}

/** @throws AppError `unsupported` for anything but text */
function plainText(content: string | AnthropicBlock[], where: string): string {
  if (typeof content === 'string') return content;
  return content
    .map((block) => {
      if (block.type !== 'text') throw new AppError('unsupported', `${where} takes text blocks only.`);
      return field(block, 'text');
    })
    .join('\n');
}

function field(block: AnthropicBlock, name: string): string {
  const value = block[name];
  if (typeof value !== 'string')
    throw new AppError('invalid_input', `A ${block.type.slice(0, 60)} block needs ${name}.`);
  return value;
}

type ToolOf<T> = NonNullable<T> extends (infer Item)[] ? Item : never;

function toTool(tool: ToolOf<AnthropicRequest['tools']>) {
  if ((tool.type && tool.type !== 'custom') || !tool.name || !tool.input_schema)
    throw new AppError(
      'unsupported',
      `Tools of type ${(tool.type ?? 'custom').slice(0, 60)} are not run here; only tools with name and input_schema are.`,
    );
  return {
    type: 'function' as const,
    name: tool.name,
    inputSchema: tool.input_schema as JSONSchema7,
    ...(tool.description === undefined ? {} : { description: tool.description }),
  };
}

function toToolChoice(choice: AnthropicRequest['tool_choice']): LanguageModelV4CallOptions['toolChoice'] {
  switch (choice?.type) {
    case undefined:
      return undefined;
    case 'any':
      return { type: 'required' };
    case 'tool':
      if (!choice.name) throw new AppError('invalid_input', 'tool_choice of type tool needs a name.');
      return { type: 'tool', toolName: choice.name };
    default:
      return { type: choice?.type ?? 'auto' };
  }
}
