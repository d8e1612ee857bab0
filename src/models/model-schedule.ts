// Which model is loaded, which is thrown out, and which request answers next. Pure: facts in, actions with their reasons
// out. ResourceGuard gathers the facts and acts; this file starts and ends nothing.
import { first, inOrder, linesOf, OVERDUE, older, type RequestLine, rankIn } from './request-lines.js';
import { megabytes, planRoom } from './room-plan.js';
import type {
  EvictionCause,
  HeldModel,
  QueuedRequest,
  Schedule,
  ScheduleAction,
  ScheduleFacts,
} from './schedule-facts.js';

/** What another model's request needs of the models in its way. */
interface Claim {
  request: QueuedRequest;
  overdue: boolean;
  /** Their newcomers have to let it pass. */
  victims: ReadonlySet<string>;
}

/** The model to be loaded next, and what is to go for it. */
interface Target extends Claim {
  evict: readonly HeldModel[];
  roomBytes: number;
  reason: string;
}

export function decide(facts: ScheduleFacts): Schedule {
  return new Decision(facts).schedule();
}

class Decision {
  readonly #facts: ScheduleFacts;
  readonly #actions: ScheduleAction[] = [];
  readonly #lines: ReadonlyMap<string, RequestLine>;
  readonly #held = new Map<string, HeldModel>();
  /** Answers per model, with those this decision starts. */
  readonly #holds = new Map<string, number>();
  readonly #settled = new Set<number>();
  readonly #whyWaiting = new Map<string, string>();
  #wakeAt: number;

  constructor(facts: ScheduleFacts) {
    this.#facts = facts;
    const { lines, gone, nextOverdueAt } = linesOf(facts);
    this.#lines = lines;
    this.#wakeAt = nextOverdueAt;
    for (const { id } of gone) this.#actions.push({ kind: 'drop', request: id, reason: 'its client has left' });
    for (const model of facts.models) {
      this.#held.set(model.name, model);
      this.#holds.set(model.name, model.holds);
    }
  }

  schedule(): Schedule {
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

  /** One load at a time, so that what is free can be believed. */
  #planTarget(ready: readonly HeldModel[]): Target | null {
    const { models, ranOut, freeBytes, limits } = this.#facts;
    let best: { line: RequestLine; request: QueuedRequest; rank: number } | undefined;
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
    const { line, request, rank } = best;
    const { model, needs } = request;
    if (moving) {
      const how = moving.state === 'loading' ? 'being loaded' : 'leaving memory';
      this.#whyWaiting.set(model, `${moving.name} is ${how}`);
      return null;
    }
    if (freeBytes === null) {
      this.#actions.push({ kind: 'measure', reason: `${model} is to be loaded` });
      this.#whyWaiting.set(model, 'free memory is being measured');
      return null;
    }
    const secondTry = ranOut.has(model);
    const planned = planRoom(model, needs, ready, { freeBytes, limits }, secondTry);
    if (planned.kind === 'no-room') {
      const figures = { needed_bytes: needs.leastBytes, available_bytes: planned.availableBytes };
      for (const { id } of inOrder(line))
        this.#reject(line, id, { code: 'insufficient_memory', reason: planned.reason, figures });
      return null;
    }
    const { evict, roomBytes } = planned;
    if (!request.mayEvict && evict.length > 0) {
      const names = evict.map(({ name }) => name).join(', ');
      const figures = { needed_bytes: needs.wantedBytes, available_bytes: freeBytes };
      const why = `${model} is loaded only where nothing has to go for it; now it would be ${names}.`;
      this.#reject(line, request.id, { code: 'insufficient_memory', reason: why, figures });
      // Whoever waited behind it is looked at as soon as it is gone.
      this.#wakeAt = this.#facts.now;
      return null;
    }
    const reason = secondTry
      ? 'its first load ran out of memory; this is the second try'
      : `${line.waiting} wait for it; ${megabytes(roomBytes)} MB can be had, ${megabytes(needs.wantedBytes)} MB are wanted`;
    const victims = new Set(evict.map(({ name }) => name));
    return { request, overdue: rank === OVERDUE, victims, evict, roomBytes, reason };
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
        this.#settle(line, request.id);
      }
      this.#holds.set(model.name, holds);
    }
  }

  #makeRoom(target: Target): void {
    const { request, overdue, evict, roomBytes, reason } = target;
    const { now, limits } = this.#facts;
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
      if (line && inOrder(line).some((other) => !mustLetPass(model, other, target, this.#facts))) {
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
    let excess = -limits.queued;
    for (const { waiting } of this.#lines.values()) excess += waiting;
    const reason = `${limits.queued} requests wait for the embedded engine already.`;
    for (const serviceClass of ['background', 'interactive'] as const) {
      for (let index = queue.length - 1; index >= 0 && excess > 0; index -= 1) {
        const request = queue[index];
        if (!request || request.gone || request.serviceClass !== serviceClass || this.#settled.has(request.id))
          continue;
        const line = this.#lines.get(request.model);
        if (!line) continue;
        excess -= 1;
        this.#reject(line, request.id, { code: 'runtime_busy', reason, figures: { queued: limits.queued } });
      }
    }
  }

  #reject(
    line: RequestLine,
    request: number,
    why: Pick<Extract<ScheduleAction, { kind: 'reject' }>, 'code' | 'reason' | 'figures'>,
  ): void {
    this.#settle(line, request);
    this.#actions.push({ kind: 'reject', request, ...why });
  }

  #settle(line: RequestLine, request: number): void {
    this.#settled.add(request);
    line.waiting -= 1;
  }
}

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

const seconds = (milliseconds: number): number => Math.round(milliseconds / 100) / 10;
