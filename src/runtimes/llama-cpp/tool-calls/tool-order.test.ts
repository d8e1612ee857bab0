import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import { describe, expect, it } from 'vitest';
import { toToolOrder } from './tool-order.js';

const tool = (name: string, inputSchema: unknown = { type: 'object', properties: {} }, rest: object = {}) =>
  ({ type: 'function', name, inputSchema, ...rest }) as never;
const call = (rest: Partial<LanguageModelV4CallOptions>) => toToolOrder({ prompt: [], ...rest });
const nested = (levels: number): object =>
  levels === 0 ? {} : { type: 'object', properties: { a: nested(levels - 1) } };

describe('toToolOrder', () => {
  it('has nothing to say where no tool may be called', () => {
    expect(call({})).toBeUndefined();
    expect(call({ tools: [] })).toBeUndefined();
    expect(call({ tools: [tool('a')], toolChoice: { type: 'none' } })).toBeUndefined();
  });

  it.each([
    [undefined, { mustCall: false, only: null, single: false }],
    [{ type: 'auto' } as const, { mustCall: false, only: null, single: false }],
    [{ type: 'required' } as const, { mustCall: true, only: null, single: false }],
    [{ type: 'tool', toolName: 'b' } as const, { mustCall: true, only: 'b', single: true }],
  ])('knows the choice %j, and shows every tool whichever it is', (toolChoice, expected) => {
    const order = call({ tools: [tool('a'), tool('b')], ...(toolChoice ? { toolChoice } : {}) });
    expect(order).toMatchObject(expected);
    expect(order?.tools.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('takes one call at a time where that was asked for, and a schema without a type for an object', () => {
    const order = call({ tools: [tool('a', {})], providerOptions: { openai: { parallelToolCalls: false } } });
    expect(order).toMatchObject({ single: true, tools: [{ schema: { type: 'object' } }] });
  });

  it.each<[string, Partial<LanguageModelV4CallOptions>]>([
    ['129 tools', { tools: Array.from({ length: 129 }, (_, index) => tool(`t${index}`)) }],
    ['the same name', { tools: [tool('a'), tool('a')] }],
    ['is no name', { tools: [tool('a b')] }],
    ['is no name', { tools: [tool('a"}')] }],
    ['is no name', { tools: [tool('x'.repeat(129))] }],
    ['description', { tools: [tool('a', {}, { description: 'x'.repeat(20_001) })] }],
    ['must be an object', { tools: [tool('a', { type: 'string' })] }],
    ['no JSON schema', { tools: [tool('a', [])] }],
    [
      'choices',
      {
        tools: [
          tool('a', { properties: { x: { enum: Array(600).fill('x') } } }),
          tool('b', { properties: { x: { enum: Array(600).fill('x') } } }),
        ],
      },
    ],
    ['levels', { tools: [tool('a', nested(40))] }],
    ['none of them is called c', { tools: [tool('a')], toolChoice: { type: 'tool', toolName: 'c' } }],
  ])('refuses %s', (why, options) => {
    expect(() => call(options)).toThrow(
      expect.objectContaining({ code: 'invalid_input', message: expect.stringContaining(why) }),
    );
  });

  it('offers tools or answers in JSON, but a call that must be made leaves no doubt', () => {
    const responseFormat = { type: 'json' as const };
    expect(() => call({ tools: [tool('a')], responseFormat })).toThrow(
      expect.objectContaining({ code: 'unsupported' }),
    );
    expect(call({ tools: [tool('a')], responseFormat, toolChoice: { type: 'required' } })).toMatchObject({
      mustCall: true,
    });
  });

  it('refuses tools that a vendor runs', () => {
    expect(() => call({ tools: [{ type: 'provider', id: 'x.y', name: 'search', args: {} }] })).toThrow(
      expect.objectContaining({ code: 'unsupported' }),
    );
  });
});
