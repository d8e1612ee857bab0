// Grammars of schemas, as the engine itself reads them.
import { describe, expect, it } from 'vitest';
import { engineGrammars } from '../../../test/stand-ins/engine-grammars.js';
import { SchemaGrammar, spacedJson } from './schema-grammar.js';
import { callGrammar } from './tool-calls/call-grammar.js';
import { GENERIC } from './tool-calls/call-syntax.js';

const fits = engineGrammars();
const grammarOf = (schema: unknown) => {
  const grammar = new SchemaGrammar('fixed');
  return grammar.text(grammar.add(schema));
};
const valuesFit = (schema: unknown, ...values: unknown[]) => fits(grammarOf(schema), ...values.map(spacedJson));

const address = {
  type: 'object',
  properties: { street: { type: 'string' }, number: { type: 'integer' }, note: { type: 'string' } },
  required: ['street'],
};

describe('SchemaGrammar', () => {
  it.each<[string, unknown, unknown[], unknown[]]>([
    [
      'objects with members that need not be there',
      address,
      [{ street: 'A' }, { street: 'A', number: 1 }, { street: 'A', note: 'n' }, { street: 'A', number: 1, note: 'n' }],
      [{}, { number: 1 }, { street: 1 }, { street: 'A', other: 1 }, [], 'A'],
    ],
    [
      'objects whose members all need not be there',
      { type: 'object', properties: { a: { type: 'boolean' }, b: { type: 'null' }, c: {} } },
      [{}, { a: true }, { b: null }, { c: [1] }, { a: false, c: {} }, { a: true, b: null, c: 'x' }],
      [{ a: 1 }, { d: 1 }],
    ],
    [
      'members nobody named',
      { type: 'object', properties: { a: { type: 'number' } }, additionalProperties: { type: 'number' } },
      [{}, { a: 1.5 }, { x: 1, y: -2e10 }, { a: 1, x: 2 }],
      [{ x: 'text' }],
    ],
    ['any object', { type: 'object' }, [{}, { a: { b: [null, 'x"y\\'] } }], [[], 1]],
    ['an empty object', { type: 'object', properties: {}, additionalProperties: false }, [{}], [{ a: 1 }]],
    ['values to choose from', { enum: ['a"b', 1, null, { x: [1] }] }, ['a"b', 1, null, { x: [1] }], ['a', 2]],
    ['one value', { const: 'line\nline' }, ['line\nline'], ['line']],
    [
      'a choice as Pydantic writes it',
      {
        anyOf: [{ $ref: '#/$defs/A' }, { type: 'null' }],
        $defs: { A: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] } },
      },
      [null, { n: 3 }],
      [{}, 3],
    ],
    ['several types', { type: ['string', 'null'] }, ['x', null], [1]],
    ['what may be null in OpenAPI', { type: 'integer', nullable: true }, [1, null], ['x', 1.5]],
    [
      'all of several parts',
      { allOf: [address, { type: 'object', properties: { zip: { type: 'string' } }, required: ['zip'] }] },
      [{ street: 'A', zip: '1' }],
      [{ street: 'A' }, { zip: '1' }],
    ],
    [
      'alternatives within one object',
      {
        type: 'object',
        properties: { kind: { const: 'x' } },
        required: ['kind'],
        oneOf: [
          { properties: { a: { type: 'string' } }, required: ['a'] },
          { required: ['b'], properties: { b: { type: 'integer' } } },
        ],
      },
      [
        { kind: 'x', a: 's' },
        { kind: 'x', b: 1 },
      ],
      [{ kind: 'x' }, { a: 's' }],
    ],
    [
      'lists with bounds',
      { type: 'array', items: { type: 'integer' }, minItems: 1, maxItems: 3 },
      [[1], [1, 2, 3]],
      [[], [1, 2, 3, 4], ['a']],
    ],
    [
      'lists with as many as one likes',
      { type: 'array', items: { type: 'boolean' } },
      [[], [true, false, true]],
      [[1]],
    ],
    [
      'lists of fixed items',
      { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }] },
      [['a', 1]],
      [[1, 'a'], []],
    ],
    ['texts with bounds', { type: 'string', minLength: 2, maxLength: 4 }, ['ab', 'ü"\n4'], ['a', 'abcde']],
    [
      'days and times',
      { type: 'string', format: 'date-time' },
      ['2026-02-28T23:59:59Z', '2026-02-28T00:00:00+02:00'],
      ['2026-13-01T00:00:00Z', 'now'],
    ],
    ['small ranges', { type: 'integer', minimum: -1, maximum: 2 }, [-1, 0, 2], [3, -2]],
    ['numbers above nothing', { type: 'integer', minimum: 1 }, [1, 250], [0, -1]],
    ['fractions above nothing', { type: 'number', minimum: 0 }, [0, 0.5, 12], [-0.5]],
    [
      'a tree',
      { type: 'object', properties: { kids: { type: 'array', items: { $ref: '#' } } }, required: ['kids'] },
      [{ kids: [] }, { kids: [{ kids: [] }, { kids: [] }] }],
      [{}, { kids: [1] }],
    ],
  ])('lets through %s, and nothing else', async (_what, schema, good, bad) => {
    expect(await valuesFit(schema, ...good)).toEqual(good.map(() => true));
    expect(await valuesFit(schema, ...bad)).toEqual(bad.map(() => false));
  });

  it.each([
    ['leads back to itself', { $ref: '#' }],
    [
      'leads back to itself',
      {
        $ref: '#/$defs/a',
        $defs: { a: { anyOf: [{ $ref: '#/$defs/b' }, { type: 'null' }] }, b: { $ref: '#/$defs/a' } },
      },
    ],
    ['leads back to itself', { allOf: [{ $ref: '#/$defs/a' }], $defs: { a: { $ref: '#/$defs/a' } } }],
    ['can never end', { type: 'object', properties: { next: { $ref: '#' } }, required: ['next'] }],
    ['can never end', { type: 'array', items: { $ref: '#' }, minItems: 1 }],
    ['more than 5000 parts', { type: 'object', properties: { a: { type: 'string' } }, anyOf: [{ $ref: '#' }] }],
    ['more than 64 parts', { allOf: [{ $ref: '#' }] }],
    ['leads nowhere', { $ref: '#/definitions/none' }],
    ['leads out of it', { $ref: 'https://example.org/schema' }],
    ['is no schema', { type: 'object', properties: { a: 'string' } }],
    ['an enum in it is empty', { enum: [] }],
    ['no number', { type: 'integer', minimum: 3, maximum: 2 }],
    ['more than 256 items', { type: 'array', minItems: 257 }],
    ['has a type', { type: 'file' }],
    [
      'too many different bounds',
      { prefixItems: Array.from({ length: 60 }, (_, index) => ({ type: 'string', maxLength: 900 + index })) },
    ],
  ])('refuses what nothing could be written by: %s', (why, schema) => {
    expect(() => grammarOf(schema)).toThrow(
      expect.objectContaining({ code: 'invalid_input', message: expect.stringContaining(why) }),
    );
  });

  it('lets an answer have the blanks its writer likes, within a bound', async () => {
    const grammar = new SchemaGrammar('free');
    const text = grammar.text(grammar.add({ ...address, properties: { ...address.properties, more: {} } }));
    const value = { street: 'A', number: 1, more: { x: [1, {}] } };
    const wide = JSON.stringify(value, null, 2);
    expect(await fits(text, wide, spacedJson(value), JSON.stringify(value), '{ "street" : "A"}')).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(await fits(text, `{${' '.repeat(30)}"street":"A"}`, '{\n\n"street":"A"}')).toEqual([false, false]);
    expect(await fits(grammar.text(grammar.anyObject), wide, '[]')).toEqual([true, false]);
  });

  it('grows with a schema and not with its square', () => {
    const properties = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, { type: 'array' }]));
    const size = (count: number) => grammarOf({ type: 'object', properties: properties(count) }).length;
    expect(size(1_000) / size(100)).toBeLessThan(15);
  });
});

