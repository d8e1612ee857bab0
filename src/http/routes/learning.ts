// /feedback, /learning, /lessons: what people say of answers, and what was learnt from it.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Feedback } from '../../chat/learning/feedback.js';
import type { HiddenPrompts } from '../../chat/learning/hidden-prompts.js';
import type { Lesson, Lessons } from '../../chat/learning/lessons.js';
import type { ActiveHiddenPrompt, LearningRepository, Rating } from '../../chat/learning/ports.js';
import * as contract from '../../contract/learning.js';
import { isoUtc } from '../../shared/clock.js';

export interface LearningRoutesOptions {
  feedback: Feedback;
  hiddenPrompts: HiddenPrompts;
  lessons: Lessons;
  logs: Pick<LearningRepository, 'logs' | 'latestFeedback'>;
  /** `ENABLE_META_LEARNING` */
  enabled: boolean;
  onFeedback: (rating: Rating) => void;
}

export const learningRoutes: FastifyPluginAsyncZod<LearningRoutesOptions> = async (
  app,
  { feedback, hiddenPrompts, lessons, logs, enabled, onFeedback },
) => {
  app.post(
    '/feedback',
    { schema: { body: contract.FeedbackRequest, response: { 200: contract.FeedbackResponse }, tags: ['feedback'] } },
    async ({ body, owner }) => {
      const { rating, followUpTaskId } = await feedback.submit({
        taskId: body.task_id,
        rating: body.rating,
        comment: body.comment ?? null,
        viewer: owner,
      });
      onFeedback(rating);
      return { status: 'ok' as const, feedback_saved: true as const, follow_up_task_id: followUpTaskId };
    },
  );

  app.get(
    '/feedback/logs',
    {
      schema: {
        querystring: contract.FeedbackLogsQuery,
        response: { 200: contract.FeedbackLogs },
        tags: ['feedback'],
      },
    },
    async ({ query, owner }) => {
      const items = feedback.logs({ ...query, viewer: owner }).map((entry) => ({
        task_id: entry.taskId,
        timestamp: isoUtc(entry.at),
        rating: entry.rating,
        comment: entry.comment,
        prompt: entry.prompt,
        result: entry.result,
        intent: entry.intent,
        tool_required: entry.toolRequired,
      }));
      return { count: items.length, items };
    },
  );

  app.get(
    '/learning/logs',
    {
      schema: {
        querystring: contract.LearningLogsQuery,
        response: { 200: contract.LearningLogs },
        tags: ['learning'],
      },
    },
    async ({ query }) => {
      const items = logs.logs(query).map((entry) => ({
        task_id: entry.taskId,
        timestamp: isoUtc(entry.at),
        intent: entry.intent,
        tool_required: entry.toolRequired,
        success: entry.success,
        need: entry.need,
        outcome: entry.outcome,
        error: entry.error,
        fast_path_hint: entry.fastPathHint,
        tags: [...entry.tags],
      }));
      return { count: items.length, items };
    },
  );

  app.get(
    '/learning/hidden-prompts',
    {
      schema: {
        querystring: contract.HiddenPromptsQuery,
        response: { 200: contract.HiddenPromptList },
        tags: ['learning'],
      },
    },
    async ({ query }) => {
      const items = hiddenPrompts
        .list({ limit: query.limit, intent: query.intent, minScore: query.min_score })
        .map((prompt) => ({
          intent: prompt.intent,
          prompt: prompt.prompt,
          approved_response: prompt.approvedResponse,
          prompt_hash: prompt.promptHash,
          score: prompt.score,
          last_timestamp: isoUtc(prompt.lastAt),
        }));
      return { count: items.length, items };
    },
  );

  app.get(
    '/learning/hidden-prompts/active',
    {
      schema: {
        querystring: contract.ActiveHiddenPromptsQuery,
        response: { 200: contract.ActiveHiddenPromptList },
        tags: ['learning'],
      },
    },
    async ({ query }) => toActiveList(hiddenPrompts.active(query.intent)),
  );

  app.post(
    '/learning/hidden-prompts/active',
    {
      schema: {
        body: contract.ActivateHiddenPromptRequest,
        response: { 200: contract.ActiveHiddenPromptList },
        tags: ['learning'],
      },
    },
    async ({ body }) => {
      await hiddenPrompts.setActive({
        intent: body.intent ?? undefined,
        prompt: body.prompt ?? undefined,
        approvedResponse: body.approved_response ?? undefined,
        promptHash: body.prompt_hash ?? undefined,
        active: body.active,
        actor: body.actor || 'unknown',
      });
      return toActiveList(hiddenPrompts.active());
    },
  );

  app.get(
    '/lessons',
    { schema: { querystring: contract.LessonsQuery, response: { 200: contract.LessonList }, tags: ['learning'] } },
    async ({ query, owner }) => {
      const page = lessons.list({ ...query, viewer: owner });
      return { count: page.lessons.length, total: page.total, lessons: page.lessons.map(toItem) };
    },
  );

  app.get(
    '/lessons/stats',
    { schema: { response: { 200: contract.LessonStats }, tags: ['learning'] } },
    async ({ owner }) => ({
      status: 'success' as const,
      stats: { total_lessons: lessons.list({ limit: 1, offset: 0, viewer: owner }).total, learning_enabled: enabled },
    }),
  );

  app.delete(
    '/lessons/:lesson_id',
    { schema: { params: contract.LessonParams, tags: ['learning'] } },
    async ({ params }) => {
      await lessons.remove(params.lesson_id);
      return { status: 'success', lesson_id: params.lesson_id };
    },
  );

  app.delete('/lessons', { schema: { tags: ['learning'] } }, async () => {
    const { entries } = await lessons.clear();
    return { status: 'success', deleted: entries };
  });
};

function toActiveList(active: readonly ActiveHiddenPrompt[]) {
  return {
    count: active.length,
    items: active.map((prompt) => ({
      intent: prompt.intent,
      prompt: prompt.prompt,
      approved_response: prompt.approvedResponse,
      prompt_hash: prompt.promptHash,
      updated_at: isoUtc(prompt.updatedAt),
      activated_by: prompt.activatedBy,
      activated_at: isoUtc(prompt.activatedAt),
    })),
  };
}

const toItem = (lesson: Lesson) => ({
  lesson_id: lesson.id,
  timestamp: isoUtc(lesson.createdAt),
  situation: lesson.situation,
  result: lesson.result,
  conclusion: lesson.conclusion,
  feedback: lesson.conclusion,
  tags: [...lesson.tags],
  task_id: lesson.taskId,
});
