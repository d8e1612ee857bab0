// /knowledge/files: files become knowledge, with the place of each piece.
import multipart from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Knowledge, KnowledgeFile } from '../../chat/memory/knowledge.js';
import { everySession, type MemoryScope } from '../../chat/memory/ports.js';
import * as contract from '../../contract/memory.js';
import { isoUtc } from '../../shared/clock.js';
import { AppError } from '../../shared/errors.js';
import type { Owner } from '../../shared/owner.js';
import { refuseDataMutation } from '../policy-refusal.js';
import { unbrokenForm } from '../unbroken-form.js';
import { whileOpen } from '../while-open.js';
import { toScope } from './memory.js';

export interface KnowledgeRoutesOptions {
  knowledge: Knowledge;
  maxFileBytes: number;
  mayDelete: boolean;
}

export const knowledgeRoutes: FastifyPluginAsyncZod<KnowledgeRoutesOptions> = async (
  app,
  { knowledge, maxFileBytes, mayDelete },
) => {
  const tags = ['knowledge'];
  // In here a body is a file, whatever it calls itself.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: maxFileBytes }, (_request, body, done) =>
    done(null, body),
  );
  await app.register(multipart, {
    limits: { fileSize: maxFileBytes, files: 1, fields: 16, fieldSize: 4_096, parts: 17, headerPairs: 50 },
  });

  app.post(
    '/knowledge/files',
    {
      schema: {
        querystring: contract.KnowledgeUploadQuery,
        response: { 200: contract.KnowledgeUploadResponse, 201: contract.KnowledgeUploadResponse },
        tags,
      },
      bodyLimit: maxFileBytes,
    },
    async (request, reply) => {
      const { query, owner } = request;
      const file = await fileOf(request, query.name);
      const { file: known, added } = await knowledge.add(
        {
          ...file,
          scope: uploadScope(toScope(query), owner),
          collection: query.collection,
          labels: query.labels ?? [],
        },
        whileOpen(reply),
      );
      reply.status(added ? 201 : 200);
      return { status: 'success' as const, added, file: toItem(known) };
    },
  );

  app.get(
    '/knowledge/files',
    { schema: { querystring: contract.KnowledgeListQuery, response: { 200: contract.KnowledgeList }, tags } },
    async ({ query, owner }) => {
      const { limit, offset } = query;
      const { files, total } = knowledge.list({ limit, offset, scope: toScope(query), viewer: owner });
      return { files: files.map(toItem), count: files.length, total };
    },
  );

  app.get(
    '/knowledge/files/:file_id',
    {
      schema: {
        params: contract.KnowledgeFileParams,
        querystring: contract.KnowledgeChunksQuery,
        response: { 200: contract.KnowledgeChunks },
        tags,
      },
    },
    async ({ params, query, owner }) => ({
      file: toItem(knowledge.get(params.file_id, owner)),
      chunks: knowledge.chunks(params.file_id, query),
    }),
  );

  app.delete(
    '/knowledge/files/:file_id',
    { schema: { params: contract.KnowledgeFileParams, tags } },
    async ({ params, owner }, reply) => {
      if (!mayDelete) return refuseDataMutation(reply, 'knowledge.delete');
      const { vectors } = await knowledge.remove(params.file_id, owner);
      return { status: 'success', file_id: params.file_id, deleted_vectors: vectors };
    },
  );
};

/** What is not for one session is for all of whoever brings it. */
const uploadScope = (asked: MemoryScope | undefined, owner: Owner): MemoryScope =>
  asked?.kind === 'session' ? asked : everySession(owner);

async function fileOf(
  request: FastifyRequest,
  name: string | undefined,
): Promise<{ name: string; mediaType: string | null; bytes: Uint8Array }> {
  if (request.isMultipart()) {
    const part = await unbrokenForm(request.file());
    if (!part) throw new AppError('invalid_input', 'The form holds no file.');
    return { name: name ?? part.filename, mediaType: part.mimetype, bytes: await unbrokenForm(part.toBuffer()) };
  }
  if (!Buffer.isBuffer(request.body) || request.body.length === 0)
    throw new AppError('invalid_input', 'The body must be the file, or a form with one.');
  if (name === undefined) throw new AppError('invalid_input', 'Give the name of the file in ?name=.');
  return { name, mediaType: request.headers['content-type'] ?? null, bytes: request.body };
}

const toItem = (file: KnowledgeFile): contract.KnowledgeFileItem => ({
  file_id: file.id,
  name: file.name,
  media_type: file.mediaType,
  size_bytes: file.sizeBytes,
  sha256: file.sha256,
  pages: file.pages,
  chunks: file.chunks,
  scope: file.scope.kind,
  session_id: file.scope.kind === 'session' ? file.scope.sessionId : null,
  collection: file.collection,
  labels: [...file.labels],
  created_at: isoUtc(file.createdAt),
  expires_at: file.expiresAt === null ? null : isoUtc(file.expiresAt),
});
