// What the schedule of models is decided from, and what it may say: facts in, actions with their reasons out.

export type ServiceClass = 'interactive' | 'background';

/** What loading a model takes. */
export interface MemoryNeed {
  /** The smallest plan the engine would make: one conversation, the shortest context. */
  leastBytes: number;
  /** One conversation of the wanted length; with less the model waits for room, unless there is no more to be had. */
  wantedBytes: number;
}

export interface QueuedRequest {
  readonly id: number;
  readonly model: string;
  readonly serviceClass: ServiceClass;
  /** Milliseconds on the clock of `now`. The queue is in this order. */
  readonly since: number;
  /** Its client has left. */
  readonly gone: boolean;
  /** Refused where another model would have to go for it. */
  readonly mayEvict: boolean;
  readonly needs: MemoryNeed;
}

export interface HeldModel {
  readonly name: string;
  readonly state: 'loading' | 'ready' | 'ending';
  /** What it takes, measured; planned while it is loading. */
  readonly bytes: number;
  /** What would be free without it: less than `bytes`, because weights mapped from a file count as free already. */
  readonly freesBytes: number;
  /** Answers it writes now. */
  readonly holds: number;
  /** Answers it can write at once. */
  readonly conversations: number;
  readonly lastUsedAt: number;
  /** When it became ready: whoever waited until then belongs to its turn. */
  readonly readyAt: number;
  readonly keepAliveMs: number;
  /** Never thrown out for another one. */
  readonly pinned: boolean;
  /** Somebody wants it out of memory: whoever comes later waits for a fresh one. */
  readonly unloadAskedAt: number | null;
}

export interface ScheduleLimits {
  /** Models in memory at once; 0 = as many as fit. */
  loadedModels: number;
  /** Memory for all of them; 0 = what is free. */
  memoryBytes: number;
  /** Requests that may wait. */
  queued: number;
  /** Models that may answer at the same moment: more of them than cores, and each becomes many times slower. */
  busyModels: number;
  /**
   * A model stays so long after an answer although another one is wanted: whoever asks it in a loop comes back at once, and
   * two such loops would otherwise change models for every answer. Work that nobody watches waits for `patienceMs.interactive`.
   */
  lingerMs: number;
  /** After this wait no newcomer passes any more. */
  patienceMs: Readonly<Record<ServiceClass, number>>;
}

export interface ScheduleFacts {
  now: number;
  /** At most one entry per name. */
  models: readonly HeldModel[];
  queue: readonly QueuedRequest[];
  /** Free memory, measured for this decision; null asks for `measure` when it matters. */
  freeBytes: number | null;
  /** Models whose load just ran out of memory, and that get one more try. */
  ranOut: ReadonlySet<string>;
  limits: ScheduleLimits;
}

export type EvictionCause = 'idle' | 'room' | 'asked' | 'out-of-memory' | 'unwanted';

export type ScheduleAction =
  | { kind: 'measure'; reason: string }
  | { kind: 'drop'; request: number; reason: string }
  | { kind: 'reject'; request: number; code: 'runtime_busy' | 'insufficient_memory'; reason: string; figures: Figures }
  | { kind: 'start'; request: number; model: string }
  | { kind: 'load'; model: string; needs: MemoryNeed; roomBytes: number; reason: string }
  /** `for` is the model that gets its room. */
  | { kind: 'evict'; model: string; cause: EvictionCause; for: string | null; reason: string }
  | { kind: 'wait'; model: string; waiting: number; reason: string };

type Figures = Readonly<Record<string, number>>;

export interface Schedule {
  actions: ScheduleAction[];
  /** When to decide again though nothing happened, on the clock of `now`; null for never. */
  wakeAt: number | null;
}
