// A refusal by policy: the contract has an object for it where other refusals have a text.
import type { FastifyReply } from 'fastify';

export interface PolicyRefusal {
  /** What was asked for, such as `queue.purge`. */
  operation: string;
  /** For a person. */
  message: string;
  tags: readonly string[];
  context?: Readonly<Record<string, unknown>>;
}

export function refuseByPolicy(
  reply: FastifyReply,
  { operation, message, tags, context }: PolicyRefusal,
): FastifyReply {
  return reply.status(403).send({
    detail: {
      decision: 'block',
      reason_code: 'PERMISSION_DENIED',
      user_message: message,
      technical_context: { operation, ...context },
      tags,
    },
    code: 'forbidden',
    request_id: reply.request.id,
  });
}

/** A pre-production environment without `ALLOW_DATA_MUTATION`. */
export const refuseDataMutation = (reply: FastifyReply, operation: string): FastifyReply =>
  refuseByPolicy(reply, {
    operation,
    message: 'This environment keeps its data; set ALLOW_DATA_MUTATION to change that.',
    tags: ['environment'],
  });
