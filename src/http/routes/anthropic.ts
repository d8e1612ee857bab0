// POST /v1/messages: what Anthropic's client libraries call. Stateless: nothing of it is kept but a trace.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { AnthropicCountRequest, AnthropicRequest } from '../../contract/anthropic.js';
import type { ModelManager } from '../../models/model-manager.js';
import { AppError } from '../../shared/errors.js';
import { type CompatibleAnswers, readWhole } from '../compatible/answers.js';
import { anthropicEvents, toAnthropicMessage } from '../compatible/anthropic-answer.js';
import { showsThoughts, toAnthropicCall, toConversation } from '../compatible/anthropic-call.js';
import { EVENT_STREAM, sendStream } from '../compatible/stream-reply.js';
import { countTokens } from '../compatible/token-count.js';

export interface AnthropicRoutesOptions {
  models: ModelManager;
  answers: CompatibleAnswers;
}

const COUNT_LIMIT_MS = 60_000;

export const anthropicRoutes: FastifyPluginAsyncZod<AnthropicRoutesOptions> = async (app, { models, answers }) => {
  const tags = ['anthropic'];
  app.addHook('onRequest', async (request, reply) => {
    reply.header('request-id', request.id);
  });

  app.post('/messages', { schema: { body: AnthropicRequest, tags } }, async ({ body }, reply) => {
    if (body.thread) throw noThreads();
    const answer = await answers.ask({ api: 'Anthropic', model: body.model, options: toAnthropicCall(body), reply });
    const shown = { withThinking: showsThoughts(body), oneTool: body.tool_choice?.disable_parallel_tool_use === true };
    if (body.stream) return sendStream(reply, EVENT_STREAM, anthropicEvents(answer, shown));
    return toAnthropicMessage(answer, await readWhole(answer), shown);
  });

  app.post('/messages/count_tokens', { schema: { body: AnthropicCountRequest, tags } }, async ({ body }, reply) => {
    const { runtime, model } = await models.resolve(body.model);
    const signal = AbortSignal.timeout(COUNT_LIMIT_MS);
    const { tokens, exact } = await countTokens(runtime, model, toConversation(body), signal);
    reply.header('x-venom-token-count', exact ? 'exact' : 'estimated');
    return { input_tokens: tokens };
  });
};

/** In the form by which its library knows that it has to send the whole conversation each time. */
const noThreads = () =>
  new AppError('unsupported', 'thread: conversations are not kept over this API; send all messages each time.', {
    details: { error_code: 'thread_unsupported_request', unsupported: ['thread'] },
  });
