// How many tokens a conversation is, and whether that was counted.
import type { LanguageModelV4Prompt } from '@ai-sdk/provider';
import { describe, expect, it } from 'vitest';
import { countTokens } from './token-count.js';

const prompt = (text: string): LanguageModelV4Prompt => [{ role: 'user', content: [{ type: 'text', text }] }];
const signal = new AbortController().signal;

describe('countTokens', () => {
  it('counts by the tokenizer where there is one, else by rule of thumb', async () => {
    const engine = { countPromptTokens: async () => 42 };
    expect(await countTokens(engine, 'm', { prompt: prompt('Hi') }, signal)).toEqual({ tokens: 42, exact: true });
    expect(await countTokens({}, 'm', { prompt: prompt('x'.repeat(35)) }, signal)).toEqual({
      tokens: 15,
      exact: false,
    });
  });

  it('keeps no engine busy with what no model reads', async () => {
    const busy = async () => {
      throw new Error('the engine was asked');
    };
    const counted = await countTokens(
      { countPromptTokens: busy, countTokens: busy },
      'm',
      { prompt: prompt('x'.repeat(1_000_001)) },
      signal,
    );
    expect(counted).toEqual({ tokens: 285_715 + 5, exact: false });
  });
});
