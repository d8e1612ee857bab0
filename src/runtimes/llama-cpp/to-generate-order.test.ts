import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import { describe, expect, it } from 'vitest';
import { adaptToLlamaCpp, samplingDefaults, toGenerateOrder } from './to-generate-order.js';

const call = (rest: Partial<LanguageModelV4CallOptions> = {}): LanguageModelV4CallOptions => ({
  prompt: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
  ...rest,
});
const own = (values: Record<string, number>) => ({ providerOptions: { venom: values } });

describe('toGenerateOrder', () => {
  it("samples as the family's makers say, else by size, and a request wins", () => {
    const sampling = (name: string, parameters: number, rest = {}) =>
      toGenerateOrder(call(rest), samplingDefaults(name, parameters)).sampling;
    expect(sampling('gemma-3-12b-it', 12e9)).toMatchObject({ temperature: 1, topP: 0.95, topK: 64, repeatPenalty: 1 });
    expect(sampling('Qwen3-0.6B', 6e8)).toMatchObject({ temperature: 0.6, topK: 20 });
    expect(sampling('nobody-knows', 1e8)).toMatchObject({ temperature: 0.2, topP: 0.9, topK: 40 });
    expect(sampling('nobody-knows', 7e9)).toMatchObject({ temperature: 0.7, topP: 0.95 });
    expect(sampling('gemma-3-12b-it', 12e9, { temperature: 0, ...own({ repeatPenalty: 1.3 }) })).toMatchObject({
      temperature: 0,
      repeatPenalty: 1.3,
      topK: 64,
    });
  });

  it('orders what its report says, value by value', () => {
    const options = call({ temperature: 9, topP: 0.5, topK: 7, seed: 3, maxOutputTokens: 20, ...own({ minP: 2 }) });
    const defaults = samplingDefaults('x', 7e9);
    const { sampling } = toGenerateOrder(options, defaults);
    const { sent, clamped } = adaptToLlamaCpp(
      { temperature: 9, top_p: 0.5, top_k: 7, seed: 3, max_tokens: 20, min_p: 2 },
      { defaults, thoughts: null },
    );
    expect(sampling).toMatchObject({
      temperature: sent['temperature'],
      topP: sent['top_p'],
      topK: sent['top_k'],
      minP: sent['min_p'],
      repeatPenalty: sent['repeat_penalty'],
      seed: sent['seed'],
      maxTokens: sent['max_tokens'],
    });
    expect(clamped).toEqual([
      { name: 'temperature', from: 9, to: 5 },
      { name: 'min_p', from: 2, to: 1 },
    ]);
  });

  it.each([{ temperature: Number.NaN }, { temperature: 'warm' as never }, { maxOutputTokens: 0 }])(
    'refuses %j',
    (rest) => {
      expect(() => toGenerateOrder(call(rest), samplingDefaults('x', 7e9))).toThrow(
        expect.objectContaining({ code: 'invalid_input' }),
      );
    },
  );

  it('lets the oldest turns go where that was agreed to, and nothing of a text that is gone on with', () => {
    const dropOldest = (venom: Record<string, boolean | { suffix: string }>) =>
      toGenerateOrder(call({ providerOptions: { venom } }), samplingDefaults('x', 7e9)).dropOldest;
    expect(dropOldest({})).toBe(false);
    expect(dropOldest({ dropOldest: true })).toBe(true);
    expect(dropOldest({ dropOldest: true, completion: { suffix: 'The end.' } })).toBe(false);
  });

  it('orders calls and results of a conversation in their places, and each result by itself', () => {
    const output = (value: string) => ({ type: 'text' as const, value });
    const order = toGenerateOrder(
      call({
        prompt: [
          { role: 'user', content: [{ type: 'text', text: 'Rome and Oslo?' }] },
          {
            role: 'assistant',
            content: [
              { type: 'text', text: 'Well. ' },
              { type: 'tool-call', toolCallId: 'a', toolName: 'weather', input: { city: 'Rome' } },
              { type: 'tool-call', toolCallId: 'b', toolName: 'weather', input: { city: 'Oslo' } },
            ],
          },
          {
            role: 'tool',
            content: [
              { type: 'tool-result', toolCallId: 'a', toolName: 'weather', output: output('warm') },
              { type: 'tool-result', toolCallId: 'b', toolName: 'weather', output: { type: 'json', value: { t: 2 } } },
            ],
          },
        ],
        tools: [{ type: 'function', name: 'weather', inputSchema: {} }],
      }),
      samplingDefaults('x', 7e9),
    );
    expect(order.messages).toEqual([
      { role: 'user', text: 'Rome and Oslo?' },
      {
        role: 'assistant',
        text: 'Well. ',
        calls: [
          { id: 'a', name: 'weather', input: { city: 'Rome' } },
          { id: 'b', name: 'weather', input: { city: 'Oslo' } },
        ],
      },
      { role: 'tool', id: 'a', name: 'weather', text: 'warm' },
      { role: 'tool', id: 'b', name: 'weather', text: '{"t":2}' },
    ]);
    expect(order.tools).toMatchObject({ mustCall: false, tools: [{ name: 'weather' }] });
  });

  it("takes tools in a client's own words, as Direct mode hands them on", () => {
    const weather = { name: 'weather', description: 'Of a city', parameters: { type: 'object', properties: {} } };
    const venom = {
      tools: [{ type: 'function', function: weather }],
      toolChoice: { type: 'function', function: { name: 'weather' } },
    };
    expect(toGenerateOrder(call({ providerOptions: { venom } }), samplingDefaults('x', 7e9)).tools).toMatchObject({
      tools: [{ name: 'weather', description: 'Of a city' }],
      mustCall: true,
      only: 'weather',
    });
  });

  it('keeps a model from thinking where the answer alone is wanted, unless a wish says otherwise', () => {
    const think = (venom: Record<string, boolean>) =>
      toGenerateOrder(call({ providerOptions: { venom } }), samplingDefaults('x', 7e9)).sampling.think;
    expect([think({}), think({ quick: true }), think({ quick: true, think: true })]).toEqual([undefined, false, true]);
  });
});
