// What goes out to one endpoint: counted, tried again where that is safe, and held back while its circuit is open. Each
// endpoint has its own, so that a dead one never slows another.
import { setTimeout as sleep } from 'node:timers/promises';
import { BoundedMap } from '../shared/bounded-map.js';
import { AppError, type ErrorCode, toAppError } from '../shared/errors.js';
import { type CallOutcome, Circuit, type CircuitState, type Settle } from './circuit.js';
import { decideRetry, type FailedAttempt, type RetryPolicy } from './retry-policy.js';

export interface TrafficPolicy {
  retry: RetryPolicy;
  /** Failures in a row; 0 = the circuit never opens. */
  circuitFailures: number;
  circuitOpenMs: number;
}

export const DEFAULT_TRAFFIC: TrafficPolicy = {
  retry: { attempts: 2, backOffMs: 250, retryAfterMaxMs: 5_000, statuses: [429, 502, 503, 504] },
  circuitFailures: 5,
  circuitOpenMs: 15_000,
};

export interface TrafficFigures {
  /** Answers that are being waited for or read. */
  inFlight: number;
  requests: number;
  failures: number;
  retries: number;
  /** Turned away by the open circuit. */
  refused: number;
  circuit: CircuitState;
  failuresInARow: number;
  openUntil: number | null;
  lastError: string | null;
  lastErrorAt: number | null;
  /** Models that this endpoint keeps failing on while it answers everything else. */
  failingModels: readonly { model: string; circuit: CircuitState; failuresInARow: number; openUntil: number | null }[];
}

export interface OutboundCall<T> {
  /** @throws AppError */
  attempt: () => Promise<T>;
  head: (answer: T) => { status: number; retryAfter: string | undefined };
  /** Lets go of an answer that is not used. */
  discard: (answer: T) => void;
  /** Calls back once when the answer has been read or given up. */
  ended: (answer: T, leave: () => void) => void;
  /** Only where asking twice does no harm. */
  retry: boolean;
  /** A question after its health: passes an open circuit, is never repeated. */
  probe: boolean;
  /** The model that is asked, where it is one's answer. */
  model?: string | undefined;
  signal: AbortSignal | undefined;
}

// Nobody is home behind the proxy. 429 is an answer about the number of questions. A 500 says nothing about the rest of the
// endpoint, but several in a row say that this model does not answer there, however well its lists do.
const AWAY = [502, 503, 504];
/** It was reached, and did not bring the answer to its end. */
const BROKEN: ReadonlySet<ErrorCode> = new Set(['upstream_reset', 'upstream_timeout', 'upstream_protocol']);
/** Models whose circuits are remembered. */
const MODELS = 200;

export class UpstreamTraffic {
  readonly name: string;
  readonly #policy: TrafficPolicy;
  readonly #now: () => number;
  readonly #circuit: Circuit;
  /** Of models that have failed; the endpoint's other models are none the worse for it. */
  readonly #byModel = new BoundedMap<Circuit>({ entries: MODELS });
  #inFlight = 0;
  #requests = 0;
  #failures = 0;
  #retries = 0;
  #refused = 0;
  #last: { error: string; at: number } | undefined;

  constructor(name: string, policy: TrafficPolicy = DEFAULT_TRAFFIC, now: () => number = Date.now) {
    this.name = name;
    this.#policy = policy;
    this.#now = now;
    this.#circuit = this.#newCircuit();
  }

  get figures(): TrafficFigures {
    return {
      inFlight: this.#inFlight,
      requests: this.#requests,
      failures: this.#failures,
      retries: this.#retries,
      refused: this.#refused,
      circuit: this.#circuit.state,
      failuresInARow: this.#circuit.failures,
      openUntil: this.#circuit.openUntil,
      lastError: this.#last?.error ?? null,
      lastErrorAt: this.#last?.at ?? null,
      failingModels: this.#byModel
        .entries()
        .flatMap(([model, { state, failures, openUntil }]) =>
          failures === 0 ? [] : [{ model, circuit: state, failuresInARow: failures, openUntil }],
        ),
    };
  }

