// A text that is gone on with instead of a conversation: `providerOptions.venom.completion` of a call, whose prompt is one
// message of the user then. Only engines that can do it are asked so.
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';

export interface TextCompletion {
  /** Without any template. */
  raw?: boolean | undefined;
  /** What shall follow the answer. */
  suffix?: string | undefined;
  /** In place of the model's own, in Ollama's words. */
  template?: string | undefined;
}

export const completionOf = ({ providerOptions }: LanguageModelV4CallOptions): TextCompletion | undefined =>
  providerOptions?.['venom']?.['completion'] as TextCompletion | undefined;

/** Whether an engine goes on with a text so. */
export function goesOnWith(provider: string, { template }: TextCompletion): boolean {
  return provider === 'ollama' || (provider === 'llama-cpp' && !template);
}
