// Sessions and messages as rows. The port is SessionRepository in chat/ports.ts.
import type {
  BroughtConversation,
  PartialText,
  SessionChange,
  SessionPage,
  SessionRepository,
  SessionSummary,
  StoredMessage,
  TurnEnd,
  TurnStart,
} from '../chat/ports.js';
import { foldText } from '../shared/fold-text.js';
import { ownName } from '../shared/owner.js';
import { markOf, setMark } from './marks.js';
import { MessageIndex, newestMessage, wordsQuery } from './message-index.js';
import { packReceipt } from './packed-receipt.js';
import { json, MESSAGE, SUMMARY, toMessage, toSummary, usageBeside } from './session-rows.js';
import type { SqliteStore } from './sqlite-store.js';

const TITLE_CHARS = 80;
/** Of one clean-up, so that it never holds the others up. */
const EXPIRED_SESSIONS = 500;

export class SqliteSessions implements SessionRepository {
  readonly #store: SqliteStore;
  readonly #bootId: string;
  readonly #maxEntries: number;
  /** Answers that are being written: their rows, and how many parts of them are on disk. */
  readonly #running = new Map<string, { pk: number; parts: number }>();
  readonly #index: MessageIndex;

  /** `maxEntries` 0 keeps every message of a session. */
  constructor(store: SqliteStore, bootId: string, maxEntries: number) {
    this.#store = store;
    this.#bootId = bootId;
    this.#maxEntries = maxEntries;
    this.#index = new MessageIndex(store, () => [...this.#running.values()].map(({ pk }) => pk));
  }

  together<T>(ask: () => T): T {
    return this.#store.together(ask);
  }

