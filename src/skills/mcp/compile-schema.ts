// JSON Schemas that come from outside, compiled without a network, patterns with an end. Loaded at the first call of a tool:
// the compiler and its sandbox take more memory than everything else of a server that runs no tools.
import { createContext, Script } from 'node:vm';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { schemaRefusal } from './schema-bounds.js';

const PATTERN_MS = 50;

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
