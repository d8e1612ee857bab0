// Tools of a call in the form that OpenAI's wire and Ollama's share, and bodies without what nobody set.
import type { LanguageModelV4CallOptions, LanguageModelV4Message } from '@ai-sdk/provider';

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

export const withoutUndefined = (body: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
