import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteSpending } from '../storage/sqlite-spending.js';
import { SqliteStore } from '../storage/sqlite-store.js';
import { type BudgetLimits, Budgets } from './budgets.js';

const NOON = Date.UTC(2026, 10, 24, 12);
const DAY_MS = 86_400_000;
const NO_LIMITS: BudgetLimits = {
  softPerDayUsd: 0,
  hardPerDayUsd: 0,
  softPerMonthUsd: 0,
  hardPerMonthUsd: 0,
  requestsPerMinute: 0,
  tokensPerMinute: 0,
};
const PRICE = { inputPer1k: 1, outputPer1k: 2 };
let folder: string;
let store: SqliteStore;
let now: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-budgets-'));
  store = new SqliteStore(join(folder, 'venom.db'));
  now = NOON;
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const budgets = (limits: Partial<BudgetLimits>, warned: string[] = []) =>
  new Budgets({
    limits: { ...NO_LIMITS, ...limits },
    repository: new SqliteSpending(store),
    now: () => now,
    newId: randomUUID,
    onSoftLimit: (period) => warned.push(period),
  });
const call = (inputTokens: number, outputTokens: number) => ({
  provider: 'p',
  model: 'm',
  price: PRICE,
  inputTokens,
  outputTokens,
});

describe('Budgets', () => {
  it('counts what is reserved until it is settled, and then what it came to', () => {
    const money = budgets({ hardPerDayUsd: 10 });
    const first = money.reserve(call(2_000, 3_000));
    if (typeof first === 'string') throw new Error(first);
    expect(money.remainingUsd()).toBeCloseTo(2, 9);
    expect(money.reserve(call(1_000, 1_000))).toBe('day');
    expect(first.settle({ inputTokens: 1_000, outputTokens: 500 })).toBeCloseTo(2, 9);
    first.settle({ inputTokens: 9_000, outputTokens: 9_000 });
    expect(money.remainingUsd()).toBeCloseTo(8, 9);
  });

  it('keeps what a former process reserved and never settled', () => {
    budgets({}).reserve(call(5_000, 0));
    store.close();
    store = new SqliteStore(join(folder, 'venom.db'));
    expect(budgets({ hardPerDayUsd: 5.5 }).reserve(call(1_000, 0))).toBe('day');
  });

  it('begins again with the UTC day and the month', () => {
    const money = budgets({ hardPerDayUsd: 1, hardPerMonthUsd: 2 });
    money.reserve(call(1_000, 0));
    expect(money.reserve(call(1_000, 0))).toBe('day');
    now += DAY_MS;
    expect(typeof money.reserve(call(1_000, 0))).toBe('object');
    now += DAY_MS;
    expect(money.reserve(call(1_000, 0))).toBe('month');
    now = Date.UTC(2026, 11, 1);
    expect(typeof money.reserve(call(1_000, 0))).toBe('object');
  });

  it('settles on the day of the reservation', () => {
    const money = budgets({ hardPerDayUsd: 1 });
    const late = money.reserve(call(1_000, 0));
    now += DAY_MS;
    if (typeof late === 'object') late.release();
    expect(money.totals()).toMatchObject({ dayUsd: 0, monthUsd: 0 });
  });

  it('limits requests and tokens of the last minute', () => {
    const money = budgets({ requestsPerMinute: 2, tokensPerMinute: 1_000 });
    expect(money.reserve(call(1_001, 0))).toBe('tokens_per_minute');
    money.reserve(call(1, 1));
    money.reserve(call(1, 1));
    expect(money.reserve(call(1, 1))).toBe('requests_per_minute');
    now += 60_001;
    expect(typeof money.reserve(call(1, 1))).toBe('object');
  });

  it('warns once a day above the soft limit', () => {
    const warned: string[] = [];
    const money = budgets({ softPerDayUsd: 1 }, warned);
    money.reserve(call(900, 0));
    expect(warned).toEqual([]);
    money.reserve(call(900, 0));
    money.reserve(call(900, 0));
    expect(warned).toEqual(['day']);
  });

  it('never lets reserved and settled together pass the limit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ input: fc.nat(2_000), output: fc.nat(2_000), used: fc.nat(100), settle: fc.boolean() }), {
          maxLength: 30,
        }),
        (calls) => {
          now += 40 * DAY_MS;
          const money = budgets({ hardPerDayUsd: 10 });
          for (const { input, output, used, settle } of calls) {
            const reservation = money.reserve(call(input, output));
            if (settle && typeof reservation === 'object')
              reservation.settle({ inputTokens: (input * used) / 100, outputTokens: (output * used) / 100 });
            expect(money.totals().dayUsd).toBeLessThanOrEqual(10 + 1e-6);
          }
        },
      ),
      { numRuns: 20 },
    );
  });
});
