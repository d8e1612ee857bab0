// ResourceGuard: keeps the models of one engine in memory, as many as fit, and lets requests answer in a fair order. What
// to do is decided in model-schedule.ts; here the facts are gathered and acted on, in one loop.
import type { SchedulerState } from '../runtimes/runtime.js';
import { AppError, toAppError } from '../shared/errors.js';
import { freed, type HostedModel, type ModelHost, SETTLED_SHARE } from './model-host.js';
import { decide } from './model-schedule.js';
import { planRoom } from './room-plan.js';
import type {
  HeldModel,
  MemoryNeed,
  QueuedRequest,
  ScheduleAction,
  ScheduleLimits,
  ServiceClass,
} from './schedule-facts.js';

export interface ResourceGuardOptions<M extends HostedModel> {
  host: ModelHost<M>;
  limits: ScheduleLimits;
  /** Milliseconds a model stays after its last answer; asked again for each decision. */
  keepAliveMs: (model: string) => number;
  pinned?: (model: string) => boolean;
  logger?: { info(object: object, text: string): void } | undefined;
}

export interface AcquireOptions {
  needs: MemoryNeed;
  serviceClass?: ServiceClass;
  /** False: refused where another model would have to go for it. */
  mayEvict?: boolean | undefined;
  signal?: AbortSignal | undefined;
  /** From now on for this model, until it is unloaded. */
  keepAliveMs?: number | undefined;
}

/** The right to let a model answer once. Until it is given back the model is not thrown out. */
export interface Lease<M> {
  readonly model: M;
  /** Safe to call twice. */
  release(): void;
}

interface Entry<M> {
  name: string;
  state: HeldModel['state'];
  model: M | null;
  bytes: number;
  freesBytes: number;
  holds: number;
  lastUsedAt: number;
  readyAt: number;
  keepAliveMs: number | undefined;
  unloadAskedAt: number | null;
  /** Those who wait for it to be unloaded. */
  unloading: Set<() => void>;
  loading: AbortController;
}

interface Waiting<M> extends QueuedRequest {
  gone: boolean;
  keepAliveMs: number | undefined;
  settle(lease: Lease<M> | AppError): void;
}

const EVICTIONS_KEPT = 50;

export class ResourceGuard<M extends HostedModel> {
  readonly #options: ResourceGuardOptions<M>;
  readonly #entries = new Map<string, Entry<M>>();
  readonly #queue = new Map<number, Waiting<M>>();
  /** Models whose load ran out of memory once. */
  readonly #ranOut = new Set<string>();
  readonly #evictions: SchedulerState['evictions'][number][] = [];
  /** Others were thrown out so that this one is loaded next. */
  #swapFor: string | undefined;
  #whyWaiting: Extract<ScheduleAction, { kind: 'wait' }>[] = [];
  #counts = { swaps: 0, loads: 0, dropped: 0, rejected: 0 };
  #nextId = 1;
  #woken = false;
  #measuring = false;
  #timer: NodeJS.Timeout | undefined;
  #busy = '';
  #closed = false;

  constructor(options: ResourceGuardOptions<M>) {
    this.#options = options;
  }

