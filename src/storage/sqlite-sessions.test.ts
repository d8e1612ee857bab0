import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteSessions } from './sqlite-sessions.js';
import { SqliteStore } from './sqlite-store.js';

let folder: string;
let store: SqliteStore;
let at: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-sessions-'));
  store = new SqliteStore(join(folder, 'venom.db'));
  at = 1_000;
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const open = (maxEntries = 0) => new SqliteSessions(store, 'boot', maxEntries);

async function begin(sessions: SqliteSessions, requestId: string, userText: string, sessionId = 's'): Promise<void> {
  at += 1;
  await sessions.beginTurn({ sessionId, requestId, userText, model: 'm', idempotencyKey: null, at });
}
const write = (sessions: SqliteSessions, requestId: string, text: string) =>
  sessions.appendParts(new Map([[requestId, { text, thought: '' }]]));
const end = (sessions: SqliteSessions, requestId: string, text: string) =>
  sessions.endTurn({ requestId, text, status: 'complete', error: null, usage: null });
async function say(sessions: SqliteSessions, requestId: string, userText: string, answer = 'yes', sessionId = 's') {
  await begin(sessions, requestId, userText, sessionId);
  await end(sessions, requestId, answer);
}
const places = (sessions: SqliteSessions) => sessions.messages('s', { limit: 100 }).map(({ seq }) => seq);
const found = (sessions: SqliteSessions, query: string) =>
  sessions.list({ limit: 10, offset: 0, query }).sessions.map(({ sessionId }) => sessionId);

describe('SqliteSessions', () => {
  it('keeps as many entries as it may, the newest, under the places they have', async () => {
    const sessions = open(4);
    for (const id of ['a', 'b']) await say(sessions, id, id);
    expect(places(sessions)).toEqual([1, 2, 3, 4]);
    await say(sessions, 'c', 'c');
    expect(places(sessions)).toEqual([3, 4, 5, 6]);
    await sessions.append({
      sessionId: 's',
      requestId: 'd',
      role: 'system',
      content: 'd',
      status: 'complete',
      model: null,
      error: null,
      usage: null,
      createdAt: at,
    });
    expect(places(sessions)).toEqual([4, 5, 6, 7]);
  });

  it('never gives a place twice, also after what stood there was taken away', async () => {
    const sessions = open();
    for (const id of ['a', 'b']) await say(sessions, id, id);
    expect(await sessions.truncate('s', 3)).toBe(2);
    expect(places(sessions)).toEqual([1, 2]);
    await say(sessions, 'c', 'c');
    expect(places(sessions)).toEqual([1, 2, 5, 6]);
  });

  it('finds an answer by all its words, however early somebody searched', async () => {
    const sessions = open();
    await begin(sessions, 'a', 'Where to?');
    write(sessions, 'a', 'To the light');
    expect(found(sessions, 'lighthouse')).toEqual([]);
    await end(sessions, 'a', 'To the lighthouse.');
    expect(found(sessions, 'lighthouse')).toEqual(['s']);
    await sessions.truncate('s', 2);
    expect(found(sessions, 'lighthouse')).toEqual([]);
  });

  it('takes the signs of a pattern for themselves in a search', async () => {
    const sessions = open();
    await say(sessions, 'a', 'about 100 things', 'yes', 'plain');
    await say(sessions, 'b', 'about 100% of it', 'yes', 'percent');
    expect(found(sessions, '0%')).toEqual(['percent']);
    expect(found(sessions, '_')).toEqual([]);
  });

  it('suggests no title for what a person or a model has named', async () => {
    const sessions = open();
    await say(sessions, 'a', 'Where do the swifts go in winter?');
    expect(await sessions.suggestTitle('s', 'Swifts')).toBe(true);
    await sessions.change('s', { title: 'My birds' }, at);
    expect(await sessions.suggestTitle('s', 'Swifts in winter')).toBe(false);
    expect(await sessions.nameByModel('s', 'Migration')).toBe(false);
    expect(sessions.summary('s')?.title).toBe('My birds');
  });

  it('lets an answer that is being written outlive its time', async () => {
    const sessions = open();
    await say(sessions, 'a', 'old');
    await begin(sessions, 'b', 'being answered', 'busy');
    expect(await sessions.removeOlderThan(at + 1)).toMatchObject({ sessionIds: ['s'] });
    await end(sessions, 'b', 'the answer');
    expect(sessions.answer('b')).toMatchObject({ content: 'the answer', status: 'complete' });
  });

  it('calls an answer interrupted that was opened again when the process died', async () => {
    const sessions = open();
    await say(sessions, 'a', 'first');
    expect(sessions.interruptUnfinished()).toBe(0);
    expect(await sessions.reopenTurn('a')).toBe(true);
    write(sessions, 'a', 'half an ');
    write(sessions, 'a', 'answer');
    expect(open().interruptUnfinished()).toBe(1);
    expect(sessions.answer('a')).toMatchObject({ content: 'half an answer', status: 'interrupted' });
  });

  it('takes the labels of a session with it', async () => {
    const sessions = open();
    await say(sessions, 'a', 'first');
    store.prepare('INSERT INTO session_labels (session_id, label) VALUES (?, ?)').run('s', 'iban');
    expect(await sessions.remove('s')).toBe(true);
    expect(store.prepare('SELECT count(*) AS n FROM session_labels').get()).toEqual({ n: 0 });
  });
});