  /** @throws AppError `provider_unavailable` while the circuit is open, `cancelled`, and those of the attempt */
  async run<T>(call: OutboundCall<T>): Promise<T> {
    const settle = call.probe ? this.#circuit.probe() : this.#circuit.enter();
    if (!settle) {
      this.#refused += 1;
      throw this.#refusal(this.#circuit);
    }
    const failing = call.model === undefined ? undefined : this.#byModel.get(call.model);
    const settleModel = failing?.enter();
    if (failing && !settleModel) {
      settle('neither');
      this.#refused += 1;
      throw this.#refusal(failing, call.model);
    }
    this.#requests += 1;
    // The circuit hears of a call once, however often it was tried.
    for (let tried = 1; ; tried += 1) {
      const attempt = await this.#attempt(call);
      if (attempt.failed) {
        const decision =
          call.retry && !call.probe
            ? decideRetry(this.#policy.retry, tried, attempt.failed, this.#now(), Math.random())
            : { kind: 'give-up' as const };
        if (decision.kind === 'retry') {
          if (attempt.kind === 'answer') call.discard(attempt.answer);
          this.#retries += 1;
          try {
            await sleep(decision.delayMs, undefined, call.signal ? { signal: call.signal } : {});
            continue;
          } catch (cause) {
            settle('neither');
            settleModel?.('neither');
            throw new AppError('cancelled', 'The request was stopped.', { cause });
          }
        }
      }
      settle(attempt.outcome);
      this.#judge(call.model, settleModel ?? undefined, attempt.failed, attempt.outcome);
      if (attempt.kind === 'answer') return attempt.answer;
      throw attempt.error;
    }
  }

  /** Of the model alone: the endpoint answered, but not what it was asked. */
  #judge(
    model: string | undefined,
    settle: Settle | undefined,
    failed: FailedAttempt | null,
    outcome: CallOutcome,
  ): void {
    if (model === undefined) return;
    const refused = failed?.kind === 'status' && failed.status >= 500;
    const broken = failed?.kind === 'failure' && BROKEN.has(failed.code) && outcome === 'failure';
    if (refused || broken) {
      const known = this.#byModel.get(model) ?? this.#newCircuit();
      this.#byModel.set(model, known);
      (settle ?? known.enter())?.('failure');
    } else {
      settle?.(outcome === 'success' ? 'success' : 'neither');
      // A model that answers again is remembered no longer.
      if (outcome === 'success' && this.#byModel.get(model)?.failures === 0) this.#byModel.delete(model);
    }
  }

  #newCircuit(): Circuit {
    const { circuitFailures, circuitOpenMs } = this.#policy;
    return new Circuit({ failuresToOpen: circuitFailures, openMs: circuitOpenMs, now: this.#now });
  }

  async #attempt<T>(
    call: OutboundCall<T>,
  ): Promise<
    { outcome: CallOutcome; failed: FailedAttempt | null } & (
      | { kind: 'answer'; answer: T }
      | { kind: 'error'; error: AppError }
    )
  > {
    this.#inFlight += 1;
    let left = false;
    const leave = () => {
      if (left) return;
      left = true;
      this.#inFlight -= 1;
    };
    try {
      const answer = await call.attempt();
      call.ended(answer, leave);
      const { status, retryAfter } = call.head(answer);
      if (status < 400) return { kind: 'answer', answer, outcome: 'success', failed: null };
      if (status >= 500 || status === 429) this.#failed(`HTTP ${status}`);
      const outcome = AWAY.includes(status) ? 'failure' : 'success';
      return { kind: 'answer', answer, outcome, failed: { kind: 'status', status, retryAfter } };
    } catch (thrown) {
      leave();
      const error = toAppError(thrown);
      if (error.code !== 'cancelled') this.#failed(error.message);
      // A page that did not wait long enough for a busy engine has found nothing out.
      const unclear = error.code === 'cancelled' || (call.probe && error.code === 'upstream_timeout');
      const outcome = unclear ? 'neither' : 'failure';
      return { kind: 'error', error, outcome, failed: { kind: 'failure', code: error.code } };
    }
  }

  #failed(error: string): void {
    this.#failures += 1;
    this.#last = { error, at: this.#now() };
  }

  #refusal(circuit: Circuit, model?: string): AppError {
    const waitMs = Math.max(0, (circuit.openUntil ?? 0) - this.#now());
    const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
    const what = model === undefined ? this.name : `${this.name} (${model})`;
    return new AppError(
      'provider_unavailable',
      `${what} failed ${circuit.failures} times in a row and is left alone for ${seconds} s: ${this.#last?.error ?? 'no answer'}`,
      {
        details: {
          circuit: circuit.state,
          retry_after_seconds: seconds,
          ...(model === undefined ? {} : { model }),
        },
      },
    );
  }
}

/** Every endpoint's traffic by its name, for the page that shows it. */
export class TrafficControl {
  readonly #policy: TrafficPolicy;
  readonly #now: () => number;
  readonly #scopes = new Map<string, UpstreamTraffic>();

  constructor(policy: TrafficPolicy = DEFAULT_TRAFFIC, now: () => number = Date.now) {
    this.#policy = policy;
    this.#now = now;
  }

  /** The same name is the same circuit. */
  scope(name: string, retry: Partial<RetryPolicy> = {}): UpstreamTraffic {
    let traffic = this.#scopes.get(name);
    if (!traffic) {
      traffic = new UpstreamTraffic(name, { ...this.#policy, retry: { ...this.#policy.retry, ...retry } }, this.#now);
      this.#scopes.set(name, traffic);
    }
    return traffic;
  }

  get scopes(): readonly UpstreamTraffic[] {
    return [...this.#scopes.values()];
  }
}
