import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noEmbedder } from '../../../test/stand-ins/word-embedder.js';
import { SqliteLearning } from '../../storage/sqlite-learning.js';
import { SqliteMemory } from '../../storage/sqlite-memory.js';
import { SqliteResults } from '../../storage/sqlite-results.js';
import { SqliteSessionContext } from '../../storage/sqlite-session-context.js';
import { SqliteSessions } from '../../storage/sqlite-sessions.js';
import { SqliteStore } from '../../storage/sqlite-store.js';
import { Memory } from '../memory/memory.js';
import { Retention } from '../memory/retention.js';
import { rememberTurn } from '../results/remembered-turn.js';
import type { FinishedTurn } from '../turn-ports.js';
import { SessionClearing } from './session-clearing.js';
import { SessionStore } from './session-store.js';

const DAY_MS = 86_400_000;
let folder: string;
let store: SqliteStore;
let sessions: SessionStore;
let memory: Memory;
let clearing: SessionClearing;
let context: SqliteSessionContext;
let queue: SqliteResults;
let now = 1_750_000_000_000;

beforeEach(() => {
  now = 1_750_000_000_000;
  folder = mkdtempSync(join(tmpdir(), 'venom-clearing-'));
  store = new SqliteStore(join(folder, 'venom.db'));
  const clock = { now: () => now };
  sessions = new SessionStore(new SqliteSessions(store, 'boot', 0), clock, { publish: () => {} }, 'boot');
  memory = new Memory(
    { repository: new SqliteMemory(store), embedder: noEmbedder, clock },
    { ttlDays: 0, lessonsTtlDays: 0, minSimilarity: 0.25, minCoverage: 0.25, embedTimeoutMs: 100 },
  );
  context = new SqliteSessionContext(store);
  queue = new SqliteResults(store);
  clearing = new SessionClearing({
    sessions,
    memory,
    sessionContext: context,
    learning: new SqliteLearning(store),
    results: queue,
    stop: () => {},
  });
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function said(prompt: string, sessionId = 's'): Promise<FinishedTurn> {
  const requestId = crypto.randomUUID();
  await sessions.beginTurn({ sessionId, requestId, userText: prompt, model: 'm', idempotencyKey: null });
  const answer = `answer to ${prompt}`;
  await sessions.endTurn(sessionId, { requestId, text: answer, status: 'complete', error: null, usage: null });
  return {
    requestId,
    sessionId,
    mode: 'normal',
    intent: 'GENERAL_CHAT',
    toolRequired: false,
    prompt,
    answer,
    success: true,
    error: null,
    model: 'm',
    language: null,
    storeKnowledge: true,
    labels: ['private'],
    finishedAt: now,
  };
}

const remembered = (sessionId = 's') =>
  memory.list({ limit: 100, offset: 0, scope: { kind: 'session', sessionId } }).entries.map(({ text }) => text);

describe('forgetting a session', () => {
  it('takes memory, summary, labels and waiting work along, whoever removes it', async () => {
    const turn = await said('the gate code is 4711');
    await rememberTurn(memory, turn);
    queue.add(turn, now);
    await context.saveSummary('s', { text: 'codes', upToSeq: 2, madeBy: 'm', updatedAt: now });
    expect(remembered()).toHaveLength(2);
    expect(context.labels('s')).toEqual(['private']);
    await sessions.remove('s');
    expect(remembered()).toEqual([]);
    expect(context.summary('s')).toBeNull();
    expect(context.labels('s')).toEqual([]);
    expect(queue.counts().light).toBe(0);
  });

  it('is not undone by work that was under way, even when a session of the same name begins in the same breath', async () => {
    const turn = await said('the gate code is 4711');
    const [, cleared] = await Promise.all([rememberTurn(memory, turn), clearing.clear('s'), said('a new beginning')]);
    expect(cleared.existed).toBe(true);
    await rememberTurn(memory, turn);
    await context.saveSummary('s', { text: 'codes', upToSeq: 20, madeBy: 'm', updatedAt: now });
    expect(remembered()).toEqual([]);
    expect(context.summary('s')).toBeNull();
    const next = await said('something else');
    await rememberTurn(memory, next);
    expect(remembered()).toEqual(['answer to something else', 'something else']);
  });

  it('takes back what the removed messages left, and the summary that covers them', async () => {
    const first = await said('one');
    const second = await said('two');
    for (const turn of [first, second]) await rememberTurn(memory, turn);
    await context.saveSummary('s', { text: 'one and two', upToSeq: 4, madeBy: 'm', updatedAt: now });
    expect(await clearing.truncate('s', 3)).toBe(2);
    expect(remembered()).toEqual(['answer to one', 'one']);
    expect(context.summary('s')).toBeNull();
  });

  it('happens by itself when its time is over', async () => {
    await rememberTurn(memory, await said('old words', 'old'));
    await rememberTurn(memory, await said('first of both', 'both'));
    now += 10 * DAY_MS;
    await said('second of both', 'both');
    const retention = new Retention({
      expireMemory: () => memory.expire(),
      expireSessions: (before) => clearing.expire(before),
      sessionTtlDays: 7,
      clock: { now: () => now },
    });
    expect(await retention.run()).toEqual({ memories: 0, sessions: 1 });
    expect(sessions.list({ limit: 10, offset: 0, query: '' }).sessions.map(({ sessionId }) => sessionId)).toEqual([
      'both',
    ]);
    expect(sessions.messages('both', { limit: 10 }).map(({ content }) => content)).toEqual([
      'second of both',
      'answer to second of both',
    ]);
    expect(remembered('old')).toEqual([]);
  });
});
