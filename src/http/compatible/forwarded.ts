// A request of OpenAI's wire handed on to an engine that speaks it itself: its answer goes on byte for byte up to its end,
// with an account of it in the trace.
import type { FastifyReply } from 'fastify';
import type { TurnUsage } from '../../chat/ports.js';
import type { RequestTracer } from '../../chat/tracing/request-tracer.js';
import type { RoutedTarget } from '../../chat/turn-ports.js';
import type { AnswerReceipt, RanWith } from '../../routing/decision.js';
import { withBodyParams } from '../../runtimes/call-params.js';
import { retryAfterMs } from '../../runtimes/retry-policy.js';
import type { Runtime } from '../../runtimes/runtime.js';
import { type AppError, toAppError } from '../../shared/errors.js';
import { checkedForward } from '../checked-forward.js';
import { boundedWaitSeconds } from '../error-handler.js';
import { corsOf } from '../event-stream.js';
import { passThrough } from '../pass-through.js';
import { withNote } from '../ran-with-note.js';
import { thoughtsApart } from '../thoughts-apart.js';
import { NO_USAGE, toTurnUsage } from './answers.js';

export interface ForwardedRequest {
  path: '/chat/completions' | '/completions';
  forward: NonNullable<Runtime['forward']>;
  body: Readonly<Record<string, unknown>> & { stream?: boolean | null | undefined };
  target: RoutedTarget;
  requestId: string;
  /** The parameters as the engine gets them; the client is told where they are not those it sent. */
  sent: RanWith['sent'];
  note: RanWith | undefined;
  reply: FastifyReply;
  signal: AbortSignal;
  tracer: RequestTracer;
  onUsage: (usage: TurnUsage, target: RoutedTarget, costUsd: number | null) => void;
  /** Called when the answer is over, whole or not, and never where this throws. */
  onEnd: () => void;
}

/** Resolves when the head of the answer is sent. @throws AppError while there is nothing to send yet */
export async function sendForwarded(request: ForwardedRequest): Promise<void> {
  const { path, forward, body, target, requestId, sent, note, reply, signal, tracer, onUsage } = request;
  const startedAt = performance.now();
  const received = await forward(path, { ...withBodyParams(body, sent), model: target.model }, signal);
  tracer.step(requestId, 'OpenAI', 'forward', `status=${received.status}`);
  let bytesReceived = 0;
  const answer = await checkedForward(received, body.stream === true, (bytes) => {
    bytesReceived += bytes;
  });
  reply.hijack();
  reply.raw.writeHead(answer.status, {
    ...corsOf(reply),
    ...retryAfterHeader(answer.retryAfter),
    'content-type': answer.contentType,
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
    'x-request-id': requestId,
  });
  // Of several choices each would have a thought of its own.
  const chat = path === '/chat/completions' && answer.status < 400 && (body['n'] ?? 1) === 1;
  const apart = chat ? thoughtsApart(answer.body, answer.contentType) : answer.body;
  const noted = note && answer.status < 400 ? withNote(apart, answer.contentType, note) : apart;
  void passThrough(noted, reply.raw, answer.end).then((broken) => {
    request.onEnd();
    const failure = answer.failure() ?? (broken && toAppError(broken));
    const receipt = receiptOf(target, answer.bytesSent, bytesReceived, failure);
    tracer.update(requestId, (trace) => {
      trace.receipt = receipt;
    });
    const told = answer.usage();
    if (told) {
      const usage = toTurnUsage(NO_USAGE, null, performance.now() - startedAt);
      onUsage({ ...usage, promptTokens: told.prompt, completionTokens: told.completion }, target, null);
    }
    if (failure) traceFailure(tracer, requestId, failure);
    else tracer.finish(requestId, 'COMPLETED');
  });
}

/** In seconds and within bounds, whatever the engine wrote. */
function retryAfterHeader(told: string | undefined): Record<string, string> {
  const waitMs = retryAfterMs(told, Date.now());
  return waitMs === null ? {} : { 'retry-after': String(boundedWaitSeconds(waitMs / 1_000)) };
}

export function traceFailure(tracer: RequestTracer, requestId: string, error: AppError): void {
  tracer.step(requestId, 'OpenAI', 'error', error.code, 'error');
  tracer.finish(requestId, 'FAILED', {
    code: error.code,
    class: error.code,
    message: error.message,
    stage: 'openai',
    retryable: false,
  });
}

function receiptOf(
  target: RoutedTarget,
  bytesSent: number,
  bytesReceived: number,
  failure: AppError | undefined,
): AnswerReceipt {
  const { provider, model, endpoint } = target;
  return {
    ...target.receipt(),
    attempts: [
      {
        provider,
        model,
        endpoint,
        location: 'local',
        bytesSent,
        bytesReceived,
        outcome: failure ? 'failed' : 'ok',
        error: failure?.code ?? null,
      },
    ],
  };
}
