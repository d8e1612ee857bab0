// How a request of OpenAI's wire begins once it is known who answers: an id, a place at the gate, a trace, and an end when
// its client goes away.
import type { FastifyReply } from 'fastify';
import type { RequestTracer } from '../../chat/tracing/request-tracer.js';
import type { RoutedTarget } from '../../chat/turn-ports.js';
import type { RanWith } from '../../routing/decision.js';
import { newRequestId } from '../../shared/request-id.js';
import type { AnswerGate } from './answers.js';

export interface BeginningRequest {
  reply: FastifyReply;
  target: RoutedTarget;
  /** What a person said, for the trace. */
  prompt: string;
  /** What became of the parameters, where it is not what was asked for. */
  note: RanWith | undefined;
  /** Ended by the gate when the server stops, and by a client that leaves. */
  abort: AbortController;
}

/** @returns its id, and how to give its place back. @throws AppError `shutting_down`, `runtime_busy` */
export function beginRequest(
  { tracer, gate }: { tracer: RequestTracer; gate: AnswerGate },
  { reply, target, prompt, note, abort }: BeginningRequest,
): { requestId: string; leave: () => void } {
  const requestId = newRequestId();
  const leave = gate.enter(requestId, (reason) => abort.abort(reason));
  reply.header('x-request-id', requestId);
  reply.raw.on('close', () => {
    if (!reply.raw.writableFinished) abort.abort();
  });
  const { provider, model, endpoint, configHash, runtimeId } = target;
  tracer.start({
    requestId,
    owner: reply.request.owner,
    prompt,
    sessionId: null,
    provider,
    model,
    endpoint,
    configHash,
    runtimeId,
    ranWith: note ?? null,
    receipt: target.receipt(),
  });
  return { requestId, leave };
}
