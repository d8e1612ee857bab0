// /goals: the goals of campaigns, seen and given up.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Goal, GoalRepository } from '../../chat/campaign/goal.js';
import { GoalList, GoalListQuery, GoalParams } from '../../contract/goals.js';
import { isoUtc } from '../../shared/clock.js';
import { AppError } from '../../shared/errors.js';
import { type Owner, ownName } from '../../shared/owner.js';

export const goalRoutes: FastifyPluginAsyncZod<{ goals: GoalRepository }> = async (app, { goals }) => {
  const tags = ['tasks'];

  app.get(
    '/goals',
    { schema: { querystring: GoalListQuery, response: { 200: GoalList }, tags } },
    async ({ query, owner }) => {
      const { session_id: sessionId, status, limit } = query;
      const found = goals.list({ sessionId, status, limit, viewer: owner });
      return { goals: found.map((goal) => toGoalItem(goal, owner)), count: found.length, counts: goals.counts(owner) };
    },
  );

  app.delete('/goals/:goal_id', { schema: { params: GoalParams, tags } }, async ({ params, owner }) => {
    const removed = await goals.giveUp(params.goal_id, owner);
    if (removed === 'unknown') throw new AppError('not_found', `There is no goal ${params.goal_id}.`);
    if (removed === 'running')
      throw new AppError('conflict', `Goal ${params.goal_id} is being worked on; stop its campaign first.`);
    return { status: 'success', goal_id: params.goal_id };
  });
};

const toGoalItem = (goal: Goal, viewer: Owner) => ({
  goal_id: goal.id,
  task_id: goal.campaignId,
  // A user's own place outside of sessions is none of their names.
  session_id: viewer !== null && goal.sessionId === ownName(viewer, '') ? null : goal.sessionId,
  number: goal.number,
  text: goal.text,
  status: goal.status,
  result: goal.result,
  error: goal.error,
  labels: [...goal.labels],
  created_at: isoUtc(goal.createdAt),
  updated_at: isoUtc(goal.updatedAt),
});
