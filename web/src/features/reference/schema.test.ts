import { describe, expect, it } from 'vitest';
import { exampleOf, limitsOf, type Schemas, typeName } from './schema';

const schemas: Schemas = {
  Failure: { type: 'object', properties: { detail: {}, code: { type: 'string' } }, required: ['detail', 'code'] },
  Node: { type: 'object', properties: { next: { $ref: '#/components/schemas/Node' } }, required: ['next'] },
};

describe('typeName', () => {
  it.each([
    [{ type: 'string' }, 'string'],
    [{ type: ['integer', 'null'] }, 'integer | null'],
    [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, 'string | null'],
    [{ anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'integer' } }] }, 'string | array of integer'],
    [{ type: 'array', items: { $ref: '#/components/schemas/Failure' } }, 'array of object'],
    [{ const: 'x' }, 'string'],
    [{ $ref: '#/components/schemas/Nobody' }, 'any'],
    [{}, 'any'],
  ])('of %j is %s', (schema, name) => {
    expect(typeName(schema, schemas)).toBe(name);
  });
});

describe('limitsOf', () => {
  it.each([
    [{ type: 'integer', minimum: 1, maximum: 10, default: 5 }, ['1 – 10', '= 5']],
    [{ type: 'integer', minimum: -9_007_199_254_740_991, maximum: 9_007_199_254_740_991 }, []],
    [{ anyOf: [{ type: 'string', maxLength: 40 }, { type: 'null' }] }, ['≤ 40 chars']],
    [{ type: 'array', minItems: 1 }, ['≥ 1 items']],
    [{ enum: ['up', 'down'] }, ['"up", "down"']],
  ])('of %j are %j', (schema, limits) => {
    expect(limitsOf(schema, schemas)).toEqual(limits);
  });
});

describe('exampleOf', () => {
  it('has what is required, and what an example is nothing without', () => {
    const schema = {
      type: 'object',
      properties: {
        task_id: { type: 'string', format: 'uuid' },
        rating: { enum: ['up', 'down'] },
        comment: { type: ['string', 'null'] },
        limit: { type: 'integer', default: 5 },
        input: { anyOf: [{ type: 'string' }, { type: 'array', items: {} }] },
      },
      required: ['task_id', 'rating'],
    };
    expect(exampleOf(schema, schemas)).toEqual({
      task_id: '00000000-0000-4000-8000-000000000000',
      rating: 'up',
      limit: 5,
      input: 'What is a lighthouse?',
    });
  });

  it('ends, whatever refers to itself', () => {
    expect(JSON.stringify(exampleOf({ $ref: '#/components/schemas/Node' }, schemas))).toContain('null');
  });
});
