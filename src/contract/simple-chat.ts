// POST /llm/simple/stream: Direct chat.
import { z } from 'zod';
import { decimal, flag, whole } from './lax-values.js';
import { Uuid } from './uuid.js';

/** Any text that can be printed on one line: the original took whatever its clients made up. */
export const SessionId = z
  .string()
  .min(1)
  .max(500)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  .regex(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]+$/, 'no control characters, no line ends')
  .refine((id) => id.isWellFormed(), 'no half characters');

/** Of a request that may belong to no session; clients say so with an empty text, too. */
export const OptionalSessionId = z
  .string()
  .max(500)
  .refine((id) => id === '' || SessionId.safeParse(id).success, 'no control characters, no line ends')
  .nullish();
/** What the assistant is told beside its own system prompt. */
export const Instructions = z.string().trim().max(4_000);

// Loose: what nobody knows is ignored, but named in `ran_with` when it looks like a parameter.
export const SimpleChatRequest = z.looseObject({
  content: z.string().min(1).max(50_000),
  model: z.string().max(300).nullish(),
  session_id: OptionalSessionId,
  /** Kept with the session, for its later messages too; '' takes them back. */
  instructions: Instructions.nullish(),
  max_tokens: whole(z.int().min(1).max(1_000_000)).nullish(),
  // Beyond what an engine takes they are brought within it, and the answer says so.
  temperature: decimal().nullish(),
  top_p: decimal(z.number().gt(0).max(1)).nullish(),
  top_k: whole().nullish(),
  min_p: decimal().nullish(),
  repeat_penalty: decimal().nullish(),
  frequency_penalty: decimal().nullish(),
  presence_penalty: decimal().nullish(),
  seed: whole().nullish(),
  stop: z.union([z.string().min(1).max(200), z.array(z.string().min(1).max(200)).max(16)]).nullish(),
  logprobs: flag().nullish(),
  top_logprobs: whole(z.int().min(0).max(20)).nullish(),
  stream: flag().nullish(),
  response_format: z.union([z.record(z.string(), z.unknown()), z.string().max(1_000)]).nullish(),
  format: z.union([z.record(z.string(), z.unknown()), z.string().max(1_000)]).nullish(),
  tools: z.array(z.record(z.string(), z.unknown())).max(128).nullish(),
  tool_choice: z.union([z.record(z.string(), z.unknown()), z.string().max(200)]).nullish(),
  think: flag().nullish(),
  strict: flag()
    .nullish()
    .describe('400 where a parameter is unknown, dropped or out of range, instead of a note in `ran_with`'),
  /** The answer goes on when the client goes away. */
  resumable: flag().nullish(),
});

/** How an answer's parameters reached the engine; `sent` in the engine's own names. */
export const RanWith = z.object({
  runtime: z.string(),
  model: z.string(),
  sent: z.record(z.string(), z.unknown()),
  dropped: z.array(z.string()),
  clamped: z.array(z.object({ name: z.string(), from: z.number(), to: z.number() })),
  unknown: z.array(z.string()),
});

export const RequestIdParams = z.object({ request_id: Uuid });
export const CancelResponse = z.object({ status: z.literal('success'), cancelled: z.boolean() });
