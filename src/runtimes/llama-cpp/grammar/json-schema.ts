// What a JSON schema says, as its many writers say it: types, bounds, references, parts put together. Pure.
import { AppError } from '../../../shared/errors.js';

const MAX_ALL_OF = 64;
const MAX_REFERENCE_CHAIN = 64;
const CARRIES_VALUE = ['type', 'properties', '$ref', 'enum', 'const', 'anyOf', 'oneOf', 'allOf', 'items'];

export type Schema = Readonly<Record<string, unknown>>;

export const refused = (why: string): AppError =>
  new AppError('invalid_input', `The JSON schema cannot be turned into a grammar: ${why}.`);

/** A count; undefined where it is none. */
export const bound = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.floor(value) : undefined;

/** More than one where a value may be of several. */
export function typesOf(schema: Schema): string[] {
  const { type } = schema;
  const named = Array.isArray(type)
    ? type.filter((name) => typeof name === 'string')
    : typeof type === 'string'
      ? [type]
      : [];
  const types = named.length > 0 ? named : [guessed(schema)];
  return schema['nullable'] === true && !types.includes('null') ? [...types, 'null'] : types;
}

function guessed(schema: Schema): string {
  if ('properties' in schema || 'additionalProperties' in schema) return 'object';
  return 'items' in schema || 'prefixItems' in schema ? 'array' : 'value';
}

/** Whether it says anything of a value, and not only what must be there. */
export const carriesValue = (choice: unknown): boolean => {
  const schema = plain(choice);
  return typeof schema === 'boolean' || CARRIES_VALUE.some((name) => name in schema);
};

/** @throws AppError `invalid_input` where it is no schema */
export function plain(schema: unknown): Schema | boolean {
  if (typeof schema === 'boolean') return schema;
  if (typeof schema === 'object' && schema !== null && !Array.isArray(schema)) return schema as Schema;
  throw refused('a part of it is no schema');
}

export const plainObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

/** @throws AppError `invalid_input` where it leads out of `root`, or nowhere */
export function resolveReference(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#')) throw refused('a reference in it leads out of it');
  let found: unknown = root;
  for (const step of reference.slice(1).split('/').slice(1)) {
    const name = decoded(step).replace(/~1/g, '/').replace(/~0/g, '~');
    found =
      typeof found === 'object' && found !== null && Object.hasOwn(found, name) ? Reflect.get(found, name) : undefined;
  }
  if (found === undefined) throw refused(`a reference in it leads nowhere: ${reference.slice(0, 60)}`);
  return found;
}

/** All its parts in one; of what only one of them can say, the last one's word. */
export function merged(root: unknown, { allOf, ...around }: Schema): Schema {
  const parts: unknown[] = [around, ...(allOf as unknown[])];
  const whole: Record<string, unknown> = {};
  for (let count = 0; parts.length > 0; count += 1) {
    if (count > MAX_ALL_OF) throw refused(`it puts together more than ${MAX_ALL_OF} parts`);
    let part = plain(parts.shift());
    for (let chain = 0; typeof part === 'object' && typeof part['$ref'] === 'string'; chain += 1) {
      if (chain > MAX_REFERENCE_CHAIN) throw refused('a reference in it leads back to itself');
      part = plain(resolveReference(root, part['$ref']));
    }
    if (typeof part === 'boolean') continue;
    const { allOf: within, properties, required, ...rest } = part;
    if (Array.isArray(within)) parts.unshift(...within);
    Object.assign(whole, rest);
    if (properties !== undefined)
      whole['properties'] = { ...plainObject(whole['properties']), ...plainObject(properties) };
    if (Array.isArray(required)) whole['required'] = [...((whole['required'] as unknown[]) ?? []), ...required];
  }
  return whole;
}
