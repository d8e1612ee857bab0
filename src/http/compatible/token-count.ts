// How many tokens a conversation is: by the model's own tokenizer where the engine lends it, else by rule of thumb.
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import type { Runtime } from '../../runtimes/runtime.js';
import { allText } from './prompt-text.js';

const BYTES_PER_TOKEN = 3.5;
/** Beyond what any model reads; a tokenizer takes seconds for it, in which its model answers nobody. */
const LONGEST_COUNTED_CHARS = 1_000_000;
/** What a chat template adds to a message. */
const TOKENS_PER_MESSAGE = 5;

export interface TokenCount {
  tokens: number;
  exact: boolean;
}

export async function countTokens(
  runtime: Pick<Runtime, 'countPromptTokens' | 'countTokens'>,
  model: string,
  call: LanguageModelV4CallOptions,
  signal: AbortSignal,
): Promise<TokenCount> {
  const { prompt, tools } = call;
  const withTools = tools !== undefined && tools.length > 0;
  const text = allText(prompt) + (withTools ? JSON.stringify(tools) : '');
  const short = text.length <= LONGEST_COUNTED_CHARS;
  const counted = short ? await runtime.countPromptTokens?.(model, call, signal) : undefined;
  if (counted !== undefined) return { tokens: counted, exact: true };
  // The words may be counted exactly; what the chat template adds to them is not.
  const words = short ? await runtime.countTokens?.(model, text, signal).catch(() => null) : null;
  const tokens = words ?? Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
  return { tokens: tokens + prompt.length * TOKENS_PER_MESSAGE, exact: false };
}
