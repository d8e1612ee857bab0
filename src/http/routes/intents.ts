// GET /intents/learned, and what somebody decides about each phrase.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import type { LearnedPhrases } from '../../chat/intents/learned-phrases.js';
import type { LearnedPhrase } from '../../chat/intents/ports.js';
import {
  ApproveRequest,
  LearnedPhraseAnswer,
  type LearnedPhraseItem,
  LearnedPhraseList,
  LearnedPhraseParams,
  LearnedPhraseQuery,
} from '../../contract/intents.js';

export const intentRoutes: FastifyPluginAsyncZod<{ learned: LearnedPhrases }> = async (app, { learned }) => {
  const tags = ['intents'];
  const params = LearnedPhraseParams;
  const response = { 200: LearnedPhraseAnswer };

  app.get(
    '/intents/learned',
    { schema: { querystring: LearnedPhraseQuery, response: { 200: LearnedPhraseList }, tags } },
    async ({ query }) => {
      const { phrases, total } = learned.list(query);
      return { status: 'success' as const, phrases: phrases.map(toItem), count: phrases.length, total };
    },
  );
  app.post(
    '/intents/learned/:phrase_id/approve',
    { schema: { params, body: ApproveRequest, response, tags } },
    async ({ params, body }) => answer(await learned.approve(params.phrase_id, body?.intent)),
  );
  app.post('/intents/learned/:phrase_id/reject', { schema: { params, response, tags } }, async ({ params }) =>
    answer(await learned.reject(params.phrase_id)),
  );
  app.delete('/intents/learned/:phrase_id', { schema: { params, tags } }, async ({ params }) => {
    await learned.remove(params.phrase_id);
    return { status: 'success', removed: true };
  });
};

const answer = (phrase: LearnedPhrase) => ({ status: 'success' as const, phrase: toItem(phrase) });

const toItem = (phrase: LearnedPhrase): z.output<typeof LearnedPhraseItem> => ({
  id: phrase.id,
  phrase: phrase.phrase,
  intent: phrase.intent,
  language: phrase.language,
  source: phrase.source,
  state: phrase.state,
  seen: phrase.seen,
  created_at: new Date(phrase.createdAt).toISOString(),
  reviewed_at: phrase.reviewedAt === null ? null : new Date(phrase.reviewedAt).toISOString(),
});
