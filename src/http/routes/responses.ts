// /v1/responses: OpenAI's Responses API. Answers are kept, unless the client says otherwise, so that it can go on from
// them by id.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ResponseRepository, StoredResponse } from '../../chat/responses/ports.js';
import { ResponseParams, ResponseRequest } from '../../contract/responses.js';
import type { ModelManager } from '../../models/model-manager.js';
import { AppError } from '../../shared/errors.js';
import { maySee, type Owner } from '../../shared/owner.js';
import type { CompatibleAnswers } from '../compatible/answers.js';
import { formerItems, withReferredItems } from '../compatible/former-items.js';
import { ResponsesAnswer } from '../compatible/responses-answer.js';
import { inputItems, toResponsesCall } from '../compatible/responses-call.js';
import { EVENT_STREAM, sendStream } from '../compatible/stream-reply.js';
import { countTokens } from '../compatible/token-count.js';

export interface ResponsesRoutesOptions {
  models: ModelManager;
  answers: CompatibleAnswers;
  responses: ResponseRepository;
}

const MAX_ITEMS = 4_096;
const COUNT_LIMIT_MS = 60_000;

export const responsesRoutes: FastifyPluginAsyncZod<ResponsesRoutesOptions> = async (
  app,
  { models, answers, responses },
) => {
  const tags = ['openai'];

  app.post('/responses', { schema: { body: ResponseRequest, tags } }, async ({ body, owner }, reply) => {
    const { input, options } = conversation(body, owner);
    const answer = new ResponsesAnswer(
      body,
      await answers.ask({ api: 'Responses', model: body.model, options, reply }),
      Date.now(),
    );
    const keep = async () => {
      if (body.store === false) return;
      await responses.save({
        id: answer.id,
        owner,
        previousId: body.previous_response_id ?? null,
        createdAt: Date.now(),
        response: answer.response(),
        input,
      });
    };
    const events = answer.events(keep);
    if (body.stream) return sendStream(reply, EVENT_STREAM, events);
    for await (const _event of events);
    if (answer.failure) throw answer.failure;
    return answer.response();
  });

  app.post('/responses/input_tokens', { schema: { body: ResponseRequest, tags } }, async ({ body, owner }, reply) => {
    const { options } = conversation(body, owner);
    const { runtime, model } = await models.resolve(body.model);
    const { tokens, exact } = await countTokens(runtime, model, options, AbortSignal.timeout(COUNT_LIMIT_MS));
    reply.header('x-venom-token-count', exact ? 'exact' : 'estimated');
    return { object: 'response.input_tokens', input_tokens: tokens };
  });

  app.get(
    '/responses/:response_id',
    { schema: { params: ResponseParams, querystring: z.object({ stream: z.literal('false').optional() }), tags } },
    async ({ params, owner }) => found(responses, params.response_id, owner).response,
  );

  app.get(
    '/responses/:response_id/input_items',
    { schema: { params: ResponseParams, tags } },
    async ({ params, owner }) => {
      const { id, input } = found(responses, params.response_id, owner);
      const data = input.map((item, index) => toListedItem(item as Record<string, unknown>, `${id}_in${index}`));
      return { object: 'list', data, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null, has_more: false };
    },
  );

  app.delete('/responses/:response_id', { schema: { params: ResponseParams, tags } }, async ({ params, owner }) => {
    found(responses, params.response_id, owner);
    if (!(await responses.remove(params.response_id))) throw notFound(params.response_id);
    return { id: params.response_id, object: 'response', deleted: true };
  });

  app.post(
    '/responses/:response_id/cancel',
    { schema: { params: ResponseParams, tags } },
    async ({ params, owner }) => {
      found(responses, params.response_id, owner);
      throw new AppError('unsupported', 'Only background responses can be cancelled, and there are none here.');
    },
  );

  /** What is said now, and what came before it. @throws AppError `invalid_input`, `unsupported` */
  function conversation(body: ResponseRequest, owner: Owner) {
    const former = formerItems(responses, body.previous_response_id ?? null, owner);
    const input = withReferredItems(responses, inputItems(body), former, owner);
    const items = [...former, ...input];
    if (items.length > MAX_ITEMS)
      throw new AppError('invalid_input', `input: a conversation may have ${MAX_ITEMS} items at most.`);
    return { input, options: toResponsesCall(body, items) };
  }
};

/** @throws AppError `not_found`, also for one of somebody else */
function found(responses: ResponseRepository, id: string, viewer: Owner): StoredResponse {
  const stored = responses.get(id);
  if (!stored || !maySee(viewer, stored.owner)) throw notFound(id);
  return stored;
}

const notFound = (id: string) => new AppError('not_found', `There is no response ${id}.`);

/** As it came, but for plain words, which clients find as parts whatever they had sent. */
function toListedItem(item: Readonly<Record<string, unknown>>, id: string): Record<string, unknown> & { id: string } {
  const listed = { id, type: 'message', ...item };
  if (typeof item['content'] !== 'string') return listed;
  const text = { type: item['role'] === 'assistant' ? 'output_text' : 'input_text', text: item['content'] };
  return { ...listed, content: [item['role'] === 'assistant' ? { ...text, annotations: [] } : text] };
}
