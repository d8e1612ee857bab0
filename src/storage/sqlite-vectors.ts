// Vectors of the embedding model in use. Texts for all are found through sqlite-vec by the sign of each dimension and
// ordered by the exact cosine; one session's texts are few and compared directly. Nothing here mixes two models.
import type { SqliteStore } from './sqlite-store.js';

/** Coarse candidates: sqlite-vec's cost grows with the square of it. */
const CANDIDATES = 24;
/** Of one session, the newest. */
const OWNED_SCANNED = 4_000;

export interface NearChunk {
  chunkPk: number;
  /** -1..1 */
  similarity: number;
}

export class SqliteVectors {
  readonly #store: SqliteStore;
  #current: { pk: number; identity: string; dimensions: number } | undefined;

  constructor(store: SqliteStore) {
    this.#store = store;
    if (store.vectorsUnavailable !== null) return;
    const row = store.prepare('SELECT pk, identity, dimensions FROM embedders ORDER BY pk DESC LIMIT 1').get();
    if (row)
      this.#current = {
        pk: Number(row['pk']),
        identity: String(row['identity']),
        dimensions: Number(row['dimensions']),
      };
  }

  /** Row of the embedder in use; 0 when there is none. */
  get embedderPk(): number {
    return this.#current?.pk ?? 0;
  }

  isCurrent(identity: string): boolean {
    return this.#current?.identity === identity;
  }

  use(identity: string, dimensions: number): void {
    if (this.#store.vectorsUnavailable !== null) return;
    if (this.#current?.identity === identity && this.#current.dimensions === dimensions) return;
    const pk = this.#store.transaction(() => {
      this.#store.define(`DROP TABLE IF EXISTS memory_bits; DROP TABLE IF EXISTS memory_vectors;
        CREATE TABLE memory_vectors (chunk_pk INTEGER PRIMARY KEY, owner INTEGER NOT NULL, bits BLOB NOT NULL, embedding BLOB NOT NULL);
        CREATE INDEX memory_vectors_by_owner ON memory_vectors(owner, chunk_pk, bits);
        CREATE VIRTUAL TABLE memory_bits USING vec0(bits bit[${bytesOfBits(dimensions) * 8}])`);
      const { lastInsertRowid } = this.#store
        .prepare('INSERT INTO embedders (identity, dimensions) VALUES (?, ?)')
        .run(identity, dimensions);
      return Number(lastInsertRowid);
    });
    this.#current = { pk, identity, dimensions };
  }

  /** Within a transaction of the caller's. Vectors of a wrong length are refused. */
  save(chunkPk: number, owner: number, vector: readonly number[]): boolean {
    if (!this.#current || vector.length !== this.#current.dimensions) return false;
    const bits = signBits(vector);
    this.#store
      .prepare('INSERT OR REPLACE INTO memory_vectors (chunk_pk, owner, bits, embedding) VALUES (?, ?, ?, ?)')
      .run(chunkPk, owner, bits, quantized(vector));
    if (owner === 0) {
      this.#store.prepare('DELETE FROM memory_bits WHERE rowid = ?').run(BigInt(chunkPk));
      this.#store.prepare('INSERT INTO memory_bits (rowid, bits) VALUES (?, vec_bit(?))').run(BigInt(chunkPk), bits);
    }
    return true;
  }

  /** Within a transaction of the caller's. Returns whether there was one. */
  remove(chunkPk: number, owner: number): boolean {
    if (!this.#current) return false;
    const { changes } = this.#store.prepare('DELETE FROM memory_vectors WHERE chunk_pk = ?').run(chunkPk);
    if (changes > 0n && owner === 0)
      this.#store.prepare('DELETE FROM memory_bits WHERE rowid = ?').run(BigInt(chunkPk));
    return changes > 0n;
  }

  /** Best first. */
  nearest(vector: readonly number[], owner: number): NearChunk[] {
    if (!this.#current || vector.length !== this.#current.dimensions) return [];
    const bits = signBits(vector);
    const rows =
      owner === 0
        ? this.#store
            .prepare(
              `SELECT v.chunk_pk, v.embedding FROM memory_bits b JOIN memory_vectors v ON v.chunk_pk = b.rowid
               WHERE b.bits MATCH vec_bit(?) AND b.k = ${CANDIDATES} AND v.owner = 0`,
            )
            .all(bits)
        : this.#store
            .prepare(
              `SELECT v.chunk_pk, v.embedding FROM memory_vectors v WHERE v.chunk_pk IN (
                 SELECT chunk_pk FROM (SELECT chunk_pk, bits FROM memory_vectors WHERE owner = ? ORDER BY chunk_pk DESC LIMIT ${OWNED_SCANNED})
                 ORDER BY vec_distance_hamming(vec_bit(bits), vec_bit(?)) LIMIT ${CANDIDATES})`,
            )
            .all(owner, bits);
    return rows
      .map((row) => ({
        chunkPk: Number(row['chunk_pk']),
        similarity: cosine(vector, row['embedding'] as Uint8Array),
      }))
      .sort((a, b) => b.similarity - a.similarity);
  }

  count(): number {
    if (!this.#current) return 0;
    return Number(this.#store.prepare('SELECT count(*) AS n FROM memory_vectors').get()?.['n']);
  }
}

const bytesOfBits = (dimensions: number): number => Math.ceil(dimensions / 8);

function signBits(vector: readonly number[]): Uint8Array {
  const bits = new Uint8Array(bytesOfBits(vector.length));
  for (let index = 0; index < vector.length; index += 1) {
    const byte = index >> 3;
    if ((vector[index] as number) > 0) bits[byte] = (bits[byte] as number) | (1 << (index & 7));
  }
  return bits;
}

/** A byte per dimension: the cosine needs no common scale, and a row is a quarter as large. */
function quantized(vector: readonly number[]): Uint8Array {
  let largest = 0;
  for (const value of vector) largest = Math.max(largest, Math.abs(value));
  const scale = largest > 0 ? 127 / largest : 0;
  return new Uint8Array(Int8Array.from(vector, (value) => Math.round(value * scale)).buffer);
}

function cosine(vector: readonly number[], stored: Uint8Array): number {
  const bytes = new Int8Array(stored.buffer, stored.byteOffset, stored.byteLength);
  let dot = 0;
  let own = 0;
  let other = 0;
  for (let index = 0; index < vector.length; index += 1) {
    const a = vector[index] as number;
    const b = bytes[index] as number;
    dot += a * b;
    own += a * a;
    other += b * b;
  }
  return own === 0 || other === 0 ? 0 : dot / Math.sqrt(own * other);
}
