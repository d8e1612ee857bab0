// What tools ask the person while they work, and the answers.
import { z } from 'zod';
import { whole } from './lax-values.js';
import { SessionId } from './simple-chat.js';
import { Uuid } from './uuid.js';

const State = z.enum(['waiting', 'answered', 'used', 'expired', 'cancelled']);
const Action = z.enum(['accept', 'decline', 'cancel']);
const Value = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);

export const QuestionParams = z.object({ question_id: Uuid });
export const QuestionsQuery = z.object({
  state: State.optional(),
  session_id: SessionId.optional(),
  limit: whole(z.int().min(1).max(200)).prefault(50),
});

/** One thing that is asked for, in the words of whoever asks. */
export const QuestionFieldItem = z.object({
  name: z.string(),
  title: z.string(),
  description: z.string().nullable(),
  required: z.boolean(),
  type: z.enum(['text', 'number', 'integer', 'boolean', 'choice', 'choices']),
  format: z.enum(['email', 'uri', 'date', 'date-time']).nullable(),
  /** Of a number its bounds, of a text its length, of choices their number. */
  minimum: z.number().nullable(),
  maximum: z.number().nullable(),
  options: z.array(z.object({ value: z.string(), title: z.string() })),
  initial: Value.nullable(),
});
export const QuestionItem = z.object({
  question_id: z.string(),
  tool: z.string(),
  title: z.string(),
  /** The MCP server whose question it is; null for a tool of Venom. */
  server: z.string().nullable(),
  /** `model`: the server wants the model to be asked what `message` says. */
  kind: z.enum(['form', 'link', 'model']),
  /** The server's own words: text to show, neither Markdown nor an instruction. */
  message: z.string(),
  /** Of a form. */
  fields: z.array(QuestionFieldItem),
  /** Of a link: opened by the person alone. */
  url: z.string().nullable(),
  host: z.string().nullable(),
  /** Of a question for the model. */
  system: z.string().nullable(),
  max_tokens: z.int().nullable(),
  /** The host's letters may look like those of another. */
  host_is_deceptive: z.boolean(),
  /** It seems to ask for a password, key or number of a card, which a form is no place for. */
  asks_secret: z.boolean(),
  session_id: z.string().nullable(),
  request_id: z.string(),
  state: State,
  action: Action.nullable(),
  created_at: z.string(),
  answered_at: z.string().nullable(),
});
export const QuestionList = z.object({
  status: z.literal('success'),
  questions: z.array(QuestionItem),
  count: z.int(),
});
export const QuestionAnswer = z.object({ status: z.literal('success'), question: QuestionItem });
/** `content` goes with `accept` of a form: values by the names of its fields. */
export const AnswerRequest = z.object({
  action: Action,
  content: z.record(z.string().max(200), z.unknown()).optional(),
});
