// What an imported server asks a person, from the protocol's words to ours and back. Its schemas are flat: nothing but texts,
// numbers, yes or no, and choices. Pure.
import type { ElicitRequest, ElicitResult } from '@modelcontextprotocol/client';
import { AppError } from '../../shared/errors.js';
import { isFieldValue } from '../question-answer.js';
import type { QuestionField, ToolAnswer, ToolQuestion } from '../question-ports.js';

const FIELDS_MAX = 50;
const OPTIONS_MAX = 500;
const NAME_CHARS = 200;
const MESSAGE_CHARS = 4_000;
const DESCRIPTION_CHARS = 1_000;
const URL_CHARS = 4_000;
const FORMATS: ReadonlySet<unknown> = new Set(['email', 'uri', 'date', 'date-time']);

type Json = Readonly<Record<string, unknown>>;

/** @throws AppError `mcp_protocol` where it is nothing a person could be shown */
export function toQuestion(params: ElicitRequest['params']): ToolQuestion {
  const { mode, url, requestedSchema } = params as Json;
  const message = cut(params.message, MESSAGE_CHARS);
  if (mode === 'url') return { kind: 'link', message, url: pageAddress(url) };
  if (mode !== undefined && mode !== 'form') throw refused('it asks in a way that is not known');
  const schema = asObject(requestedSchema);
  const properties = asObject(schema?.['properties']);
  if (schema?.['type'] !== 'object' || !properties) throw refused('its form has no fields');
  const names = Object.keys(properties);
  if (names.length > FIELDS_MAX) throw refused(`its form has more than ${FIELDS_MAX} fields`);
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : []);
  const fields = names.map((name) => {
    const property = asObject(properties[name]);
    if (!property || name.length > NAME_CHARS) throw refused('a field of its form is none');
    return toField(name, property, required.has(name));
  });
  return { kind: 'form', message, fields };
}

export const toElicitResult = (answer: ToolAnswer, question: ToolQuestion): ElicitResult =>
  answer.action === 'accept' && question.kind === 'form'
    ? { action: 'accept', content: Object.fromEntries(Object.entries(answer.content).map(copied)) }
    : { action: answer.action };

function toField(name: string, property: Json, required: boolean): QuestionField {
  const { type, title, description, default: initial } = property;
  const common = {
    name,
    title: typeof title === 'string' && title.trim() !== '' ? cut(title, NAME_CHARS) : name,
    description: typeof description === 'string' && description !== '' ? cut(description, DESCRIPTION_CHARS) : null,
    required,
    format: null,
    minimum: null,
    maximum: null,
    options: [],
    initial: null,
  };
  const field = { ...common, ...kindOf(name, type, property) } as QuestionField;
  return isFieldValue(field, initial) ? { ...field, initial } : field;
}

function kindOf(name: string, type: unknown, property: Json): Partial<QuestionField> {
  const bound = (key: string) => (typeof property[key] === 'number' ? property[key] : null);
  if (type === 'boolean') return { type };
  if (type === 'number' || type === 'integer') return { type, minimum: bound('minimum'), maximum: bound('maximum') };
  if (type === 'array')
    return {
      type: 'choices',
      options: optionsOf(name, asObject(property['items']) ?? {}, 'anyOf'),
      minimum: bound('minItems'),
      maximum: bound('maxItems'),
    };
  if (type !== 'string') throw refused(`its field ${name} is of a kind that no form has`);
  if (property['enum'] !== undefined || property['oneOf'] !== undefined)
    return { type: 'choice', options: optionsOf(name, property, 'oneOf') };
  const format = FORMATS.has(property['format']) ? (property['format'] as QuestionField['format']) : null;
  return { type: 'text', format, minimum: bound('minLength'), maximum: bound('maxLength') };
}

/** With titles as `oneOf` or `anyOf`, without as `enum`; `enumNames` is of the revision of 2025. */
function optionsOf(name: string, { enum: values, enumNames, ...rest }: Json, titled: 'oneOf' | 'anyOf') {
  const given = Array.isArray(values)
    ? values.map((value, index) => [value, Array.isArray(enumNames) ? enumNames[index] : undefined])
    : Array.isArray(rest[titled])
      ? (rest[titled] as unknown[]).map((each) => [asObject(each)?.['const'], asObject(each)?.['title']])
      : [];
  if (given.length === 0 || given.length > OPTIONS_MAX)
    throw refused(`its field ${name} has no choices, or more than ${OPTIONS_MAX}`);
  return given.map(([value, title]) => {
    if (typeof value !== 'string' || value.length > DESCRIPTION_CHARS)
      throw refused(`its field ${name} has a choice that is none`);
    return { value, title: typeof title === 'string' && title !== '' ? cut(title, NAME_CHARS) : value };
  });
}

/** A page of the web, without a name and password in it that would pass for another host. */
function pageAddress(given: unknown): string {
  const url = typeof given === 'string' && given.length <= URL_CHARS && URL.canParse(given) ? new URL(given) : null;
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.username !== '' || url.password !== '')
    throw refused('the page it wants to be opened is no address of the web');
  return url.href;
}

const asObject = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;

const copied = ([name, value]: [string, ToolAnswerValue]): [string, string | number | boolean | string[]] => [
  name,
  typeof value === 'object' ? [...value] : value,
];
type ToolAnswerValue = Extract<ToolAnswer, { action: 'accept' }>['content'][string];

const cut = (text: string, chars: number): string => (text.length > chars ? `${text.slice(0, chars)} […]` : text);

const refused = (why: string): AppError =>
  new AppError('mcp_protocol', `What the server asks cannot be shown: ${why}.`.slice(0, 500));
