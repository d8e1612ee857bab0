// What is wrong with a request, in the list that clients of the original read: `type`, `loc`, `msg`, `input`. The types
// are the words of its validator, because a client may branch on them.
import type { FastifyError, FastifyRequest } from 'fastify';

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
  request: Pick<FastifyRequest, 'body' | 'query' | 'params'>,
): ValidationIssue[] {
  const context = error.validationContext ?? 'body';
  const [place, sent] = PLACES[context]?.(request) ?? [context, undefined];
  // Of what is wrong in one place the first is told, as the original's validator did.
  const issues = new Map<string, ValidationIssue>();
  for (const issue of error.validation as Issue[]) {
    if (issues.size >= MOST_ISSUES) break;
    const path = issue.instancePath ?? '';
    if (issues.has(path)) continue;
    const steps = path.split('/').filter(Boolean);
    issues.set(path, {
      type: typeOf(issue, valueAt(sent, steps)),
      loc: [place, ...steps.map(toStep)],
      msg: issue.message ?? 'invalid',
      input: null,
    });
  }
  return [...issues.values()];
}

const PLACES: Readonly<
  Record<string, (request: Pick<FastifyRequest, 'body' | 'query' | 'params'>) => [place: string, sent: unknown]>
> = {
  body: ({ body }) => ['body', body ?? undefined],
  querystring: ({ query }) => ['query', query],
  params: ({ params }) => ['path', params],
};

const toStep = (step: string): string | number => (/^\d{1,6}$/.test(step) ? Number(step) : step);

const valueAt = (sent: unknown, steps: readonly string[]): unknown =>
  steps.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, step)
        ? (value as Record<string, unknown>)[step]
        : undefined,
    sent,
  );

function typeOf({ keyword, params }: Issue, value: unknown): string {
  switch (keyword) {
    case 'invalid_type':
      if (value === undefined) return 'missing';
      return wrongType(params?.expected ?? '', typeof value);
    case 'invalid_value':
      // One of several words was expected.
      return value === undefined ? 'missing' : typeof value === 'string' ? 'value_error' : 'string_type';
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

/** A text that is no number is told from what could be none. */
function wrongType(expected: string, found: string): string {
  if (expected === 'int' && found === 'number') return 'int_from_float';
  if (expected === 'boolean' && (found === 'string' || found === 'number')) return 'bool_parsing';
  if ((expected === 'int' || expected === 'number') && found === 'string')
    return expected === 'int' ? 'int_parsing' : 'float_parsing';
  return TYPES[expected] ?? 'value_error';
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'string_type',
  number: 'float_type',
  int: 'int_type',
  boolean: 'bool_type',
  array: 'list_type',
  object: 'model_attributes_type',
  record: 'dict_type',
};
