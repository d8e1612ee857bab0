// Goals of campaigns: what was reached, what is open.
import { z } from 'zod';
import { whole } from './lax-values.js';
import { SessionId } from './simple-chat.js';
import { Uuid } from './uuid.js';

const Status = z.enum(['PENDING', 'IN_PROGRESS', 'COMPLETED', 'FAILED']);

export const GoalListQuery = z.object({
  session_id: SessionId.optional(),
  status: Status.optional(),
  limit: whole(z.int().min(1).max(200)).prefault(50),
});

export const GoalParams = z.object({ goal_id: Uuid });

export const GoalItem = z.object({
  goal_id: z.string(),
  /** The task that works on it. */
  task_id: z.string(),
  session_id: z.string().nullable(),
  number: z.int(),
  text: z.string(),
  status: Status,
  result: z.string().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  labels: z.array(z.string()),
  created_at: z.string(),
  updated_at: z.string(),
});

export const GoalList = z.object({
  goals: z.array(GoalItem),
  count: z.int(),
  /** Of all sessions. */
  counts: z.record(Status, z.int()),
});