describe('callGrammar', () => {
  const tools = [
    { name: 'walk', description: undefined, schema: address },
    { name: 'stop', description: undefined, schema: { type: 'object', properties: {} } },
  ];
  const walk = '{"name": "walk", "arguments": {"street": "A"}}';
  const stop = '{"name": "stop", "arguments": {}}';

  const end = '\n</tool_call>';

  it('lets through one call of a tool there is, with what fits it', async () => {
    const { opening, grammar } = callGrammar(tools, GENERIC, false);
    expect(opening).toBe('<tool_call>\n');
    expect(
      await fits(
        grammar,
        walk + end,
        stop + end,
        walk,
        `${walk}, ${stop}${end}`,
        `{"name": "run", "arguments": {}}${end}`,
        `{"name": "stop", "arguments": {"street": "A"}}${end}`,
      ),
    ).toEqual([true, true, false, false, false, false]);
  });

  it('lets through several where a model writes several, up to a bound, unless one was asked for', async () => {
    const list = { ...GENERIC, between: ', ', close: ']' };
    const calls = (count: number) => `${Array(count).fill(stop).join(', ')}]`;
    const several = callGrammar(tools, list, false).grammar;
    expect(await fits(several, calls(1), calls(8), calls(9))).toEqual([true, true, false]);
    expect(await fits(callGrammar(tools, list, true).grammar, calls(1), calls(2))).toEqual([true, false]);
  });

  it('leaves nothing but the input open where there is one tool', async () => {
    const only = callGrammar(tools.slice(0, 1), GENERIC, false);
    expect(only).toMatchObject({
      opening: '<tool_call>\n{"name": "walk", "arguments":',
      head: '{"name": "walk", "arguments":',
    });
    expect(await fits(only.grammar, ` {"street": "A"}}${end}`, walk + end)).toEqual([true, false]);
    const list = callGrammar(tools.slice(0, 1), { ...GENERIC, between: ', ', close: ']' }, false);
    expect(await fits(list.grammar, ` {"street": "A"}}, ${walk}]`)).toEqual([true]);
  });
});
