// Numbers and truth values as the original's validator read them: `"5"` is 5, `5.0` is 5, `"true"` is true. Its clients may
// send them so in a body, and a query knows nothing but text.
import { z } from 'zod';

const WHOLE = /^[+-]?\d+(?:\.0*)?$/;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const TRUE = new Set(['1', 'true', 't', 'yes', 'y', 'on']);
const FALSE = new Set(['0', 'false', 'f', 'no', 'n', 'off']);

/** Long enough for any number, so that none is looked for in a novel. */
const MAX_CHARS = 400;

type Issues = z.core.ParsePayload['issues'];

function readNumber(value: unknown, form: RegExp): unknown {
  if (typeof value !== 'string' || value.length > MAX_CHARS) return value;
  const text = value.trim();
  return form.test(text) ? Number(text) : value;
}

function readWhole(value: unknown, { issues }: { issues: Issues }): unknown {
  const number = readNumber(value, WHOLE);
  // What is missing is told by the schema behind.
  if (number === undefined || Number.isInteger(number)) return number;
  issues.push({ code: 'invalid_type', expected: 'int', input: value });
  return z.NEVER;
}

function readFlag(value: unknown): unknown {
  if (value === 1 || value === 0) return value === 1;
  if (typeof value !== 'string') return value;
  const word = value.toLowerCase();
  return TRUE.has(word) ? true : FALSE.has(word) ? false : value;
}

/**
 * What stands for an absent one is given with `prefault`: behind a reading, the document of the API leaves a `default` out.
 *
 * @param schema  what is asked of it beyond being whole
 */
export const whole = (schema: z.ZodInt | z.ZodNumber = z.int()) => z.preprocess(readWhole, schema);
export const decimal = (schema: z.ZodNumber = z.number()) =>
  z.preprocess((value) => readNumber(value, DECIMAL), schema);
export const flag = () => z.preprocess(readFlag, z.boolean());

/** For how many and which page: the original had no bounds here, so what is beyond ours is brought within them instead of refused. */
export const broughtWithin = (standard: number, most: number) =>
  z
    .preprocess((value, context) => {
      const number = readWhole(value, context);
      return typeof number === 'number' ? Math.min(most, Math.max(1, number)) : number;
    }, z.int().min(1).max(most))
    .prefault(standard);
