// Which model is loaded, which is thrown out, and which request answers next. Pure: facts in, actions with their reasons
// out. ResourceGuard gathers the facts and acts; this file starts and ends nothing.

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

/** Everything that waits for one model: who waited too long, then people, then work nobody watches; each by age. */
interface Line {
  model: string;
  overdue: QueuedRequest[];
  interactive: QueuedRequest[];
  background: QueuedRequest[];
  waiting: number;
}

/** What another model's request needs of the models in its way. */
interface Claim {
  request: QueuedRequest;
  overdue: boolean;
  /** Their newcomers have to let it pass. */
  victims: ReadonlySet<string>;
}

export function decide(facts: ScheduleFacts): Schedule {
  return new Decision(facts).schedule();
}

class Decision {
  readonly #facts: ScheduleFacts;
  readonly #actions: ScheduleAction[] = [];
  readonly #lines = new Map<string, Line>();
  readonly #held = new Map<string, HeldModel>();
  /** Answers per model, with those this decision starts. */
  readonly #holds = new Map<string, number>();
  readonly #settled = new Set<number>();
  readonly #whyWaiting = new Map<string, string>();
  #waiting = 0;
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(facts: ScheduleFacts) {
    this.#facts = facts;
    for (const model of facts.models) {
      this.#held.set(model.name, model);
      this.#holds.set(model.name, model.holds);
    }
  }

