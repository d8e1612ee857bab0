// Memory: what is kept, found again, let go. A session's texts are found from that session alone.
import { v7 as uuidv7 } from 'uuid';
import type { Clock } from '../../shared/clock.js';
import { AppError } from '../../shared/errors.js';
import type { Owner } from '../../shared/owner.js';
import { waitAtMost } from '../../shared/wait-at-most.js';
import { chunkText } from './chunking.js';
import { type FusedHit, fuse } from './fuse.js';
import {
  type Embedder,
  isVisible,
  type MemoryChunk,
  type MemoryEntry,
  type MemoryKind,
  type MemoryOrigin,
  type MemoryPage,
  type MemoryPlace,
  type MemoryRepository,
  type MemoryScope,
  ownerOfScope,
} from './ports.js';

const DAY_MS = 86_400_000;
/** Of each ranking; more than are asked for, because some are filtered out. */
const RANKED = 20;
const QUERY_CHARS = 2_000;
const EXPIRED_AT_ONCE = 1_000;
const QUERIES_KEPT = 64;

export interface MemoryOptions {
  /** Days; 0 = for ever. */
  ttlDays: number;
  lessonsTtlDays: number;
  /** Cosine a hit must have to count as found by meaning. */
  minSimilarity: number;
  /** Share of the query's weight it must have to count as found by words. */
  minCoverage: number;
  /** How long a turn waits for its question's vector before it goes by words alone. */
  embedTimeoutMs: number;
}

export interface NewMemory {
  text: string;
  scope: MemoryScope;
  kind: MemoryKind;
  origin: MemoryOrigin;
  source: string;
  labels?: readonly string[] | undefined;
  pinned?: boolean | undefined;
  collection?: string | undefined;
  category?: string | null | undefined;
  topic?: string | null | undefined;
  userId?: string | null | undefined;
  requestId?: string | null | undefined;
  details?: Readonly<Record<string, unknown>> | null | undefined;
  /** Where its chunks are known already, as with a file. */
  chunks?: readonly MemoryChunk[] | undefined;
  createdAt?: number | undefined;
  /** Not kept where the session no longer has the turn `requestId`. */
  onlyWithTurn?: boolean | undefined;
}

export interface MemorySearch {
  text: string;
  places: readonly MemoryPlace[];
  limit: number;
  collection?: string | undefined;
  kinds?: readonly MemoryKind[] | undefined;
  signal?: AbortSignal | undefined;
}

export interface MemoryFound {
  hits: FusedHit[];
  /** `lexical_only` where words alone were compared. */
  degraded: 'lexical_only' | null;
}

export class Memory {
  readonly #repository: MemoryRepository;
  readonly #embedder: Embedder;
  readonly #clock: Clock;
  readonly #options: MemoryOptions;
  /** Called when chunks wait for their vectors. */
  readonly #onAdded: () => void;
  readonly #queryVectors = new Map<string, readonly number[]>();

  constructor(
    parts: { repository: MemoryRepository; embedder: Embedder; clock: Clock; onAdded?: () => void },
    options: MemoryOptions,
  ) {
    this.#repository = parts.repository;
    this.#embedder = parts.embedder;
    this.#clock = parts.clock;
    this.#onAdded = parts.onAdded ?? (() => {});
    this.#options = options;
  }

