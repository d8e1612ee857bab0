// /sessions: what was said, listed, renamed, searched, exported, taken back.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import type { SessionSummary, StoredMessage } from '../../chat/ports.js';
import type { SessionClearing } from '../../chat/sessions/session-clearing.js';
import type { SessionCopies } from '../../chat/sessions/session-copies.js';
import type { SessionPictures } from '../../chat/sessions/session-pictures.js';
import type { SessionStore } from '../../chat/sessions/session-store.js';
import type { RequestTracer } from '../../chat/tracing/request-tracer.js';
import * as contract from '../../contract/sessions.js';
import type { RanWith as RanWithShape } from '../../contract/simple-chat.js';
import type { RanWith } from '../../routing/decision.js';
import type { SessionLabelState, SessionLabelsDesk } from '../../routing/label-release.js';
import type { LabelRelease } from '../../routing/ports.js';
import { isoUtc } from '../../shared/clock.js';
import { AppError } from '../../shared/errors.js';
import { sessionIdFor, shownTo } from '../ownership.js';
import { type MemoryLookup, toContextReport } from './context-shapes.js';
import { toReceipt } from './receipt-shapes.js';

const EXPORT_MESSAGES = 100_000;
/** Of base64; what is beyond it is named in the export and left out. */
const EXPORT_PICTURE_CHARS = 64_000_000;
const SHOWN_TYPES: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);
const FILE_NAME_CHARS = 100;

export interface SessionRoutesOptions {
  sessions: SessionStore;
  pictures: SessionPictures;
  clearing: SessionClearing;
  tracer: Pick<RequestTracer, 'get'>;
  memoryOf: MemoryLookup;
  labels: SessionLabelsDesk;
  copies: SessionCopies;
}

export const sessionRoutes: FastifyPluginAsyncZod<SessionRoutesOptions> = async (
  app,
  { sessions, pictures, clearing, tracer, memoryOf, labels, copies },
) => {
  const tags = ['sessions'];
  const toDetail = (sessionId: string) => ({
    ...toSessionItem(sessions.summary(sessionId)),
    instructions: sessions.instructions(sessionId),
  });

  app.get(
    '/sessions',
    { schema: { querystring: contract.SessionListQuery, response: { 200: contract.SessionList }, tags } },
    async ({ query, owner }) => {
      const page = sessions.list({ limit: query.limit, offset: query.offset, query: query.q, viewer: owner });
      return { sessions: page.sessions.map(toSessionItem), count: page.sessions.length, total: page.total };
    },
  );

  app.get(
    '/sessions/:session_id',
    { schema: { params: contract.SessionParams, response: { 200: contract.SessionDetail }, tags } },
    async ({ params }) => toDetail(params.session_id),
  );

  app.patch(
    '/sessions/:session_id',
    {
      schema: {
        params: contract.SessionParams,
        body: contract.SessionChange,
        response: { 200: contract.SessionDetail },
        tags,
      },
    },
    async ({ params, body }) => {
      await sessions.change(params.session_id, body);
      return toDetail(params.session_id);
    },
  );

  app.delete('/sessions/:session_id', { schema: { params: contract.SessionParams, tags } }, async ({ params }) => {
    const { existed } = await clearing.clear(params.session_id);
    if (!existed) throw new AppError('session_not_found', `There is no session ${params.session_id}.`);
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
      const messages = found.slice(-query.limit).map((message) => {
        const trace = message.role === 'assistant' ? tracer.get(message.requestId) : undefined;
        return {
          ...toMessageItem(message),
          ...picturesOf(message, pictures),
          context: trace ? toContextReport(trace, memoryOf) : null,
        };
      });
      return { messages, count: messages.length, has_more: found.length > query.limit };
    },
  );

  app.get(
    '/sessions/:session_id/pictures/:hash',
    { schema: { params: contract.PictureParams, tags } },
    async ({ params }, reply) => {
      const picture = pictures.read(params.session_id, params.hash);
      if (!picture) throw new AppError('not_found', 'There is no such picture in this session.');
      // Bytes of strangers: shown as a picture or not at all, never as a page of ours.
      reply.header('cache-control', 'private, max-age=3600');
      reply.type(SHOWN_TYPES.has(picture.mediaType) ? picture.mediaType : 'application/octet-stream');
      return Buffer.from(picture.base64, 'base64');
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
    async ({ params, body }) => ({ removed: await clearing.truncate(params.session_id, body.from_seq) }),
  );

  app.post(
    '/sessions/import',
    { schema: { body: contract.SessionImport, response: { 201: contract.SessionDetail }, tags } },
    async ({ body }, reply) => {
      await copies.bringIn({
        sessionId: body.session_id,
        title: body.title,
        instructions: body.instructions ?? '',
        messages: body.messages.map(toBroughtMessage),
      });
      return reply.code(201).send(toDetail(body.session_id));
    },
  );

  app.post(
    '/sessions/:session_id/branch',
    {
      schema: {
        params: contract.SessionParams,
        body: contract.BranchRequest,
        response: { 201: contract.SessionDetail },
        tags,
      },
    },
    async ({ params, body }, reply) => {
      await copies.branch(params.session_id, body.session_id, body.up_to_seq);
      return reply.code(201).send(toDetail(body.session_id));
    },
  );

  app.get(
    '/sessions/:session_id/labels',
    { schema: { params: contract.SessionParams, response: { 200: contract.SessionLabelState }, tags } },
    async ({ params }) => toLabelState(params.session_id, await labels.state(params.session_id)),
  );

  app.post(
    '/sessions/:session_id/labels/release',
    {
      schema: {
        params: contract.SessionParams,
        body: contract.LabelReleaseRequest,
        response: { 200: contract.SessionLabelState },
        tags,
      },
    },
    async ({ params, body }) =>
      toLabelState(params.session_id, await labels.release(params.session_id, body.labels, body.reason)),
  );

  app.get(
    '/sessions/:session_id/export',
    { schema: { params: contract.SessionParams, querystring: contract.ExportQuery, tags } },
    async ({ params, query, owner }, reply) => {
      const summary = sessions.summary(params.session_id);
      const messages = sessions.messages(params.session_id, { limit: EXPORT_MESSAGES });
      const markdown = query.format === 'markdown';
      const name = sessionIdFor(owner, params.session_id)
        .replace(/[^\w-]/g, '_')
        .slice(0, FILE_NAME_CHARS);
      reply.header('content-disposition', `attachment; filename="venom-${name}.${markdown ? 'md' : 'json'}"`);
      reply.type(markdown ? 'text/markdown; charset=utf-8' : 'application/json; charset=utf-8');
      const exported = exportedPictures(messages, pictures);
      return markdown
        ? toMarkdown(summary, messages, exported)
        : `${JSON.stringify(
            shownTo(owner, {
              ...toDetail(params.session_id),
              label_releases: labels.releases(params.session_id).map(toLabelRelease),
              messages: messages.map((message) => ({
                ...toMessageItem(message),
                ...(exported.has(message) ? { pictures: exported.get(message) } : {}),
              })),
            }),
            null,
            2,
          )}\n`;
    },
  );
};

const toBroughtMessage = (message: z.output<typeof contract.SessionImport>['messages'][number]) => ({
  role: message.role,
  content: message.content,
  // Nobody goes on with it.
  status: message.status === 'streaming' ? ('interrupted' as const) : (message.status ?? 'complete'),
  model: message.model ?? null,
  error: message.error ?? null,
  usage: null,
  labels: message.labels ?? [],
  createdAt: message.timestamp ? Date.parse(message.timestamp) : Date.now(),
});

export const toLabelRelease = ({ labels, reason, at }: LabelRelease) => ({
  labels: [...labels],
  reason,
  released_at: isoUtc(at),
});

const toLabelState = (sessionId: string, state: SessionLabelState): contract.SessionLabelState => ({
  session_id: sessionId,
  labels: [...state.labels],
  found_in: state.foundIn.map(({ seq, labels }) => ({ seq, labels: [...labels] })),
  releases: state.releases.map(toLabelRelease),
});

const toRanWith = (ran: RanWith): z.output<typeof RanWithShape> => ({
  ...ran,
  dropped: [...ran.dropped],
  clamped: [...ran.clamped],
  unknown: [...ran.unknown],
});

export const toSessionItem = (session: SessionSummary) => ({
  session_id: session.sessionId,
  title: session.title,
  created_at: isoUtc(session.createdAt),
  updated_at: isoUtc(session.updatedAt),
  message_count: session.messageCount,
  preview: session.preview,
  pinned: session.pinned,
});

export const toMessageItem = (message: StoredMessage): contract.MessageItem => ({
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
    ran_with: message.usage.ranWith ? toRanWith(message.usage.ranWith) : null,
  },
  labels: [...(message.labels ?? [])],
  receipt: toReceipt(message.receipt),
  ...(message.thought ? { thought: message.thought } : {}),
});

