// How models of well-known families are told apart by their templates, and what comes of it: the grammar, tried on
// llama.cpp itself, and the calls that are read.
import { describe, expect, it } from 'vitest';
import { engineGrammars } from '../../../../test/stand-ins/engine-grammars.js';
import { FAMILY_TEMPLATES as templates } from '../../../../test/stand-ins/family-templates.js';
import type { ChatMessage } from '../worker-protocol.js';
import { callGrammar } from './call-grammar.js';
import { CallReader } from './call-reader.js';
import { CallScanner } from './call-scanner.js';
import { GENERIC } from './call-syntax.js';
import { callText } from './calls-as-text.js';
import { ToolTemplate } from './tool-template.js';

const marks = { bos: '<s>', eos: '</s>', isUnsafe: () => false };
const tool = {
  name: 'get_weather',
  description: 'Weather of a city',
  schema: {
    type: 'object',
    properties: {
      city: { type: 'string' },
      days: { type: 'integer' },
      units: { enum: ['metric', 'imperial'], type: 'string' },
      hourly: { type: 'boolean' },
      places: { type: 'array', items: { $ref: '#/$defs/place' } },
    },
    required: ['city'],
    $defs: { place: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } },
  },
};
const other = { name: 'get', description: 'Gets', schema: { type: 'object', properties: {} } };
const full = { city: 'Rome', days: 3, units: 'metric', hourly: true, places: [{ name: 'a "b", (c) = [d]' }] };

type Family = keyof typeof templates;
const found = (name: Family) => {
  const template = ToolTemplate.of(templates[name], marks);
  if (!template) throw new Error(`${name}: no tools in it`);
  return template;
};

const allFit = engineGrammars();
const fits = async (grammar: string, text: string) => (await allFit(grammar, text))[0];

const FAMILIES: [Family, string, string][] = [
  ['QWEN_2_5', 'tags', '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Rome", "days": 3}}\n</tool_call>'],
  ['QWEN_3', 'tags', '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Rome", "days": 3}}\n</tool_call>'],
  ['HERMES_3', 'tags', '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Rome", "days": 3}}\n</tool_call>'],
  ['LLAMA_3_1', 'bare-json', '{"name": "get_weather", "parameters": {"city": "Rome", "days": 3}}'],
  ['MISTRAL_NEMO', 'mistral', '[TOOL_CALLS][{"name": "get_weather", "arguments": {"city": "Rome", "days": 3}}]'],
  [
    'DEEPSEEK_V3',
    'marked',
    '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{"city": "Rome", "days": 3}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
  ],
  [
    'QWEN_3_CODER',
    'elements',
    '<tool_call>\n<function=get_weather>\n<parameter=city>\nRome\n</parameter>\n<parameter=days>\n3\n</parameter>\n</function>\n</tool_call>',
  ],
  [
    'GLM_4_5',
    'elements',
    '<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>\n<arg_key>days</arg_key>\n<arg_value>3</arg_value>\n</tool_call>',
  ],
  [
    'MINIMAX_M2',
    'elements',
    '<minimax:tool_call>\n<invoke name="get_weather">\n<parameter name="city">Rome</parameter>\n<parameter name="days">3</parameter>\n</invoke>\n</minimax:tool_call>',
  ],
  ['OLMO_3', 'python', '<function_calls>get_weather(city="Rome", days=3)</function_calls>'],
  ['PYTHON_LIST', 'python', '[get_weather(city="Rome", days=3)]'],
];