  /** On disk when it resolves. @throws AppError `invalid_input` for an empty text, `insufficient_storage` */
  async add(memory: NewMemory): Promise<{ id: string; added: boolean; chunks: number }> {
    const text = memory.text.trim();
    if (text === '') throw new AppError('invalid_input', 'text must not be empty.');
    const now = this.#clock.now();
    const chunks = memory.chunks ?? chunkText(text).map((chunk) => ({ ...chunk, page: null }));
    const ttlDays = memory.kind === 'lesson' ? this.#options.lessonsTtlDays : this.#options.ttlDays;
    const { id, added } = await this.#repository.add(
      {
        id: uuidv7(),
        scope: memory.scope,
        kind: memory.kind,
        origin: memory.origin,
        text,
        source: memory.source,
        labels: [...new Set(memory.labels ?? [])],
        pinned: memory.pinned ?? false,
        collection: memory.collection ?? 'default',
        category: memory.category ?? null,
        topic: memory.topic ?? null,
        userId: memory.userId ?? null,
        requestId: memory.requestId ?? null,
        details: memory.details ?? null,
        createdAt: memory.createdAt ?? now,
        expiresAt: ttlDays > 0 ? now + ttlDays * DAY_MS : null,
      },
      chunks,
      now,
      { onlyWithTurn: memory.onlyWithTurn ?? false },
    );
    if (added) this.#onAdded();
    return { id, added, chunks: chunks.length };
  }

  /** Best first, at most one hit per piece of text. Never fails for want of an embedder. */
  async search({ text, places, limit, collection, kinds, signal }: MemorySearch): Promise<MemoryFound> {
    const query = text.slice(0, QUERY_CHARS);
    const now = this.#clock.now();
    const embedded = await this.#vectorOf(query, signal);
    const ranked = Math.max(RANKED, limit * 2);
    const byWords = this.#repository.byWords(query, places, ranked, now);
    const byMeaning = embedded
      ? this.#repository.byMeaning(embedded.vector, embedded.embedderId, places, ranked, now)
      : [];
    const wanted = ({ entry }: FusedHit) =>
      (collection === undefined || entry.collection === collection) && (!kinds || kinds.includes(entry.kind));
    return {
      hits: fuse([byMeaning, byWords], this.#options).filter(wanted).slice(0, limit),
      degraded: embedded ? null : 'lexical_only',
    };
  }

  holds(place: MemoryPlace, kind: MemoryKind): boolean {
    return this.#repository.holds(place, kind);
  }

  /** What a person asked to be kept in mind, newest first. */
  pinned(places: readonly MemoryPlace[], limit: number): MemoryEntry[] {
    return this.#repository.pinned(places, limit, this.#clock.now());
  }

  get(id: string, viewer: Owner = null): MemoryEntry | undefined {
    const entry = this.#repository.get(id);
    return entry && isVisible(viewer, entry) ? entry : undefined;
  }

  list(page: MemoryPage): { entries: MemoryEntry[]; total: number } {
    return this.#repository.list(page, this.#clock.now());
  }

  chunks(id: string, page: { limit: number; offset: number }): MemoryChunk[] {
    return this.#repository.chunks(id, page);
  }

  /** Oldest work first is not promised: newest entries come first. Reads in pages, so that the whole is never in memory. */
  *export(scope?: MemoryScope, viewer: Owner = null): Generator<MemoryEntry> {
    const limit = 200;
    for (let offset = 0; ; offset += limit) {
      const { entries } = this.list({ limit, offset, scope, viewer });
      yield* entries;
      if (entries.length < limit) return;
    }
  }

  /** @throws AppError `memory_not_found`, `forbidden` for what is everybody's */
  async remove(id: string, viewer: Owner = null): Promise<{ vectors: number }> {
    const entry = viewer === null ? undefined : this.get(id, viewer);
    if (viewer !== null && !entry) throw new AppError('memory_not_found', `There is no memory ${id}.`);
    if (entry && ownerOfScope(entry.scope) !== viewer)
      throw new AppError('forbidden', 'What is remembered for everybody is deleted by the administrator.');
    const { removed, vectors } = await this.#repository.remove(id);
    if (!removed) throw new AppError('memory_not_found', `There is no memory ${id}.`);
    return { vectors };
  }

  clear(scope: MemoryScope | 'lessons', kind?: MemoryKind): Promise<{ entries: number; vectors: number }> {
    return this.#repository.clear(scope, kind);
  }

  removeTurns(sessionId: string, requestIds: readonly string[]): Promise<number> {
    return this.#repository.removeTurns(sessionId, requestIds);
  }

  /** Deletes what has expired. Searches leave it out anyway, from the moment on. */
  async expire(): Promise<number> {
    let removed = 0;
    for (;;) {
      const now = await this.#repository.removeExpired(this.#clock.now(), EXPIRED_AT_ONCE);
      removed += now;
      if (now < EXPIRED_AT_ONCE) return removed;
    }
  }

  async status(): Promise<{
    entries: number;
    chunks: number;
    vectors: number;
    waiting: number;
    embedder: string | null;
    degraded: string | null;
  }> {
    const identity = this.#repository.vectorsUnavailable === null ? await this.#embedder.identity() : null;
    return {
      ...this.#repository.counts(),
      embedder: identity?.model ?? null,
      degraded: identity ? null : 'lexical_only',
    };
  }

  // A model that must be loaded first must not hold up a turn: it is asked, and the next turn has it.
  async #vectorOf(
    text: string,
    signal: AbortSignal | undefined,
  ): Promise<{ vector: readonly number[]; embedderId: string } | null> {
    if (this.#repository.vectorsUnavailable !== null || text.trim() === '') return null;
    const identity = await this.#embedder.identity();
    if (!identity) return null;
    const key = `${identity.id}\0${text}`;
    const known = this.#queryVectors.get(key);
    if (known) return { vector: known, embedderId: identity.id };
    const asked = this.#embedder.embed([text], signal ?? AbortSignal.timeout(60_000)).then(([vector]) => {
      if (!vector) return;
      if (this.#queryVectors.size >= QUERIES_KEPT)
        this.#queryVectors.delete(this.#queryVectors.keys().next().value as string);
      this.#queryVectors.set(key, vector);
    });
    await waitAtMost(asked, this.#options.embedTimeoutMs);
    const vector = this.#queryVectors.get(key);
    return vector ? { vector, embedderId: identity.id } : null;
  }
}
