// /memory: ingest, search, list, export, delete; the session memory as the original's clients know it.
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { SessionContextRepository } from '../../chat/context/ports.js';
import type { FusedHit } from '../../chat/memory/fuse.js';
import { toIngest } from '../../chat/memory/ingest.js';
import type { Memory } from '../../chat/memory/memory.js';
import { type MemoryEntry, type MemoryScope, ownerOfScope, placesOf } from '../../chat/memory/ports.js';
import type { StoredMessage } from '../../chat/ports.js';
import type { ResultProcessor } from '../../chat/results/result-processor.js';
import type { SessionClearing } from '../../chat/sessions/session-clearing.js';
import type { SessionStore } from '../../chat/sessions/session-store.js';
import * as contract from '../../contract/memory.js';
import { SessionParams } from '../../contract/sessions.js';
import { isoUtc } from '../../shared/clock.js';
import { AppError } from '../../shared/errors.js';
import type { Owner } from '../../shared/owner.js';
import { shownTo } from '../ownership.js';
import { refuseDataMutation } from '../policy-refusal.js';

const MEMORY_ENTRIES = 1_000;
const ALL_CHUNKS = { limit: 20_000, offset: 0 };
const DAY_MS = 86_400_000;

export interface MemoryRoutesOptions {
  memory: Memory;
  sessions: SessionStore;
  sessionContext: SessionContextRepository;
  clearing: SessionClearing;
  results: ResultProcessor;
  ttlDays: number;
  /** False in a pre-production role that keeps its data. */
  mayDelete: boolean;
}

export const memoryRoutes: FastifyPluginAsyncZod<MemoryRoutesOptions> = async (
  app,
  { memory, sessions, sessionContext, clearing, results, ttlDays, mayDelete },
) => {
  const tags = ['memory'];
  const requireDeletion = async (request: FastifyRequest, reply: FastifyReply) =>
    mayDelete ? undefined : refuseDataMutation(reply, `memory.delete ${request.routeOptions.url}`);

  app.post(
    '/memory/ingest',
    { schema: { body: contract.MemoryIngestRequest, response: { 201: contract.MemoryIngestResponse }, tags } },
    async ({ body, owner }, reply) => {
      const { id, added, chunks } = await memory.add(
        toIngest({
          text: body.text,
          owner,
          category: body.category ?? 'general',
          collection: body.collection || 'default',
          sessionId: body.session_id || null,
          userId: body.user_id ?? null,
          pinned: body.pinned ?? false,
          type: body.memory_type ?? 'fact',
          scope: body.scope ?? null,
          topic: body.topic ?? null,
          labels: body.labels ?? [],
        }),
      );
      reply.status(201);
      return {
        status: 'success' as const,
        message: added ? 'The text was remembered.' : 'The text was known already.',
        chunks_count: chunks,
        memory_id: id,
      };
    },
  );

  app.post(
    '/memory/search',
    { schema: { body: contract.MemorySearchRequest, response: { 200: contract.MemorySearchResponse }, tags } },
    async ({ body, owner }) => {
      const { hits, degraded } = await memory.search({
        text: body.query,
        places: placesOf(owner, body.session_id || null),
        limit: body.limit,
        collection: body.collection,
      });
      return {
        status: 'success' as const,
        query: body.query,
        results: hits.map(toMemoryHit),
        count: hits.length,
        degraded,
      };
    },
  );

  app.get(
    '/memory',
    { schema: { querystring: contract.MemoryListQuery, response: { 200: contract.MemoryList }, tags } },
    async ({ query, owner }) => {
      const { limit, offset, kind } = query;
      const { entries, total } = memory.list({ limit, offset, kind, scope: toScope(query), viewer: owner });
      return { memories: entries.map(toMemoryItem), count: entries.length, total };
    },
  );

  app.get(
    '/memory/export',
    { schema: { querystring: contract.MemoryExportQuery, tags } },
    async ({ query, owner }, reply) => {
      reply.header('content-disposition', 'attachment; filename="venom-memory.jsonl"');
      reply.type('application/x-ndjson; charset=utf-8');
      const entries = memory.export(toScope(query), owner);
      return reply.send(Readable.from(lines(entries, memory, owner)));
    },
  );

  app.get('/memory/status', { schema: { response: { 200: contract.MemoryStatus }, tags } }, async () => {
    const { embedder, ...status } = await memory.status();
    const { waiting, givenUp } = results.counts();
    return { ...status, embedding_model: embedder, results_waiting: waiting, results_given_up: givenUp };
  });

  app.delete(
    '/memory/entries/:memory_id',
    { schema: { params: contract.MemoryParams, tags }, preHandler: requireDeletion },
    async ({ params, owner }) => {
      const { vectors } = await memory.remove(params.memory_id, owner);
      return { status: 'success', memory_id: params.memory_id, deleted_vectors: vectors };
    },
  );

  app.delete('/memory/global', { schema: { tags }, preHandler: requireDeletion }, async () => {
    const { entries, vectors } = await memory.clear({ kind: 'global' });
    return {
      status: 'success',
      deleted_entries: entries,
      deleted_vectors: vectors,
      message: 'Everything that was remembered for all sessions is gone; lessons are under /lessons.',
    };
  });

  app.get('/memory/session/:session_id', { schema: { params: SessionParams, tags } }, async ({ params }) => {
    const history = sessions
      .messages(params.session_id, { limit: MEMORY_ENTRIES })
      .map((message) => toEntry(message, ttlDays));
    return {
      status: 'success',
      session_id: params.session_id,
      history,
      summary: sessionContext.summary(params.session_id)?.text ?? null,
      count: history.length,
    };
  });

  app.delete(
    '/memory/session/:session_id',
    { schema: { params: SessionParams, tags }, preHandler: requireDeletion },
    async ({ params }) => {
      const { deletedVectors, clearedTasks } = await clearing.clear(params.session_id);
      return {
        status: 'success',
        session_id: params.session_id,
        deleted_vectors: deletedVectors,
        cleared_tasks: clearedTasks,
        message: `Session ${params.session_id} was cleared.`,
      };
    },
  );
};

