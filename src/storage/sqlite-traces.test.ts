import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RequestTrace } from '../chat/ports.js';
import { SqliteStore } from './sqlite-store.js';
import { SqliteTraces } from './sqlite-traces.js';

let folder: string;
let store: SqliteStore;
let traces: SqliteTraces;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-traces-'));
  store = new SqliteStore(join(folder, 'venom.db'));
  traces = new SqliteTraces(store);
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const trace = (requestId: string, more: Partial<RequestTrace> = {}) =>
  ({
    requestId,
    status: 'COMPLETED',
    createdAt: '2026-06-01T00:00:00.000Z',
    lastActivityAt: 0,
    steps: [],
    prompt: requestId,
    ...more,
  }) as unknown as RequestTrace;
const all = { limit: 1_000, offset: 0 };

it('lists more than it keeps unpacked, newest first, and so does another process', () => {
  const saved = Array.from({ length: 500 }, (_, index) => trace(`request ${index}`));
  traces.save(saved);
  const newestFirst = saved.toReversed();
  expect(traces.list(all)).toEqual(newestFirst);
  expect(new SqliteTraces(store).list(all)).toEqual(newestFirst);
  expect(traces.unpacked.count).toBe(200);
});

it('keeps few unpacked where they are large', () => {
  const steps = [{ component: 'x', action: 'y', timestamp: '', status: 'ok' as const, details: 'z'.repeat(100_000) }];
  traces.save(Array.from({ length: 50 }, (_, index) => trace(`large ${index}`, { steps })));
  expect(traces.list(all)).toHaveLength(50);
  expect(traces.unpacked.count).toBeLessThan(10);
});

it('lists the newest state of a request, by its status too, and nothing that was deleted', () => {
  traces.save([trace('one', { status: 'PROCESSING' }), trace('two', { status: 'PROCESSING' })]);
  expect(traces.list(all)).toHaveLength(2);
  traces.save([trace('one', { status: 'FAILED' })]);
  expect(traces.list({ ...all, status: 'FAILED' }).map(({ requestId }) => requestId)).toEqual(['one']);
  expect(traces.list(all).map(({ status }) => status)).toEqual(['PROCESSING', 'FAILED']);
  store.prepare('DELETE FROM requests WHERE request_id = ?').run('two');
  expect(traces.list(all).map(({ requestId }) => requestId)).toEqual(['one']);
});
