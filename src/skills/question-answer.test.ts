import { describe, expect, it } from 'vitest';
import { toQuestion } from './mcp/elicitation.js';
import { answerProblems } from './question-answer.js';
import { asksSecret } from './question-caution.js';
import type { QuestionField } from './question-ports.js';

const fieldsOf = (properties: Record<string, unknown>, required: string[] = []): readonly QuestionField[] => {
  const question = toQuestion({
    message: 'm',
    requestedSchema: { type: 'object', properties, required },
  } as Parameters<typeof toQuestion>[0]);
  return question.kind === 'form' ? question.fields : [];
};
const problem = (schema: Record<string, unknown>, value: unknown) =>
  answerProblems(fieldsOf({ field: schema }), { field: value }).get('field');

describe('an answer', () => {
  it.each([
    [{ type: 'string', format: 'email' }, 'a@example.org', undefined],
    [{ type: 'string', format: 'email' }, 'a b@example.org', 'format'],
    [{ type: 'string', format: 'date' }, '2026-02-28', undefined],
    [{ type: 'string', format: 'date' }, '2026-02-30', 'format'],
    [{ type: 'string', format: 'date-time' }, '2026-02-28T10:00:00Z', undefined],
    [{ type: 'string', format: 'date-time' }, '2026-02-28T25:00:00Z', 'format'],
    [{ type: 'string', format: 'uri' }, 'nowhere', 'format'],
    [{ type: 'string', maxLength: 2 }, '😀😀', undefined],
    [{ type: 'string', maxLength: 2 }, 'abc', 'too_long'],
    [{ type: 'string' }, 'x'.repeat(20_001), 'too_long'],
    [{ type: 'string' }, 4, 'type'],
    [{ type: 'integer' }, 1.5, 'type'],
    [{ type: 'number', minimum: 0 }, -0.1, 'too_small'],
    [{ type: 'number' }, '1', 'type'],
    [{ type: 'boolean' }, 'true', 'type'],
    [{ type: 'string', enum: ['a', 'b'], enumNames: ['A', 'B'] }, 'b', undefined],
    [{ type: 'string', enum: ['a', 'b'] }, 'A', 'option'],
    [{ type: 'array', minItems: 1, items: { type: 'string', enum: ['a', 'b'] } }, [], 'more_needed'],
    [{ type: 'array', items: { type: 'string', enum: ['a', 'b'] } }, ['a', 'a'], 'option'],
  ])('to %j of %j is %s', (schema, value, expected) => {
    expect(problem(schema, value)).toBe(expected);
  });

  it('needs what is required, and nothing that was not asked for', () => {
    const fields = fieldsOf({ a: { type: 'string' }, toString: { type: 'string' } }, ['a', 'toString']);
    expect([...answerProblems(fields, { b: 1 })]).toEqual([
      ['b', 'unknown'],
      ['a', 'required'],
      ['toString', 'required'],
    ]);
  });
});

describe('a question', () => {
  it('takes a default only where it fits', () => {
    const [one, two] = fieldsOf({
      a: { type: 'integer', maximum: 3, default: 9 },
      b: { type: 'string', oneOf: [{ const: 'x', title: 'X' }], default: 'x' },
    });
    expect([one?.initial, two?.initial]).toEqual([null, 'x']);
  });

  it.each([
    ['a nested object', { a: { type: 'object' } }],
    ['no choices', { a: { type: 'string', enum: [] } }],
    [
      'too many fields',
      Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`f${index}`, { type: 'string' }])),
    ],
  ])('of %s is refused', (_, properties) => {
    expect(() => fieldsOf(properties)).toThrow(/cannot be shown/);
  });

  it.each(['javascript:alert(1)', 'file:///etc/passwd', 'https://bank.example@evil.example/', 'nowhere', ''])(
    'to open %s is refused',
    (url) => {
      expect(() => toQuestion({ mode: 'url', message: 'm', url, elicitationId: 'e' })).toThrow(/no address of the web/);
    },
  );

  it.each(['apiKey', 'Your password', 'CARD_NUMBER', 'Hasło', 'Kennwort'])('for %s is one for a secret', (title) => {
    expect(asksSecret({ kind: 'form', message: 'm', fields: fieldsOf({ f: { type: 'string', title } }) })).toBe(true);
  });

  it('for a name is none', () => {
    expect(
      asksSecret({ kind: 'form', message: 'Which table?', fields: fieldsOf({ compass: { type: 'string' } }) }),
    ).toBe(false);
  });
});
