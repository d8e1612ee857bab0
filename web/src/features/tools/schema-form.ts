// From a tool's JSON Schema to the fields of a form, and from what was filled in to the tool's input. Pure. What no form can
// show is a field of JSON; the server checks the input against the whole schema in any case.

export type Schema = Readonly<Record<string, unknown>>;

export type Field =
  | { kind: 'text'; multiline: boolean }
  | { kind: 'number'; integer: boolean; min: number | undefined; max: number | undefined }
  | { kind: 'boolean' }
  | { kind: 'choice'; options: readonly unknown[] }
  | { kind: 'list'; of: 'text' | 'number' }
  | { kind: 'group'; fields: readonly NamedField[] }
  | { kind: 'json' };

export interface NamedField {
  name: string;
  title: string;
  description: string;
  required: boolean;
  field: Field;
  /** The schema's default, as the tool would take it. */
  initial: unknown;
}

/** What a form holds; texts of numbers and JSON as they were typed. */
export type Values = Readonly<Record<string, unknown>>;
export type Problems = Readonly<Record<string, 'required' | 'invalid'>>;

const FIELDS_MAX = 60;
const DEPTH_MAX = 3;
const REFERENCES_MAX = 10;
const LONG_NAMES = /text|content|body|message|prompt|query|code|description|html|markdown|sql|script/i;

/** Null where only JSON will do. */
export function formOf(schema: Schema): NamedField[] | null {
  const root = resolved(schema, schema);
  if (root['anyOf'] || root['oneOf'] || root['allOf'] || root['if']) return null;
  const properties = Object.keys(asObject(root['properties']) ?? {}).length;
  if (properties > FIELDS_MAX) return null;
  return fieldsOf(root, { root: schema, left: FIELDS_MAX }, 0);
}

interface Form {
  root: Schema;
  /** Fields that may still be made: a schema can refer to itself many times over. */
  left: number;
}

function fieldsOf(object: Schema, form: Form, depth: number): NamedField[] {
  const required = new Set(Array.isArray(object['required']) ? object['required'] : []);
  const properties = Object.entries(asObject(object['properties']) ?? {});
  form.left -= properties.length;
  return properties.map(([name, given]) => {
    const schema = resolved(asObject(given) ?? {}, form.root);
    return {
      name,
      title: typeof schema['title'] === 'string' ? schema['title'] : name,
      description: typeof schema['description'] === 'string' ? schema['description'] : '',
      required: required.has(name),
      field: fieldOf(name, schema, form, depth),
      initial: schema['default'],
    };
  });
}

function fieldOf(name: string, schema: Schema, form: Form, depth: number): Field {
  if (Array.isArray(schema['enum']) && schema['enum'].length <= 200) return { kind: 'choice', options: schema['enum'] };
  if ('const' in schema) return { kind: 'choice', options: [schema['const']] };
  const type = Array.isArray(schema['type']) ? schema['type'].find((each) => each !== 'null') : schema['type'];
  if (type === 'string') {
    const longest = typeof schema['maxLength'] === 'number' ? schema['maxLength'] : Number.POSITIVE_INFINITY;
    return { kind: 'text', multiline: longest > 200 && !schema['format'] && LONG_NAMES.test(name) };
  }
  if (type === 'number' || type === 'integer') {
    const bound = (key: string) => (typeof schema[key] === 'number' ? schema[key] : undefined);
    return { kind: 'number', integer: type === 'integer', min: bound('minimum'), max: bound('maximum') };
  }
  if (type === 'boolean') return { kind: 'boolean' };
  if (type === 'array') {
    const items = resolved(asObject(schema['items']) ?? {}, form.root);
    const plain = !items['enum'] && !items['anyOf'] && !items['oneOf'];
    if (plain && items['type'] === 'string') return { kind: 'list', of: 'text' };
    if (plain && (items['type'] === 'number' || items['type'] === 'integer')) return { kind: 'list', of: 'number' };
    return { kind: 'json' };
  }
  const inner = Object.keys(asObject(schema['properties']) ?? {}).length;
  if (type !== 'object' || inner === 0 || inner > form.left || depth >= DEPTH_MAX || schema['anyOf'] || schema['oneOf'])
    return { kind: 'json' };
  return { kind: 'group', fields: fieldsOf(schema, form, depth + 1) };
}

/** Follows references within the schema, and takes the one alternative that is not null. */
function resolved(schema: Schema, root: Schema): Schema {
  let current = schema;
  for (let step = 0; step < REFERENCES_MAX; step += 1) {
    const reference = current['$ref'];
    if (typeof reference === 'string') {
      const target = reference === '#' ? root : reference.startsWith('#/') ? pointed(root, reference) : undefined;
      if (!target) return {};
      const { $ref: _, ...beside } = current;
      current = { ...target, ...beside };
      continue;
    }
    const alternatives = [current['anyOf'], current['oneOf']].find(Array.isArray);
    const real = alternatives?.filter((each) => asObject(each)?.['type'] !== 'null');
    const only = real?.length === 1 ? asObject(real[0]) : undefined;
    if (!only || current === root) return current;
    const { anyOf: _any, oneOf: _one, ...beside } = current;
    current = { ...only, ...beside };
  }
  return {};
}

