// POST /v1/completions: OpenAI's completions of the old kind. An engine that speaks them itself, such as vLLM, gets them as
// they came; to every other one the prompt is what the user says.
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { CompletionRequest } from '../../contract/openai.js';
import { isExact, refuseUnlessExact } from '../../routing/strict-params.js';
import { paramsOfBody } from '../../runtimes/call-params.js';
import type { Runtime } from '../../runtimes/runtime.js';
import { toAppError } from '../../shared/errors.js';
import type { CompatibleAnswers } from '../compatible/answers.js';
import { beginRequest } from '../compatible/begun-request.js';
import { completionEvents, wholeCompletion } from '../compatible/completion-answer.js';
import { promptsOf, toCompletionCall } from '../compatible/completion-call.js';
import { type ForwardedRequest, sendForwarded, traceFailure } from '../compatible/forwarded.js';
import { EVENT_STREAM, sendStream } from '../compatible/stream-reply.js';
import { isStrict } from '../strict-header.js';
import type { OpenAiRoutesOptions } from './openai.js';

export interface CompletionRoutesOptions extends OpenAiRoutesOptions {
  answers: CompatibleAnswers;
}

export const completionRoutes: FastifyPluginAsyncZod<CompletionRoutesOptions> = async (app, options) => {
  const { answers } = options;
  app.post('/completions', { schema: { body: CompletionRequest, tags: ['openai'] } }, async (request, reply) => {
    const { body } = request;
    const own = await speaksCompletions(options, body);
    if (own) return forward(options, own, body, reply, isStrict(request.headers['x-venom-strict-params']));
    const prompts = promptsOf(body);
    const order = {
      prompts,
      echo: body.echo === true,
      withUsage: body.stream_options?.include_usage === true,
      ask: (prompt: string) =>
        answers.ask({ api: 'OpenAI', model: body.model, options: toCompletionCall(body, prompt), reply }),
    };
    if (!body.stream) return wholeCompletion(order);
    return sendStream(reply, EVENT_STREAM, completionEvents(order, await order.ask(prompts[0] as string)));
  });
};

interface Speaking extends Pick<ForwardedRequest, 'target' | 'forward'> {
  runtime: Runtime;
  text: string;
}

/** The engine that takes the request as it is, where routing leaves it in the house. */
async function speaksCompletions(
  { models, router }: Pick<OpenAiRoutesOptions, 'models' | 'router'>,
  { model, prompt }: CompletionRequest,
): Promise<Speaking | undefined> {
  const found = await models.find(model);
  // Ollama puts such a prompt into its chat template too, and passes over in silence what we refuse.
  if (!found?.runtime.forward || found.runtime.provider === 'ollama') return undefined;
  const prompts: readonly unknown[] = typeof prompt === 'string' ? [prompt] : prompt;
  const text = prompts.filter((one) => typeof one === 'string').join('\n');
  const target = await router.route({
    text,
    mode: 'direct',
    taskType: 'CHAT',
    sessionId: null,
    model,
    images: false,
    labels: [],
  });
  if (!target.decision.chain.every((step) => step.target === 'local')) return undefined;
  const { runtime } = await models.resolve(target.model);
  return runtime.forward && { target, runtime, text, forward: runtime.forward.bind(runtime) };
}

async function forward(
  { models, tracer, gate, onUsage }: OpenAiRoutesOptions,
  { target, runtime, forward: send, text }: Speaking,
  body: CompletionRequest,
  reply: FastifyReply,
  strict: boolean,
): Promise<FastifyReply> {
  const ran = models.ranWith(runtime, target.model, paramsOfBody(body), [], 'openai');
  if (strict) refuseUnlessExact(ran);
  const note = isExact(ran) ? undefined : ran;
  const abort = new AbortController();
  const { requestId, leave } = beginRequest({ tracer, gate }, { reply, target, prompt: text, note, abort });
  try {
    await sendForwarded({
      path: '/completions',
      forward: send,
      body,
      target,
      requestId,
      sent: ran.sent,
      note,
      reply,
      signal: abort.signal,
      tracer,
      onUsage,
      onEnd: leave,
    });
    return reply;
  } catch (error) {
    leave();
    traceFailure(tracer, requestId, toAppError(error));
    throw error;
  }
}
