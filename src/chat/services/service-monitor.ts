// What this server depends on and how it is. Checks have a deadline; the last answers are kept, so that a question about
// them need wait for nobody.
import { abortable } from '../../shared/abortable.js';
import { type Clock, isoUtc } from '../../shared/clock.js';
import { toAppError } from '../../shared/errors.js';

const CHECK_MS = 1_500;
const FRESH_MS = 2_000;

export type ServiceState = 'online' | 'offline' | 'degraded' | 'unknown';

export interface Service {
  name: string;
  type: string;
  description: string;
  critical: boolean;
  /** Throwing means offline. */
  check: (signal: AbortSignal) => Promise<{ state: ServiceState; error: string | null }>;
}

export interface ServiceReport {
  name: string;
  type: string;
  description: string;
  critical: boolean;
  state: ServiceState;
  error: string | null;
  latencyMs: number | null;
  /** ISO 8601, UTC; null before the first check. */
  checkedAt: string | null;
}

export class ServiceMonitor {
  readonly #services: readonly Service[];
  readonly #clock: Clock;
  #reports: ServiceReport[];
  #checkedAt = Number.NEGATIVE_INFINITY;
  #checking: Promise<void> | undefined;

  constructor(services: readonly Service[], clock: Clock) {
    this.#services = services;
    this.#clock = clock;
    this.#reports = services.map(({ check: _, ...service }) => ({
      ...service,
      state: 'unknown',
      error: null,
      latencyMs: null,
      checkedAt: null,
    }));
  }

  /** As of the last check, without a wait; a stale one is renewed for the next time. */
  snapshot(): readonly ServiceReport[] {
    void this.#refresh();
    return this.#reports;
  }

  /** Never later than a check's deadline. */
  async reports(): Promise<readonly ServiceReport[]> {
    await this.#refresh();
    return this.#reports;
  }

  #refresh(): Promise<void> {
    if (this.#checking) return this.#checking;
    if (performance.now() - this.#checkedAt < FRESH_MS) return Promise.resolve();
    this.#checking = Promise.all(this.#services.map((service) => this.#check(service)))
      .then((reports) => {
        this.#reports = reports;
      })
      .finally(() => {
        this.#checkedAt = performance.now();
        this.#checking = undefined;
      });
    return this.#checking;
  }

  async #check({ check, ...service }: Service): Promise<ServiceReport> {
    const startedAt = performance.now();
    const signal = AbortSignal.timeout(CHECK_MS);
    const result = await abortable(check(signal), signal).catch((error: unknown) => ({
      state: 'offline' as const,
      error: signal.aborted ? `no answer within ${CHECK_MS / 1_000} s` : toAppError(error).message,
    }));
    return {
      ...service,
      ...result,
      latencyMs: Math.round((performance.now() - startedAt) * 10) / 10,
      checkedAt: isoUtc(this.#clock.now()),
    };
  }
}
