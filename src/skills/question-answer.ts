// Whether an answer is what was asked for. Pure.
import type { FieldValue, QuestionField } from './question-ports.js';

export type FieldProblem =
  | 'required'
  | 'unknown'
  | 'type'
  | 'too_short'
  | 'too_long'
  | 'too_small'
  | 'too_big'
  | 'more_needed'
  | 'fewer_needed'
  | 'format'
  | 'option';

/** Where the tool sets no bound. */
const TEXT_CHARS = 20_000;
const PROBLEMS_MAX = 50;
const FORMATS: Readonly<Record<NonNullable<QuestionField['format']>, (text: string) => boolean>> = {
  email: (text) => text.length <= 254 && /^[^\s@]+@[^\s@]+$/.test(text),
  uri: (text) => URL.canParse(text),
  date: (text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && isDay(text),
  'date-time': (text) =>
    /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/i.test(text) &&
    isDay(text.slice(0, 10)) &&
    !Number.isNaN(Date.parse(text)),
};

/** By the names of fields; none where the answer fits. */
export function answerProblems(
  fields: readonly QuestionField[],
  content: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, FieldProblem> {
  const problems = new Map<string, FieldProblem>();
  const known = new Set(fields.map(({ name }) => name));
  for (const name of Object.keys(content))
    if (!known.has(name) && problems.size < PROBLEMS_MAX) problems.set(name.slice(0, 200), 'unknown');
  for (const field of fields) {
    const value = Object.hasOwn(content, field.name) ? content[field.name] : undefined;
    const problem = value === undefined ? (field.required ? 'required' : null) : problemOf(field, value);
    if (problem) problems.set(field.name, problem);
  }
  return problems;
}

export function problemOf(field: QuestionField, value: unknown): FieldProblem | null {
  const { type, options } = field;
  const minimum = field.minimum ?? Number.NEGATIVE_INFINITY;
  const maximum = field.maximum ?? Number.POSITIVE_INFINITY;
  const offered = (one: unknown) => options.some((option) => option.value === one);
  switch (type) {
    case 'boolean':
      return typeof value === 'boolean' ? null : 'type';
    case 'number':
    case 'integer':
      if (typeof value !== 'number' || !Number.isFinite(value)) return 'type';
      if (type === 'integer' && !Number.isInteger(value)) return 'type';
      return value < minimum ? 'too_small' : value > maximum ? 'too_big' : null;
    case 'choice':
      return typeof value !== 'string' ? 'type' : offered(value) ? null : 'option';
    case 'choices':
      if (!Array.isArray(value)) return 'type';
      if (new Set(value).size !== value.length || !value.every(offered)) return 'option';
      return value.length < minimum ? 'more_needed' : value.length > maximum ? 'fewer_needed' : null;
    case 'text': {
      if (typeof value !== 'string') return 'type';
      // As JSON Schema counts.
      const length = value.length > TEXT_CHARS * 2 ? value.length : [...value].length;
      if (length < minimum) return field.required && length === 0 ? 'required' : 'too_short';
      if (length > Math.min(maximum, TEXT_CHARS)) return 'too_long';
      return field.format === null || FORMATS[field.format](value) ? null : 'format';
    }
  }
}

export const isFieldValue = (field: QuestionField, value: unknown): value is FieldValue =>
  problemOf(field, value) === null;

/** The calendar has no 31st of April, though the library takes it for the first of May. */
function isDay(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
