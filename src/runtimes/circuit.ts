// The circuit of one endpoint: after several failures in a row its callers are turned away at once, until one trial finds
// it well again. No network and no timer in here; the clock comes in.

export type CircuitState = 'closed' | 'open' | 'half-open';

export interface CircuitOptions {
  /** Failures in a row; 0 = it never opens. */
  failuresToOpen: number;
  openMs: number;
  now: () => number;
}

/** `neither` is for calls that their caller stopped. */
export type CallOutcome = 'success' | 'failure' | 'neither';

/** How one call that was let through ended; only the first word counts. */
export type Settle = (outcome: CallOutcome) => void;

export class Circuit {
  readonly #options: CircuitOptions;
  #failures = 0;
  #openUntil: number | null = null;
  #trial = false;

  constructor(options: CircuitOptions) {
    this.#options = options;
  }

  get state(): CircuitState {
    if (this.#openUntil === null) return 'closed';
    return this.#options.now() < this.#openUntil ? 'open' : 'half-open';
  }

  /** In a row. */
  get failures(): number {
    return this.#failures;
  }

  /** When the next trial may pass; null while it is closed. */
  get openUntil(): number | null {
    return this.#openUntil;
  }

  /** Whether `enter` would let a caller through now. */
  get admits(): boolean {
    const { state } = this;
    return state === 'closed' || (state === 'half-open' && !this.#trial);
  }

  /** Null when the caller is turned away. Half open, one call at a time passes as the trial. */
  enter(): Settle | null {
    if (!this.admits) return null;
    const trial = this.state === 'half-open';
    if (trial) this.#trial = true;
    return once((outcome) => {
      if (trial) this.#trial = false;
      if (outcome === 'success') this.#close();
      else if (outcome === 'failure') this.#fail(trial);
    });
  }

  /** A question after its health always passes. Answered, it ends the waiting, but the trial decides. */
  probe(): Settle {
    return once((outcome) => {
      if (outcome === 'failure') this.#fail(false);
      else if (outcome === 'success') {
        if (this.#openUntil === null) this.#failures = 0;
        else this.#openUntil = Math.min(this.#openUntil, this.#options.now());
      }
    });
  }

  #close(): void {
    this.#failures = 0;
    this.#openUntil = null;
  }

  #fail(trial: boolean): void {
    this.#failures += 1;
    const { failuresToOpen, openMs, now } = this.#options;
    if (failuresToOpen === 0) return;
    // A late failure of a call from before does not lengthen the time.
    if (trial || (this.#openUntil === null && this.#failures >= failuresToOpen)) this.#openUntil = now() + openMs;
  }
}

function once(act: Settle): Settle {
  let settled = false;
  return (outcome) => {
    if (settled) return;
    settled = true;
    act(outcome);
  };
}
