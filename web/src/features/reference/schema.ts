// What a JSON Schema says, in words short enough for a line, and an example of what it takes. Pure.
import type { Schema } from './api/api-document';

export type Schemas = Readonly<Record<string, Schema>>;

const REFERENCE = /^#\/components\/schemas\/([^/]+)$/;
const DEPTH_MAX = 6;
/** What stands for "as large as a number gets" says nothing to a reader. */
const LARGEST = Number.MAX_SAFE_INTEGER;

/** Follows a reference, and takes the one alternative that is not null. */
export function resolved(schema: Schema, schemas: Schemas): { schema: Schema; nullable: boolean } {
  const [, name] = REFERENCE.exec(String(schema['$ref'] ?? '')) ?? [];
  if (name) return { schema: schemas[name] ?? {}, nullable: false };
  const choices = alternatives(schema);
  const real = choices.filter(({ type }) => type !== 'null');
  if (choices.length === 0) return { schema, nullable: types(schema).includes('null') };
  const nullable = real.length < choices.length;
  if (real.length !== 1) return { schema, nullable };
  const { anyOf: _any, oneOf: _one, ...beside } = schema;
  return { schema: { ...beside, ...resolved(real[0] as Schema, schemas).schema }, nullable };
}

export const alternatives = (schema: Schema): Schema[] =>
  ([schema['anyOf'], schema['oneOf']].find(Array.isArray) as Schema[] | undefined) ?? [];

const types = ({ type }: Schema): string[] => (Array.isArray(type) ? type.map(String) : type ? [String(type)] : []);

export interface SchemaProperty {
  name: string;
  schema: Schema;
  required: boolean;
}

export function propertiesOf({ properties, required }: Schema): SchemaProperty[] {
  const needed = new Set(Array.isArray(required) ? required.map(String) : []);
  return Object.entries((properties ?? {}) as Record<string, Schema>).map(([name, schema]) => ({
    name,
    schema,
    required: needed.has(name),
  }));
}

/** `string`, `integer | null`, `array of string`, `one of`. */
export function typeName(given: Schema, schemas: Schemas, depth = 0): string {
  const { schema, nullable } = resolved(given, schemas);
  const choices = alternatives(schema).filter(({ type }) => type !== 'null');
  const known = types(schema).filter((type) => type !== 'null');
  const plain =
    choices.length > 0 && depth < DEPTH_MAX
      ? [...new Set(choices.map((choice) => typeName(choice, schemas, depth + 1)))].join(' | ')
      : known.includes('array') && depth < DEPTH_MAX
        ? `array of ${typeName((schema['items'] ?? {}) as Schema, schemas, depth + 1)}`
        : known.join(' | ') ||
          ('const' in schema || 'enum' in schema ? 'string' : schema['properties'] ? 'object' : 'any');
  return nullable && !plain.endsWith('null') ? `${plain} | null` : plain;
}

/** Bounds, words one may choose from and what stands for an absent one, each as a line of its own. */
export function limitsOf(given: Schema, schemas: Schemas): string[] {
  const { schema } = resolved(given, schemas);
  const figure = (name: string) => {
    const value = schema[name];
    return typeof value === 'number' && Math.abs(value) < LARGEST ? value : undefined;
  };
  const range = (least: string, most: string, unit: string) => {
    const [from, to] = [figure(least), figure(most)];
    if (from === undefined && to === undefined) return [];
    return [`${from === undefined ? '≤ ' : to === undefined ? `≥ ${from}` : `${from} – `}${to ?? ''}${unit}`];
  };
  const words = Array.isArray(schema['enum']) ? schema['enum'] : 'const' in schema ? [schema['const']] : [];
  return [
    ...(words.length > 0 ? [words.map((word) => JSON.stringify(word)).join(', ')] : []),
    ...range('minimum', 'maximum', ''),
    ...range('exclusiveMinimum', 'exclusiveMaximum', ' (<)'),
    ...range('minLength', 'maxLength', ' chars'),
    ...range('minItems', 'maxItems', ' items'),
    ...(typeof schema['pattern'] === 'string' && schema['pattern'].length <= 80 ? [schema['pattern']] : []),
    ...('default' in schema ? [`= ${JSON.stringify(schema['default'])}`] : []),
  ];
}

/** What one could send: required members, and of the rest what has a default. */
export function exampleOf(given: Schema, schemas: Schemas, name = '', depth = 0): unknown {
  const { schema } = resolved(given, schemas);
  if ('default' in schema) return schema['default'];
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  const choice = alternatives(schema).find(({ type }) => type !== 'null');
  if (depth > DEPTH_MAX) return null;
  if (choice) return exampleOf(choice, schemas, name, depth + 1);
  switch (types(schema).find((type) => type !== 'null') ?? (schema['properties'] ? 'object' : '')) {
    case 'string':
      return schema['format'] === 'uuid' ? '00000000-0000-4000-8000-000000000000' : (EXAMPLES[name] ?? 'text');
    case 'integer':
    case 'number': {
      const least = schema['minimum'];
      return typeof least === 'number' && Math.abs(least) < LARGEST ? Math.max(1, least) : 1;
    }
    case 'boolean':
      return false;
    case 'array':
      return (schema['minItems'] as number) > 0 || name === 'messages'
        ? [exampleOf((schema['items'] ?? {}) as Schema, schemas, '', depth + 1)]
        : [];
    case 'object':
      return Object.fromEntries(
        propertiesOf(schema)
          .filter(({ name, required, schema }) => required || name in ALWAYS || 'default' in schema)
          .map(({ name, schema }) => [name, exampleOf(schema, schemas, name, depth + 1)]),
      );
    default:
      return {};
  }
}

const EXAMPLES: Readonly<Record<string, string>> = {
  content: 'What is a lighthouse?',
  input: 'What is a lighthouse?',
  prompt: 'What is a lighthouse?',
  query: 'lighthouse',
  text: 'A lighthouse guides ships.',
  role: 'user',
  target_lang: 'pl',
};
/** Shown though they may be left out: without them an example shows nothing. */
const ALWAYS: Readonly<Record<string, true>> = { content: true, input: true, messages: true, prompt: true };