  beginTurn(turn: TurnStart): Promise<void> {
    return this.#store.commit(() => {
      const { pk, seq } = this.#reserve(turn.sessionId, 2, turn.userText, turn.at);
      if (turn.instructions !== undefined) this.#instruct(pk, turn.instructions);
      this.#insert(pk, seq, { ...turn, role: 'user', content: turn.userText, status: 'complete', model: null });
      const answer = this.#insert(pk, seq + 1, {
        ...turn,
        role: 'assistant',
        content: '',
        status: 'streaming',
        labels: undefined,
      });
      this.#running.set(turn.requestId, { pk: answer, parts: 0 });
      if (turn.idempotencyKey !== null) {
        this.#store
          .prepare('INSERT INTO idempotency (key, request_id, created_at) VALUES (?, ?, ?)')
          .run(turn.idempotencyKey, turn.requestId, turn.at);
      }
    });
  }

  appendParts(parts: ReadonlyMap<string, PartialText>): void {
    const insert = this.#store.prepare('INSERT INTO stream_parts (request_id, n, text, thought) VALUES (?, ?, ?, ?)');
    this.#store.write(() => {
      for (const [requestId, { text, thought }] of parts) {
        const running = this.#running.get(requestId);
        if (!running) continue;
        insert.run(requestId, running.parts, text, thought || null);
        running.parts += 1;
      }
    });
  }

  endTurn(end: TurnEnd): Promise<void> {
    return this.#store.commitSoon(() => {
      const running = this.#running.get(end.requestId);
      if (!running) return;
      this.#store
        .prepare(
          'UPDATE messages SET content = ?, thought = ?, status = ?, error = ?, usage = ?, receipt = ? WHERE pk = ?',
        )
        .run(
          end.text,
          end.thought || null,
          end.status,
          json(end.error),
          usageBeside(end),
          packReceipt(end.receipt),
          running.pk,
        );
      if (end.model !== undefined)
        this.#store.prepare('UPDATE messages SET model = ? WHERE pk = ?').run(end.model, running.pk);
      if (running.parts > 0) this.#store.prepare('DELETE FROM stream_parts WHERE request_id = ?').run(end.requestId);
      this.#running.delete(end.requestId);
    });
  }

  reopenTurn(requestId: string): Promise<boolean> {
    return this.#store.commit(() => {
      const row = this.#store
        .prepare(
          `UPDATE messages SET content = '', thought = NULL, status = 'streaming', error = NULL, usage = NULL
           WHERE request_id = ? AND role = 'assistant' RETURNING pk`,
        )
        .get(requestId);
      if (!row) return false;
      const pk = row['pk'] as number;
      this.#running.set(requestId, { pk, parts: 0 });
      // At the next start everything up to the mark counts as settled, and this answer no longer is.
      if (Number(markOf(this.#store, 'settled_up_to') ?? 0) >= pk)
        setMark(this.#store, 'settled_up_to', String(pk - 1));
      return true;
    });
  }

  append(message: Omit<StoredMessage, 'seq'>): Promise<number> {
    return this.#store.commit(() => {
      const { pk, seq } = this.#reserve(message.sessionId, 1, message.content, message.createdAt);
      this.#insert(pk, seq, { ...message, at: message.createdAt });
      return seq;
    });
  }

  bringIn({ sessionId, title, instructions, messages }: BroughtConversation, at: number): Promise<boolean> {
    return this.#store.commit(() => {
      const kept = this.#maxEntries > 0 ? messages.slice(-this.#maxEntries) : messages;
      const row = this.#store
        .prepare(
          `INSERT INTO sessions (id, title, title_origin, boot_id, created_at, updated_at, next_seq)
           VALUES (?, ?, 'person', ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING pk`,
        )
        .get(sessionId, title, this.#bootId, at, at, 1 + kept.length);
      if (!row) return false;
      const pk = row['pk'] as number;
      if (instructions !== '') this.#instruct(pk, instructions);
      for (const [index, message] of kept.entries()) this.#insert(pk, index + 1, { ...message, at: message.createdAt });
      return true;
    });
  }

  interruptUnfinished(): number {
    return this.#store.transaction(() => {
      // Everything up to here had ended when a process last started, so only what came since is looked at.
      const settled = Number(markOf(this.#store, 'settled_up_to') ?? 0);
      const rows = this.#store
        .prepare(`SELECT pk, request_id FROM messages WHERE pk > ? AND status = 'streaming'`)
        .all(settled);
      for (const row of rows) {
        const parts = this.#store
          .prepare('SELECT text, thought FROM stream_parts WHERE request_id = ? ORDER BY n')
          .all(row['request_id'] as string);
        this.#store
          .prepare(
            `UPDATE messages SET content = ?, thought = nullif(?, ''), status = 'interrupted', error = ? WHERE pk = ?`,
          )
          .run(
            parts.map((part) => part['text']).join(''),
            parts.map((part) => part['thought'] ?? '').join(''),
            json({ code: 'interrupted', message: 'The server stopped before this answer was complete.' }),
            row['pk'] as number,
          );
      }
      this.#store.prepare('DELETE FROM stream_parts').run();
      setMark(this.#store, 'settled_up_to', String(newestMessage(this.#store)));
      return rows.length;
    });
  }

  adoptBoot(bootId: string): void {
    setMark(this.#store, 'boot_id', bootId);
  }

  list({ limit, offset, query, viewer = null }: SessionPage): { sessions: SessionSummary[]; total: number } {
    const text = foldText(query.trim());
    const [visible, seen] = viewer === null ? ['TRUE', []] : [OWN, ownRange(viewer)];
    if (text === '') {
      const rows = this.#store
        .prepare(`${SUMMARY} WHERE ${visible} ORDER BY ${NEWEST} LIMIT ? OFFSET ?`)
        .all(...seen, limit, offset);
      const total = this.#store.prepare(`SELECT count(*) AS n FROM sessions s WHERE ${visible}`).get(...seen);
      return { sessions: rows.map(toSummary), total: Number(total?.['n']) };
    }
    this.#index.bringUpToDate();
    const match = wordsQuery(text);
    const like = `%${text.replace(/[\\%_]/g, '\\$&')}%`;
    const where = `WHERE ${visible} AND (fold(s.title) LIKE ? ESCAPE '\\'${match ? ` OR s.pk IN (SELECT m.session_pk FROM messages_fts f JOIN messages m ON m.pk = f.rowid WHERE messages_fts MATCH ?)` : ''})`;
    const parameters = match ? [...seen, like, match] : [...seen, like];
    const rows = this.#store
      .prepare(`${SUMMARY} ${where} ORDER BY ${NEWEST} LIMIT ? OFFSET ?`)
      .all(...parameters, limit, offset);
    const total = this.#store.prepare(`SELECT count(*) AS n FROM sessions s ${where}`).get(...parameters);
    return { sessions: rows.map(toSummary), total: Number(total?.['n']) };
  }

  summary(sessionId: string): SessionSummary | undefined {
    const row = this.#store.prepare(`${SUMMARY} WHERE s.id = ?`).get(sessionId);
    return row ? toSummary(row) : undefined;
  }

  messages(
    sessionId: string,
    { limit, beforeSeq }: { limit: number; beforeSeq?: number | undefined },
  ): StoredMessage[] {
    const session = this.#store.prepare('SELECT pk FROM sessions WHERE id = ?').get(sessionId);
    if (!session) return [];
    const rows = this.#store
      .prepare(`${MESSAGE} WHERE m.session_pk = ? AND m.seq < ? ORDER BY m.seq DESC LIMIT ?`)
      .all(session['pk'] as number, beforeSeq ?? Number.MAX_SAFE_INTEGER, limit);
    return rows.reverse().map(toMessage);
  }

  recentTexts(sessionId: string, maxChars: number): { role: StoredMessage['role']; content: string }[] {
    const rows = this.#store
      .prepare(
        `SELECT role, content FROM messages WHERE session_pk = (SELECT pk FROM sessions WHERE id = ?) AND content <> ''
         ORDER BY seq DESC`,
      )
      .iterate(sessionId);
    const texts: { role: StoredMessage['role']; content: string }[] = [];
    let left = maxChars;
    for (const row of rows) {
      const content = row['content'] as string;
      left -= content.length;
      if (left < 0) break;
      texts.push({ role: row['role'] as StoredMessage['role'], content });
    }
    return texts.reverse();
  }

  textBytes(sessionId: string): number {
    const row = this.#store
      .prepare(
        `SELECT coalesce(sum(octet_length(content)), 0) AS n FROM messages
         WHERE session_pk = (SELECT pk FROM sessions WHERE id = ?)`,
      )
      .get(sessionId);
    return Number(row?.['n']);
  }

  question(requestId: string): StoredMessage | undefined {
    const row = this.#store.prepare(`${MESSAGE} WHERE m.request_id = ? AND m.role = 'user'`).get(requestId);
    return row ? toMessage(row) : undefined;
  }

  answer(requestId: string): StoredMessage | undefined {
    const row = this.#store.prepare(`${MESSAGE} WHERE m.request_id = ? AND m.role = 'assistant'`).get(requestId);
    return row ? toMessage(row) : undefined;
  }

  newestAnswers(limit: number): StoredMessage[] {
    const rows = this.#store
      .prepare(`${MESSAGE} WHERE m.role = 'assistant' AND m.status <> 'streaming' ORDER BY m.pk DESC LIMIT ?`)
      .all(limit);
    return rows.map(toMessage);
  }

  receipts(sessionId: string, { limit, afterSeq }: { limit: number; afterSeq: number }): StoredMessage[] {
    const rows = this.#store
      .prepare(
        `${MESSAGE} WHERE m.session_pk = (SELECT pk FROM sessions WHERE id = ?) AND m.seq > ? AND m.receipt IS NOT NULL
         ORDER BY m.seq LIMIT ?`,
      )
      .all(sessionId, afterSeq, limit);
    return rows.map(toMessage);
  }

  requestOf(idempotencyKey: string): string | undefined {
    return this.#store.prepare('SELECT request_id FROM idempotency WHERE key = ?').get(idempotencyKey)?.[
      'request_id'
    ] as string | undefined;
  }

  change(sessionId: string, { title, pinned, instructions }: SessionChange, at: number): Promise<boolean> {
    return this.#store.commit(() => {
      const session = this.#store.prepare('SELECT pk FROM sessions WHERE id = ?').get(sessionId);
      if (!session) return false;
      const pk = session['pk'] as number;
      if (title !== undefined)
        this.#store.prepare(`UPDATE sessions SET title = ?, title_origin = 'person' WHERE pk = ?`).run(title, pk);
      if (pinned !== undefined)
        this.#store.prepare('UPDATE sessions SET pinned_at = ? WHERE pk = ?').run(pinned ? at : null, pk);
      if (instructions !== undefined) this.#instruct(pk, instructions);
      return true;
    });
  }

  instructions(sessionId: string): string {
    const row = this.#store.prepare('SELECT instructions FROM sessions WHERE id = ?').get(sessionId);
    return String(row?.['instructions'] ?? '');
  }

  suggestTitle(sessionId: string, title: string): Promise<boolean> {
    return this.#store.commitSoon(
      () =>
        this.#store
          .prepare(
            `UPDATE sessions SET title = ?, title_origin = 'suggested' WHERE id = ? AND title_origin = 'first_words'`,
          )
          .run(title, sessionId).changes === 1n,
    );
  }

  mayName(sessionId: string): boolean {
    return this.#store.prepare(`SELECT 1 FROM sessions WHERE id = ? AND ${UNNAMED}`).get(sessionId) !== undefined;
  }

  nameByModel(sessionId: string, title: string | null): Promise<boolean> {
    return this.#store.commitSoon(
      () =>
        this.#store
          .prepare(`UPDATE sessions SET title = coalesce(?, title), title_origin = 'model' WHERE id = ? AND ${UNNAMED}`)
          .run(title, sessionId).changes === 1n,
    );
  }

  remove(sessionId: string): Promise<boolean> {
    return this.#store.commit(() => {
      const session = this.#store.prepare('SELECT pk FROM sessions WHERE id = ?').get(sessionId);
      if (!session) return false;
      this.#removeMessages(session['pk'] as number, 0);
      this.#store.prepare('DELETE FROM sessions WHERE pk = ?').run(session['pk'] as number);
      this.#store.prepare('DELETE FROM session_labels WHERE session_id = ?').run(sessionId);
      this.#store.prepare('DELETE FROM label_releases WHERE session_id = ?').run(sessionId);
      return true;
    });
  }

  truncate(sessionId: string, fromSeq: number): Promise<number> {
    return this.#store.commit(() => {
      const session = this.#store.prepare('SELECT pk FROM sessions WHERE id = ?').get(sessionId);
      return session ? this.#removeMessages(session['pk'] as number, fromSeq) : 0;
    });
  }

  removeOlderThan(createdBefore: number): Promise<{ messages: number; sessionIds: string[] }> {
    return this.#store.commit(() => {
      const sessions = this.#store
        .prepare(
          `SELECT session_pk, max(seq) AS seq FROM messages WHERE created_at < ? AND status <> 'streaming'
           GROUP BY session_pk LIMIT ${EXPIRED_SESSIONS}`,
        )
        .all(createdBefore);
      let messages = 0;
      const sessionIds: string[] = [];
      for (const row of sessions) {
        const pk = row['session_pk'] as number;
        this.#index.remove(pk, 0, row['seq'] as number);
        messages += Number(
          this.#store.prepare('DELETE FROM messages WHERE session_pk = ? AND seq <= ?').run(pk, row['seq'] as number)
            .changes,
        );
        const gone = this.#store
          .prepare(
            'DELETE FROM sessions WHERE pk = ? AND NOT EXISTS (SELECT 1 FROM messages WHERE session_pk = sessions.pk) RETURNING id',
          )
          .get(pk);
        if (gone) sessionIds.push(String(gone['id']));
      }
      return { messages, sessionIds };
    });
  }

  // Sequence numbers are handed out by the session's row and never used again, even after a truncation.
  #reserve(sessionId: string, count: number, text: string, at: number): { pk: number; seq: number } {
    const row = this.#store
      .prepare(
        `INSERT INTO sessions (id, title, boot_id, created_at, updated_at, next_seq) VALUES (?, ?, ?, ?, ?, 1 + ?)
         ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at, boot_id = excluded.boot_id, next_seq = next_seq + ?
         RETURNING pk, next_seq`,
      )
      .get(sessionId, titleFrom(text), this.#bootId, at, at, count, count);
    const pk = row?.['pk'] as number;
    const seq = (row?.['next_seq'] as number) - count;
    if (this.#maxEntries > 0 && seq + count - 1 > this.#maxEntries) this.#dropOldest(pk, count);
    return { pk, seq };
  }

  #instruct(sessionPk: number, instructions: string): void {
    this.#store.prepare(`UPDATE sessions SET instructions = nullif(?, '') WHERE pk = ?`).run(instructions, sessionPk);
  }

  #dropOldest(sessionPk: number, coming: number): void {
    const row = this.#store
      .prepare('SELECT seq FROM messages WHERE session_pk = ? ORDER BY seq DESC LIMIT 1 OFFSET ?')
      .get(sessionPk, Math.max(0, this.#maxEntries - coming));
    if (!row) return;
    this.#index.remove(sessionPk, 0, row['seq'] as number);
    this.#store.prepare('DELETE FROM messages WHERE session_pk = ? AND seq <= ?').run(sessionPk, row['seq'] as number);
  }

  #insert(
    sessionPk: number,
    seq: number,
    message: Pick<StoredMessage, 'requestId' | 'role' | 'content' | 'status' | 'model'> &
      Partial<StoredMessage> & { at: number },
  ): number {
    const { lastInsertRowid } = this.#store
      .prepare(
        `INSERT INTO messages (session_pk, seq, request_id, role, content, status, model, error, usage, labels, receipt,
         thought, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        sessionPk,
        seq,
        message.requestId,
        message.role,
        message.content,
        message.status,
        message.model,
        json(message.error ?? null),
        json(message.usage ?? null),
        message.labels?.length ? json(message.labels) : null,
        packReceipt(message.receipt),
        message.thought || null,
        message.at,
      );
    return Number(lastInsertRowid);
  }

  #removeMessages(sessionPk: number, fromSeq: number): number {
    this.#index.remove(sessionPk, fromSeq, Number.MAX_SAFE_INTEGER);
    this.#store
      .prepare(
        'DELETE FROM stream_parts WHERE request_id IN (SELECT request_id FROM messages WHERE session_pk = ? AND seq >= ?)',
      )
      .run(sessionPk, fromSeq);
    return Number(
      this.#store.prepare('DELETE FROM messages WHERE session_pk = ? AND seq >= ?').run(sessionPk, fromSeq).changes,
    );
  }
}

const UNNAMED = `title_origin IN ('first_words', 'suggested')`;

/** Ids that begin with their owner's. */
const OWN = 's.id >= ? AND s.id < ?';
const ownRange = (owner: string): string[] => [ownName(owner, ''), ownName(owner, '\u{10ffff}')];

/** Pinned ones first. */
const NEWEST = 's.pinned_at IS NULL, s.updated_at DESC, s.pk DESC';
function titleFrom(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > TITLE_CHARS ? `${line.slice(0, TITLE_CHARS - 1)}…` : line;
}
