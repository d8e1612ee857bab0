// Tools of a call in the form that OpenAI's wire and Ollama's share and back, and bodies without what nobody set.
import type {
  JSONSchema7,
  LanguageModelV4CallOptions,
  LanguageModelV4FunctionTool,
  LanguageModelV4Message,
  LanguageModelV4ToolChoice,
} from '@ai-sdk/provider';

export const toFunctionTools = (tools: LanguageModelV4CallOptions['tools']): object[] | undefined =>
  tools?.flatMap((tool) =>
    tool.type === 'function'
      ? [
          {
            type: 'function',
            function: { name: tool.name, description: tool.description, parameters: tool.inputSchema },
          },
        ]
      : [],
  );

/** Tools and choice of a call in the AI SDK's form, also where Direct mode has handed on a client's own words for them. */
export function ownTools({
  tools: given,
  toolChoice,
  providerOptions,
}: Pick<LanguageModelV4CallOptions, 'tools' | 'toolChoice' | 'providerOptions'>): Pick<
  LanguageModelV4CallOptions,
  'tools' | 'toolChoice'
> {
  const venom = providerOptions?.['venom'];
  const tools = given ?? toTools(venom?.['tools']);
  const choice = toolChoice ?? toToolChoice(venom?.['toolChoice']);
  return { ...(tools ? { tools } : {}), ...(tools && choice ? { toolChoice: choice } : {}) };
}

function toTools(raw: unknown): LanguageModelV4FunctionTool[] | undefined {
  if (!Array.isArray(raw)) return undefined;
  const tools = raw.flatMap((tool: { function?: { name?: unknown; description?: unknown; parameters?: unknown } }) => {
    const { name, description, parameters } = tool?.function ?? {};
    if (typeof name !== 'string') return [];
    return [
      {
        type: 'function' as const,
        name,
        ...(typeof description === 'string' ? { description } : {}),
        inputSchema: (parameters ?? { type: 'object', properties: {} }) as JSONSchema7,
      },
    ];
  });
  return tools.length > 0 ? tools : undefined;
}

function toToolChoice(raw: unknown): LanguageModelV4ToolChoice | undefined {
  if (raw === 'auto' || raw === 'none' || raw === 'required') return { type: raw };
  const name = (raw as { function?: { name?: unknown } } | undefined)?.function?.name;
  return typeof name === 'string' ? { type: 'tool', toolName: name } : undefined;
}

type ToolResultPart = Extract<
  Extract<LanguageModelV4Message, { role: 'tool' }>['content'][number],
  { type: 'tool-result' }
>;

/** What a tool said, as the text both wires want. */
export function toolResultText({ output }: ToolResultPart): string {
  switch (output.type) {
    case 'text':
    case 'error-text':
      return output.value;
    case 'json':
    case 'error-json':
      return JSON.stringify(output.value);
    case 'content':
      return output.value.map((part) => (part.type === 'text' ? part.text : '')).join('');
    default:
      return output.reason ?? 'The call was not allowed.';
  }
}

export function withoutUndefined(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const set: Record<string, unknown> = {};
  for (const name in body) if (body[name] !== undefined) set[name] = body[name];
  return set;
}
