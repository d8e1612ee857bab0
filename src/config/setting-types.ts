// How one setting is read from text: every value in the environment is a string.
import { z } from 'zod';

const TRUE = new Set(['1', 'true', 'yes', 'on']);
const FALSE = new Set(['0', 'false', 'no', 'off']);

export const text = (fallback: string) => z.string().trim().default(fallback);

/** A string that is never logged or returned; the tag tells `describeSettings` so. */
export const secret = () => z.string().trim().default('').meta({ secret: true });

export const flag = (fallback: boolean) =>
  z
    .string()
    .trim()
    .toLowerCase()
    .refine((value) => value === '' || TRUE.has(value) || FALSE.has(value), 'expected true or false')
    .transform((value) => (value === '' ? fallback : TRUE.has(value)))
    .prefault(String(fallback));

export const number = (fallback: number, minimum = 0, maximum = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .trim()
    .transform((value, context) => {
      const parsed = value === '' ? fallback : Number(value);
      if (Number.isFinite(parsed) && parsed >= minimum && parsed <= maximum) return parsed;
      context.addIssue({ code: 'custom', message: `expected a number from ${minimum} to ${maximum}` });
      return z.NEVER;
    })
    .prefault(String(fallback));

export const whole = (fallback: number, minimum = 0, maximum = Number.MAX_SAFE_INTEGER) =>
  number(fallback, minimum, maximum).refine(Number.isInteger, 'expected a whole number');

export const list = (fallback: string) =>
  z
    .string()
    .transform((value) =>
      value
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    )
    .prefault(fallback);

export const choice = <const T extends readonly [string, ...string[]]>(values: T, fallback: T[number]) =>
  z
    .string()
    .trim()
    .transform((value, context): T[number] => {
      const found = values.find((known) => known.toLowerCase() === value.toLowerCase());
      if (found !== undefined) return found;
      if (value === '') return fallback;
      context.addIssue({ code: 'custom', message: `expected one of ${values.join(', ')}` });
      return z.NEVER;
    })
    .prefault(fallback);

/** An http(s) URL without credentials, or empty. Trailing slashes are dropped. */
export const url = (fallback: string) =>
  z
    .string()
    .trim()
    .transform((value, context) => {
      if (value === '') return '';
      const parsed = URL.canParse(value) ? new URL(value) : undefined;
      if (parsed && /^https?:$/.test(parsed.protocol) && !parsed.username && !parsed.password) {
        return value.replace(/\/+$/, '');
      }
      context.addIssue({ code: 'custom', message: 'expected an http or https URL without user name and password' });
      return z.NEVER;
    })
    .prefault(fallback);

/** Several of them, separated by commas; each as `url` takes it, none twice. */
export const urls = (fallback: string) => {
  const one = url('');
  return z
    .string()
    .transform((value, context) => {
      const found: string[] = [];
      for (const part of value.split(',').map((piece) => piece.trim())) {
        const parsed = one.safeParse(part);
        if (!parsed.success) {
          context.addIssue({ code: 'custom', message: parsed.error.issues[0]?.message ?? 'expected a URL' });
          return z.NEVER;
        }
        if (parsed.data && !found.includes(parsed.data)) found.push(parsed.data);
      }
      return found;
    })
    .prefault(fallback);
};

export const isSecret = (type: z.ZodType): boolean => type.meta()?.['secret'] === true;
