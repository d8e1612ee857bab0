// POST /llm/simple/stream: Direct chat.
import { z } from 'zod';
import { Uuid } from './uuid.js';

/** Any text that can be printed on one line: the original took whatever its clients made up. */
export const SessionId = z
  .string()
  .min(1)
  .max(500)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  .regex(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]+$/, 'no control characters, no line ends')
  .refine((id) => id.isWellFormed(), 'no half characters');

/** What the assistant is told beside its own system prompt. */
export const Instructions = z.string().trim().max(4_000);

// Loose: what nobody knows is ignored, but named in `ran_with` when it looks like a parameter.
export const SimpleChatRequest = z.looseObject({
  content: z.string().min(1).max(50_000),
  model: z.string().min(1).max(300).nullish(),
  session_id: SessionId.nullish().or(z.literal('')),
  /** Kept with the session, for its later messages too; '' takes them back. */
  instructions: Instructions.nullish(),
  max_tokens: z.int().min(1).max(1_000_000).nullish(),
  // Beyond what an engine takes they are brought within it, and the answer says so.
  temperature: z.number().nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  top_k: z.int().nullish(),
  min_p: z.number().nullish(),
  repeat_penalty: z.number().nullish(),
  frequency_penalty: z.number().nullish(),
  presence_penalty: z.number().nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string().min(1).max(200), z.array(z.string().min(1).max(200)).max(16)]).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  stream: z.boolean().nullish(),
  response_format: z.union([z.record(z.string(), z.unknown()), z.string().max(1_000)]).nullish(),
  format: z.union([z.record(z.string(), z.unknown()), z.string().max(1_000)]).nullish(),
  tools: z.array(z.record(z.string(), z.unknown())).max(128).nullish(),
  tool_choice: z.union([z.record(z.string(), z.unknown()), z.string().max(200)]).nullish(),
  think: z.boolean().nullish(),
  strict: z
    .boolean()
    .nullish()
    .describe('400 where a parameter is unknown, dropped or out of range, instead of a note in `ran_with`'),
  /** The answer goes on when the client goes away. */
  resumable: z.boolean().nullish(),
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