  /**
   * Waits for the turn of this model, and loads it where that is needed.
   * @throws AppError `cancelled`, `runtime_busy`, `insufficient_memory`, `shutting_down`, and as the engine's load does
   */
  acquire(model: string, { needs, serviceClass, mayEvict, signal, keepAliveMs }: AcquireOptions): Promise<Lease<M>> {
    if (this.#closed) return Promise.reject(stopping());
    if (signal?.aborted) return Promise.reject(cancelled());
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiting.gone = true;
        reject(cancelled());
        this.#wake();
      };
      const waiting: Waiting<M> = {
        id: this.#nextId,
        model,
        serviceClass: serviceClass ?? 'interactive',
        since: performance.now(),
        gone: false,
        mayEvict: mayEvict ?? true,
        needs,
        keepAliveMs,
        settle: (answer) => {
          signal?.removeEventListener('abort', leave);
          this.#queue.delete(waiting.id);
          if (answer instanceof AppError) reject(answer);
          else resolve(answer);
        },
      };
      this.#nextId += 1;
      this.#queue.set(waiting.id, waiting);
      signal?.addEventListener('abort', leave, { once: true });
      this.#wake();
    });
  }

  /** Whether it is in memory, or could come there without anything having to go. */
  async roomFor(model: string, needs: MemoryNeed): Promise<boolean> {
    if (this.#entries.get(model)?.state === 'ready') return true;
    const held = [...this.#entries.values()];
    if (held.some(({ state }) => state !== 'ready')) return false;
    const { host, limits } = this.#options;
    const freeBytes = await host.freeBytes().catch(() => 0);
    const facts = held.map((entry) => this.#fact(entry));
    const plan = planRoom(model, needs, facts, { freeBytes, limits }, false);
    return plan.kind === 'room' && plan.evict.length === 0;
  }

  /** What was set for a model has changed; it holds from now on, whatever its last request wanted. */
  reconsider(model: string): void {
    const entry = this.#entries.get(model);
    if (entry) entry.keepAliveMs = undefined;
    this.#wake();
  }

  /** Resolves when it is gone from memory; answers that use it end first. @throws the signal's reason */
  async unload(model: string, signal?: AbortSignal): Promise<void> {
    const entry = this.#entries.get(model);
    if (!entry) return;
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const done = () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        entry.unloading.delete(done);
        if (entry.unloading.size === 0) entry.unloadAskedAt = null;
        reject(signal?.reason);
        this.#wake();
      };
      entry.unloading.add(done);
      entry.unloadAskedAt ??= performance.now();
      signal?.addEventListener('abort', leave, { once: true });
      this.#wake();
    });
  }

  async unloadAll(): Promise<void> {
    await Promise.all([...this.#entries.keys()].map((name) => this.unload(name)));
  }

  /** Requests that wait are refused, answers are cut, processes end. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const waiting of [...this.#queue.values()]) waiting.settle(stopping());
    const entries = [...this.#entries.values()];
    for (const entry of entries) entry.loading.abort();
    await Promise.all(
      entries.map(
        (entry) =>
          new Promise<void>((resolve) => {
            entry.unloading.add(resolve);
            if (entry.state === 'ready') this.#end(entry);
          }),
      ),
    );
  }

  /** Those that can answer, in the order in which they were loaded. */
  get models(): M[] {
    return [...this.#entries.values()].flatMap(({ state, model }) => (state === 'ready' && model ? [model] : []));
  }

  state(): SchedulerState {
    const now = performance.now();
    const { loadedModels, memoryBytes, queued } = this.#options.limits;
    return {
      loaded: [...this.#entries.values()].sort(byName).map((entry) => ({
        name: entry.name,
        state: entry.state,
        bytes: entry.bytes,
        answers: entry.holds,
        conversations: entry.model?.conversations ?? 0,
        pinned: this.#options.pinned?.(entry.name) ?? false,
        idleLeftMs: this.#idleLeftMs(entry, now),
        processId: entry.model?.processId ?? null,
      })),
      queue: [...this.#queue.values()]
        .filter(({ gone }) => !gone)
        .map(({ model, serviceClass, since }) => ({ model, serviceClass, waitedMs: Math.round(now - since) })),
      waiting: this.#whyWaiting.map(({ model, waiting, reason }) => ({ model, requests: waiting, reason })),
      ...this.#counts,
      evictions: [...this.#evictions],
      limits: { loadedModels, memoryBytes, queued },
    };
  }

  /** Reads again what each model takes. */
  async measure(): Promise<void> {
    await Promise.all(
      [...this.#entries.values()].map(async (entry) => {
        const measured = await entry.model?.measure();
        if (measured) Object.assign(entry, measured);
      }),
    );
  }

  #idleLeftMs(entry: Entry<M>, now: number): number | null {
    const keepAliveMs = this.#keepAliveMs(entry);
    if (entry.state !== 'ready' || entry.holds > 0 || !Number.isFinite(keepAliveMs)) return null;
    return Math.max(0, Math.round(entry.lastUsedAt + keepAliveMs - now));
  }

  #keepAliveMs(entry: Entry<M>): number {
    return entry.keepAliveMs ?? this.#options.keepAliveMs(entry.name);
  }

  /** Whatever changes a fact calls this. All changes of one moment are one decision. */
  #wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    queueMicrotask(() => {
      this.#woken = false;
      this.#turn(null);
    });
  }

  #turn(freeBytes: number | null): void {
    if (this.#closed) return;
    const now = performance.now();
    const { actions, wakeAt } = decide({
      now,
      freeBytes,
      models: [...this.#entries.values()].map((entry) => this.#fact(entry)),
      queue: [...this.#queue.values()],
      ranOut: this.#ranOut,
      limits: this.#options.limits,
    });
    this.#whyWaiting = [];
    for (const action of actions) this.#act(action);
    this.#shareCores();
    clearTimeout(this.#timer);
    if (wakeAt === null) return;
    // One more, because a timer may come a fraction of a millisecond early and would then find nothing to do.
    this.#timer = setTimeout(() => this.#wake(), Math.min(2_147_483_647, Math.max(0, wakeAt - now) + 1));
    this.#timer.unref();
  }

  #fact(entry: Entry<M>): HeldModel {
    return {
      name: entry.name,
      state: entry.state,
      bytes: entry.bytes,
      freesBytes: entry.freesBytes,
      holds: entry.holds,
      conversations: entry.model?.conversations ?? 0,
      lastUsedAt: entry.lastUsedAt,
      readyAt: entry.readyAt,
      keepAliveMs: this.#keepAliveMs(entry),
      pinned: this.#options.pinned?.(entry.name) ?? false,
      unloadAskedAt: entry.unloadAskedAt,
    };
  }

  #act(action: ScheduleAction): void {
    switch (action.kind) {
      case 'measure':
        this.#measureFree();
        return;
      case 'drop':
        this.#counts.dropped += 1;
        this.#queue.delete(action.request);
        return;
      case 'reject':
        this.#counts.rejected += 1;
        this.#queue.get(action.request)?.settle(new AppError(action.code, action.reason, { details: action.figures }));
        return;
      case 'start':
        this.#start(action.request, action.model);
        return;
      case 'load':
        this.#load(action);
        return;
      case 'evict':
        this.#evict(action);
        return;
      case 'wait':
        this.#whyWaiting.push(action);
    }
  }

  #measureFree(): void {
    if (this.#measuring) return;
    this.#measuring = true;
    void this.#options.host
      .freeBytes()
      .catch(() => 0)
      .then((freeBytes) => {
        this.#measuring = false;
        this.#turn(freeBytes);
      });
  }

  #start(request: number, name: string): void {
    const waiting = this.#queue.get(request);
    const entry = this.#entries.get(name);
    if (!waiting || !entry?.model) return;
    entry.holds += 1;
    if (waiting.keepAliveMs !== undefined) entry.keepAliveMs = waiting.keepAliveMs;
    let held = true;
    waiting.settle({
      model: entry.model,
      release: () => {
        if (!held) return;
        held = false;
        entry.holds -= 1;
        entry.lastUsedAt = performance.now();
        this.#wake();
      },
    });
  }

  #load({ model: name, needs, roomBytes, reason }: Extract<ScheduleAction, { kind: 'load' }>): void {
    const now = performance.now();
    const entry: Entry<M> = {
      name,
      state: 'loading',
      model: null,
      bytes: needs.wantedBytes,
      freesBytes: needs.wantedBytes,
      holds: 0,
      lastUsedAt: now,
      readyAt: now,
      keepAliveMs: undefined,
      unloadAskedAt: null,
      unloading: new Set(),
      loading: new AbortController(),
    };
    this.#entries.set(name, entry);
    this.#counts.loads += 1;
    if (this.#swapFor === name) this.#counts.swaps += 1;
    this.#swapFor = undefined;
    this.#options.logger?.info({ model: name, reason }, 'loading a model');
    this.#options.host
      .load(name, roomBytes, entry.loading.signal)
      .then(async (model) => {
        const measured = await model.measure();
        Object.assign(entry, measured, { model, lastUsedAt: performance.now(), readyAt: performance.now() });
        if (entry.loading.signal.aborted) return this.#end(entry);
        entry.state = 'ready';
        this.#ranOut.delete(name);
        model.onGone(() => this.#forget(entry));
        this.#wake();
      })
      .catch((thrown) => this.#loadFailed(entry, toAppError(thrown)));
  }

  #loadFailed(entry: Entry<M>, error: AppError): void {
    this.#forget(entry);
    if (entry.loading.signal.aborted) return;
    if (this.#options.host.ranOutOfMemory(error) && !this.#ranOut.has(entry.name)) {
      this.#ranOut.add(entry.name);
      this.#options.logger?.info({ model: entry.name, reason: error.message }, 'a model ran out of memory; once more');
      return;
    }
    this.#ranOut.delete(entry.name);
    for (const waiting of [...this.#queue.values()])
      if (waiting.model === entry.name && !waiting.gone) waiting.settle(error);
  }

  #evict({ model: name, cause, for: successor, reason }: Extract<ScheduleAction, { kind: 'evict' }>): void {
    const entry = this.#entries.get(name);
    if (!entry || entry.state === 'ending') return;
    this.#evictions.push({ model: name, cause, reason, bytes: entry.bytes, at: Date.now() });
    if (this.#evictions.length > EVICTIONS_KEPT) this.#evictions.shift();
    if (successor !== null) this.#swapFor = successor;
    this.#options.logger?.info({ model: name, cause, reason }, 'unloading a model');
    if (entry.state === 'loading') entry.loading.abort();
    this.#end(entry);
  }

  #end(entry: Entry<M>): void {
    const { model } = entry;
    entry.state = 'ending';
    // While it is loading the aborted load ends it, and tells.
    if (!model) return;
    void this.#endAndSettle(entry, model)
      .catch(() => {})
      .then(() => this.#forget(entry));
  }

  /** The next load believes what is free, so that is waited for; the process alone may be gone before its memory is. */
  async #endAndSettle(entry: Entry<M>, model: M): Promise<void> {
    const { host } = this.#options;
    const before = await host.freeBytes().catch(() => 0);
    await model.end();
    await freed(host, before + entry.freesBytes * SETTLED_SHARE, () => ({
      wantedBytes: this.#mostWanted(),
      watched: this.#queue.size > 0,
      givenUp: this.#closed,
    }));
  }

  /** What the largest of those takes that wait to be loaded; without any, more than there can be. */
  #mostWanted(): number {
    const wanted = [...this.#queue.values()].filter(
      ({ model, gone }) => !gone && this.#entries.get(model)?.state !== 'ready',
    );
    return wanted.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...wanted.map(({ needs }) => needs.wantedBytes));
  }

  /** It is out of memory, whatever took it there. */
  #forget(entry: Entry<M>): void {
    if (this.#entries.get(entry.name) === entry) this.#entries.delete(entry.name);
    for (const done of entry.unloading) done();
    entry.unloading.clear();
    this.#wake();
  }

  #shareCores(): void {
    const busy = [...this.#entries.values()].filter(({ holds, state }) => holds > 0 && state === 'ready');
    const names = busy.map(({ name }) => name).join('\n');
    if (names === this.#busy) return;
    this.#busy = names;
    this.#options.host.onBusy?.(busy.flatMap(({ model }) => (model ? [model] : [])));
  }
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
const cancelled = () => new AppError('cancelled', 'The request was stopped.');
const stopping = () => new AppError('shutting_down', 'The embedded runtime is stopping.');
