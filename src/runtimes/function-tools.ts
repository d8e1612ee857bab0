// Tools of a call in the form that OpenAI's wire and Ollama's share, and bodies without what nobody set.
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';

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

export const withoutUndefined = (body: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
