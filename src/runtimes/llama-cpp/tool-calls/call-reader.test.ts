import { describe, expect, it } from 'vitest';
import { CallReader } from './call-reader.js';
import { type CallSyntax, GENERIC, syntaxIn } from './call-syntax.js';
import { callText } from './calls-as-text.js';

const syntax = (rendered: string): CallSyntax => {
  const found = syntaxIn('', 'sample_answer', rendered);
  if (!found) throw new Error('unknown');
  return found;
};
const SAMPLE_INPUT = '{"sample_key": "sample_value"}';
const FAMILIES: [string, CallSyntax][] = [
  ['generic', GENERIC],
  ['tags', syntax(`<tool_call>\n{"name": "sample_tool", "arguments": ${SAMPLE_INPUT}}\n</tool_call>`)],
  ['a list in tags', syntax(`<tool_call>[{"name": "sample_tool", "arguments": ${SAMPLE_INPUT}}]</tool_call>`)],
  ['bare JSON', syntax(`<|python_tag|>{"name": "sample_tool", "parameters": ${SAMPLE_INPUT}}`)],
  ['Mistral', syntax(`[TOOL_CALLS] [{"name": "sample_tool", "arguments": ${SAMPLE_INPUT}}]`)],
  ['newer Mistral', syntax(`[TOOL_CALLS]sample_tool[ARGS]${SAMPLE_INPUT}`)],
  ['DeepSeek', syntax(`<|calls|><|call|>sample_tool<|sep|>${SAMPLE_INPUT}<|end|><|ends|>`)],
  ['another tag around JSON', syntax(`<TOOLCALL>[{"name": "sample_tool", "arguments": ${SAMPLE_INPUT}}]</TOOLCALL>`)],
  ['tags with the name in them', syntax(`<function=sample_tool>${SAMPLE_INPUT}</function>`)],
];
const tools = ['budget', 'get'].map((name) => ({ name, schema: { type: 'object' } }));
const calls = [
  { id: 'a', name: 'get', input: { text: 'a "quoted" } and </tool_call>', list: [{ n: 1 }, []] } },
  { id: 'b', name: 'budget', input: {} },
];

describe.each(FAMILIES)('CallReader on %s', (_name, family) => {
  const written = family.between === null ? calls.slice(0, 1) : calls;
  const answer = callText('', written, family).slice(family.open.length);

  it.each([1, 3, 1_000])('reads every call, %i characters at a time', (size) => {
    const reader = new CallReader(tools, family);
    const events = [];
    for (let at = 0; at < answer.length; at += size) events.push(...reader.push(answer.slice(at, at + size)));
    const ends = events.filter((event) => event.type === 'call-end');
    expect(ends.map(({ name, input }) => ({ name, input: JSON.parse(input) }))).toEqual(
      written.map(({ name, input }) => ({ name, input })),
    );
    expect(events.filter(({ type }) => type === 'call-start').map((event) => 'name' in event && event.name)).toEqual(
      written.map(({ name }) => name),
    );
    const pieces = events.flatMap((event) => (event.type === 'call-input' ? [event.text] : []));
    expect(pieces.join('')).toBe(ends.map(({ input }) => input).join(''));
  });

  it('ends no call that is cut off', () => {
    const reader = new CallReader(tools, family);
    const cut = answer.slice(0, answer.indexOf('"quoted') + 4);
    expect(reader.push(cut).map(({ type }) => type)).toEqual(['call-start', 'call-input']);
  });
});
