// /queue: what waits and runs, and how to hold, empty or stop it.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Orchestrator } from '../../chat/orchestrator.js';
import { TaskParams } from '../../contract/tasks.js';
import { refuseDataMutation } from '../policy-refusal.js';

export interface QueueRoutesOptions {
  orchestrator: Orchestrator;
  /** False in a pre-production environment that must keep its data. */
  mutationAllowed: boolean;
}

export const queueRoutes: FastifyPluginAsyncZod<QueueRoutesOptions> = async (
  app,
  { orchestrator, mutationAllowed },
) => {
  const tags = ['queue'];

  app.get('/queue/status', { schema: { tags } }, async () => orchestrator.queue);

  app.post('/queue/pause', { schema: { tags } }, async () => {
    const { activeTasks } = orchestrator.pause();
    return { success: true, paused: true, active_tasks: activeTasks, message: 'The queue is paused.' };
  });

  app.post('/queue/resume', { schema: { tags } }, async () => {
    const { pendingTasks } = orchestrator.resumeQueue();
    return { success: true, paused: false, pending_tasks: pendingTasks, message: 'The queue goes on.' };
  });

  app.post('/queue/purge', { schema: { tags } }, async (_request, reply) => {
    if (!mutationAllowed) return refuseDataMutation(reply, 'queue.purge');
    const { removed, activeTasks } = await orchestrator.purge();
    return { success: true, removed, active_tasks: activeTasks, message: `${removed} tasks were removed.` };
  });

  app.post('/queue/emergency-stop', { schema: { tags } }, async (_request, reply) => {
    if (!mutationAllowed) return refuseDataMutation(reply, 'queue.emergency_stop');
    const { cancelled, purged } = await orchestrator.emergencyStop();
    return {
      success: true,
      cancelled,
      purged,
      paused: true,
      message: `${cancelled} tasks were stopped and ${purged} removed; the queue is paused.`,
    };
  });

  app.post('/queue/task/:task_id/abort', { schema: { params: TaskParams, tags } }, async ({ params, owner }) => {
    await orchestrator.abort(params.task_id, owner);
    return { success: true, task_id: params.task_id, message: 'The task was stopped.' };
  });
};
