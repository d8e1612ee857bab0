// Knowledge from files: read, cut, remembered with the place each piece comes from.
import { createHash } from 'node:crypto';
import { AppError } from '../../shared/errors.js';
import type { Owner } from '../../shared/owner.js';
import { chunkText } from './chunking.js';
import type { DocumentReader } from './knowledge-ports.js';
import type { Memory } from './memory.js';
import type { MemoryChunk, MemoryEntry, MemoryScope } from './ports.js';

const CHUNKS = 20_000;
const PREVIEW_CHARS = 500;
const NAME_CHARS = 200;

export interface NewKnowledgeFile {
  name: string;
  mediaType: string | null;
  bytes: Uint8Array;
  scope: MemoryScope;
  collection?: string | undefined;
  labels: readonly string[];
}

export interface KnowledgeFile {
  id: string;
  name: string;
  mediaType: string;
  sizeBytes: number;
  sha256: string;
  pages: number | null;
  chunks: number;
  scope: MemoryScope;
  collection: string;
  labels: readonly string[];
  createdAt: number;
  expiresAt: number | null;
}

export class Knowledge {
  readonly #memory: Memory;
  readonly #reader: DocumentReader;

  constructor(memory: Memory, reader: DocumentReader) {
    this.#memory = memory;
    this.#reader = reader;
  }

  /**
   * The same bytes in the same scope are one file. @throws AppError `invalid_document`, `unsupported`, `runtime_busy`,
   * `insufficient_storage`
   */
  async add(file: NewKnowledgeFile, signal: AbortSignal): Promise<{ file: KnowledgeFile; added: boolean }> {
    const name = plainName(file.name);
    const { pages, mediaType } = await this.#reader.read({ ...file, name }, signal);
    const chunks = pages.flatMap(({ page, text }) => chunkText(text).map((chunk): MemoryChunk => ({ ...chunk, page })));
    if (chunks.length > CHUNKS)
      throw new AppError('invalid_document', `The file has more text than fits into ${CHUNKS} pieces.`, {
        details: { reason: 'too_large' },
      });
    const sha256 = createHash('sha256').update(file.bytes).digest('hex');
    const { id, added } = await this.#memory.add({
      text: chunks
        .slice(0, 3)
        .map(({ text }) => text)
        .join('\n')
        .slice(0, PREVIEW_CHARS),
      scope: file.scope,
      kind: 'knowledge',
      origin: 'document',
      source: name,
      labels: file.labels,
      collection: file.collection,
      chunks,
      details: {
        name,
        media_type: mediaType,
        size_bytes: file.bytes.byteLength,
        sha256,
        pages: pages[0]?.page === null ? null : pages.length,
        chunks: chunks.length,
      },
    });
    return { file: this.get(id), added };
  }

  list(page: { limit: number; offset: number; scope?: MemoryScope | undefined; viewer?: Owner | undefined }): {
    files: KnowledgeFile[];
    total: number;
  } {
    const { entries, total } = this.#memory.list({ ...page, kind: 'knowledge' });
    return { files: entries.filter(isFile).map(toFile), total };
  }

  /** @throws AppError `memory_not_found` */
  get(id: string, viewer: Owner = null): KnowledgeFile {
    const entry = this.#memory.get(id, viewer);
    if (!entry || !isFile(entry)) throw new AppError('memory_not_found', `There is no knowledge file ${id}.`);
    return toFile(entry);
  }

  chunks(id: string, page: { limit: number; offset: number }): MemoryChunk[] {
    return this.#memory.chunks(id, page);
  }

  /** @throws AppError `memory_not_found` */
  async remove(id: string, viewer: Owner = null): Promise<{ vectors: number }> {
    this.get(id, viewer);
    return this.#memory.remove(id, viewer);
  }
}

/** The last part of a path, without what a terminal or a file system would take for its own. */
function plainName(name: string): string {
  const last = name.replaceAll('\\', '/').split('/').at(-1) ?? '';
  const plain = [...last.normalize('NFC')]
    .filter((letter) => letter >= ' ' && letter !== '\u007f')
    .join('')
    .trim();
  return plain.slice(-NAME_CHARS) || 'file';
}

const isFile = (entry: MemoryEntry): boolean =>
  entry.kind === 'knowledge' && typeof entry.details?.['sha256'] === 'string';

function toFile(entry: MemoryEntry): KnowledgeFile {
  const number = (name: string) => {
    const value = entry.details?.[name];
    return typeof value === 'number' ? value : null;
  };
  return {
    id: entry.id,
    name: String(entry.details?.['name'] ?? entry.source),
    mediaType: String(entry.details?.['media_type'] ?? ''),
    sizeBytes: number('size_bytes') ?? 0,
    sha256: String(entry.details?.['sha256'] ?? ''),
    pages: number('pages'),
    chunks: number('chunks') ?? 0,
    scope: entry.scope,
    collection: entry.collection,
    labels: entry.labels,
    createdAt: entry.createdAt,
    expiresAt: entry.expiresAt,
  };
}
