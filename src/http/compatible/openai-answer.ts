// What answers of both kinds of OpenAI's completions say alike.
import type { LanguageModelV4Usage } from '@ai-sdk/provider';

/** Of one answer, or of several together. */
export function toOpenAiUsage(used: readonly LanguageModelV4Usage[]) {
  const sum = (figure: (usage: LanguageModelV4Usage) => number | undefined) =>
    used.reduce((total, usage) => total + (figure(usage) ?? 0), 0);
  const prompt = sum(({ inputTokens }) => inputTokens.total);
  const completion = sum(({ outputTokens }) => outputTokens.total);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: sum(({ inputTokens }) => inputTokens.cacheRead) },
    completion_tokens_details: { reasoning_tokens: sum(({ outputTokens }) => outputTokens.reasoning) },
  };
}

const FINISH_REASONS: Readonly<Record<string, string>> = {
  length: 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter',
};

export const finishReason = (unified: string): string => FINISH_REASONS[unified] ?? 'stop';
