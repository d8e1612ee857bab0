// Money and rates for clouds: reserved before a call, settled after it. What is reserved counts as spent until it is known
// better, so that no number of calls at once goes past a limit, and a crash never makes a call free.
import type { ModelPrice } from './pricing.js';
import { costUsd } from './pricing.js';

export interface BudgetLimits {
  /** US dollars; 0 = no limit. */
  softPerDayUsd: number;
  hardPerDayUsd: number;
  softPerMonthUsd: number;
  hardPerMonthUsd: number;
  requestsPerMinute: number;
  tokensPerMinute: number;
}

export interface SpendingTotals {
  dayUsd: number;
  monthUsd: number;
  /** Of the last 60 seconds. */
  requests: number;
  tokens: number;
}

export interface SpendingEntry {
  id: string;
  at: number;
  provider: string;
  model: string;
  costUsd: number;
  tokens: number;
}

export interface SpendingRepository {
  totals(now: number): SpendingTotals;
  /** In one transaction: asks `refuse` with the totals, and writes unless it names a limit. Returns what it named. */
  reserve(entry: SpendingEntry, refuse: (totals: SpendingTotals) => BudgetLimit | null): BudgetLimit | null;
  /** Only the first for an id counts. */
  settle(id: string, costUsd: number, tokens: number): void;
}

export type BudgetLimit = 'day' | 'month' | 'requests_per_minute' | 'tokens_per_minute';

export interface Reservation {
  id: string;
  reservedUsd: number;
  /** What it came to; nothing at all where the call never left. Only the first call counts. */
  settle(actual: { inputTokens: number; outputTokens: number }): number;
  release(): void;
}

export interface BudgetsOptions {
  limits: BudgetLimits;
  repository: SpendingRepository;
  now: () => number;
  newId: () => string;
  /** The soft limit was crossed; once a day or month. */
  onSoftLimit?: (period: 'day' | 'month', spentUsd: number, limitUsd: number) => void;
}

export class Budgets {
  readonly #options: BudgetsOptions;
  readonly #warned = { day: '', month: '' };

  constructor(options: BudgetsOptions) {
    this.#options = options;
  }

  get limits(): BudgetLimits {
    return this.#options.limits;
  }

  totals(): SpendingTotals {
    return this.#options.repository.totals(this.#options.now());
  }

  /** The smaller rest of day and month; null where neither has a hard limit. */
  remainingUsd(totals: SpendingTotals = this.totals()): number | null {
    const { hardPerDayUsd, hardPerMonthUsd } = this.#options.limits;
    const rests = [
      ...(hardPerDayUsd > 0 ? [hardPerDayUsd - totals.dayUsd] : []),
      ...(hardPerMonthUsd > 0 ? [hardPerMonthUsd - totals.monthUsd] : []),
    ];
    return rests.length > 0 ? Math.max(0, Math.min(...rests)) : null;
  }

  /** For the worst it can come to: every input token it may be, every output token it is allowed. */
  reserve(call: {
    provider: string;
    model: string;
    price: ModelPrice;
    inputTokens: number;
    outputTokens: number;
  }): Reservation | BudgetLimit {
    const { repository, now, newId, limits } = this.#options;
    const reservedUsd = costUsd(call.price, call.inputTokens, call.outputTokens);
    const tokens = call.inputTokens + call.outputTokens;
    const id = newId();
    const refused = repository.reserve(
      { id, at: now(), provider: call.provider, model: call.model, costUsd: reservedUsd, tokens },
      (totals) => exceeded(limits, totals, reservedUsd, tokens),
    );
    if (refused) return refused;
    this.#warn();
    return {
      id,
      reservedUsd,
      settle: ({ inputTokens, outputTokens }) => {
        const cost = costUsd(call.price, inputTokens, outputTokens);
        repository.settle(id, cost, inputTokens + outputTokens);
        return cost;
      },
      release: () => repository.settle(id, 0, 0),
    };
  }

  #warn(): void {
    const { limits, now, onSoftLimit } = this.#options;
    if (!onSoftLimit) return;
    const totals = this.totals();
    const today = new Date(now()).toISOString();
    const check = (period: 'day' | 'month', spent: number, limit: number, key: string) => {
      if (limit <= 0 || spent < limit || this.#warned[period] === key) return;
      this.#warned[period] = key;
      onSoftLimit(period, spent, limit);
    };
    check('day', totals.dayUsd, limits.softPerDayUsd, today.slice(0, 10));
    check('month', totals.monthUsd, limits.softPerMonthUsd, today.slice(0, 7));
  }
}

/** A billionth of a dollar, so that sums of many small bills do not trip over fractions. */
const SLACK_USD = 1e-9;

function exceeded(limits: BudgetLimits, totals: SpendingTotals, cost: number, tokens: number): BudgetLimit | null {
  if (limits.hardPerDayUsd > 0 && totals.dayUsd + cost > limits.hardPerDayUsd + SLACK_USD) return 'day';
  if (limits.hardPerMonthUsd > 0 && totals.monthUsd + cost > limits.hardPerMonthUsd + SLACK_USD) return 'month';
  if (limits.requestsPerMinute > 0 && totals.requests + 1 > limits.requestsPerMinute) return 'requests_per_minute';
  if (limits.tokensPerMinute > 0 && totals.tokens + tokens > limits.tokensPerMinute) return 'tokens_per_minute';
  return null;
}
