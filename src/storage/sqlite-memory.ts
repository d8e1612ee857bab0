// Memory as rows, with a text index and vectors. The port is MemoryRepository in chat/memory/ports.ts. Every read names
// the owners it may see; texts for all and texts of sessions are in indexes of their own.
import { createHash } from 'node:crypto';
import type {
  MemoryChunk,
  MemoryEntry,
  MemoryHit,
  MemoryKind,
  MemoryPage,
  MemoryPlace,
  MemoryRepository,
  MemoryScope,
} from '../chat/memory/ports.js';
import { ownerOfSession, ownName } from '../shared/owner.js';
import { SqliteMemoryWords } from './sqlite-memory-words.js';
import type { SqliteStore } from './sqlite-store.js';
import { SqliteVectors } from './sqlite-vectors.js';

const GLOBAL = 0;
const LESSONS = -1;
/** After every name that a session can have. */
const LAST = '\u{10ffff}';
const OWNERS_BETWEEN = 'SELECT pk FROM memory_owners WHERE session_id >= ? AND session_id <= ?';
/** Rows of one removal; between two of them others may write. */
const REMOVED_AT_ONCE = 500;

type Row = Record<string, unknown>;

const ENTRY = `m.pk, m.id, m.owner, m.kind, m.origin, m.source, m.labels, m.pinned, m.collection, m.category, m.topic,
  m.user_id, m.request_id, m.details, m.created_at, m.expires_at, o.session_id`;
const FROM = 'FROM memories m LEFT JOIN memory_owners o ON o.pk = m.owner';

export class SqliteMemory implements MemoryRepository {
  readonly #store: SqliteStore;
  readonly #vectors: SqliteVectors;
  readonly #words: SqliteMemoryWords;

  constructor(store: SqliteStore) {
    this.#store = store;
    this.#vectors = new SqliteVectors(store);
    this.#words = new SqliteMemoryWords(store);
  }

  get vectorsUnavailable(): string | null {
    return this.#store.vectorsUnavailable;
  }