function pointed(root: Schema, reference: string): Schema | undefined {
  let found: unknown = root;
  for (const part of reference.slice(2).split('/')) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    const object = asObject(found);
    if (!object || !Object.hasOwn(object, key)) return undefined;
    found = object[key];
  }
  return asObject(found);
}

/** What a form starts with. */
export function initialValues(fields: readonly NamedField[]): Values {
  return Object.fromEntries(
    fields.map(({ name, field, initial }) => [
      name,
      field.kind === 'group'
        ? { ...initialValues(field.fields), ...(toGroup(field.fields, initial) ?? {}) }
        : toValue(field, initial),
    ]),
  );
}

/** @returns problems by the path of their field, `a.b`; the input is complete where there are none */
export function toInput(
  fields: readonly NamedField[],
  values: Values,
  path = '',
): { input: Record<string, unknown>; problems: Problems } {
  const input: Record<string, unknown> = {};
  const problems: Record<string, 'required' | 'invalid'> = {};
  for (const { name, field, required } of fields) {
    const value = values[name];
    const at = path + name;
    if (field.kind === 'group') {
      const inner = toInput(field.fields, asObject(value) ?? {}, `${at}.`);
      // A group nobody wrote into is left out, and so are the complaints about it.
      if (!required && Object.keys(inner.input).length === 0 && !Object.values(inner.problems).includes('invalid'))
        continue;
      set(input, name, inner.input);
      Object.assign(problems, inner.problems);
      continue;
    }
    const read = readValue(field, value);
    if (read === INVALID) problems[at] = 'invalid';
    else if (read !== undefined) set(input, name, read);
    else if (required) {
      if (field.kind === 'boolean') set(input, name, false);
      else problems[at] = 'required';
    }
  }
  return { input, problems };
}

/** Back from JSON to the form; null where the form would lose something of it. */
export function toValues(fields: readonly NamedField[], input: Schema): Values | null {
  const known = new Set(fields.map(({ name }) => name));
  if (Object.keys(input).some((name) => !known.has(name))) return null;
  const values: Record<string, unknown> = {};
  for (const { name, field } of fields) {
    const given = Object.hasOwn(input, name) ? input[name] : undefined;
    if (field.kind === 'group') {
      const inner = given === undefined ? initialValues([]) : toGroup(field.fields, given);
      if (!inner) return null;
      set(values, name, inner);
    } else {
      const value = toValue(field, given);
      if (given !== undefined && value === EMPTY[field.kind]) return null;
      set(values, name, value);
    }
  }
  return values;
}

const toGroup = (fields: readonly NamedField[], given: unknown): Values | null => {
  const object = asObject(given);
  return object ? toValues(fields, object) : null;
};

const INVALID = Symbol('invalid');
const EMPTY = { text: '', number: '', boolean: undefined, choice: null, list: undefined, json: '', group: undefined };

function readValue(field: Field, value: unknown): unknown {
  if (value === undefined || value === null || value === '') return undefined;
  switch (field.kind) {
    case 'number': {
      const number = typeof value === 'number' ? value : Number(value);
      return Number.isFinite(number) && (!field.integer || Number.isInteger(number)) ? number : INVALID;
    }
    case 'choice':
      return field.options[Number(value)];
    case 'list': {
      const items = value as readonly string[];
      if (items.length === 0) return undefined;
      if (field.of === 'text') return [...items];
      const numbers = items.map(Number);
      return numbers.every(Number.isFinite) ? numbers : INVALID;
    }
    case 'json':
      try {
        return JSON.parse(String(value));
      } catch {
        return INVALID;
      }
    default:
      return value;
  }
}

/** A value of the tool's input as its field holds it; the field's empty value for one it cannot hold. */
function toValue(field: Field, given: unknown): unknown {
  const empty = EMPTY[field.kind];
  if (given === undefined) return empty;
  switch (field.kind) {
    case 'text':
      return typeof given === 'string' ? given : empty;
    case 'number':
      return typeof given === 'number' ? given : empty;
    case 'boolean':
      return typeof given === 'boolean' ? given : empty;
    case 'choice': {
      const index = field.options.findIndex((option) => JSON.stringify(option) === JSON.stringify(given));
      return index === -1 ? empty : String(index);
    }
    case 'list':
      return Array.isArray(given) ? given.map(String) : empty;
    default:
      return JSON.stringify(given, null, 2);
  }
}

/** A property named `__proto__` is a property like any other. */
const set = (object: Record<string, unknown>, name: string, value: unknown) =>
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });

const asObject = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
