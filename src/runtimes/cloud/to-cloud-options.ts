// A call as the cloud's clients take it: what Direct mode hands on for our own engines in its own words is put into the
// AI SDK's, and nothing else of ours goes along.
import type {
  JSONSchema7,
  LanguageModelV4CallOptions,
  LanguageModelV4FunctionTool,
  LanguageModelV4ToolChoice,
} from '@ai-sdk/provider';

export function toCloudOptions(options: LanguageModelV4CallOptions): LanguageModelV4CallOptions {
  const { venom, ...providerOptions } = (options.providerOptions ?? {}) as Record<string, Record<string, unknown>>;
  const { topK: _unknownToClouds, ...call } = options;
  const tools = options.tools ?? toTools(venom?.['tools']);
  const toolChoice = options.toolChoice ?? toToolChoice(venom?.['toolChoice']);
  const format = venom?.['responseFormat'] as { type?: unknown } | undefined;
  return {
    ...call,
    providerOptions: providerOptions as NonNullable<LanguageModelV4CallOptions['providerOptions']>,
    ...(tools ? { tools } : {}),
    ...(tools && toolChoice ? { toolChoice } : {}),
    ...(!call.responseFormat && format?.type === 'json_object' ? { responseFormat: { type: 'json' as const } } : {}),
  };
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