  schedule(): Schedule {
    this.#sortIntoLines();
    const ready = this.#facts.models.filter(({ state }) => state === 'ready');
    const claim = this.#planTarget(ready);
    this.#startAnswers(ready, claim);
    if (claim) this.#makeRoom(claim);
    this.#unloadUnneeded();
    this.#shedLoad();
    for (const line of this.#lines.values()) {
      if (line.waiting === 0) continue;
      const reason = this.#whyWaiting.get(line.model) ?? 'all its conversations are in use';
      this.#actions.push({ kind: 'wait', model: line.model, waiting: line.waiting, reason });
    }
    return { actions: this.#actions, wakeAt: Number.isFinite(this.#wakeAt) ? this.#wakeAt : null };
  }

  #sortIntoLines(): void {
    const { now, queue, limits } = this.#facts;
    for (const request of queue) {
      if (request.gone) {
        this.#actions.push({ kind: 'drop', request: request.id, reason: 'its client has left' });
        continue;
      }
      let line = this.#lines.get(request.model);
      if (!line) {
        line = { model: request.model, overdue: [], interactive: [], background: [], waiting: 0 };
        this.#lines.set(request.model, line);
      }
      const overdueAt = request.since + limits.patienceMs[request.serviceClass];
      if (overdueAt <= now) line.overdue.push(request);
      else {
        line[request.serviceClass].push(request);
        if (overdueAt < this.#wakeAt) this.#wakeAt = overdueAt;
      }
      line.waiting += 1;
      this.#waiting += 1;
    }
  }

  /** The model to be loaded next, and what is to go for it. One load at a time, so that what is free can be believed. */
  #planTarget(ready: readonly HeldModel[]): (Claim & { evict: HeldModel[]; roomBytes: number; reason: string }) | null {
    const { models, limits, ranOut, freeBytes } = this.#facts;
    let best: { line: Line; request: QueuedRequest; rank: number } | undefined;
    for (const line of this.#lines.values()) {
      const state = this.#held.get(line.model)?.state;
      if (state === 'ready' || state === 'loading') continue;
      this.#whyWaiting.set(line.model, 'another model is loaded first');
      const request = first(line);
      const rank = rankIn(line);
      if (request && (!best || rank < best.rank || (rank === best.rank && older(request, best.request))))
        best = { line, request, rank };
    }
    const moving = models.find(({ state }) => state !== 'ready');
    if (moving?.state === 'loading') this.#whyWaiting.set(moving.name, 'it is being loaded');
    if (!best) return null;
    const { line, request } = best;
    if (moving) {
      this.#whyWaiting.set(
        line.model,
        `${moving.name} is ${moving.state === 'loading' ? 'being loaded' : 'leaving memory'}`,
      );
      return null;
    }
    if (freeBytes === null) {
      this.#actions.push({ kind: 'measure', reason: `${line.model} is to be loaded` });
      this.#whyWaiting.set(line.model, 'free memory is being measured');
      return null;
    }
    const usedBytes = ready.reduce((sum, { bytes }) => sum + bytes, 0);
    const budget = limits.memoryBytes > 0 ? limits.memoryBytes - usedBytes : Number.POSITIVE_INFINITY;
    const claim = { request, overdue: best.rank === OVERDUE };
    // Whom it may throw out, whoever was used longest ago first, the idle before the busy.
    const evictable = ready
      .filter(({ pinned }) => !pinned)
      .sort((a, b) => Number(a.holds > 0) - Number(b.holds > 0) || a.lastUsedAt - b.lastUsedAt);
    const room = (gone: readonly HeldModel[]) => ({
      places: limits.loadedModels === 0 || ready.length - gone.length < limits.loadedModels,
      bytes: Math.min(
        freeBytes + gone.reduce((sum, { freesBytes }) => sum + freesBytes, 0),
        budget + gone.reduce((sum, { bytes }) => sum + bytes, 0),
      ),
    });
    const most = room(evictable);
    if (!most.places || most.bytes < request.needs.leastBytes) {
      this.#refuseAll(line, ready, most);
      return null;
    }
    if (ranOut.has(line.model)) {
      const idle = evictable.filter(({ holds }) => holds === 0);
      return { ...claim, ...plan(idle, room(idle).bytes, 'its first load ran out of memory; this is the second try') };
    }
    const enough = Math.min(request.needs.wantedBytes, most.bytes);
    let evict: HeldModel[] = [];
    let left = room(evict);
    for (let count = 1; !(left.places && left.bytes >= enough) && count <= evictable.length; count += 1) {
      evict = evictable.slice(0, count);
      left = room(evict);
    }
    // The list is by age, and an old small one may have been taken in vain: whoever is not needed stays.
    for (const model of [...evict].reverse()) {
      const fewer = evict.filter((other) => other !== model);
      const without = room(fewer);
      if (!without.places || without.bytes < enough) continue;
      evict = fewer;
      left = without;
    }
    const reason = `${line.waiting} wait for it; ${megabytes(left.bytes)} MB can be had, ${megabytes(request.needs.wantedBytes)} MB are wanted`;
    return { ...claim, ...plan(evict, left.bytes, reason) };
  }

  #refuseAll(line: Line, ready: readonly HeldModel[], most: { places: boolean; bytes: number }): void {
    const pinned = ready.filter((model) => model.pinned).map(({ name }) => name);
    const kept = pinned.length > 0 ? `; pinned and kept: ${pinned.join(', ')}` : '';
    for (const request of [...line.overdue, ...line.interactive, ...line.background]) {
      const needed = request.needs.leastBytes;
      const reason = most.places
        ? `${line.model} needs ${megabytes(needed)} MB of memory, but no more than ${megabytes(most.bytes)} MB can be had${kept}.`
        : `${line.model} finds no place among the ${ready.length} models that are loaded${kept}.`;
      this.#settle(line, request);
      this.#actions.push({
        kind: 'reject',
        request: request.id,
        code: 'insufficient_memory',
        reason,
        figures: { needed_bytes: needed, available_bytes: Math.max(0, Math.round(most.bytes)) },
      });
    }
  }

  #startAnswers(ready: readonly HeldModel[], claim: Claim | null): void {
    const { limits } = this.#facts;
    let busy = ready.filter(({ holds }) => holds > 0).length;
    const lines = ready
      .flatMap((model) => {
        const line = this.#lines.get(model.name);
        return line && line.waiting > 0 ? [{ model, line, rank: rankIn(line), request: first(line) }] : [];
      })
      .sort((a, b) => a.rank - b.rank || (a.request && b.request && older(a.request, b.request) ? -1 : 1));
    // Of the models that are ready but find no core free, whoever has waited longest.
    let coreClaim: Claim | null = null;
    if (busy >= limits.busyModels) {
      const next = lines.find(({ model }) => model.holds === 0);
      const victims = new Set(ready.filter(({ holds }) => holds > 0).map(({ name }) => name));
      if (next?.request) coreClaim = { request: next.request, overdue: next.rank === OVERDUE, victims };
    }
    const claims = [claim, coreClaim].filter((other) => other !== null);
    for (const { model, line } of lines) {
      let holds = model.holds;
      if (holds === 0 && busy >= limits.busyModels) {
        this.#whyWaiting.set(model.name, `${busy} models answer at the moment, as many as there are cores for`);
        continue;
      }
      for (const request of inOrder(line)) {
        if (holds >= model.conversations) break;
        if (model.unloadAskedAt !== null && request.since > model.unloadAskedAt) {
          this.#whyWaiting.set(model.name, 'it is being unloaded, and is loaded again then');
          continue;
        }
        const passing = claims.find((other) => mustLetPass(model, request, other, this.#facts));
        if (passing) {
          this.#whyWaiting.set(model.name, `a request for ${passing.request.model} has waited longer`);
          continue;
        }
        if (holds === 0) busy += 1;
        holds += 1;
        this.#actions.push({ kind: 'start', request: request.id, model: model.name });
        this.#settle(line, request);
      }
      this.#holds.set(model.name, holds);
    }
  }

  #makeRoom({
    request,
    overdue,
    evict,
    roomBytes,
    reason,
  }: Claim & { evict: HeldModel[]; roomBytes: number; reason: string }): void {
    const { now, limits } = this.#facts;
    const wanted = this.#lines.get(request.model);
    if (!wanted) return;
    if (evict.length === 0) {
      this.#actions.push({ kind: 'load', model: request.model, needs: request.needs, roomBytes, reason });
      this.#whyWaiting.set(request.model, 'it is being loaded');
      return;
    }
    for (const model of evict) {
      const holds = this.#holds.get(model.name) ?? 0;
      if (holds > 0) {
        this.#whyWaiting.set(request.model, `${model.name} is in the middle of ${holds} of its answers`);
        return;
      }
      // Somebody belongs to its turn and only finds no core free: first they, then the change.
      const line = this.#lines.get(model.name);
      if (
        line &&
        inOrder(line).some(
          (other) => !mustLetPass(model, other, { request, overdue, victims: new Set([model.name]) }, this.#facts),
        )
      ) {
        this.#whyWaiting.set(request.model, `${model.name} has requests of its turn left`);
        return;
      }
      const background = request.serviceClass === 'background';
      const settledAt = model.lastUsedAt + (background ? limits.patienceMs.interactive : limits.lingerMs);
      if (!overdue && settledAt > now) {
        this.#wakeAt = Math.min(this.#wakeAt, settledAt);
        const why = background ? ', and this is background work' : '; whoever uses it may come back at once';
        this.#whyWaiting.set(request.model, `${model.name} was used a moment ago${why}`);
        return;
      }
    }
    for (const model of evict) {
      const again = this.#facts.ranOut.has(request.model);
      this.#actions.push({
        kind: 'evict',
        model: model.name,
        cause: again ? 'out-of-memory' : 'room',
        for: request.model,
        reason: again
          ? `${request.model} ran out of memory while it was loaded`
          : `${request.model} needs its room, and it was used longest ago`,
      });
    }
    this.#whyWaiting.set(request.model, `${evict.map(({ name }) => name).join(', ')} makes room for it`);
  }

  #unloadUnneeded(): void {
    const { now, models } = this.#facts;
    const leaving = new Set(this.#actions.flatMap((action) => (action.kind === 'evict' ? [action.model] : [])));
    for (const model of models) {
      const line = this.#lines.get(model.name);
      if (model.state === 'loading' && (line?.waiting ?? 0) === 0) {
        this.#evict(model, 'unwanted', 'everybody who waited for it has left');
        continue;
      }
      if (model.state !== 'ready' || (this.#holds.get(model.name) ?? 0) > 0 || leaving.has(model.name)) continue;
      const askedAt = model.unloadAskedAt;
      if (askedAt !== null) {
        if (!line || !inOrder(line).some(({ since }) => since <= askedAt))
          this.#evict(model, 'asked', 'it was asked for');
        continue;
      }
      if ((line?.waiting ?? 0) > 0) continue;
      const idleAt = model.lastUsedAt + model.keepAliveMs;
      if (idleAt <= now) this.#evict(model, 'idle', `nobody used it for ${seconds(model.keepAliveMs)} s`);
      else this.#wakeAt = Math.min(this.#wakeAt, idleAt);
    }
  }

  #evict({ name }: HeldModel, cause: EvictionCause, reason: string): void {
    this.#actions.push({ kind: 'evict', model: name, cause, for: null, reason });
  }

  /** Beyond the limit the newest have to go, work that nobody watches first. */
  #shedLoad(): void {
    const { queue, limits } = this.#facts;
    let excess = this.#waiting - limits.queued;
    for (const serviceClass of ['background', 'interactive'] as const) {
      for (let index = queue.length - 1; index >= 0 && excess > 0; index -= 1) {
        const request = queue[index];
        if (!request || request.gone || request.serviceClass !== serviceClass || this.#settled.has(request.id))
          continue;
        const line = this.#lines.get(request.model);
        if (!line) continue;
        excess -= 1;
        this.#settle(line, request);
        this.#actions.push({
          kind: 'reject',
          request: request.id,
          code: 'runtime_busy',
          reason: `${limits.queued} requests wait for the embedded engine already.`,
          figures: { queued: limits.queued },
        });
      }
    }
  }

  #settle(line: Line, request: QueuedRequest): void {
    this.#settled.add(request.id);
    line.waiting -= 1;
    this.#waiting -= 1;
  }
}

