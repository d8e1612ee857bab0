// JSON Schemas that come from outside, compiled without a network and checked with an end. Loaded at the first call of a tool:
// the compiler and its sandbox take more memory than everything else of a server that runs no tools.
import { createContext, Script } from 'node:vm';
import type { JsonSchemaValidatorResult, jsonSchemaValidator } from '@modelcontextprotocol/client';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { schemaRefusal } from './schema-bounds.js';

const CHECK_MS = 200;
/** What can take for ever: a pattern on an unlucky text, references that double at each level, all pairs of a list. */
const MAY_TAKE_LONG = /"(?:pattern|patternProperties|uniqueItems|\$ref|\$dynamicRef|\$recursiveRef)":/;

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
    // Many small references to one large part would become many large parts.
    inlineRefs: false,
  } as const;
  const old = typeof $schema === 'string' && /draft-0[4-7]/.test($schema);
  const validate: ValidateFunction = old ? new Ajv(options).compile(rest) : new Ajv2020(options).compile(rest);
  const check = MAY_TAKE_LONG.test(JSON.stringify(rest)) ? withEnd(validate) : validate;
  return (value) => {
    try {
      return check(value) ? null : sentence(validate.errors?.[0]);
    } catch {
      // Out of time, or of stack where a reference leads to itself.
      return 'the pattern or references of its schema have no end for it';
    }
  };
}

/** What the protocol's library checks results by. */
export const boundedValidator: jsonSchemaValidator = {
  getValidator<T>(schema: Readonly<Record<string, unknown>>) {
    let check: Check | undefined;
    return (input: unknown): JsonSchemaValidatorResult<T> => {
      let wrong: string | null;
      try {
        check ??= compileSchema(schema);
        wrong = check(input);
      } catch (error) {
        wrong = (error as Error).message.slice(0, 200);
      }
      return wrong === null
        ? { valid: true, data: input as T, errorMessage: undefined }
        : { valid: false, data: undefined, errorMessage: wrong };
    };
  },
};

function sentence(error: ErrorObject | undefined): string {
  if (!error) return 'it does not match the schema';
  const where = error.instancePath === '' ? 'the input' : error.instancePath.slice(1).replaceAll('/', '.');
  const extra = (error.params as { additionalProperty?: unknown }).additionalProperty;
  return `${where} ${error.message ?? 'is wrong'}${typeof extra === 'string' ? ` (${extra.slice(0, 100)})` : ''}`;
}

const sandbox = createContext(Object.create(null));
const running = new Script('run()');

/** The time limit of a script holds for whatever it calls, patterns included. */
const withEnd =
  (validate: ValidateFunction) =>
  (value: unknown): boolean => {
    sandbox['run'] = () => validate(value) === true;
    return running.runInContext(sandbox, { timeout: CHECK_MS }) as boolean;
  };
