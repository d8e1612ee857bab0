import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteSessions } from '../../src/storage/sqlite-sessions.js';
import { SqliteStore } from '../../src/storage/sqlite-store.js';
import { startFakeUpstream } from './fake-upstream.js';
import { readEvents, startServer } from './server.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-store-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const code = (expected: string) => expect.objectContaining({ code: expected });

describe('the store', () => {
  it('writes through: WAL with synchronous FULL, also after writes that went well and that failed', async () => {
    const store = new SqliteStore(join(folder, 'venom.db'));
    const described = { journalMode: 'wal', synchronous: 'full', schemaVersion: expect.any(Number) };
    expect(store.describe()).toMatchObject(described);
    await store.commit(() => {});
    expect(store.describe()).toMatchObject(described);
    const fail = () => {
      throw new Error('no');
    };
    await expect(store.commit(fail)).rejects.toThrow('no');
    expect(store.describe()).toMatchObject(described);
    store.close();
  });

  it('refuses a second owner of the same data', () => {
    const path = join(folder, 'venom.db');
    const store = new SqliteStore(path);
    expect(() => new SqliteStore(path)).toThrowError(code('store_locked'));
    store.close();
    new SqliteStore(path).close();
  });

  it('refuses a newer database and leaves it byte for byte', () => {
    const path = join(folder, 'venom.db');
    new SqliteStore(path).close();
    const db = new DatabaseSync(path);
    db.exec('PRAGMA journal_mode=DELETE; PRAGMA user_version=99');
    db.close();
    const before = readFileSync(path);
    expect(() => new SqliteStore(path)).toThrowError(code('store_newer'));
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('refuses a damaged database with the command that restores it', async () => {
    const path = join(folder, 'venom.db');
    const store = new SqliteStore(path);
    const { name: backup } = await store.backUp('daily', new Date());
    store.close();
    const bytes = readFileSync(path);
    bytes.fill(0xff, 4_096, 4_096 + 400);
    writeFileSync(path, bytes);
    expect(() => new SqliteStore(path)).toThrowError(
      expect.objectContaining({ code: 'store_corrupt', message: expect.stringContaining(`venom restore ${backup}`) }),
    );
    writeFileSync(path, 'no database at all');
    expect(() => new SqliteStore(path)).toThrowError(code('store_corrupt'));
    expect(readFileSync(path, 'utf8')).toBe('no database at all');
  });

  it('tells nobody before the log is synced, and syncs once for all who wait', async () => {
    let synced: () => void = () => {};
    let syncs = 0;
    const store = new SqliteStore(join(folder, 'venom.db'), () => {
      syncs += 1;
      return new Promise((resolve) => {
        synced = resolve;
      });
    });
    const told: string[] = [];
    const write = (key: string) =>
      store
        .commit(() => store.prepare('INSERT INTO state (key, value) VALUES (?, 1)').run(key))
        .then(() => told.push(key));
    const all = [write('a'), write('b')];
    await new Promise((resolve) => setTimeout(resolve, 20));
    all.push(write('c'), write('d'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect({ told: [...told], syncs }).toEqual({ told: [], syncs: 1 });
    synced();
    // The first had no company to wait for; the others share the next sync.
    await all[0];
    expect({ told: [...told], syncs }).toEqual({ told: ['a'], syncs: 2 });
    synced();
    await Promise.all(all);
    expect(told).toEqual(['a', 'b', 'c', 'd']);
    store.close();
  });

  it('commits in one what was asked for together, also after a quiet time', async () => {
    const store = new SqliteStore(join(folder, 'venom.db'));
    const order: string[] = [];
    const write = (key: string) => () => {
      order.push(key);
      store.prepare('INSERT INTO state (key, value) VALUES (?, 1)').run(key);
    };
    await new Promise((resolve) => setTimeout(resolve, 20));
    // The second fails: in one transaction with it the first is tried again on its own.
    const asked = store.together(() => [
      store.commit(write('a')),
      store.commitSoon(write('a')),
      store.commit(write('b')),
    ]);
    const results = await Promise.allSettled(asked);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(order).toEqual(['a', 'a', 'a', 'a', 'b']);
    store.close();
  });

  it('says so when the disk does not take the log, and goes on when it does again', async () => {
    let broken = true;
    const store = new SqliteStore(join(folder, 'venom.db'), async () => {
      if (broken) throw Object.assign(new Error('EIO'), { code: 'EIO' });
    });
    const write = () => store.commit(() => store.prepare(`INSERT INTO state VALUES ('k', 'v')`).run());
    await expect(write()).rejects.toThrowError(code('store_unavailable'));
    broken = false;
    await store.commit(() => store.prepare(`UPDATE state SET value = 'w' WHERE key = 'k'`).run());
    store.close();
  });

  it('keeps what was asked for while it is being closed', async () => {
    const path = join(folder, 'venom.db');
    const store = new SqliteStore(path);
    const first = store.commit(() => store.prepare(`INSERT INTO state VALUES ('first', '1')`).run());
    await new Promise((resolve) => setImmediate(resolve));
    const second = store.commit(() => store.prepare(`INSERT INTO state VALUES ('second', '1')`).run());
    store.close();
    await Promise.all([first, second]);
    const again = new SqliteStore(path);
    expect(again.prepare('SELECT count(*) AS n FROM state').get()).toMatchObject({ n: 2 });
    again.close();
  });

  it("does not let one writer's mistake undo the others", async () => {
    const store = new SqliteStore(join(folder, 'venom.db'));
    const write = (key: string) =>
      store.commit(() => store.prepare('INSERT INTO state (key, value) VALUES (?, 1)').run(key));
    const results = await Promise.allSettled([write('a'), write('a'), write('b')]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    store.close();
  });
});

describe('a backup', () => {
  it('made under write load holds all that was acknowledged before it, whole, and a server starts on it', async () => {
    const store = new SqliteStore(join(folder, 'venom.db'));
    const sessions = new SqliteSessions(store, 'boot', 0);
    const acknowledged: string[][] = Array.from({ length: 6 }, () => []);
    let writing = true;
    const writers = acknowledged.map(async (own, writer) => {
      for (let n = 0; writing; n += 1) {
        const requestId = crypto.randomUUID();
        const userText = `question ${n} ${'x'.repeat(2_000)}`;
        const turn = {
          sessionId: `writer-${writer}`,
          requestId,
          userText,
          model: 'm',
          idempotencyKey: null,
          at: n + 1,
        };
        await sessions.beginTurn(turn);
        await sessions.endTurn({ requestId, text: `answer ${n}`, status: 'complete', error: null, usage: null });
        own.push(`answer ${n}`);
      }
    });
    await expect
      .poll(() => Math.min(...acknowledged.map(({ length }) => length)), { timeout: 10_000 })
      .toBeGreaterThan(20);
    const before = acknowledged.map((own) => [...own]);
    const { name: backup } = await store.backUp('daily', new Date());
    // The load goes on after it, so that it is seen to have been there.
    await expect.poll(() => acknowledged.every((own, writer) => own.length > (before[writer] ?? []).length)).toBe(true);
    writing = false;
    await Promise.all(writers);
    store.close();

    const restored = mkdtempSync(join(tmpdir(), 'venom-restored-'));
    copyFileSync(join(folder, 'backups', backup), join(restored, 'venom.db'));
    const db = new DatabaseSync(join(restored, 'venom.db'));
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    db.close();
    const server = await startServer({}, restored);
    for (const [writer, own] of before.entries()) {
      const { messages } = (await (
        await fetch(`${server.url}/api/v1/sessions/writer-${writer}/messages?limit=1000`)
      ).json()) as { messages: { role: string; content: string; status: string }[] };
      const answers = messages.filter(({ role, status }) => role === 'assistant' && status === 'complete');
      const kept = answers.map(({ content }) => content);
      expect(kept.slice(0, own.length)).toEqual(own);
      // Whatever came in besides has no gap before it.
      expect(kept).toEqual(acknowledged[writer]?.slice(0, kept.length));
    }
    await server.close();
  }, 30_000);
});

describe('sessions', () => {
  it('survive a restart, and can be renamed, searched, exported, cut and deleted', async () => {
    const upstream = await startFakeUpstream();
    const env = { LLM_LOCAL_ENDPOINT: upstream.url };
    let server = await startServer(env, folder);
    const call = (path: string, init?: RequestInit) => fetch(`${server.url}/api/v1${path}`, init);
    const json = (body: object, method = 'POST'): RequestInit => ({
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    for (const content of ['Tell me about Zażółć', 'And foxes?'])
      await readEvents(await call('/llm/simple/stream', json({ content, session_id: 's-1' })));
    await readEvents(await call('/llm/simple/stream', json({ content: 'Other', session_id: 's-2' })));
    await server.close({ keepData: true });
    server = await startServer(env, folder);
    const list = (await (await call('/sessions')).json()) as { total: number; sessions: { session_id: string }[] };
    expect(list.sessions.map(({ session_id }) => session_id)).toEqual(['s-2', 's-1']);
    expect(await (await call('/sessions?q=zazolc')).json()).toMatchObject({
      total: 1,
      sessions: [{ session_id: 's-1', message_count: 4 }],
    });
    expect(await (await call('/sessions/s-1', json({ title: 'Foxes' }, 'PATCH'))).json()).toMatchObject({
      title: 'Foxes',
    });
    expect(await (await call('/sessions/s-1/export?format=markdown')).text()).toContain('# Foxes');
    expect(await (await call('/sessions/s-1/truncate', json({ from_seq: 3 }))).json()).toEqual({ removed: 2 });
    await readEvents(await call('/llm/simple/stream', json({ content: 'Again', session_id: 's-1' })));
    const { messages } = (await (await call('/sessions/s-1/messages')).json()) as { messages: { seq: number }[] };
    expect(messages.map(({ seq }) => seq)).toEqual([1, 2, 5, 6]);
    expect((await call('/sessions/s-1', { method: 'DELETE' })).status).toBe(200);
    expect((await call('/sessions/s-1')).status).toBe(404);
    expect(await (await call('/memory/session/s-1')).json()).toMatchObject({ history: [], count: 0 });
    await server.close({ keepData: true });
    await upstream.close();
  });
});
