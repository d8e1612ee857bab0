// Memory: what is kept, searched, listed, exported and deleted; knowledge from files.
import { z } from 'zod';
import { broughtWithin, flag, whole } from './lax-values.js';
import { OptionalSessionId, SessionId } from './simple-chat.js';
import { Uuid } from './uuid.js';

const Labels = z.array(z.string().min(1).max(64)).max(16);

export const MemoryIngestRequest = z.object({
  text: z.string().max(200_000),
  category: z.string().max(200).nullish(),
  collection: z.string().max(200).nullish(),
  session_id: OptionalSessionId,
  user_id: z.string().max(200).nullish(),
  pinned: flag().nullish(),
  memory_type: z.string().max(200).nullish(),
  scope: z.string().max(200).nullish(),
  topic: z.string().max(500).nullish(),
  timestamp: z.string().max(100).nullish(),
  labels: Labels.nullish(),
});
export const MemoryIngestResponse = z.object({
  status: z.literal('success'),
  message: z.string(),
  chunks_count: z.int(),
  memory_id: z.string(),
});

export const MemorySearchRequest = z.object({
  query: z.string().min(1).max(10_000),
  limit: broughtWithin(3, 50),
  collection: z.string().min(1).max(200).default('default'),
  /** Looks into this session too; without it only at what is for all of them. */
  session_id: SessionId.nullish(),
});
export const MemorySearchResponse = z.object({
  status: z.literal('success'),
  query: z.string(),
  results: z.array(
    z.object({
      text: z.string(),
      metadata: z.record(z.string(), z.unknown()),
      /** A distance: 0 is the same, 1 has nothing in common. */
      score: z.number(),
    }),
  ),
  count: z.int(),
  /** `lexical_only` where no embedding model is present. */
  degraded: z.string().nullable(),
});

export const MemoryItem = z.object({
  memory_id: z.string(),
  /** `user`: for all sessions of the user's key `owner`. */
  scope: z.enum(['global', 'user', 'session']),
  /** The user's key it belongs to, by its id; null is the house. */
  owner: z.string().nullable(),
  session_id: z.string().nullable(),
  kind: z.enum(['fact', 'summary', 'knowledge', 'lesson']),
  origin: z.enum(['user', 'assistant', 'document', 'system']),
  text: z.string(),
  source: z.string(),
  labels: z.array(z.string()),
  pinned: z.boolean(),
  collection: z.string(),
  category: z.string().nullable(),
  topic: z.string().nullable(),
  user_id: z.string().nullable(),
  request_id: z.string().nullable(),
  metadata: z.record(z.string(), z.unknown()).nullable(),
  created_at: z.string(),
  expires_at: z.string().nullable(),
});
export type MemoryItem = z.output<typeof MemoryItem>;

const Scope = z.object({
  scope: z.enum(['global', 'session']).optional(),
  session_id: SessionId.optional(),
});

export const MemoryListQuery = Scope.extend({
  limit: whole(z.int().min(1).max(200)).prefault(50),
  offset: whole(z.int().min(0).max(10_000_000)).prefault(0),
  kind: z.enum(['fact', 'summary', 'knowledge', 'lesson']).optional(),
});
export const MemoryList = z.object({ memories: z.array(MemoryItem), count: z.int(), total: z.int() });
export const MemoryExportQuery = Scope;
export const MemoryParams = z.object({ memory_id: Uuid });
export const MemoryStatus = z.object({
  entries: z.int(),
  chunks: z.int(),
  vectors: z.int(),
  /** Chunks whose vectors are still to be made. */
  waiting: z.int(),
  embedding_model: z.string().nullable(),
  degraded: z.string().nullable(),
  results_waiting: z.int(),
  results_given_up: z.int(),
});

export const KnowledgeUploadQuery = z.object({
  /** Name of the file, where the body is the file itself. */
  name: z.string().min(1).max(500).optional(),
  scope: z.enum(['global', 'session']).optional(),
  session_id: SessionId.optional(),
  collection: z.string().min(1).max(200).optional(),
  labels: z
    .string()
    .max(1_000)
    .transform((text) =>
      text
        .split(',')
        .map((label) => label.trim())
        .filter(Boolean),
    )
    .pipe(Labels)
    .optional(),
});
export const KnowledgeFileItem = z.object({
  file_id: z.string(),
  name: z.string(),
  media_type: z.string(),
  size_bytes: z.int(),
  sha256: z.string(),
  pages: z.int().nullable(),
  chunks: z.int(),
  scope: z.enum(['global', 'user', 'session']),
  session_id: z.string().nullable(),
  collection: z.string(),
  labels: z.array(z.string()),
  created_at: z.string(),
  expires_at: z.string().nullable(),
});
export type KnowledgeFileItem = z.output<typeof KnowledgeFileItem>;
export const KnowledgeUploadResponse = z.object({
  status: z.literal('success'),
  /** False where these bytes were known already. */
  added: z.boolean(),
  file: KnowledgeFileItem,
});
export const KnowledgeListQuery = Scope.extend({
  limit: whole(z.int().min(1).max(200)).prefault(50),
  offset: whole(z.int().min(0).max(10_000_000)).prefault(0),
});
export const KnowledgeList = z.object({ files: z.array(KnowledgeFileItem), count: z.int(), total: z.int() });
export const KnowledgeFileParams = z.object({ file_id: Uuid });
export const KnowledgeChunksQuery = z.object({
  limit: whole(z.int().min(1).max(500)).prefault(100),
  offset: whole(z.int().min(0).max(10_000_000)).prefault(0),
});
export const KnowledgeChunks = z.object({
  file: KnowledgeFileItem,
  chunks: z.array(z.object({ text: z.string(), page: z.int().nullable(), start: z.int() })),
});
