// /tasks: submit, look at, follow, resume.
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Orchestrator } from '../../chat/orchestrator.js';
import { TaskListQuery, TaskParams, TaskStreamQuery, TaskSubmission } from '../../contract/tasks.js';
import { AppError } from '../../shared/errors.js';
import { corsOf, openEventStream } from '../event-stream.js';
import { sessionIdFor } from '../ownership.js';
import { sessionIdHeader } from '../session-id-header.js';
import { followTask, parseTaskEventId, replayTask } from '../task-stream.js';
import { toTaskRequest, toTaskResponse, toVenomTask } from './task-shapes.js';

const MAX_KEY_CHARS = 200;

export const taskRoutes: FastifyPluginAsyncZod<{ orchestrator: Orchestrator }> = async (app, { orchestrator }) => {
  const tags = ['tasks'];

  app.post('/tasks', { schema: { body: TaskSubmission, tags } }, async (request, reply) => {
    const key = header(request, 'idempotency-key');
    if (key !== undefined && (key === '' || key.length > MAX_KEY_CHARS))
      throw new AppError('invalid_input', `Idempotency-Key must have 1 to ${MAX_KEY_CHARS} characters.`);
    const task = await orchestrator.submit({ ...toTaskRequest(request.body), owner: request.owner }, key ?? null);
    reply.status(201).header('x-session-id', sessionIdHeader(sessionIdFor(request.owner, task.request.sessionId)));
    return toTaskResponse(task);
  });

  app.get('/tasks', { schema: { querystring: TaskListQuery, tags } }, async ({ query, owner }, reply) => {
    const { limit, offset, cursor } = query;
    const tasks = orchestrator.list({ limit, offset, beforeSeq: cursor, viewer: owner });
    const last = tasks.at(-1);
    if (last && tasks.length === limit) reply.header('x-next-cursor', String(last.seq));
    return tasks.map(toVenomTask);
  });

  app.get('/tasks/:task_id', { schema: { params: TaskParams, tags } }, async ({ params, owner }) =>
    toVenomTask(orchestrator.get(params.task_id, owner)),
  );

  app.post('/tasks/:task_id/resume', { schema: { params: TaskParams, tags } }, async ({ params, owner }) =>
    toTaskResponse(await orchestrator.resume(params.task_id, owner)),
  );

  app.get(
    '/tasks/:task_id/stream',
    { schema: { params: TaskParams, querystring: TaskStreamQuery, tags } },
    async (request, reply) => {
      const found = orchestrator.find(request.params.task_id, request.owner);
      const { deltas, last_event_id } = request.query;
      const options = {
        deltas: deltas === 'true' || deltas === '1' || /;\s*deltas=(true|1)\b/.test(header(request, 'accept') ?? ''),
        from: parseTaskEventId(header(request, 'last-event-id') ?? last_event_id),
        viewer: request.owner,
      };
      const cors = corsOf(reply);
      reply.hijack();
      openEventStream(reply.raw, { ...cors, 'x-request-id': request.params.task_id });
      if (reply.raw.destroyed) return reply;
      if (found.kind === 'live') followTask(reply.raw, found.live, options);
      else replayTask(reply.raw, found.task, options);
      return reply;
    },
  );
};

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