describe.each(FAMILIES)('%s', (name, family, written) => {
  const conversation: ChatMessage[] = [
    { role: 'system', text: 'Be brief.' },
    { role: 'user', text: 'Is it warm in Rome?' },
    { role: 'assistant', text: '', calls: [{ id: 'call_1', name: tool.name, input: { city: 'Rome', days: 3 } }] },
    { role: 'tool', id: 'call_1', name: tool.name, text: '28 degrees' },
  ];

  it('is known by its template, which renders a conversation with a call and its result', () => {
    const template = found(name);
    expect(template.syntax.family).toBe(family);
    const text = template
      .render(conversation, [tool, other])
      .map((piece) => piece.text)
      .join('');
    // Mistral's own ids stand where its model writes none here.
    expect(text.replace(/, "id": "\d{9}"/, '')).toContain(written);
    for (const part of ['Be brief.', 'Is it warm in Rome?', '28 degrees', 'Weather of a city']) {
      // Mistral tells its system message and tools with the last question only.
      if (name !== 'MISTRAL_NEMO' || part !== 'Be brief.') expect(text).toContain(part);
    }
  });

  it('writes a call as its template does, which the grammar lets through', async () => {
    const { syntax } = found(name);
    const call = callText('', [{ id: 'a', name: tool.name, input: { city: 'Rome', days: 3 } }], syntax);
    expect(call).toBe(written);
    for (const input of [{ city: 'Rome' }, full]) {
      const text = callText('', [{ id: 'a', name: tool.name, input }], syntax);
      const { opening, grammar } = callGrammar([tool, other], syntax, false);
      expect(text.startsWith(opening)).toBe(true);
      expect(await fits(grammar, text.slice(opening.length)), text).toBe(true);
      const wrong = callText('', [{ id: 'a', name: tool.name, input: { ...input, days: 'three' } }], syntax);
      expect(await fits(grammar, wrong.slice(opening.length)), wrong).toBe(false);
      const missing = callText('', [{ id: 'a', name: tool.name, input: {} }], syntax);
      expect(await fits(grammar, missing.slice(opening.length)), missing).toBe(false);
    }
    const empty = callText('', [{ id: 'a', name: other.name, input: {} }], syntax);
    const { opening, grammar } = callGrammar([tool, other], syntax, false);
    expect(await fits(grammar, empty.slice(opening.length)), empty).toBe(true);
  });

  it.each([1, 3, 1_000])('is read %i characters at a time, with values of the types they have', (size) => {
    const { syntax } = found(name);
    const code = 'a < b </param\n</div>\n\n';
    for (const [called, input] of [
      [tool, full],
      [tool, { city: family === 'elements' ? code : 'x' }],
      [other, {}],
    ] as const) {
      const text = callText('I look.', [{ id: 'a', name: called.name, input }], syntax);
      const scanner = new CallScanner([other.name, tool.name], syntax);
      let at: number | null = null;
      for (let from = 0; from < text.length && at === null; from += size)
        at = scanner.push(text.slice(from, from + size)).call?.at ?? null;
      // Bare JSON is a call only where nothing is said before it.
      if (syntax.bare) at = text.indexOf('{');
      expect(text.slice(at as number).startsWith(syntax.open)).toBe(true);
      const reader = new CallReader([other, tool], syntax);
      const answer = text.slice((at as number) + syntax.open.length);
      const events = [];
      for (let from = 0; from < answer.length; from += size)
        events.push(...reader.push(answer.slice(from, from + size)));
      expect(events[0]).toEqual({ type: 'call-start', name: called.name });
      const ends = events.filter((event) => event.type === 'call-end');
      expect(ends.map((end) => JSON.parse(end.input))).toEqual([input]);
      expect(events.map((event) => (event.type === 'call-input' ? event.text : '')).join('')).toBe(ends[0]?.input);
    }
  });
});

describe('a template without tools', () => {
  it.each(['GEMMA_3', 'PHI_3', 'PHI_4_MINI'] as const)('%s is left to words', (name) => {
    expect(ToolTemplate.of(templates[name], marks)).toBeNull();
  });
});

it('an element may hold any text but its own end', async () => {
  const { syntax } = found('QWEN_3_CODER');
  const { opening, grammar } = callGrammar([tool], syntax, true);
  const call = (city: string) =>
    callText('', [{ id: 'a', name: tool.name, input: { city } }], syntax).slice(opening.length);
  for (const city of ['', '\n', '</parameter>', '\n</param', '\n\n</parameter', '<parameter=city>', 'ąę "[]^\\-'])
    expect(await fits(grammar, call(city)), JSON.stringify(city)).toBe(true);
  expect(await fits(grammar, call('x\n</parameter>\ny'))).toBe(false);
});

describe('an answer in words, where tools are offered', () => {
  const answer = 'It is sunny in Rome, 21 degrees.\n\n1. Take a hat [1], {really}.\n2. Say "hi" (twice) & a < b.';

  it.each(Object.keys(templates) as Family[])('is shown as it comes: %s', (name) => {
    const template = ToolTemplate.of(templates[name], marks);
    const scanner = new CallScanner([tool.name, other.name], template?.syntax ?? GENERIC);
    let shown = '';
    for (const [index, character] of [...answer].entries()) {
      const { text, call } = scanner.push(character);
      expect(call).toBeNull();
      shown += text;
      // Blanks may belong to a call, and so may a bracket it could begin with; nothing else waits, from the first letter on.
      const written = answer.slice(0, index + 1);
      expect(written.replace(/[\s<[{]+$/, '').length).toBeLessThanOrEqual(shown.length);
    }
    expect(shown + scanner.end()).toBe(answer);
  });
});
