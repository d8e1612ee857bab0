// The words of a conversation: for routing, which must see all that would leave the house, for counting, for traces.
import type { LanguageModelV4Message, LanguageModelV4Prompt } from '@ai-sdk/provider';
import { toolResultText } from '../../runtimes/function-tools.js';

export const allText = (prompt: LanguageModelV4Prompt): string => prompt.map(textOf).join('\n');

export function lastUserText(prompt: LanguageModelV4Prompt): string {
  const last = prompt.findLast(({ role }) => role === 'user');
  return last === undefined ? '' : textOf(last);
}

function textOf({ content }: LanguageModelV4Message): string {
  if (typeof content === 'string') return content;
  return content
    .map((part) => {
      if (part.type === 'text') return part.text;
      if (part.type === 'tool-call') return `${part.toolName} ${JSON.stringify(part.input)}`;
      return part.type === 'tool-result' ? toolResultText(part) : '';
    })
    .join('');
}
