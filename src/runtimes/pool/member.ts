// One server of a pool: what it is doing for us, and whether it may be asked.
import type { AppError } from '../../shared/errors.js';
import type { EngineLoad, PoolMember, Runtime, RuntimeModel } from '../runtime.js';
import type { MemberFacts } from './choose-member.js';
import { type FailureKind, judgeFailure } from './judge-failure.js';

/** Faults in a row of a server that does answer. */
const FAULTS_TO_EXCLUDE = 3;
const MOST_BACK_OFF_MS = 60_000;
const PROBE_MS = 2_000;
/** A machine that computes with all it has may take its time to say so. */
const ANSWERS_WITHIN_MS = 5_000;
const LOAD_FRESH_MS = 1_000;

/** A pool is made of engines that stream in batches and pass requests on. */
export type MemberRuntime = Runtime & Required<Pick<Runtime, 'streamBatches' | 'forward'>> & { endpoint: string };

export interface MemberOptions {
  /** Doubled with each failure in a row, up to a minute. */
  backOffMs: number;
  now: () => number;
}

export class Member {
  readonly runtime: MemberRuntime;
  readonly #options: MemberOptions;
  #inFlight = 0;
  #served = 0;
  #failures = 0;
  #failuresInARow = 0;
  #faultsInARow = 0;
  #excludedUntil: number | null = null;
  #lastError: string | null = null;
  #probe: NodeJS.Timeout | undefined;
  #models: readonly RuntimeModel[] | undefined;
  #names: ReadonlySet<string> = new Set();
  #load: EngineLoad | null = null;
  #loadAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(runtime: MemberRuntime, options: MemberOptions) {
    this.runtime = runtime;
    this.#options = options;
  }

  get id(): string {
    return this.runtime.endpoint;
  }

  get excluded(): boolean {
    return this.#excludedUntil !== null;
  }

  /** As it listed them last; undefined before it ever did. */
  get models(): readonly RuntimeModel[] | undefined {
    return this.#models;
  }

  get snapshot(): PoolMember {
    return {
      endpoint: this.id,
      state: this.excluded ? 'excluded' : 'in-service',
      inFlight: this.#inFlight,
      served: this.#served,
      failures: this.#failures,
      excludedUntil: this.#excludedUntil,
      lastError: this.#lastError,
      load: this.#load,
      models: (this.#models ?? []).map(({ name }) => name),
    };
  }

  facts(model: string): MemberFacts {
    return {
      id: this.id,
      hasModel: this.#models ? this.#names.has(plain(model)) : null,
      excluded: this.excluded,
      inFlight: this.#inFlight,
      served: this.#served,
      load: this.#load,
    };
  }

  /** Counts a request; call what it returns when the answer has ended. */
  enter(): () => void {
    this.#inFlight += 1;
    this.#served += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#inFlight -= 1;
    };
  }

  /** It gave a first byte: whatever was the matter is over. */
  succeeded(): void {
    this.#failuresInARow = 0;
    this.#faultsInARow = 0;
    this.#return();
  }

  failed(kind: FailureKind, { message }: AppError): void {
    if (kind === 'question' || kind === 'elsewhere') return;
    this.#failures += 1;
    this.#lastError = message;
    this.#faultsInARow += 1;
    if (kind === 'away' || this.#faultsInARow >= FAULTS_TO_EXCLUDE) this.#exclude();
  }

  /** @throws AppError of the connection; a server that cannot be reached is excluded */
  async listModels(signal?: AbortSignal): Promise<readonly RuntimeModel[]> {
    try {
      this.#models = await this.runtime.listModels(signal);
      this.#names = new Set(this.#models.map(({ name }) => plain(name)));
      return this.#models;
    } catch (thrown) {
      const { kind, error } = judgeFailure(thrown);
      // A page that gave up waiting has not found out anything.
      if (error.code !== 'upstream_timeout') this.failed(kind, error);
      throw error;
    }
  }

  /** Whether it says anything at all. */
  async answers(): Promise<boolean> {
    return (await this.runtime.health(AbortSignal.timeout(ANSWERS_WITHIN_MS))).state !== 'offline';
  }

  /** Asks how busy it is, in the background and not too often: a choice waits for nobody. */
  refreshLoad(): void {
    const { runtime } = this;
    if (!runtime.engineLoad || this.excluded || performance.now() - this.#loadAt < LOAD_FRESH_MS) return;
    this.#loadAt = performance.now();
    runtime.engineLoad(AbortSignal.timeout(PROBE_MS)).then(
      (load) => {
        this.#load = load;
      },
      () => {
        this.#load = null;
      },
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#probe);
    await this.runtime.close();
  }

  #exclude(): void {
    // Many requests that fail together are one failure.
    if (this.#excludedUntil !== null && this.#excludedUntil > this.#options.now()) return;
    this.#failuresInARow += 1;
    this.#faultsInARow = 0;
    const pauseMs = Math.min(MOST_BACK_OFF_MS, this.#options.backOffMs * 2 ** Math.min(16, this.#failuresInARow - 1));
    this.#excludedUntil = this.#options.now() + pauseMs;
    this.#load = null;
    clearTimeout(this.#probe);
    if (this.#closed) return;
    this.#probe = setTimeout(() => void this.#askAgain(), pauseMs);
    this.#probe.unref();
  }

  async #askAgain(): Promise<void> {
    const { state, error } = await this.runtime.health(AbortSignal.timeout(PROBE_MS));
    if (this.#closed || this.#excludedUntil === null) return;
    if (state !== 'offline') return this.#return();
    this.#lastError = error;
    this.#excludedUntil = null;
    this.#exclude();
  }

  #return(): void {
    this.#excludedUntil = null;
    clearTimeout(this.#probe);
  }
}

/** `name` and `name:latest` are one. */
export const plain = (name: string): string => name.replace(/:latest$/, '');
