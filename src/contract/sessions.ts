// Sessions: what was said, listed, renamed, searched, exported; and the original's session memory.
import { z } from 'zod';
import { ContextReport } from './history.js';
import { whole } from './lax-values.js';
import { Instructions, RanWith, SessionId } from './simple-chat.js';

export const SessionParams = z.object({ session_id: SessionId });

export const PictureParams = z.object({
  session_id: SessionId,
  hash: z.string().regex(/^[\w-]{1,100}$/),
});

export const SessionItem = z.object({
  session_id: z.string(),
  title: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
  message_count: z.int(),
  preview: z.string(),
  /** Stays on top of the list. */
  pinned: z.boolean(),
});
/** One session by its name; in lists the instructions would take too much room. */
export const SessionDetail = SessionItem.extend({ instructions: z.string() });
export type SessionItem = z.output<typeof SessionItem>;

export const SessionListQuery = z.object({
  limit: whole(z.int().min(1).max(200)).prefault(50),
  offset: whole(z.int().min(0).max(1_000_000)).prefault(0),
  q: z.string().max(200).default(''),
});
export const SessionList = z.object({ sessions: z.array(SessionItem), count: z.int(), total: z.int() });

export const MessageItem = z.object({
  seq: z.int(),
  role: z.enum(['user', 'assistant', 'system']),
  content: z.string(),
  request_id: z.string(),
  timestamp: z.string(),
  status: z.enum(['complete', 'streaming', 'interrupted', 'failed', 'cancelled']),
  model: z.string().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  usage: z
    .object({
      prompt_tokens: z.number().nullable(),
      cached_prompt_tokens: z.number().nullable(),
      completion_tokens: z.number().nullable(),
      ttft_ms: z.number().nullable(),
      duration_ms: z.number(),
      tokens_per_second: z.number().nullable(),
      ran_with: RanWith.nullable(),
    })
    .nullable(),
  /** Kinds of sensitive text in it. */
  labels: z.array(z.string()).optional(),
  /** Of an answer: who was asked, with how much, and why. */
  receipt: z.record(z.string(), z.unknown()).nullish(),
  /** Of an answer: what the model thought before it. */
  thought: z.string().nullish(),
  /** Of a question: pictures that came with it and are kept, to be had under `/sessions/{id}/pictures/{hash}`. */
  pictures: z.array(z.object({ hash: z.string(), media_type: z.string(), size_bytes: z.int() })).optional(),
  /** Of an answer of Normal or Complex chat, while its trace is kept. */
  context: ContextReport.nullish(),
});
export type MessageItem = z.output<typeof MessageItem>;

export const MessageListQuery = z.object({
  limit: whole(z.int().min(1).max(1_000)).prefault(200),
  before_seq: whole(z.int().min(0)).optional(),
});
export const MessageList = z.object({ messages: z.array(MessageItem), count: z.int(), has_more: z.boolean() });
export const SessionChange = z
  .object({
    title: z.string().trim().min(1).max(200).optional(),
    pinned: z.boolean().optional(),
    instructions: Instructions.optional(),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), 'nothing to change');
/** What an export holds can be given back as it is; what is not of use here is passed over. */
const ImportedMessage = z.object({
  role: z.enum(['user', 'assistant', 'system']),
  content: z.string().max(1_000_000),
  timestamp: z.iso.datetime({ offset: true }).nullish(),
  status: z.enum(['complete', 'streaming', 'interrupted', 'failed', 'cancelled']).nullish(),
  model: z.string().max(300).nullish(),
  error: z.object({ code: z.string().max(100), message: z.string().max(10_000) }).nullish(),
  labels: z.array(z.string().max(100)).max(100).nullish(),
});
export const SessionImport = z.object({
  /** Of the new conversation. */
  session_id: SessionId,
  title: z.string().trim().min(1).max(200),
  instructions: Instructions.nullish(),
  messages: z.array(ImportedMessage).min(1).max(10_000),
});
/** `session_id` names the copy. */
export const BranchRequest = z.object({ session_id: SessionId, up_to_seq: whole(z.int().min(1)) });
export const TruncateRequest = z.object({ from_seq: z.int().min(1) });
export const TruncateResponse = z.object({ removed: z.int() });
export const SessionLabelState = z.object({
  session_id: z.string(),
  /** In force: what they were found in, and all that is made from it, stays with local models. */
  labels: z.array(z.string()),
  /** Messages in which it was found, and which would bring a label back. */
  found_in: z.array(z.object({ seq: z.int(), labels: z.array(z.string()) })),
  releases: z.array(z.object({ labels: z.array(z.string()), reason: z.string(), released_at: z.string() })),
});
export type SessionLabelState = z.output<typeof SessionLabelState>;

export const LabelReleaseRequest = z.strictObject({
  /** All of them where none are named. */
  labels: z.array(z.string().min(1).max(100)).min(1).max(64).optional(),
  reason: z.string().trim().min(3).max(500),
});
export const ExportQuery = z.object({ format: z.enum(['json', 'markdown']).default('json') });
