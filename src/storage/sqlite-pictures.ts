// Pictures of questions: one row for the same bytes, however often they are sent. The port of those who show them is
// SessionPictures in chat/sessions/session-pictures.ts; writing goes along with SqliteTasks, in its transactions.
import { createHash } from 'node:crypto';
import type { PictureFacts, SessionPictures } from '../chat/sessions/session-pictures.js';
import type { Picture } from '../chat/tasks/task.js';
import type { SqliteStore } from './sqlite-store.js';

export class SqlitePictures implements SessionPictures {
  readonly #store: SqliteStore;
  readonly #keptBytesMax: number;

  /** @param keptBytesMax  of all that are kept with their messages; 0 keeps none */
  constructor(store: SqliteStore, keptBytesMax: number) {
    this.#store = store;
    this.#keptBytesMax = keptBytesMax;
  }

  /** Within the caller's transaction. */
  add(requestId: string, pictures: readonly Picture[]): void {
    const insert = this.#store.prepare(
      'INSERT INTO pictures (hash, media_type, size, bytes) VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING',
    );
    const point = this.#store.prepare('INSERT INTO turn_pictures (request_id, n, hash) VALUES (?, ?, ?)');
    for (const [n, { mediaType, base64 }] of pictures.entries()) {
      const bytes = Buffer.from(base64, 'base64');
      const hash = createHash('sha256').update(bytes).digest('hex');
      insert.run(hash, mediaType, bytes.length, bytes);
      point.run(requestId, n, hash);
    }
  }

  /** The task has ended: they stay with its message where it has one. Within the caller's transaction. */
  settle(requestId: string): void {
    this.#store
      .prepare(
        `UPDATE turn_pictures SET kept = 1
         WHERE request_id = ? AND EXISTS (SELECT 1 FROM messages WHERE request_id = ? AND role = 'user')`,
      )
      .run(requestId, requestId);
    this.#store.prepare('DELETE FROM turn_pictures WHERE request_id = ? AND kept = 0').run(requestId);
    this.#makeRoom();
  }

  of(requestId: string): Picture[] {
    return this.#store
      .prepare(
        'SELECT p.media_type, p.bytes FROM turn_pictures t JOIN pictures p ON p.hash = t.hash WHERE t.request_id = ? ORDER BY t.n',
      )
      .all(requestId)
      .map(toPicture);
  }

  factsOf(requestId: string): PictureFacts[] {
    return this.#store
      .prepare(
        'SELECT p.hash, p.media_type, p.size FROM turn_pictures t JOIN pictures p ON p.hash = t.hash WHERE t.request_id = ? ORDER BY t.n',
      )
      .all(requestId)
      .map((row) => ({
        hash: String(row['hash']),
        mediaType: String(row['media_type']),
        sizeBytes: Number(row['size']),
      }));
  }

  read(sessionId: string, hash: string): Picture | undefined {
    const row = this.#store
      .prepare(
        `SELECT p.media_type, p.bytes FROM pictures p WHERE p.hash = ? AND EXISTS (
           SELECT 1 FROM turn_pictures t JOIN messages m ON m.request_id = t.request_id
           JOIN sessions s ON s.pk = m.session_pk WHERE t.hash = p.hash AND s.id = ?)`,
      )
      .get(hash, sessionId);
    return row && toPicture(row);
  }

  /** Of tasks that have not ended. */
  waitingBytes(): number {
    return this.#bytes(0);
  }

  #bytes(kept: 0 | 1): number {
    const row = this.#store
      .prepare(
        'SELECT coalesce(sum(size), 0) AS n FROM pictures WHERE hash IN (SELECT hash FROM turn_pictures WHERE kept = ?)',
      )
      .get(kept);
    return Number(row?.['n']);
  }

  /** The oldest go first. */
  #makeRoom(): void {
    const oldest = this.#store.prepare('SELECT request_id FROM turn_pictures WHERE kept = 1 ORDER BY pk LIMIT 1');
    const remove = this.#store.prepare('DELETE FROM turn_pictures WHERE request_id = ? AND kept = 1');
    while (this.#bytes(1) > this.#keptBytesMax) {
      const row = oldest.get();
      if (!row) return;
      remove.run(row['request_id'] as string);
    }
  }
}

const toPicture = (row: Record<string, unknown>): Picture => ({
  mediaType: String(row['media_type']),
  base64: Buffer.from(row['bytes'] as Uint8Array).toString('base64'),
});
