// OpenAI's finish reasons in the AI SDK's words.
import type { LanguageModelV4FinishReason } from '@ai-sdk/provider';

export function mapFinishReason(reason: string | null): LanguageModelV4FinishReason['unified'] {
  switch (reason) {
    case 'stop':
    case null:
      return 'stop';
    case 'length':
      return 'length';
    case 'content_filter':
      return 'content-filter';
    case 'tool_calls':
    case 'function_call':
      return 'tool-calls';
    default:
      return 'other';
  }
}
