// What tools ask while they work: listed, shown, answered.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import {
  AnswerRequest,
  QuestionAnswer,
  type QuestionItem,
  QuestionList,
  QuestionParams,
  QuestionsQuery,
} from '../../contract/questions.js';
import { asksSecret, isDeceptiveHost } from '../../skills/question-caution.js';
import type { Question } from '../../skills/question-ports.js';
import type { Questions } from '../../skills/questions.js';

export interface QuestionsRoutesOptions {
  questions: Questions;
}

export const questionsRoutes: FastifyPluginAsyncZod<QuestionsRoutesOptions> = async (app, { questions }) => {
  const tags = ['skills'];
  app.get(
    '/skills/questions',
    { schema: { querystring: QuestionsQuery, response: { 200: QuestionList }, tags } },
    async ({ query, owner }) => {
      const { state, session_id: sessionId, limit } = query;
      const found = questions.list({ state, sessionId, limit, viewer: owner });
      return { status: 'success' as const, questions: found.map(toItem), count: found.length };
    },
  );
  app.get(
    '/skills/questions/:question_id',
    { schema: { params: QuestionParams, response: { 200: QuestionAnswer }, tags } },
    async ({ params, owner }) => ({
      status: 'success' as const,
      question: toItem(questions.get(params.question_id, owner)),
    }),
  );
  app.post(
    '/skills/questions/:question_id',
    { schema: { params: QuestionParams, body: AnswerRequest, response: { 200: QuestionAnswer }, tags } },
    async ({ params, body, owner }) => ({
      status: 'success' as const,
      question: toItem(await questions.answer(params.question_id, body, owner)),
    }),
  );
};

function toItem(asked: Question): z.output<typeof QuestionItem> {
  const { question } = asked;
  const host = question.kind === 'link' ? new URL(question.url).host : null;
  return {
    question_id: asked.id,
    tool: asked.tool,
    title: asked.title,
    server: asked.server,
    kind: question.kind,
    message: question.message,
    fields:
      question.kind === 'form'
        ? (question.fields.map((field) => ({
            ...field,
            options: [...field.options],
            initial: typeof field.initial === 'object' && field.initial !== null ? [...field.initial] : field.initial,
          })) as z.output<typeof QuestionItem>['fields'])
        : [],
    url: question.kind === 'link' ? question.url : null,
    host,
    system: question.kind === 'model' ? question.system : null,
    max_tokens: question.kind === 'model' ? question.maxTokens : null,
    host_is_deceptive: host !== null && isDeceptiveHost(host),
    asks_secret: asksSecret(question),
    session_id: asked.sessionId,
    request_id: asked.requestId,
    state: asked.state,
    action: asked.action,
    created_at: new Date(asked.createdAt).toISOString(),
    answered_at: asked.answeredAt === null ? null : new Date(asked.answeredAt).toISOString(),
  };
}