const picturesOf = ({ role, requestId }: StoredMessage, pictures: SessionPictures) => {
  const facts = role === 'user' ? pictures.factsOf(requestId) : [];
  return facts.length === 0
    ? {}
    : {
        pictures: facts.map(({ hash, mediaType, sizeBytes }) => ({
          hash,
          media_type: mediaType,
          size_bytes: sizeBytes,
        })),
      };
};

interface ExportedPicture {
  media_type: string;
  /** Null where the export would have grown too large. */
  base64: string | null;
}

/** The newest are the last to be left out. */
function exportedPictures(
  messages: readonly StoredMessage[],
  pictures: SessionPictures,
): Map<StoredMessage, ExportedPicture[]> {
  const exported = new Map<StoredMessage, ExportedPicture[]>();
  let left = EXPORT_PICTURE_CHARS;
  for (const message of messages.toReversed()) {
    if (message.role !== 'user' || pictures.factsOf(message.requestId).length === 0) continue;
    const own = pictures.of(message.requestId).map(({ mediaType, base64 }) => {
      left -= base64.length;
      return { media_type: mediaType, base64: left >= 0 ? base64 : null };
    });
    exported.set(message, own);
  }
  return exported;
}

export function toMarkdown(
  summary: SessionSummary,
  messages: StoredMessage[],
  pictures: ReadonlyMap<StoredMessage, readonly ExportedPicture[]> = new Map(),
): string {
  const parts = messages.map((message) => {
    const who = message.role === 'user' ? 'You' : (message.model ?? message.role);
    const note = message.status === 'complete' ? '' : ` (${message.status})`;
    const shown = (pictures.get(message) ?? []).map(({ media_type, base64 }) =>
      base64 === null ? '_(a picture that was left out)_\n' : `![](data:${media_type};base64,${base64})\n`,
    );
    return `## ${who}${note}\n\n_${isoUtc(message.createdAt)}_\n\n${[...shown, message.content].join('\n')}\n`;
  });
  return `# ${summary.title}\n\n${parts.join('\n')}`;
}
