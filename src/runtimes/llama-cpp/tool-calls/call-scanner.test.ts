import { describe, expect, it } from 'vitest';
import { CallScanner } from './call-scanner.js';
import { type CallSyntax, GENERIC } from './call-syntax.js';

const TAGS: CallSyntax = { ...GENERIC, family: 'tags', bare: false };
const LLAMA: CallSyntax = { ...GENERIC, family: 'bare-json', markers: ['<|python_tag|>'], open: '' };

/** What is shown of an answer, whichever way it is cut into pieces, and where a call begins in it. */
function scan(answer: string, syntax: CallSyntax, size: number) {
  const scanner = new CallScanner(['get_weather', 'get'], syntax);
  let shown = '';
  for (let at = 0; at < answer.length; at += size) {
    const { text, call } = scanner.push(answer.slice(at, at + size));
    shown += text;
    if (call) return { shown, call };
  }
  return { shown: shown + scanner.end(), call: null };
}

describe.each([1, 2, 7, 1_000])('CallScanner, %i characters at a time', (size) => {
  it.each([
    ['Let me see.\n<tool_call>\n{"name"', 'Let me see.', 12],
    ['<tool_call>', '', 0],
    ['a < b <tool_call>', 'a < b', 6],
  ])('shows what stands before a call and nothing of the call: %j', (answer, shown, at) => {
    expect(scan(answer, TAGS, size)).toEqual({ shown, call: { at, name: null } });
  });

  it.each(['Two < three.', 'ends with <tool_', '<tool>x</tool>', '{"name": "get_weather"}', ' a\n\n b \n'])(
    'shows all of %j where only tags are calls',
    (answer) => {
      expect(scan(answer, TAGS, size)).toEqual({ shown: answer, call: null });
    },
  );

  it.each([
    '{"name": "get_weather", "parameters": {',
    '\n{ "name" : "get_weather",',
    '{"type": "function", "name": "get_weather",',
    '```json\n{"name": "get_weather",',
  ])('takes JSON that names a tool for a call where calls may be bare: %j', (answer) => {
    expect(scan(answer, LLAMA, size)).toEqual({ shown: '', call: { at: 0, name: 'get_weather' } });
  });

  it.each([
    '{"name": "Rome", "country": "Italy"}',
    '{"name": "get_weather_of_mars"}',
    '{"city": "Rome"}',
    '{"na',
    'The call is {"name": "get_weather"}',
    '```json\n[1]\n```',
  ])('takes other JSON for the answer it is: %j', (answer) => {
    expect(scan(answer, LLAMA, size)).toEqual({ shown: answer, call: null });
  });

  it('finds a mark behind an answer that began like JSON', () => {
    expect(scan('{"a": 1} <|python_tag|>', LLAMA, size)).toEqual({ shown: '{"a": 1}', call: { at: 9, name: null } });
  });
});
