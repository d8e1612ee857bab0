// Tasks and the queue: Normal and Complex chat.
import { z } from 'zod';
import { Instructions, SessionId } from './simple-chat.js';
import { Uuid } from './uuid.js';

const Texts = z.array(z.string().max(10_000)).max(64).nullish();
const short = (characters: number) => z.string().max(characters).nullish();

export const TaskSubmission = z.object({
  content: z.string().max(200_000),
  preferred_language: short(40),
  /** IANA name, such as `Europe/Warsaw`. */
  time_zone: short(100),
  session_id: SessionId.nullish().or(z.literal('')),
  /** Kept with the session, for its later messages too; '' takes them back. */
  instructions: Instructions.nullish(),
  preference_scope: short(40),
  tone: short(2_000),
  style_notes: short(4_000),
  forced_tool: short(100),
  forced_provider: short(100),
  forced_intent: short(100),
  images: z.array(z.string().max(8_000_000)).max(8).nullish(),
  store_knowledge: z.boolean().nullish(),
  generation_params: z
    .looseObject({
      // Beyond what an engine takes they are brought within it, as in Direct chat.
      temperature: z.number().nullish(),
      max_tokens: z.int().min(1).max(1_000_000).nullish(),
      top_p: z.number().nullish(),
      top_k: z.int().nullish(),
      repeat_penalty: z.number().nullish(),
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
  limit: z.coerce.number().int().min(1).max(1_000).default(1_000),
  offset: z.coerce.number().int().min(0).max(10_000_000).default(0),
  /** Of the last page, from the header `x-next-cursor`. */
  cursor: z.coerce.number().int().min(1).optional(),
});

export const TaskStreamQuery = z.object({
  deltas: z.enum(['true', 'false', '1', '0']).optional(),
  last_event_id: z.string().max(100).optional(),
});
