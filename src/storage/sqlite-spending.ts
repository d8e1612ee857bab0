// What cloud calls cost: one row per call, and a running sum per day, so that a check never reads more than a month of days
// and a minute of calls.
import type { BudgetLimit, SpendingEntry, SpendingRepository, SpendingTotals } from '../routing/budgets.js';
import type { SqliteStore } from './sqlite-store.js';

const MINUTE_MS = 60_000;
const KEPT_MS = 40 * 86_400_000;
const NANO = 1e9;

export class SqliteSpending implements SpendingRepository {
  readonly #store: SqliteStore;

  constructor(store: SqliteStore) {
    this.#store = store;
  }

  totals(now: number): SpendingTotals {
    const day = dayOf(now);
    const sum = this.#store
      .prepare(
        `SELECT coalesce(sum(cost_nano_usd), 0) AS month, coalesce(sum(cost_nano_usd) FILTER (WHERE day = ?), 0) AS today
         FROM spending_days WHERE day BETWEEN ? AND ?`,
      )
      .get(day, `${day.slice(0, 7)}-01`, `${day.slice(0, 7)}-31`);
    const minute = this.#store
      .prepare('SELECT count(*) AS requests, coalesce(sum(tokens), 0) AS tokens FROM spending WHERE at > ?')
      .get(now - MINUTE_MS);
    return {
      dayUsd: Number(sum?.['today']) / NANO,
      monthUsd: Number(sum?.['month']) / NANO,
      requests: Number(minute?.['requests']),
      tokens: Number(minute?.['tokens']),
    };
  }

  reserve(entry: SpendingEntry, refuse: (totals: SpendingTotals) => BudgetLimit | null): BudgetLimit | null {
    return this.#store.transaction(() => {
      const refused = refuse(this.totals(entry.at));
      if (refused) return refused;
      const cost = toNano(entry.costUsd);
      this.#store.prepare('DELETE FROM spending WHERE at < ?').run(entry.at - KEPT_MS);
      this.#store
        .prepare('INSERT INTO spending (id, at, provider, model, cost_nano_usd, tokens) VALUES (?, ?, ?, ?, ?, ?)')
        .run(entry.id, entry.at, entry.provider, entry.model, cost, entry.tokens);
      this.#add(dayOf(entry.at), cost);
      return null;
    });
  }

  /** On the day of the reservation, so that no day's sum goes below nothing at midnight. */
  settle(id: string, costUsd: number, tokens: number): void {
    // Lost with the power, the reservation stays: rather too much is counted than too little.
    this.#store.write(() => {
      const row = this.#store.prepare('SELECT at, cost_nano_usd FROM spending WHERE id = ? AND settled = 0').get(id);
      if (!row) return;
      const cost = toNano(costUsd);
      this.#store
        .prepare('UPDATE spending SET cost_nano_usd = ?, tokens = ?, settled = 1 WHERE id = ?')
        .run(cost, tokens, id);
      this.#add(dayOf(Number(row['at'])), cost - Number(row['cost_nano_usd']));
    });
  }

  #add(day: string, costNano: number): void {
    this.#store
      .prepare(
        `INSERT INTO spending_days (day, cost_nano_usd) VALUES (?, ?)
         ON CONFLICT (day) DO UPDATE SET cost_nano_usd = cost_nano_usd + excluded.cost_nano_usd`,
      )
      .run(day, costNano);
  }
}

const toNano = (usd: number): number => Math.ceil(usd * NANO);
const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);
