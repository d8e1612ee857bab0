import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import { describe, expect, it } from 'vitest';
import { toOllamaChat } from './to-ollama-chat.js';

const defaults = { keepAlive: '-1', options: { num_ctx: 4_096 } };
const body = (call: Partial<LanguageModelV4CallOptions>) =>
  toOllamaChat('m', { prompt: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }], ...call }, defaults);

describe('toOllamaChat', () => {
  it('sends pictures beside the text, as Ollama takes them', () => {
    const { messages } = body({
      prompt: [
        {
          role: 'user',
          content: [
            { type: 'file', mediaType: 'image/png', data: { type: 'data', data: 'AAAA' } },
            { type: 'text', text: 'What is this?' },
          ],
        },
      ],
    });
    expect(messages).toEqual([{ role: 'user', content: 'What is this?', images: ['AAAA'] }]);
  });

  it('sends a text that is gone on with as it is, for the other route of Ollama', () => {
    const sent = body({ providerOptions: { venom: { completion: { raw: true, suffix: 'end' } } }, maxOutputTokens: 5 });
    expect(sent).toMatchObject({ prompt: 'Hi', raw: true, suffix: 'end', options: { num_predict: 5, num_ctx: 4_096 } });
    expect(sent).not.toHaveProperty('messages');
  });

  it('sends what a tool said as the text it is', () => {
    const result = (output: { type: 'text'; value: string } | { type: 'json'; value: { sunny: boolean } }) =>
      body({ prompt: [{ role: 'tool', content: [{ type: 'tool-result', toolCallId: 'a', toolName: 't', output }] }] });
    expect(result({ type: 'text', value: 'sunny' })['messages']).toEqual([
      { role: 'tool', tool_name: 't', content: 'sunny' },
    ]);
    expect(result({ type: 'json', value: { sunny: true } })['messages']).toMatchObject([{ content: '{"sunny":true}' }]);
  });

  it('refuses to promise a call of a tool, and hides tools that may not be called', () => {
    const tools = [{ type: 'function' as const, name: 't', inputSchema: { type: 'object' as const } }];
    for (const toolChoice of [{ type: 'required' as const }, { type: 'tool' as const, toolName: 't' }])
      expect(() => body({ tools, toolChoice })).toThrowError(expect.objectContaining({ code: 'unsupported' }));
    expect(body({ tools, toolChoice: { type: 'none' } })).not.toHaveProperty('tools');
    expect(body({ tools, toolChoice: { type: 'auto' } })).toHaveProperty('tools');
  });

  it("hands on what only Ollama knows; a client's wish comes before a default", () => {
    const own = { ollamaOptions: { num_ctx: 8_192, mirostat: 2 } };
    expect(body({ temperature: 0.5, providerOptions: { venom: own } })['options']).toMatchObject({
      num_ctx: 8_192,
      mirostat: 2,
      temperature: 0.5,
    });
  });
});
