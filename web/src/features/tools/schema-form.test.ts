import { describe, expect, it } from 'vitest';
import { formOf, initialValues, type NamedField, toInput, toValues } from './schema-form';

const kinds = (fields: readonly NamedField[] | null) => fields?.map(({ name, field }) => [name, field.kind]);

const SCHEMA = {
  type: 'object',
  properties: {
    city: { type: 'string', description: 'Where' },
    days: { type: 'integer', minimum: 1, maximum: 10, default: 3 },
    units: { enum: ['metric', 'imperial'], default: 'metric' },
    exact: { type: 'boolean' },
    tags: { type: 'array', items: { type: 'string' } },
    place: { $ref: '#/$defs/place' },
    maybe: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    either: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  },
  required: ['city', 'exact'],
  $defs: {
    place: {
      type: 'object',
      properties: { lat: { type: 'number' }, lon: { type: 'number' } },
      required: ['lat', 'lon'],
    },
  },
};
const fields = formOf(SCHEMA) as NamedField[];

describe('formOf', () => {
  it('finds a field for each property, through references and nullable ones', () => {
    expect(kinds(fields)).toEqual([
      ['city', 'text'],
      ['days', 'number'],
      ['units', 'choice'],
      ['exact', 'boolean'],
      ['tags', 'list'],
      ['place', 'group'],
      ['maybe', 'text'],
      ['either', 'json'],
    ]);
  });

  it('has no fields for a tool that takes nothing, and gives up on alternatives of whole inputs', () => {
    expect(formOf({ type: 'object' })).toEqual([]);
    expect(formOf({ type: 'object', anyOf: [{ required: ['a'] }, { required: ['b'] }] })).toBeNull();
  });

  it('ends for a schema that refers to itself, and asks nobody for a remote one', () => {
    const recursive = {
      type: 'object',
      properties: { loop: { $ref: '#/$defs/loop' }, child: { $ref: '#' }, far: { $ref: 'https://example.org/x' } },
      $defs: { loop: { $ref: '#/$defs/loop' } },
    };
    expect(kinds(formOf(recursive))).toEqual([
      ['loop', 'json'],
      ['child', 'group'],
      ['far', 'json'],
    ]);
  });
});

describe('toInput', () => {
  it('starts with the defaults, and names what is missing', () => {
    expect(toInput(fields, initialValues(fields))).toEqual({
      input: { days: 3, units: 'metric', exact: false },
      problems: { city: 'required' },
    });
  });

  it('gives each value its type', () => {
    const values = {
      ...initialValues(fields),
      city: 'Kraków',
      days: '7',
      units: '1',
      exact: true,
      tags: ['a'],
      place: { lat: 50, lon: '19.9' },
      either: '[1]',
    };
    expect(toInput(fields, values)).toEqual({
      input: {
        city: 'Kraków',
        days: 7,
        units: 'imperial',
        exact: true,
        tags: ['a'],
        place: { lat: 50, lon: 19.9 },
        either: [1],
      },
      problems: {},
    });
  });

  it('says where a number or JSON is none, also in a group', () => {
    const values = { city: 'x', days: 1.5, either: '{', place: { lat: 'north', lon: 1 } };
    expect(toInput(fields, values).problems).toEqual({ days: 'invalid', either: 'invalid', 'place.lat': 'invalid' });
    expect(toInput(fields, { city: 'x', place: { lat: 1 } }).problems).toEqual({ 'place.lon': 'required' });
  });

  it('takes a property named __proto__ for what it is', () => {
    const hostile = formOf(JSON.parse('{"properties": {"__proto__": {"type": "string"}}}')) as NamedField[];
    const { input } = toInput(hostile, JSON.parse('{"__proto__": "x"}'));
    expect(Object.entries(input)).toEqual([['__proto__', 'x']]);
    expect(Object.getPrototypeOf(input)).toBe(Object.prototype);
  });
});

describe('toValues', () => {
  it('brings JSON back into the form it came from', () => {
    const input = {
      city: 'Bonn',
      days: 2,
      units: 'imperial',
      exact: true,
      place: { lat: 1, lon: 2 },
      either: { a: 1 },
    };
    const values = toValues(fields, input);
    expect(values && toInput(fields, values).input).toEqual(input);
  });

  it('refuses what the form would lose', () => {
    expect(toValues(fields, { city: 'x', unknown: 1 })).toBeNull();
    expect(toValues(fields, { city: 5 })).toBeNull();
    expect(toValues(fields, { city: 'x', units: 'nautical' })).toBeNull();
  });
});
