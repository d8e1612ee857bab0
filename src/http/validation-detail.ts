// What is wrong with a request, in the list that clients of the original read: `type`, `loc`, `msg`, `input`. The types
// are the words of its validator, because a client may branch on them.
import type { FastifyError } from 'fastify';

/** A body of a thousand wrong things is told of the first ones. */
const MOST_ISSUES = 50;

export interface ValidationIssue {
  type: string;
  loc: (string | number)[];
  msg: string;
  input: null;
}

interface Issue {
  keyword?: string;
  instancePath?: string;
  message?: string;
  params?: { expected?: string; origin?: string; inclusive?: boolean; format?: string };
}

/** The input itself is not sent back: it may be long, or a secret in the wrong place. */
export function validationDetail(
  error: FastifyError & { validation: unknown[]; validationContext?: string },
): ValidationIssue[] {
  const context = error.validationContext ?? 'body';
  const place = PLACES[context] ?? context;
  return (error.validation as Issue[]).slice(0, MOST_ISSUES).map((issue) => ({
    type: typeOf(issue),
    loc: [place, ...(issue.instancePath ?? '').split('/').filter(Boolean).map(toStep)],
    msg: issue.message ?? 'invalid',
    input: null,
  }));
}

const PLACES: Readonly<Record<string, string>> = { querystring: 'query', params: 'path' };

const toStep = (step: string): string | number => (/^\d{1,6}$/.test(step) ? Number(step) : step);

function typeOf({ keyword, message, params }: Issue): string {
  switch (keyword) {
    case 'invalid_type':
      // Only the text tells what was missing from what was of another type.
      return message?.endsWith('received undefined') ? 'missing' : (TYPES[params?.expected ?? ''] ?? 'value_error');
    case 'too_small':
      if (params?.origin === 'string') return 'string_too_short';
      if (params?.origin === 'array') return 'too_short';
      return params?.inclusive === false ? 'greater_than' : 'greater_than_equal';
    case 'too_big':
      if (params?.origin === 'string') return 'string_too_long';
      if (params?.origin === 'array') return 'too_long';
      return params?.inclusive === false ? 'less_than' : 'less_than_equal';
    case 'invalid_format':
      return params?.format === 'guid' ? 'uuid_parsing' : 'value_error';
    case 'unrecognized_keys':
      return 'extra_forbidden';
    default:
      return 'value_error';
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'string_type',
  number: 'float_type',
  int: 'int_type',
  boolean: 'bool_type',
  array: 'list_type',
  object: 'dict_type',
  record: 'dict_type',
};
