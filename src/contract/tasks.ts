// Tasks and the queue: Normal and Complex chat.
import { z } from 'zod';
import { decimal, flag, whole } from './lax-values.js';
import { Instructions, OptionalSessionId } from './simple-chat.js';
import { Uuid } from './uuid.js';

const Texts = z.array(z.string().max(10_000)).max(64).nullish();
const short = (characters: number) => z.string().max(characters).nullish();

export const TaskSubmission = z.object({
  content: z.string().max(200_000),
  preferred_language: short(40),
  /** IANA name, such as `Europe/Warsaw`. */
  time_zone: short(100),
  session_id: OptionalSessionId,
  /** Kept with the session, for its later messages too; '' takes them back. */
  instructions: Instructions.nullish(),
  preference_scope: short(40),
  tone: short(2_000),
  style_notes: short(4_000),
  forced_tool: short(100),
  forced_provider: short(100),
  /** Answers this one alone; absent, who answers is decided as ever. */
  model: short(300),
  forced_intent: short(100),
  images: z.array(z.string().max(8_000_000)).max(8).nullish(),
  store_knowledge: flag().nullish(),
  generation_params: z
    .looseObject({
      // Beyond what an engine takes they are brought within it, as in Direct chat.
      temperature: decimal().nullish(),
      max_tokens: whole(z.int().min(1).max(1_000_000)).nullish(),
      top_p: decimal().nullish(),
      top_k: whole().nullish(),
      repeat_penalty: decimal().nullish(),
    })
    .refine((params) => JSON.stringify(params).length <= 4_000, 'too many parameters')
    .nullish(),
  expected_config_hash: short(200),
  expected_runtime_id: short(400),
  extra_context: z.object({ files: Texts, links: Texts, paths: Texts, notes: Texts }).nullish(),
});

export const TaskParams = z.object({ task_id: Uuid });

/** Without a page it is the newest thousand, which is all the original ever kept. */
export const TaskListQuery = z.object({
  limit: whole(z.int().min(1).max(1_000)).prefault(1_000),
  offset: whole(z.int().min(0).max(10_000_000)).prefault(0),
  /** Of the last page, from the header `x-next-cursor`. */
  cursor: whole(z.int().min(1)).optional(),
});

export const TaskStreamQuery = z.object({
  deltas: z.enum(['true', 'false', '1', '0']).optional(),
  last_event_id: z.string().max(100).optional(),
});
