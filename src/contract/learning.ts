// Feedback, the learning log, hidden prompts and lessons.
import { z } from 'zod';
import { broughtWithin, flag, whole } from './lax-values.js';
import { Uuid } from './uuid.js';

const Limit = broughtWithin(50, 500);
const Text = z.string().max(50_000);

export const FeedbackRequest = z.object({
  task_id: Uuid,
  /** `up` or `down`; anything else answers 400, as the original does. */
  rating: z.string().max(100),
  comment: z.string().max(20_000).nullish(),
});
export const FeedbackResponse = z.object({
  status: z.literal('ok'),
  feedback_saved: z.literal(true),
  follow_up_task_id: z.string().nullable(),
});
export const FeedbackLogsQuery = z.object({ limit: Limit, rating: z.string().max(100).optional() });
export const FeedbackLogs = z.object({
  count: z.int(),
  items: z.array(
    z.object({
      task_id: z.string(),
      timestamp: z.string(),
      rating: z.enum(['up', 'down']),
      comment: z.string().nullable(),
      prompt: z.string(),
      result: z.string(),
      intent: z.string().nullable(),
      tool_required: z.boolean(),
    }),
  ),
});

export const LearningLogsQuery = z.object({
  limit: Limit,
  intent: z.string().max(100).optional(),
  success: flag().optional(),
  tag: z.string().max(200).optional(),
});
export const LearningLogs = z.object({
  count: z.int(),
  items: z.array(
    z.object({
      task_id: z.string(),
      timestamp: z.string(),
      intent: z.string().nullable(),
      tool_required: z.boolean(),
      success: z.boolean(),
      need: z.string(),
      outcome: z.string(),
      error: z.string().nullable(),
      fast_path_hint: z.string(),
      tags: z.array(z.string()),
    }),
  ),
});

export const HiddenPromptsQuery = z.object({
  limit: Limit,
  intent: z.string().max(100).optional(),
  min_score: whole().prefault(1),
});
export const HiddenPromptList = z.object({
  count: z.int(),
  items: z.array(
    z.object({
      intent: z.string(),
      prompt: z.string(),
      approved_response: z.string(),
      prompt_hash: z.string(),
      score: z.int(),
      last_timestamp: z.string(),
    }),
  ),
});
export const ActiveHiddenPromptsQuery = z.object({ intent: z.string().max(100).optional() });
export const ActivateHiddenPromptRequest = z.object({
  intent: z.string().min(1).max(100).nullish(),
  prompt: Text.nullish(),
  approved_response: Text.nullish(),
  prompt_hash: z.string().max(200).nullish(),
  active: flag().prefault(true),
  actor: z.string().max(200).nullish(),
});
export const ActiveHiddenPromptList = z.object({
  count: z.int(),
  items: z.array(
    z.object({
      intent: z.string(),
      prompt: z.string(),
      approved_response: z.string(),
      prompt_hash: z.string(),
      updated_at: z.string(),
      activated_by: z.string(),
      activated_at: z.string(),
    }),
  ),
});

export const LessonsQuery = z.object({
  limit: Limit,
  offset: whole(z.int().min(0).max(10_000_000)).prefault(0),
  tag: z.string().max(200).optional(),
});
export const LessonItem = z.object({
  lesson_id: z.string(),
  timestamp: z.string(),
  situation: z.string(),
  result: z.string(),
  /** What to do differently; `feedback` is the same under the original's name. */
  conclusion: z.string(),
  feedback: z.string(),
  tags: z.array(z.string()),
  task_id: z.string().nullable(),
});
export const LessonList = z.object({ count: z.int(), total: z.int(), lessons: z.array(LessonItem) });
export const LessonStats = z.object({
  status: z.literal('success'),
  stats: z.object({ total_lessons: z.int(), learning_enabled: z.boolean() }),
});
export const LessonParams = z.object({ lesson_id: Uuid });
