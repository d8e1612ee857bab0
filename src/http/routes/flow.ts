// GET /flow/{id}: a request's steps as a picture.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { flowDiagram, isDecisionGate } from '../../chat/tracing/flow-diagram.js';
import type { RequestTracer } from '../../chat/tracing/request-tracer.js';
import { Uuid } from '../../contract/uuid.js';
import { AppError } from '../../shared/errors.js';
import { durationSeconds, offset } from './history.js';

export const flowRoutes: FastifyPluginAsyncZod<{ tracer: RequestTracer }> = async (app, { tracer }) => {
  app.get(
    '/flow/:request_id',
    { schema: { params: z.object({ request_id: Uuid }), tags: ['history'] } },
    async ({ params, owner }) => {
      const trace = tracer.get(params.request_id, owner);
      if (!trace) throw new AppError('request_not_found', `There is no request ${params.request_id}.`);
      return {
        request_id: trace.requestId,
        prompt: trace.prompt,
        status: trace.status,
        created_at: offset(trace.createdAt),
        finished_at: offset(trace.finishedAt),
        duration_seconds: durationSeconds(trace),
        steps: trace.steps.map((step) => ({
          ...step,
          timestamp: offset(step.timestamp),
          is_decision_gate: isDecisionGate(step.component),
        })),
        mermaid_diagram: flowDiagram(trace),
      };
    },
  );
};