  add(
    entry: MemoryEntry,
    chunks: readonly MemoryChunk[],
    now: number,
    options?: { onlyWithTurn: boolean },
  ): Promise<{ id: string; added: boolean }> {
    return this.#store.commit(() => {
      if (options?.onlyWithTurn && !this.#hasTurn(entry)) return { id: entry.id, added: false };
      const owner = this.#ownerFor(entry);
      const digest = digestOf(entry);
      const known = this.#store
        .prepare('SELECT pk, id, owner, expires_at FROM memories WHERE owner = ? AND digest = ?')
        .get(owner, digest);
      if (known) {
        const expired = known['expires_at'] !== null && Number(known['expires_at']) <= now;
        if (!expired) {
          this.#renew(Number(known['pk']), entry);
          return { id: String(known['id']), added: false };
        }
        this.#removeEntry(Number(known['pk']), owner);
      }
      const pk = this.#insert(entry, owner, digest);
      const insertChunk = this.#store.prepare(
        'INSERT INTO memory_chunks (memory_pk, owner, n, text, page, start) VALUES (?, ?, ?, ?, ?, ?)',
      );
      for (const [n, chunk] of chunks.entries()) {
        const { lastInsertRowid } = insertChunk.run(pk, owner, n, chunk.text, chunk.page, chunk.start);
        this.#words.add(Number(lastInsertRowid), owner, chunk.text);
      }
      return { id: entry.id, added: true };
    });
  }

  get(id: string): MemoryEntry | undefined {
    const row = this.#store.prepare(`SELECT ${ENTRY}, m.text ${FROM} WHERE m.id = ?`).get(id);
    return row ? { ...toEntry(row), text: String(row['text']) } : undefined;
  }

  list(
    { limit, offset, scope, kind, tag, viewer = null }: MemoryPage,
    now: number,
  ): { entries: MemoryEntry[]; total: number } {
    const conditions = ['(m.expires_at IS NULL OR m.expires_at > ?)'];
    const values: (string | number)[] = [now];
    if (viewer !== null) {
      conditions.push(`(m.owner = ${GLOBAL} OR m.owner IN (${OWNERS_BETWEEN}))`);
      values.push(ownName(viewer, ''), ownName(viewer, scope?.kind === 'global' ? '' : LAST));
    }
    if (scope?.kind === 'global') {
      if (viewer === null) conditions.push(`m.owner IN (${GLOBAL}, ${LESSONS})`);
    } else if (scope) {
      conditions.push('m.owner = ?');
      values.push(this.#ownerOf(nameOfScope(scope)) ?? -2);
    }
    if (kind) {
      conditions.push('m.kind = ?');
      values.push(kind);
    }
    if (tag !== undefined) {
      conditions.push(`EXISTS (SELECT 1 FROM json_each(m.details, '$.tags') t WHERE t.value = ?)`);
      values.push(tag);
    }
    const where = `WHERE ${conditions.join(' AND ')}`;
    const rows = this.#store
      .prepare(`SELECT ${ENTRY}, m.text ${FROM} ${where} ORDER BY m.pk DESC LIMIT ? OFFSET ?`)
      .all(...values, limit, offset);
    const total = this.#store.prepare(`SELECT count(*) AS n FROM memories m ${where}`).get(...values);
    return {
      entries: rows.map((row) => ({ ...toEntry(row), text: String(row['text']) })),
      total: Number(total?.['n']),
    };
  }

  chunks(id: string, { limit, offset }: { limit: number; offset: number }): MemoryChunk[] {
    return this.#store
      .prepare(
        `SELECT c.text, c.page, c.start FROM memory_chunks c JOIN memories m ON m.pk = c.memory_pk WHERE m.id = ?
         ORDER BY c.n LIMIT ? OFFSET ?`,
      )
      .all(id, limit, offset)
      .map(toChunk);
  }

  byWords(text: string, places: readonly MemoryPlace[], limit: number, now: number): MemoryHit[] {
    const found = this.#owners(places).flatMap((owner) => this.#words.find(text, owner, limit));
    return this.#hits(
      found
        .sort((a, b) => b.coverage - a.coverage)
        .map(({ chunkPk, coverage }) => ({ chunkPk, similarity: null, coverage })),
      places,
      limit,
      now,
    );
  }

  byMeaning(
    vector: readonly number[],
    embedderId: string,
    places: readonly MemoryPlace[],
    limit: number,
    now: number,
  ): MemoryHit[] {
    if (!this.#vectors.isCurrent(embedderId)) return [];
    const found = this.#owners(places).flatMap((owner) => this.#vectors.nearest(vector, owner));
    return this.#hits(
      found
        .sort((a, b) => b.similarity - a.similarity)
        .map(({ chunkPk, similarity }) => ({ chunkPk, similarity, coverage: null })),
      places,
      limit,
      now,
    );
  }

  holds(place: MemoryPlace, kind: MemoryKind): boolean {
    const [owner] = this.#owners([place]);
    if (owner === undefined) return false;
    return (
      this.#store.prepare('SELECT 1 FROM memories WHERE kind = ? AND owner = ? LIMIT 1').get(kind, owner) !== undefined
    );
  }

  pinned(places: readonly MemoryPlace[], limit: number, now: number): MemoryEntry[] {
    return this.#owners(places)
      .flatMap((owner) =>
        this.#store
          .prepare(
            `SELECT ${ENTRY}, m.text ${FROM} WHERE m.owner = ? AND m.pinned = 1 AND m.origin = 'user'
             AND (m.expires_at IS NULL OR m.expires_at > ?) ORDER BY m.pk DESC LIMIT ?`,
          )
          .all(owner, now, limit),
      )
      .sort((a, b) => Number(b['pk']) - Number(a['pk']))
      .slice(0, limit)
      .map((row) => ({ ...toEntry(row), text: String(row['text']) }));
  }

  remove(id: string): Promise<{ removed: boolean; vectors: number }> {
    return this.#store.commit(() => {
      const row = this.#store.prepare('SELECT pk, owner FROM memories WHERE id = ?').get(id);
      if (!row) return { removed: false, vectors: 0 };
      return { removed: true, vectors: this.#removeEntry(Number(row['pk']), Number(row['owner'])) };
    });
  }

  async clear(scope: MemoryScope | 'lessons', kind?: MemoryKind): Promise<{ entries: number; vectors: number }> {
    const [owner, value] = scope === 'lessons' ? ['?', LESSONS] : ownerIn(scope);
    const removed = await this.#removeWhere(
      `owner = ${owner}${kind ? ' AND kind = ?' : ''}`,
      kind ? [value, kind] : [value],
      Number.MAX_SAFE_INTEGER,
    );
    if (scope !== 'lessons' && scope.kind !== 'global')
      await this.#store.commit(() => {
        this.#store
          .prepare(
            'DELETE FROM memory_owners WHERE session_id = ? AND NOT EXISTS (SELECT 1 FROM memories WHERE owner = memory_owners.pk)',
          )
          .run(nameOfScope(scope));
      });
    return removed;
  }

  async removeTurns(sessionId: string, requestIds: readonly string[]): Promise<number> {
    let removed = 0;
    for (const requestId of requestIds)
      removed += (
        await this.#removeWhere(
          `owner = ${OWNER_OF} AND request_id = ?`,
          [sessionId, requestId],
          Number.MAX_SAFE_INTEGER,
        )
      ).entries;
    return removed;
  }

  async removeExpired(now: number, limit: number): Promise<number> {
    return (await this.#removeWhere('expires_at IS NOT NULL AND expires_at <= ?', [now], limit)).entries;
  }

  isEmbedder(id: string): boolean {
    return this.#vectors.isCurrent(id);
  }

  useEmbedder(id: string, dimensions: number): void {
    this.#vectors.use(id, dimensions);
  }

  withoutVector(limit: number): { chunkId: number; text: string }[] {
    return this.#store
      .prepare('SELECT pk, text FROM memory_chunks WHERE embedder < ? ORDER BY embedder, pk LIMIT ?')
      .all(this.#vectors.embedderPk || 1, limit)
      .map((row) => ({ chunkId: Number(row['pk']), text: String(row['text']) }));
  }

  saveVectors(embedderId: string, vectors: readonly { chunkId: number; vector: readonly number[] }[]): Promise<void> {
    return this.#store.commitSoon(() => {
      // The model may have changed while these were being made.
      if (!this.#vectors.isCurrent(embedderId)) return;
      const owner = this.#store.prepare('SELECT owner FROM memory_chunks WHERE pk = ?');
      const mark = this.#store.prepare('UPDATE memory_chunks SET embedder = ? WHERE pk = ?');
      for (const { chunkId, vector } of vectors) {
        const row = owner.get(chunkId);
        if (!row) continue;
        this.#vectors.save(chunkId, Number(row['owner']), vector);
        mark.run(this.#vectors.embedderPk, chunkId);
      }
    });
  }

  counts(): { entries: number; chunks: number; vectors: number; waiting: number } {
    const count = (sql: string, ...values: number[]) => Number(this.#store.prepare(sql).get(...values)?.['n']);
    return {
      entries: count('SELECT count(*) AS n FROM memories'),
      chunks: count('SELECT count(*) AS n FROM memory_chunks'),
      vectors: this.#vectors.count(),
      waiting: count('SELECT count(*) AS n FROM memory_chunks WHERE embedder < ?', this.#vectors.embedderPk || 1),
    };
  }

  #insert(entry: MemoryEntry, owner: number, digest: string): number {
    const { lastInsertRowid } = this.#store
      .prepare(
        `INSERT INTO memories (id, owner, kind, origin, text, source, labels, pinned, collection, category, topic, user_id,
           request_id, details, digest, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        entry.id,
        owner,
        entry.kind,
        entry.origin,
        entry.text,
        entry.source,
        JSON.stringify(entry.labels),
        entry.pinned ? 1 : 0,
        entry.collection,
        entry.category,
        entry.topic,
        entry.userId,
        entry.requestId,
        entry.details === null ? null : JSON.stringify(entry.details),
        digest,
        entry.createdAt,
        entry.expiresAt,
      );
    return Number(lastInsertRowid);
  }

  // Labels only ever grow: what was once private does not become public by being said again.
  #renew(pk: number, entry: MemoryEntry): void {
    const row = this.#store.prepare('SELECT labels FROM memories WHERE pk = ?').get(pk);
    const labels = [...new Set([...(JSON.parse(String(row?.['labels'])) as string[]), ...entry.labels])];
    this.#store
      .prepare(
        `UPDATE memories SET pinned = max(pinned, ?), labels = ?,
           expires_at = CASE WHEN expires_at IS NULL OR ? IS NULL THEN NULL ELSE max(expires_at, ?) END WHERE pk = ?`,
      )
      .run(entry.pinned ? 1 : 0, JSON.stringify(labels), entry.expiresAt, entry.expiresAt, pk);
  }

  #removeEntry(pk: number, owner: number): number {
    let vectors = 0;
    for (const row of this.#store.prepare('SELECT pk FROM memory_chunks WHERE memory_pk = ?').all(pk)) {
      const chunkPk = Number(row['pk']);
      this.#words.remove(chunkPk, owner);
      if (this.#vectors.remove(chunkPk, owner)) vectors += 1;
    }
    this.#store.prepare('DELETE FROM memories WHERE pk = ?').run(pk);
    return vectors;
  }

  async #removeWhere(
    condition: string,
    values: readonly (string | number)[],
    limit: number,
  ): Promise<{ entries: number; vectors: number }> {
    const removed = { entries: 0, vectors: 0 };
    for (;;) {
      const rows = await this.#store.commit(() => {
        const found = this.#store
          .prepare(`SELECT pk, owner FROM memories WHERE ${condition} LIMIT ?`)
          .all(...values, Math.min(REMOVED_AT_ONCE, limit - removed.entries));
        for (const row of found) removed.vectors += this.#removeEntry(Number(row['pk']), Number(row['owner']));
        return found.length;
      });
      removed.entries += rows;
      if (rows < REMOVED_AT_ONCE || removed.entries >= limit) return removed;
    }
  }

  #hasTurn({ scope, requestId }: MemoryEntry): boolean {
    if (scope.kind !== 'session' || requestId === null) return true;
    const row = this.#store
      .prepare('SELECT 1 FROM messages m JOIN sessions s ON s.pk = m.session_pk WHERE m.request_id = ? AND s.id = ?')
      .get(requestId, scope.sessionId);
    return row !== undefined;
  }

  #ownerFor(entry: MemoryEntry): number {
    if (entry.scope.kind === 'global') return entry.kind === 'lesson' ? LESSONS : GLOBAL;
    const name = nameOfScope(entry.scope);
    const known = this.#ownerOf(name);
    if (known !== undefined) return known;
    return Number(this.#store.prepare('INSERT INTO memory_owners (session_id) VALUES (?)').run(name).lastInsertRowid);
  }

  #ownerOf(name: string): number | undefined {
    const row = this.#store.prepare('SELECT pk FROM memory_owners WHERE session_id = ?').get(name);
    return row ? Number(row['pk']) : undefined;
  }

  #owners(places: readonly MemoryPlace[]): number[] {
    const owners = places.map((place) =>
      place === 'global'
        ? GLOBAL
        : place === 'lessons'
          ? LESSONS
          : this.#ownerOf('owner' in place ? ownName(place.owner, '') : place.sessionId),
    );
    return owners.filter((owner) => owner !== undefined);
  }

  /** The rows of candidates, checked once more for owner and expiry. */
  #hits(
    candidates: readonly { chunkPk: number; similarity: number | null; coverage: number | null }[],
    places: readonly MemoryPlace[],
    limit: number,
    now: number,
  ): MemoryHit[] {
    const allowed = new Set(this.#owners(places));
    const statement = this.#store.prepare(
      `SELECT ${ENTRY}, c.pk AS chunk_pk, c.text AS chunk_text, c.page, c.start ${FROM}
       JOIN memory_chunks c ON c.memory_pk = m.pk WHERE c.pk = ? AND (m.expires_at IS NULL OR m.expires_at > ?)`,
    );
    const hits: MemoryHit[] = [];
    for (const { chunkPk, similarity, coverage } of candidates) {
      if (hits.length >= limit) break;
      const row = statement.get(chunkPk, now);
      if (!row || !allowed.has(Number(row['owner']))) continue;
      hits.push({
        entry: toEntry(row),
        chunkId: chunkPk,
        chunk: toChunk({ ...row, text: row['chunk_text'] }),
        similarity,
        coverage,
      });
    }
    return hits;
  }
}

/** Found within the statement: what is asked for in one breath with a removal may make an owner that is not there yet. */
const OWNER_OF = '(SELECT pk FROM memory_owners WHERE session_id = ?)';

const ownerIn = (scope: MemoryScope): [owner: string, value: string | number] =>
  scope.kind === 'global' ? ['?', GLOBAL] : [OWNER_OF, nameOfScope(scope)];

/** What a user keeps for all of their sessions stands under a name that no session can have. */
const nameOfScope = (scope: Exclude<MemoryScope, { kind: 'global' }>): string =>
  scope.kind === 'user' ? ownName(scope.owner, '') : scope.sessionId;

function scopeOfName(name: string): MemoryScope {
  const owner = ownerOfSession(name);
  return owner !== null && name === ownName(owner, '') ? { kind: 'user', owner } : { kind: 'session', sessionId: name };
}

function digestOf(entry: MemoryEntry): string {
  const file = entry.details?.['sha256'];
  const what = typeof file === 'string' ? file : entry.text.trim();
  return createHash('sha256').update(`${entry.collection}\0${entry.kind}\0${what}`).digest('hex');
}

function toEntry(row: Row): Omit<MemoryEntry, 'text'> {
  const text = (name: string) => (row[name] === null ? null : String(row[name]));
  return {
    id: String(row['id']),
    scope: Number(row['owner']) > GLOBAL ? scopeOfName(String(row['session_id'])) : { kind: 'global' },
    kind: row['kind'] as MemoryEntry['kind'],
    origin: row['origin'] as MemoryEntry['origin'],
    source: String(row['source']),
    labels: JSON.parse(String(row['labels'])),
    pinned: Number(row['pinned']) === 1,
    collection: String(row['collection']),
    category: text('category'),
    topic: text('topic'),
    userId: text('user_id'),
    requestId: text('request_id'),
    details: row['details'] === null ? null : JSON.parse(String(row['details'])),
    createdAt: Number(row['created_at']),
    expiresAt: row['expires_at'] === null ? null : Number(row['expires_at']),
  };
}

const toChunk = (row: Row): MemoryChunk => ({
  text: String(row['text']),
  page: row['page'] === null ? null : Number(row['page']),
  start: Number(row['start']),
});
