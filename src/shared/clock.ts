// Time as a port, so that tests need not wait.
export interface Clock {
  /** Milliseconds since the Unix epoch, UTC. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** ISO 8601 in UTC with `Z`. */
export const isoUtc = (milliseconds: number): string => new Date(milliseconds).toISOString();
