import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteResults } from '../../storage/sqlite-results.js';
import { SqliteSessionContext } from '../../storage/sqlite-session-context.js';
import { SqliteStore } from '../../storage/sqlite-store.js';
import type { FinishedTurn } from '../turn-ports.js';
import type { ResultStep } from './ports.js';
import { ResultProcessor } from './result-processor.js';

let folder: string;
let store: SqliteStore;
let now = 1_750_000_000_000;
let busy = false;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-results-'));
  store = new SqliteStore(join(folder, 'venom.db'));
  busy = false;
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const turn = (requestId: string, rest: Partial<FinishedTurn> = {}): FinishedTurn => ({
  requestId,
  sessionId: 's',
  mode: 'normal',
  intent: 'GENERAL_CHAT',
  toolRequired: false,
  prompt: 'question',
  answer: 'answer',
  success: true,
  error: null,
  model: 'm',
  language: 'en',
  storeKnowledge: true,
  labels: [],
  finishedAt: now,
  ...rest,
});

function processor(steps: ResultStep[], failures: unknown[] = []) {
  return new ResultProcessor({
    queue: new SqliteResults(store),
    steps,
    clock: { now: () => now },
    idle: () => !busy,
    onFailure: (failure) => failures.push(failure),
  });
}

const step = (name: string, lane: 'light' | 'heavy', run: ResultStep['run']): ResultStep => ({ name, lane, run });

describe('ResultProcessor', () => {
  it('has the turn on disk when enqueue returns, and works on it only afterwards', async () => {
    const seen: string[] = [];
    const results = processor([step('note', 'light', async ({ requestId }) => void seen.push(requestId))]);
    results.enqueue(turn('r-1', { labels: ['private'] }));
    expect(seen).toEqual([]);
    expect(new SqliteResults(store).counts().light).toBe(1);
    expect(new SqliteSessionContext(store).labels('s')).toEqual(['private']);
    results.enqueue(turn('r-1'));
    await results.drained();
    expect(seen).toEqual(['r-1']);
    await expect.poll(() => results.counts().waiting).toBe(0);
    await results.close(100);
  });

  it('goes on where a former process was cut off, without repeating the steps that were done', async () => {
    const ran: string[] = [];
    const steps = (fail: boolean) => [
      step('first', 'light', async () => void ran.push('first')),
      step('second', 'light', async () => {
        ran.push('second');
        if (fail) throw new Error('not now');
      }),
    ];
    const before = processor(steps(true));
    before.enqueue(turn('r-1'));
    await expect.poll(() => new SqliteResults(store).next('light', now + 1e9).job?.attempts).toBe(1);
    await before.close(10);
    store.close();
    store = new SqliteStore(join(folder, 'venom.db'));
    now += 1_000_000;
    const after = processor(steps(false));
    after.start();
    await after.drained();
    expect(ran).toEqual(['first', 'second', 'second']);
    await after.close(10);
  });

  it('waits longer after each failure, gives up at last, and says so', async () => {
    const failures: { final: boolean }[] = [];
    const results = processor(
      [
        step('broken', 'light', async () => {
          throw new Error('always');
        }),
      ],
      failures,
    );
    results.enqueue(turn('r-1'));
    const delays: number[] = [];
    for (let attempt = 1; attempt <= 8; attempt += 1) {
      await expect.poll(() => failures.length).toBe(attempt);
      await expect
        .poll(() => new SqliteResults(store).next(attempt < 8 ? 'light' : 'given_up', now + 1e9).job?.attempts)
        .toBe(attempt);
      const due = new SqliteResults(store).next('light', now).nextDueAt;
      if (due !== null) {
        delays.push(due - now);
        now = due;
        results.start();
      }
    }
    expect(delays).toEqual([1_000, 4_000, 16_000, 64_000, 256_000, 600_000, 600_000]);
    expect(failures.map(({ final }) => final)).toEqual([...new Array(7).fill(false), true]);
    expect(results.counts()).toEqual({ waiting: 0, givenUp: 1 });
    await results.close(10);
  });

  it('does heavy work only while nobody waits, gives way to a person, and finishes later', async () => {
    const ran: string[] = [];
    let started: () => void = () => {};
    const running = new Promise<void>((resolve) => {
      started = resolve;
    });
    const results = processor([
      step('light', 'light', async () => void ran.push('light')),
      step('heavy', 'heavy', async (_turn, signal) => {
        if (ran.includes('interrupted')) return void ran.push('heavy');
        started();
        await new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => {
            ran.push('interrupted');
            reject(signal.reason);
          }),
        );
      }),
    ]);
    busy = true;
    results.enqueue(turn('r-1'));
    await expect.poll(() => new SqliteResults(store).counts()).toMatchObject({ light: 0, heavy: 1 });
    expect(ran).toEqual(['light']);
    busy = false;
    await running;
    busy = true;
    await expect.poll(() => ran).toEqual(['light', 'interrupted']);
    busy = false;
    await expect.poll(() => ran).toEqual(['light', 'interrupted', 'heavy']);
    await expect.poll(() => results.counts()).toEqual({ waiting: 0, givenUp: 0 });
    await results.close(10);
  });

  it('finishes cheap work when it is closed, and leaves the rest for the next start', async () => {
    const ran: string[] = [];
    const steps = [
      step('light', 'light', async ({ requestId }) => void ran.push(requestId)),
      step('heavy', 'heavy', async () => {}),
    ];
    const results = processor(steps);
    busy = true;
    for (let index = 0; index < 20; index += 1) results.enqueue(turn(`r-${index}`));
    await results.close(5_000);
    expect(ran).toHaveLength(20);
    expect(new SqliteResults(store).counts()).toEqual({ light: 0, heavy: 20, given_up: 0 });
  });
});
