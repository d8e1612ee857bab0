import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RequestTrace } from '../chat/ports.js';
import { followUpRequest, type Task } from '../chat/tasks/task.js';
import { HistoryRetention, type HistoryRetentionOptions } from '../chat/tracing/history-retention.js';
import { SqlitePictures } from './sqlite-pictures.js';
import { SqliteResponses } from './sqlite-responses.js';
import { AgingTasks, AgingTraces } from './sqlite-retention.js';
import { SqliteSessions } from './sqlite-sessions.js';
import { SqliteStore } from './sqlite-store.js';
import { SqliteTasks } from './sqlite-tasks.js';
import { SqliteTraces } from './sqlite-traces.js';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-06-01T00:00:00Z');

let folder: string;
let store: SqliteStore;
let traces: SqliteTraces;
let tasks: SqliteTasks;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-retention-'));
  store = new SqliteStore(join(folder, 'venom.db'));
  traces = new SqliteTraces(store);
  tasks = new SqliteTasks(store, new SqlitePictures(store, 0));
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const retention = (options: Partial<HistoryRetentionOptions>) =>
  new HistoryRetention({
    traces: new AgingTraces(store),
    tasks: new AgingTasks(store),
    responses: new SqliteResponses(store),
    traceDays: 0,
    traceBytes: 0,
    taskDays: 0,
    responseDays: 0,
    clock: { now: () => NOW },
    stepRows: 2,
    ...options,
  });

const trace = (requestId: string, ageDays: number, more: Partial<RequestTrace> = {}) =>
  traces.save([
    {
      requestId,
      status: 'COMPLETED',
      createdAt: new Date(NOW - ageDays * DAY_MS).toISOString(),
      lastActivityAt: NOW,
      steps: [],
      prompt: '',
      ...more,
    } as unknown as RequestTrace,
  ]);
const traceIds = () => traces.list({ limit: 100, offset: 0 }).map(({ requestId }) => requestId);

async function task(id: string, ageDays: number, status: Task['status'], sessionId: string | null = null) {
  const request = { ...followUpRequest({ content: id, labels: [], owner: null }), sessionId };
  const createdAt = NOW - ageDays * DAY_MS;
  const created: Task = {
    id,
    seq: 0,
    request,
    status,
    result: null,
    logs: [],
    context: {},
    contextUsed: null,
    createdAt,
  };
  await tasks.insert(created, null);
}

describe('traces', () => {
  it('go when they are too old, in steps, and running ones never', async () => {
    for (const [id, age] of Object.entries({ a: 9, b: 9, c: 9, d: 9, e: 8, f: 6 })) trace(id, age);
    trace('running', 30, { status: 'PROCESSING' });
    expect(await retention({ traceDays: 7 }).run()).toEqual({ traces: 5, tasks: 0, responses: 0, others: 0 });
    expect(traceIds()).toEqual(['running', 'f']);
    expect(await retention({ traceDays: 7 }).run()).toEqual({ traces: 0, tasks: 0, responses: 0, others: 0 });
  });

  it('go when all of them are too large, the oldest first', async () => {
    // Noise does not pack.
    const noise = () => Array.from({ length: 400 }, () => Math.random().toString(36).slice(2)).join('');
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) trace(id, 0, { prompt: noise() });
    const sizes = store.prepare('SELECT length(trace) AS bytes FROM requests ORDER BY pk').all();
    const newestFour = sizes.slice(-4).reduce((sum, { bytes }) => sum + Number(bytes), 0);
    expect((await retention({ traceBytes: newestFour + 10 }).run()).traces).toBe(3);
    expect(traceIds()).toEqual(['g', 'f', 'e', 'd']);
    expect((await retention({ traceBytes: newestFour + 10 }).run()).traces).toBe(0);
  });

  it('are kept for ever where nothing bounds them', async () => {
    trace('a', 10_000);
    expect((await retention({}).run()).traces).toBe(0);
  });
});

describe('tasks', () => {
  it('go when they ended long ago; what was said in their sessions stays, and so does what runs', async () => {
    const sessions = new SqliteSessions(store, 'boot', 0);
    await sessions.beginTurn({
      sessionId: 's1',
      requestId: 'old',
      userText: 'A question',
      model: 'm',
      idempotencyKey: null,
      at: NOW - 100 * DAY_MS,
    });
    for (const id of ['old', 'old2', 'old3']) await task(id, 100, 'COMPLETED', 's1');
    await task('waiting', 100, 'PENDING');
    await task('failed', 100, 'FAILED');
    await task('young', 10, 'COMPLETED');
    expect((await retention({ taskDays: 90 }).run()).tasks).toBe(4);
    expect(tasks.list({ limit: 10, offset: 0 }).map(({ id }) => id)).toEqual(['young', 'waiting']);
    expect(sessions.messages('s1', { limit: 10 }).map(({ content }) => content)).toContain('A question');
  });

  it('count from their end', async () => {
    await task('long', 100, 'PROCESSING');
    const [long] = tasks.list({ limit: 1, offset: 0 });
    if (long) await tasks.save([{ ...long, status: 'COMPLETED' }]);
    store.prepare('UPDATE tasks SET finished_at = ?').run(NOW - DAY_MS);
    expect((await retention({ taskDays: 90 }).run()).tasks).toBe(0);
  });
});

describe('responses', () => {
  it('go after their time without another being stored', async () => {
    const responses = new SqliteResponses(store);
    for (const [id, age] of Object.entries({ a: 31, b: 31, c: 31, d: 1 }))
      await responses.save({
        id,
        owner: null,
        previousId: null,
        createdAt: NOW - age * DAY_MS,
        response: {},
        input: [],
      });
    expect((await retention({ responses, responseDays: 30 }).run()).responses).toBe(3);
    expect(['a', 'b', 'c', 'd'].filter((id) => responses.get(id))).toEqual(['d']);
  });
});

it('does what else there is as often as it is asked to', async () => {
  let now = NOW;
  let calls = 0;
  const both = retention({
    clock: { now: () => now },
    others: { everyMs: 1_000, remove: async () => ++calls },
  });
  expect((await both.run()).others).toBe(1);
  expect((await both.run()).others).toBe(0);
  now += 1_000;
  expect((await both.run()).others).toBe(2);
});

it('stops between two steps when the server does', async () => {
  for (let index = 0; index < 10; index += 1) trace(`t${index}`, 9);
  const old = retention({ traceDays: 7 });
  const running = old.run();
  await old.close();
  await running;
  expect(traceIds().length).toBeGreaterThan(0);
});
