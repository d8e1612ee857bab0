import { describe, expect, it } from 'vitest';
import { fitConversation } from './fit-conversation.js';
import type { ChatMessage } from './worker-protocol.js';

/** A token for each word, one for each message. */
let rendered = 0;
const prompts = {
  tokens: (messages: readonly ChatMessage[]) => {
    rendered += 1;
    const words = messages.flatMap(({ role, text }) => [role, ...text.split(' ')]);
    return { tokens: words as never, syntax: {} as never, thoughts: null };
  },
};
const words = (count: number, word = 'word') => Array.from({ length: count }, () => word).join(' ');
const turns = (count: number): ChatMessage[] =>
  Array.from({ length: count }, (_, index): ChatMessage[] => [
    { role: 'user', text: words(20, `q${index}`) },
    { role: 'assistant', text: words(20, `a${index}`) },
  ]).flat();
const rest = { tools: undefined, think: undefined, maxTokens: 10 };
const fitted = (messages: ChatMessage[], dropOldest: boolean, length = 200) => {
  rendered = 0;
  const { tokens, dropped } = fitConversation(prompts, { ...rest, messages, dropOldest }, length);
  return { said: (tokens as unknown as string[]).join(' '), dropped };
};
const system: ChatMessage = { role: 'system', text: 'Be kind.' };
const question: ChatMessage = { role: 'user', text: 'Last?' };

describe('fitConversation', () => {
  it('leaves alone what fits', () => {
    expect(fitted([system, ...turns(2), question], true)).toMatchObject({ dropped: 0 });
    expect(fitted([question], false)).toEqual({ said: 'user Last?', dropped: 0 });
  });

  it('refuses with the figures what is too long, unless its oldest turns may go', () => {
    const long = [system, ...turns(10), question];
    expect(() => fitted(long, false)).toThrow(
      expect.objectContaining({
        code: 'context_length_exceeded',
        message: expect.stringMatching(/maximum context length is 200 tokens.*prompt is too long: 425 tokens > 200/),
      }),
    );
    const { said, dropped } = fitted(long, true);
    expect(dropped).toBe(12);
    expect(said).toMatch(/^system Be kind\. user q6 .* user Last\?$/);
    expect(rendered).toBeLessThan(8);
  });

  it('does not even try what is far too long', () => {
    const note: ChatMessage = { role: 'system', text: 'Note.' };
    const { said, dropped } = fitted([system, ...turns(200), note, ...turns(100), question], true);
    expect(said).toMatch(/^system Be kind\. system Note\. user q96 .* user Last\?$/);
    expect(dropped).toBe(592);
    expect(rendered).toBeLessThan(8);
  });

  it('keeps what the system says anywhere, and everything since the last question', () => {
    const tool: ChatMessage = { role: 'tool', id: 'a', name: 'look', text: words(60, 'found') };
    const call: ChatMessage = { role: 'assistant', text: '', calls: [{ id: 'a', name: 'look', input: {} }] };
    const { said } = fitted([...turns(5), { role: 'system', text: 'Note.' }, ...turns(3), question, call, tool], true);
    expect(said).toContain('system Note.');
    expect(said).toMatch(/user Last\? assistant {2}tool found/);
    expect(said).not.toContain('q4');
  });

  it('refuses a last question that does not fit by itself', () => {
    expect(() => fitted([...turns(3), { role: 'user', text: words(300) }], true)).toThrow(
      expect.objectContaining({ code: 'context_length_exceeded' }),
    );
    expect(() => fitted([{ role: 'user', text: 'x'.repeat(100_000) }], false)).toThrow(
      expect.objectContaining({ code: 'context_length_exceeded' }),
    );
    expect(rendered).toBe(0);
  });
});
