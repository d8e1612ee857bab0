// /sessions, and /memory/session as the original's clients know it.
import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { SessionSummary, StoredMessage } from '../../chat/ports.js';
import type { SessionStore } from '../../chat/sessions/session-store.js';
import * as contract from '../../contract/sessions.js';
import { isoUtc } from '../../shared/clock.js';
import { AppError } from '../../shared/errors.js';

const EXPORT_MESSAGES = 100_000;
const MEMORY_ENTRIES = 1_000;

export interface SessionRoutesOptions {
  sessions: SessionStore;
  ttlDays: number;
  /** Stops what is being written in a session whose messages are about to go. */
  stopSession: (sessionId: string) => void;
  countTasks: (sessionId: string) => number;
}

export const sessionRoutes: FastifyPluginAsyncZod<SessionRoutesOptions> = async (
  app,
  { sessions, ttlDays, stopSession, countTasks },
) => {
  const tags = ['sessions'];

  app.get(
    '/sessions',
    { schema: { querystring: contract.SessionListQuery, response: { 200: contract.SessionList }, tags } },
    async ({ query }) => {
      const page = sessions.list({ limit: query.limit, offset: query.offset, query: query.q });
      return { sessions: page.sessions.map(toItem), count: page.sessions.length, total: page.total };
    },
  );

  app.get(
    '/sessions/:session_id',
    { schema: { params: contract.SessionParams, response: { 200: contract.SessionItem }, tags } },
    async ({ params }) => toItem(sessions.summary(params.session_id)),
  );

  app.patch(
    '/sessions/:session_id',
    {
      schema: {
        params: contract.SessionParams,
        body: contract.RenameRequest,
        response: { 200: contract.SessionItem },
        tags,
      },
    },
    async ({ params, body }) => toItem(await sessions.rename(params.session_id, body.title)),
  );

  app.delete('/sessions/:session_id', { schema: { params: contract.SessionParams, tags } }, async ({ params }) => {
    stopSession(params.session_id);
    if (!(await sessions.remove(params.session_id)))
      throw new AppError('session_not_found', `There is no session ${params.session_id}.`);
    return { status: 'success', session_id: params.session_id };
  });

  app.get(
    '/sessions/:session_id/messages',
    {
      schema: {
        params: contract.SessionParams,
        querystring: contract.MessageListQuery,
        response: { 200: contract.MessageList },
        tags,
      },
    },
    async ({ params, query }) => {
      const found = sessions.messages(params.session_id, { limit: query.limit + 1, beforeSeq: query.before_seq });
      const messages = found.slice(-query.limit).map(toMessage);
      return { messages, count: messages.length, has_more: found.length > query.limit };
    },
  );

  app.post(
    '/sessions/:session_id/truncate',
    {
      schema: {
        params: contract.SessionParams,
        body: contract.TruncateRequest,
        response: { 200: contract.TruncateResponse },
        tags,
      },
    },
    async ({ params, body }) => {
      stopSession(params.session_id);
      return { removed: await sessions.truncate(params.session_id, body.from_seq) };
    },
  );

  app.get(
    '/sessions/:session_id/export',
    { schema: { params: contract.SessionParams, querystring: contract.ExportQuery, tags } },
    async ({ params, query }, reply) => {
      const summary = sessions.summary(params.session_id);
      const messages = sessions.messages(params.session_id, { limit: EXPORT_MESSAGES });
      const markdown = query.format === 'markdown';
      const name = `venom-${params.session_id.replace(/[^\w-]/g, '_')}.${markdown ? 'md' : 'json'}`;
      reply.header('content-disposition', `attachment; filename="${name}"`);
      reply.type(markdown ? 'text/markdown; charset=utf-8' : 'application/json; charset=utf-8');
      return markdown
        ? toMarkdown(summary, messages)
        : `${JSON.stringify({ ...toItem(summary), messages: messages.map(toMessage) }, null, 2)}\n`;
    },
  );

  app.get(
    '/memory/session/:session_id',
    { schema: { params: contract.SessionParams, tags: ['memory'] } },
    async ({ params }) => {
      const history = sessions
        .messages(params.session_id, { limit: MEMORY_ENTRIES })
        .map((message) => toEntry(message, ttlDays));
      return { status: 'success', session_id: params.session_id, history, summary: null, count: history.length };
    },
  );

  app.delete(
    '/memory/session/:session_id',
    { schema: { params: contract.SessionParams, tags: ['memory'] } },
    async ({ params }) => {
      stopSession(params.session_id);
      await sessions.remove(params.session_id);
      return {
        status: 'success',
        session_id: params.session_id,
        deleted_vectors: 0,
        cleared_tasks: countTasks(params.session_id),
        message: `Session ${params.session_id} was cleared.`,
      };
    },
  );

  // The original's UI stores each Direct answer itself. Here the turn is in the session already, so the same text is
  // accepted and not kept twice.
  app.post(
    '/memory/ingest',
    { schema: { body: contract.MemoryIngestRequest, tags: ['memory'] } },
    async ({ body }, reply) => {
      if (body.text.trim() === '') throw new AppError('invalid_input', 'text must not be empty.');
      if (body.session_id) {
        const recent = sessions.messages(body.session_id, { limit: 20 });
        if (!recent.some(({ content }) => content.trim() === body.text.trim())) {
          await sessions.append({
            sessionId: body.session_id,
            requestId: randomUUID(),
            role: body.category === 'user' ? 'user' : 'assistant',
            content: body.text,
            status: 'complete',
            model: null,
            error: null,
            usage: null,
          });
        }
      }
      reply.status(201);
      return { status: 'success', message: 'The text was accepted.', chunks_count: 1 };
    },
  );
};

