// The tools of one answer as the inference process hears of them, and how many of what size there may be.
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import { AppError } from '../../../shared/errors.js';
import { checkSchemaSize } from '../grammar-limits.js';

export interface ToolDefinition {
  name: string;
  description: string | undefined;
  /** JSON schema of its input. */
  schema: object;
}

export interface ToolOrder {
  tools: ToolDefinition[];
  /** Whether an answer in words is one too. */
  mustCall: boolean;
  /** The one tool that may be called; the others are shown all the same, so that a conversation begins as before. */
  only: string | null;
  /** One answer holds one call at most. */
  single: boolean;
}

/** As many as OpenAI takes. */
const MAX_TOOLS = 128;
const MAX_DESCRIPTION_CHARS = 20_000;
/** No blanks, quotes or brackets: a name stands between such, and must not end there. */
const NAME = /^[^\s"'\\<>[\]{}\p{Cc}\p{Co}]{1,128}$/u;

/**
 * @returns undefined where no tool may be called
 * @throws AppError `invalid_input` for tools that are too many, too large or named twice, `unsupported` for a vendor's own
 */
export function toToolOrder(options: LanguageModelV4CallOptions): ToolOrder | undefined {
  const { tools = [], toolChoice = { type: 'auto' } } = options;
  if (tools.length === 0 || toolChoice.type === 'none') return undefined;
  if (tools.length > MAX_TOOLS) throw refused(`${tools.length} tools are given; at most ${MAX_TOOLS} can be`);
  const definitions = tools.map((tool): ToolDefinition => {
    if (tool.type !== 'function')
      throw new AppError('unsupported', `This model calls functions only; ${tool.name.slice(0, 100)} is none.`);
    const { name, description } = tool;
    if (!NAME.test(name)) throw refused(`${JSON.stringify(name.slice(0, 100))} is no name for a tool`);
    if ((description?.length ?? 0) > MAX_DESCRIPTION_CHARS)
      throw refused(`the description of ${name} has more than ${MAX_DESCRIPTION_CHARS} characters`);
    return { name, description, schema: objectSchema(name, tool.inputSchema) };
  });
  // Together, because they become one grammar.
  checkSchemaSize(definitions.map(({ schema }) => schema));
  const names = new Set(definitions.map(({ name }) => name));
  if (names.size < definitions.length) throw refused('two of them have the same name');
  if (toolChoice.type === 'tool' && !names.has(toolChoice.toolName))
    throw refused(`none of them is called ${toolChoice.toolName.slice(0, 100)}, which is to be called`);
  if (toolChoice.type === 'auto' && options.responseFormat?.type === 'json')
    throw new AppError(
      'unsupported',
      'This model answers in JSON or is offered tools, not both; tool_choice required goes with both.',
    );
  return {
    tools: definitions,
    mustCall: toolChoice.type !== 'auto',
    only: toolChoice.type === 'tool' ? toolChoice.toolName : null,
    single: toolChoice.type === 'tool' || options.providerOptions?.['openai']?.['parallelToolCalls'] === false,
  };
}

/** An input is an object, also where nobody said so. */
function objectSchema(name: string, schema: unknown): object {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    throw refused(`the input of ${name} has no JSON schema`);
  const { type } = schema as { type?: unknown };
  if (type === undefined || type === null) return { ...schema, type: 'object' };
  if (type !== 'object') throw refused(`the input of ${name} must be an object`);
  return schema;
}

const refused = (why: string): AppError => new AppError('invalid_input', `tools: ${why}.`);