/** @throws AppError `invalid_input` for a session's scope without the session */
export function toScope(query: {
  scope?: 'global' | 'session' | undefined;
  session_id?: string | undefined;
}): MemoryScope | undefined {
  if (query.session_id !== undefined && query.scope !== 'global')
    return { kind: 'session', sessionId: query.session_id };
  if (query.scope === 'session') throw new AppError('invalid_input', 'Name the session in session_id.');
  return query.scope === 'global' ? { kind: 'global' } : undefined;
}

/** One entry a line; a file with all its pieces. */
function* lines(entries: Iterable<MemoryEntry>, memory: Memory, viewer: Owner): Generator<string> {
  for (const entry of entries) {
    const chunks = entry.kind === 'knowledge' ? { chunks: memory.chunks(entry.id, ALL_CHUNKS) } : {};
    yield `${JSON.stringify(shownTo(viewer, { ...toMemoryItem(entry), ...chunks }))}\n`;
  }
}

export const toMemoryItem = (entry: MemoryEntry): contract.MemoryItem => ({
  memory_id: entry.id,
  scope: entry.scope.kind,
  owner: ownerOfScope(entry.scope),
  session_id: entry.scope.kind === 'session' ? entry.scope.sessionId : null,
  kind: entry.kind,
  origin: entry.origin,
  text: entry.text,
  source: entry.source,
  labels: [...entry.labels],
  pinned: entry.pinned,
  collection: entry.collection,
  category: entry.category,
  topic: entry.topic,
  user_id: entry.userId,
  request_id: entry.requestId,
  metadata: entry.details,
  created_at: isoUtc(entry.createdAt),
  expires_at: entry.expiresAt === null ? null : isoUtc(entry.expiresAt),
});

export function toMemoryHit({ entry, chunk, score }: FusedHit) {
  const { text: _, ...about } = toMemoryItem({ ...entry, text: '' });
  return {
    text: chunk.text,
    metadata: { ...about, type: entry.kind, page: chunk.page, start: chunk.start },
    score: Math.round((1 - score) * 10_000) / 10_000,
  };
}

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