const toItem = (session: SessionSummary) => ({
  session_id: session.sessionId,
  title: session.title,
  created_at: isoUtc(session.createdAt),
  updated_at: isoUtc(session.updatedAt),
  message_count: session.messageCount,
  preview: session.preview,
});

const toMessage = (message: StoredMessage): contract.MessageItem => ({
  seq: message.seq,
  role: message.role,
  content: message.content,
  request_id: message.requestId,
  timestamp: isoUtc(message.createdAt),
  status: message.status,
  model: message.model,
  error: message.error,
  usage: message.usage && {
    prompt_tokens: message.usage.promptTokens,
    cached_prompt_tokens: message.usage.cachedPromptTokens,
    completion_tokens: message.usage.completionTokens,
    ttft_ms: message.usage.timeToFirstTokenMs,
    duration_ms: message.usage.durationMs,
    tokens_per_second: message.usage.tokensPerSecond,
  },
});

const DAY_MS = 86_400_000;

const toEntry = (message: StoredMessage, ttlDays: number) => ({
  role: message.role,
  content: message.content,
  session_id: message.sessionId,
  request_id: message.requestId,
  timestamp: isoUtc(message.createdAt),
  ...(message.status === 'complete' ? {} : { status: message.status }),
  knowledge_metadata: {
    knowledge_contract_version: 'v1',
    provenance_source: 'session_store',
    provenance_request_id: message.requestId,
    provenance_intent: null,
    retention_scope: 'session',
    retention_expires_at: ttlDays > 0 ? isoUtc(message.createdAt + ttlDays * DAY_MS) : null,
    session_id: message.sessionId,
    timestamp: isoUtc(message.createdAt),
  },
});

function toMarkdown(summary: SessionSummary, messages: StoredMessage[]): string {
  const parts = messages.map((message) => {
    const who = message.role === 'user' ? 'You' : (message.model ?? message.role);
    const note = message.status === 'complete' ? '' : ` (${message.status})`;
    return `## ${who}${note}\n\n_${isoUtc(message.createdAt)}_\n\n${message.content}\n`;
  });
  return `# ${summary.title}\n\n${parts.join('\n')}`;
}
