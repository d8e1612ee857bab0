// How large a JSON schema may be that is to become a grammar.
import { describe, expect, it } from 'vitest';
import { checkSchemaSize } from './grammar-limits.js';

const values = (count: number) => Array.from({ length: count }, (_, index) => `v${index}`);
const properties = (count: number) => Object.fromEntries(values(count).map((name) => [name, { type: 'string' }]));

describe('checkSchemaSize', () => {
  it.each([
    ['nothing', undefined],
    ['a usual one', { type: 'object', properties: properties(20), required: values(20) }],
    ['many properties', { type: 'object', properties: properties(3_000) }],
    ['a thousand choices', { enum: values(1_000) }],
    ['a property that is called enum', { type: 'object', properties: { enum: { type: 'string' } } }],
  ])('takes %s', (_what, schema) => {
    expect(() => checkSchemaSize(schema)).not.toThrow();
  });

  it.each([
    ['a choice too many', { enum: values(1_001) }],
    [
      'choices in many places',
      { anyOf: [{ enum: values(600) }, { oneOf: values(600).map((name) => ({ const: name })) }] },
    ],
    ['long texts', { enum: ['x'.repeat(120_001)] }],
    ['a deep one', JSON.parse(`${'{"items":'.repeat(70)}{}${'}'.repeat(70)}`)],
    ['a crowd of numbers', { examples: Array(20_001).fill(1) }],
  ])('refuses %s', (_what, schema) => {
    expect(() => checkSchemaSize(schema)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  });
});