const OVERDUE = 0;

const plan = (evict: HeldModel[], roomBytes: number, reason: string) => ({
  evict,
  roomBytes,
  reason,
  victims: new Set(evict.map(({ name }) => name)),
});

const inOrder = ({ overdue, interactive, background }: Line): QueuedRequest[] =>
  overdue.length === 0 && background.length === 0 ? interactive : [...overdue, ...interactive, ...background];

const first = ({ overdue, interactive, background }: Line): QueuedRequest | undefined =>
  overdue[0] ?? interactive[0] ?? background[0];

const rankIn = ({ overdue, interactive }: Line): number =>
  overdue.length > 0 ? OVERDUE : interactive.length > 0 ? 1 : 2;

const older = (a: QueuedRequest, b: QueuedRequest): boolean =>
  a.since < b.since || (a.since === b.since && a.id < b.id);

/**
 * Whether a request that could start has to let another model's request pass. Whoever belongs to the model's turn goes
 * first, so that A B C A B C costs two changes and not five; only background work gives way to people at any time.
 */
function mustLetPass(model: HeldModel, request: QueuedRequest, claim: Claim, facts: ScheduleFacts): boolean {
  if (!claim.victims.has(model.name)) return false;
  const overdue = request.since + facts.limits.patienceMs[request.serviceClass] <= facts.now;
  if (!overdue && request.serviceClass === 'background' && claim.request.serviceClass === 'interactive') return true;
  if (request.since <= model.readyAt) return false;
  return claim.overdue && (!overdue || older(claim.request, request));
}

const megabytes = (bytes: number): number => Math.round(Math.max(0, bytes) / 1_048_576);
const seconds = (milliseconds: number): number => Math.round(milliseconds / 100) / 10;
