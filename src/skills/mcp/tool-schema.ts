// JSON Schemas that come from outside: bounded before they are read, compiled without a network, patterns with an end.
import { createContext, Script } from 'node:vm';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';

const DEPTH_MAX = 32;
const NODES_MAX = 5_000;
const CHARS_MAX = 131_072;
const PATTERN_MS = 50;
const FORBIDDEN_NAMES = new Set(['__proto__', 'constructor', 'prototype']);

/** Why a schema is refused; null where it is not. */
export function schemaRefusal(schema: unknown): string | null {
  const bounded = boundsRefusal(schema, 'Its schema');
  if (bounded) return bounded;
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return 'Its schema is no object.';
  const open: unknown[] = [schema];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    for (const [name, value] of Object.entries(next)) {
      if (FORBIDDEN_NAMES.has(name)) return `Its schema has a field named ${name}.`;
      if ((name === '$ref' || name === '$dynamicRef') && typeof value === 'string' && !value.startsWith('#'))
        return 'Its schema refers to another document.';
      open.push(value);
    }
  }
  return null;
}

/** Counted without recursion: what comes from outside may be as deep as it likes. */
export function boundsRefusal(value: unknown, what: string): string | null {
  const open: { value: unknown; depth: number }[] = [{ value, depth: 0 }];
  let nodes = 0;
  let chars = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    nodes += 1;
    if (typeof next.value === 'string') chars += next.value.length;
    if (next.depth > DEPTH_MAX) return `${what} is nested more than ${DEPTH_MAX} levels.`;
    if (nodes > NODES_MAX) return `${what} has more than ${NODES_MAX} parts.`;
    if (chars > CHARS_MAX) return `${what} has more than ${CHARS_MAX} characters.`;
    if (typeof next.value !== 'object' || next.value === null) continue;
    for (const [name, own] of Object.entries(next.value)) {
      chars += name.length;
      open.push({ value: own, depth: next.depth + 1 });
    }
  }
  return null;
}

/** What is wrong with a value, in a sentence a model can act on; null where nothing is. */
export type Check = (value: unknown) => string | null;

/** @throws Error where the schema itself is wrong */
export function compileSchema(schema: Readonly<Record<string, unknown>>): Check {
  const refusal = schemaRefusal(schema);
  if (refusal) throw new Error(refusal);
  const { $schema, ...rest } = schema;
  // An instance of its own: schemas of different servers must not see each other's identifiers.
  const options = {
    strict: false,
    validateFormats: false,
    ownProperties: true,
    addUsedSchema: false,
    logger: false,
    code: { regExp: Object.assign(patternWithEnd, { code: 'patternWithEnd' }) },
  } as const;
  const old = typeof $schema === 'string' && /draft-0[4-7]/.test($schema);
  const validate: ValidateFunction = old ? new Ajv(options).compile(rest) : new Ajv2020(options).compile(rest);
  return (value) => {
    if (validate(value)) return null;
    return sentence(validate.errors?.[0]);
  };
}

function sentence(error: ErrorObject | undefined): string {
  if (!error) return 'it does not match the schema';
  const where = error.instancePath === '' ? 'the input' : error.instancePath.slice(1).replaceAll('/', '.');
  const extra = (error.params as { additionalProperty?: unknown }).additionalProperty;
  return `${where} ${error.message ?? 'is wrong'}${typeof extra === 'string' ? ` (${extra.slice(0, 100)})` : ''}`;
}

const sandbox = createContext(Object.create(null));
const matching = new Script('new RegExp(pattern, flags).test(text)');

/** A pattern from outside may take for ever on an unlucky text: then it does not match. */
function patternWithEnd(pattern: string, flags: string): { test(text: string): boolean; toString(): string } {
  // Refused now, not at the first call.
  new RegExp(pattern, flags);
  return {
    toString: () => `/${pattern}/${flags}`,
    test: (text) => {
      Object.assign(sandbox, { pattern, flags, text });
      try {
        return matching.runInContext(sandbox, { timeout: PATTERN_MS }) === true;
      } catch {
        return false;
      }
    },
  };
}
