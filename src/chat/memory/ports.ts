// What memory needs from outside. No I/O and no vendor's words in this file.
import { type Owner, ownerOfSession } from '../../shared/owner.js';

export type MemoryKind = 'fact' | 'summary' | 'knowledge' | 'lesson';

/** Who said it: what a person or a document says outranks what a model said. */
export type MemoryOrigin = 'user' | 'assistant' | 'document' | 'system';

/** Whose memory it is: everybody's, one session's, or what a user keeps for all of their own sessions. */
export type MemoryScope =
  | { readonly kind: 'global' }
  | { readonly kind: 'user'; readonly owner: string }
  | { readonly kind: 'session'; readonly sessionId: string };

/** Where a search looks. `lessons` are the house's and kept apart, so that they are found among many texts. */
export type MemoryPlace = 'global' | 'lessons' | { readonly owner: string } | { readonly sessionId: string };

/** What is for everybody, what is for all sessions of an owner, and what is of one. */
export const placesOf = (owner: Owner, sessionId: string | null): MemoryPlace[] => [
  'global',
  ...(owner === null ? [] : [{ owner }]),
  ...(sessionId === null ? [] : [{ sessionId }]),
];

/** For all sessions of whoever says it. */
export const everySession = (owner: Owner): MemoryScope =>
  owner === null ? { kind: 'global' } : { kind: 'user', owner };

export const ownerOfScope = (scope: MemoryScope): Owner =>
  scope.kind === 'user' ? scope.owner : scope.kind === 'session' ? ownerOfSession(scope.sessionId) : null;

/** Lessons of the house tell of its conversations; everything else in its memory for all is for everybody. */
export const isVisible = (viewer: Owner, { scope, kind }: Pick<MemoryEntry, 'scope' | 'kind'>): boolean =>
  viewer === null || ownerOfScope(scope) === viewer || (scope.kind === 'global' && kind !== 'lesson');

export interface MemoryEntry {
  id: string;
  scope: MemoryScope;
  kind: MemoryKind;
  origin: MemoryOrigin;
  text: string;
  /** For a person: a file's name, `conversation`, `api`. */
  source: string;
  labels: readonly string[];
  pinned: boolean;
  collection: string;
  category: string | null;
  topic: string | null;
  userId: string | null;
  /** The turn it comes from. */
  requestId: string | null;
  /** What its kind knows beyond the text, such as a lesson's conclusion or a file's size. */
  details: Readonly<Record<string, unknown>> | null;
  createdAt: number;
  /** Null = kept until it is deleted. */
  expiresAt: number | null;
}

/** A piece of an entry that is found as one. */
export interface MemoryChunk {
  text: string;
  /** From 1, in documents that have pages. */
  page: number | null;
  /** Characters from the beginning of the page or the text. */
  start: number;
}

export interface MemoryHit {
  entry: Omit<MemoryEntry, 'text'>;
  /** Number of the chunk within the store. */
  chunkId: number;
  chunk: MemoryChunk;
  /** Cosine, -1..1; null where it was found by words. */
  similarity: number | null;
  /** Share of the query's weight that its words carry, 0..1; null where it was found by meaning. */
  coverage: number | null;
}

export interface EmbedderIdentity {
  /** Changes with engine, model and its bytes: vectors of two identities are never compared. */
  id: string;
  model: string;
}

export interface Embedder {
  /** Null where no embedding model is present. Never throws. */
  identity(): Promise<EmbedderIdentity | null>;
  /** In input order; work that nobody waits for lets people pass. @throws AppError of the engine, `cancelled` */
  embed(
    texts: readonly string[],
    signal: AbortSignal,
    treatment?: { background: boolean },
  ): Promise<readonly (readonly number[])[]>;
}

export interface MemoryPage {
  limit: number;
  offset: number;
  /** `undefined` = every scope; `global` with a viewer = theirs for all of their sessions, too. */
  scope?: MemoryScope | undefined;
  /** Only what they may see; the house sees everything. */
  viewer?: Owner | undefined;
  kind?: MemoryKind | undefined;
  /** Only what has this among the `tags` of its details. */
  tag?: string | undefined;
}

export interface MemoryRepository {
  /** Why there are no vectors at all; null when there are. */
  readonly vectorsUnavailable: string | null;
  /**
   * On disk when it resolves. The same text in the same scope, collection and kind is kept once: the entry it is known
   * as is returned, with a later expiry and `pinned` taken over.
   */
  add(
    entry: MemoryEntry,
    chunks: readonly MemoryChunk[],
    now: number,
    /** Keeps nothing where the session no longer has the turn it comes from. */
    options?: { onlyWithTurn: boolean },
  ): Promise<{ id: string; added: boolean }>;
  get(id: string): MemoryEntry | undefined;
  list(page: MemoryPage, now: number): { entries: MemoryEntry[]; total: number };
  /** The chunks of one entry, in order. */
  chunks(id: string, page: { limit: number; offset: number }): MemoryChunk[];
  /** Best first. Looks only in the places named, and at nothing that has expired. */
  byWords(text: string, places: readonly MemoryPlace[], limit: number, now: number): MemoryHit[];
  /** The same by meaning; empty without vectors of this identity. */
  byMeaning(
    vector: readonly number[],
    embedderId: string,
    places: readonly MemoryPlace[],
    limit: number,
    now: number,
  ): MemoryHit[];
  /** Whether a place has anything of a kind: asked before it is searched in vain. */
  holds(place: MemoryPlace, kind: MemoryKind): boolean;
  /** What a person asked to be kept in mind, newest first; never a model's words. */
  pinned(places: readonly MemoryPlace[], limit: number, now: number): MemoryEntry[];
  remove(id: string): Promise<{ removed: boolean; vectors: number }>;
  /** Everything a scope holds, optionally of one kind. */
  clear(scope: MemoryScope | 'lessons', kind?: MemoryKind): Promise<{ entries: number; vectors: number }>;
  /** What comes from these turns. */
  removeTurns(sessionId: string, requestIds: readonly string[]): Promise<number>;
  /** At most `limit` of what has expired; returns how many. */
  removeExpired(now: number, limit: number): Promise<number>;
  isEmbedder(id: string): boolean;
  /** Vectors of another identity are dropped, and every chunk waits for a new one. */
  useEmbedder(id: string, dimensions: number): void;
  /** Chunks without a vector of the embedder in use; all of them while there is none. */
  withoutVector(limit: number): { chunkId: number; text: string }[];
  saveVectors(embedderId: string, vectors: readonly { chunkId: number; vector: readonly number[] }[]): Promise<void>;
  counts(): { entries: number; chunks: number; vectors: number; waiting: number };
}
