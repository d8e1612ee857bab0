// venom skills questions|answer: what tools ask while they work, and your answers.
import type { z } from 'zod';
import type * as Contract from '../../contract/questions.js';
import { AppError } from '../../shared/errors.js';
import type { CommandContext } from '../command-context.js';
import { openWords as visible } from '../open-words.js';
import { table } from '../terminal.js';

export type Question = z.output<typeof Contract.QuestionItem>;
type Field = z.output<typeof Contract.QuestionFieldItem>;

export async function listQuestions(context: CommandContext, { all }: { all?: boolean }): Promise<void> {
  const client = await context.server();
  const answer = await client.get<{ questions: Question[] }>(`/api/v1/skills/questions${all ? '' : '?state=waiting'}`);
  const waiting = answer.questions.filter(({ state }) => state === 'waiting');
  const rows = answer.questions
    .filter(({ state }) => state !== 'waiting')
    .map((each) => [each.question_id, each.state, each.action ?? '-', each.tool, each.created_at]);
  const text = [
    ...waiting.map(describeQuestion),
    ...(rows.length === 0 ? [] : [table(['ID', 'STATE', 'ANSWER', 'TOOL', 'SINCE'], rows)]),
  ];
  context.terminal.result(answer, text.length === 0 ? 'Nobody asks you anything.' : text.join('\n\n'));
}

export async function answerQuestion(
  context: CommandContext,
  id: string,
  given: readonly string[],
  { decline, cancel }: { decline?: boolean; cancel?: boolean },
): Promise<void> {
  const client = await context.server();
  const path = `/api/v1/skills/questions/${encodeURIComponent(id)}`;
  if ((decline || cancel) && given.length > 0)
    throw new AppError('invalid_input', 'A declined question has no values: give either.');
  const action = decline ? 'decline' : cancel ? 'cancel' : 'accept';
  const { question: asked } = await client.get<{ question: Question }>(path);
  const content = action === 'accept' ? contentOf(asked.fields, given) : undefined;
  const { question } = await client.post<{ question: Question }>(path, { action, ...(content ? { content } : {}) });
  context.terminal.result(question, `${visible(question.server ?? question.title)} (${question.tool}): ${action}`);
}

/** What is not given has its default. */
function contentOf(fields: readonly Field[], given: readonly string[]): Record<string, unknown> {
  const content: Record<string, unknown> = Object.fromEntries(
    fields.flatMap(({ name, initial }) => (initial === null ? [] : [[name, initial]])),
  );
  for (const pair of given) {
    const at = pair.indexOf('=');
    const field = fields.find(({ name }) => name === pair.slice(0, at));
    if (at < 1 || !field)
      throw new AppError(
        'invalid_input',
        `Give values as name=value; the names are ${fields.map(({ name }) => visible(name)).join(', ') || 'none here'}.`,
      );
    content[field.name] = typed(field, pair.slice(at + 1));
  }
  return content;
}

function typed({ name, type }: Field, text: string): unknown {
  if (type === 'choices') return text === '' ? [] : text.split(',');
  if (type === 'boolean') {
    if (/^(yes|true)$/i.test(text)) return true;
    if (/^(no|false)$/i.test(text)) return false;
    throw new AppError('invalid_input', `${name} is yes or no.`);
  }
  if (type !== 'number' && type !== 'integer') return text;
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) throw new AppError('invalid_input', `${name} is a number.`);
  return number;
}

/** In full, and with nothing hidden in it: these are the words of whoever asks. */
export function describeQuestion(question: Question): string {
  const { server, title, tool, fields, url, host } = question;
  const lines = [
    `${visible(server ?? title)} asks you (${tool}). These are its own words:`,
    `  ${visible(question.message).replaceAll('\n', '\n  ')}`,
    ...(question.asks_secret
      ? ['  Caution: it seems to ask for a secret, such as a password. Do not tell it here.']
      : []),
    ...fields.map((field) => `  ${visible(field.name)}: ${visible(field.title)} (${kindOf(field)})${more(field)}`),
    ...(question.kind === 'model'
      ? [
          `  It wants to ask the model this, for at most ${question.max_tokens} tokens, and gets the answer.`,
          ...(question.system ? [`  With the instructions: ${visible(question.system).replaceAll('\n', '\n  ')}`] : []),
        ]
      : []),
    ...(url === null
      ? []
      : [
          `  It wants you to open a page of ${visible(host ?? '')}:`,
          `  ${visible(url)}`,
          ...(question.host_is_deceptive ? ['  Caution: this host only looks like what it shows.'] : []),
        ]),
    `  asked at ${question.created_at}`,
    `  answer: venom skills answer ${question.question_id}${fields.length > 0 ? ' name=value …' : ''}`,
    `  or: venom skills answer ${question.question_id} --decline`,
  ];
  return lines.join('\n');
}

function kindOf({ type, format, minimum, maximum, required, options, initial }: Field): string {
  const range =
    minimum !== null && maximum !== null
      ? `${minimum} to ${maximum}`
      : minimum !== null
        ? `at least ${minimum}`
        : maximum !== null
          ? `at most ${maximum}`
          : null;
  const unit = type === 'text' ? ' characters' : type === 'choices' ? ' of them' : '';
  return [
    KINDS[type],
    ...(format ? [format] : []),
    ...(range ? [range + unit] : []),
    ...(options.length > 0 ? [options.map(({ value }) => visible(value)).join(' | ')] : []),
    ...(required ? ['required'] : []),
    ...(initial === null ? [] : [`default ${visible(String(initial))}`]),
  ].join(', ');
}

const KINDS: Readonly<Record<Field['type'], string>> = {
  text: 'text',
  number: 'number',
  integer: 'whole number',
  boolean: 'yes or no',
  choice: 'one of',
  choices: 'some of, with commas',
};

const more = ({ description }: Field): string => (description === null ? '' : ` - ${visible(description)}`);
