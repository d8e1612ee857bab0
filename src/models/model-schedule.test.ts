import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from './model-schedule.js';
import type { HeldModel, QueuedRequest, ScheduleFacts, ScheduleLimits } from './schedule-facts.js';

const MB = 1_048_576;
const LIMITS: ScheduleLimits = {
  loadedModels: 0,
  memoryBytes: 0,
  queued: 64,
  busyModels: 8,
  lingerMs: 250,
  patienceMs: { interactive: 10_000, background: 30_000 },
};

const held = (name: string, rest: Partial<HeldModel> = {}): HeldModel => ({
  name,
  state: 'ready',
  bytes: 100 * MB,
  freesBytes: 100 * MB,
  holds: 0,
  conversations: 4,
  lastUsedAt: 0,
  readyAt: 0,
  keepAliveMs: Number.POSITIVE_INFINITY,
  pinned: false,
  unloadAskedAt: null,
  ...rest,
});

let ids = 0;
const asked = (model: string, since: number, rest: Partial<QueuedRequest> = {}): QueuedRequest => {
  ids += 1;
  const needs = { leastBytes: 60 * MB, wantedBytes: 100 * MB };
  return { id: ids, model, serviceClass: 'interactive', since, gone: false, mayEvict: true, needs, ...rest };
};

const facts = (rest: Partial<ScheduleFacts>): ScheduleFacts => ({
  now: 100_000,
  models: [],
  queue: [],
  freeBytes: 150 * MB,
  ranOut: new Set(),
  limits: LIMITS,
  ...rest,
});

/** `evict a`, `load b`, `start 1`, `reject 1 runtime_busy` … */
const told = (given: Partial<ScheduleFacts>) =>
  decide(facts(given)).actions.map((action) => {
    if (action.kind === 'reject') return `reject ${action.request} ${action.code}`;
    if (action.kind === 'start' || action.kind === 'drop') return `${action.kind} ${action.request}`;
    return action.kind === 'measure' ? 'measure' : `${action.kind} ${action.model}`;
  });

describe('decide', () => {
  it('starts what is loaded without asking how much memory is free', () => {
    const request = asked('a', 99_000);
    expect(told({ models: [held('a')], queue: [request], freeBytes: null })).toEqual([`start ${request.id}`]);
  });

  it('measures before it loads, and loads beside others while there is room', () => {
    const queue = [asked('b', 99_000)];
    expect(told({ models: [held('a')], queue, freeBytes: null })).toEqual(['measure', 'wait b']);
    expect(told({ models: [held('a')], queue })).toEqual(['load b', 'wait b']);
  });

  it('throws out whoever was used longest ago, no more than is needed, and says why', () => {
    const models = [held('a', { lastUsedAt: 50 }), held('b', { lastUsedAt: 20 }), held('c', { lastUsedAt: 90 })];
    const queue = [asked('d', 99_000)];
    expect(told({ models, queue, freeBytes: 10 * MB })).toEqual(['evict b', 'wait d']);
    const { actions } = decide(facts({ models, queue, freeBytes: 10 * MB }));
    expect(actions[0]).toMatchObject({ cause: 'room', for: 'd', reason: expect.stringContaining('d needs its room') });
    const small = [held('a', { lastUsedAt: 20, freesBytes: 5 * MB }), held('b', { lastUsedAt: 50 })];
    expect(told({ models: small, queue, freeBytes: 10 * MB })).toEqual(['evict b', 'wait d']);
  });

  it('waits for an answer to end before it throws its model out', () => {
    const { actions } = decide(
      facts({ models: [held('a', { holds: 1 })], queue: [asked('b', 99_000)], freeBytes: 10 * MB }),
    );
    expect(actions).toEqual([
      { kind: 'wait', model: 'b', waiting: 1, reason: 'a is in the middle of 1 of its answers' },
    ]);
  });

  it('throws nobody out for a model that would not fit anyway, and refuses it with the figures', () => {
    const big = asked('big', 99_000, { needs: { leastBytes: 900 * MB, wantedBytes: 1_000 * MB } });
    expect(told({ models: [held('a')], queue: [big] })).toEqual([`reject ${big.id} insufficient_memory`]);
    const { actions } = decide(facts({ models: [held('a')], queue: [big] }));
    expect(actions[0]).toMatchObject({ figures: { needed_bytes: 900 * MB, available_bytes: 250 * MB } });
  });

  it('leaves pinned models where they are, and names them when that leaves no place', () => {
    const queue = [asked('b', 99_000)];
    const models = [held('a', { pinned: true })];
    const { actions } = decide(facts({ models, queue, freeBytes: 10 * MB }));
    expect(actions[0]).toMatchObject({ kind: 'reject', reason: expect.stringContaining('pinned and kept: a') });
    expect(told({ models, queue, limits: { ...LIMITS, loadedModels: 1 } })).toEqual([
      `reject ${queue[0]?.id} insufficient_memory`,
    ]);
  });

  it('holds the limits on models and on memory', () => {
    const queue = [asked('b', 99_000)];
    const models = [held('a')];
    expect(told({ models, queue, limits: { ...LIMITS, loadedModels: 1 } })).toEqual(['evict a', 'wait b']);
    expect(told({ models, queue, limits: { ...LIMITS, memoryBytes: 150 * MB } })).toEqual(['evict a', 'wait b']);
    expect(told({ models, queue, limits: { ...LIMITS, memoryBytes: 250 * MB } })).toEqual(['load b', 'wait b']);
  });

  it('lets people pass before background work, until that has waited too long', () => {
    const models = [held('a', { conversations: 1 })];
    const background = asked('a', 80_000, { serviceClass: 'background' });
    const person = asked('a', 99_000);
    expect(told({ models, queue: [background, person] })).toEqual([`start ${person.id}`, 'wait a']);
    expect(told({ models, queue: [background, person], now: 111_000 })[0]).toBe(`start ${background.id}`);
  });

  it('throws no model out for background work that somebody used a moment ago', () => {
    const queue = [asked('b', 99_000, { serviceClass: 'background' })];
    const models = [held('a', { lastUsedAt: 98_000 })];
    const { actions, wakeAt } = decide(facts({ models, queue, freeBytes: 10 * MB }));
    expect(actions).toMatchObject([{ kind: 'wait', reason: expect.stringContaining('used a moment ago') }]);
    expect(wakeAt).toBe(108_000);
    expect(told({ models, queue, freeBytes: 10 * MB, now: 108_000 })).toEqual(['evict a', 'wait b']);
  });

  it('throws no model out for a request that may not evict, however long it waits', () => {
    const request = asked('b', 0, { serviceClass: 'background', mayEvict: false });
    const full = { models: [held('a')], queue: [request], freeBytes: 10 * MB };
    expect(told(full)).toEqual([`reject ${request.id} insufficient_memory`]);
    expect(told({ ...full, freeBytes: 150 * MB })).toEqual(['load b', 'wait b']);
    // Somebody who may is not held up by it.
    const other = asked('b', 1);
    expect(decide(facts({ ...full, queue: [request, other] })).wakeAt).toBe(100_000);
    expect(told({ ...full, queue: [other] })).toContain('evict a');
  });

  it('gives a client that asks in a loop the moment to come back, but no longer', () => {
    const models = [held('a', { lastUsedAt: 99_900 })];
    const queue = [asked('b', 99_000)];
    const { actions, wakeAt } = decide(facts({ models, queue, freeBytes: 10 * MB }));
    expect(actions).toMatchObject([{ kind: 'wait', reason: expect.stringContaining('may come back at once') }]);
    expect(wakeAt).toBe(100_150);
    expect(told({ models, queue, freeBytes: 10 * MB, now: 100_150 })).toEqual(['evict a', 'wait b']);
    const patient = [asked('b', 89_000)];
    expect(told({ models, queue: patient, freeBytes: 10 * MB })).toEqual(['evict a', 'wait b']);
  });

  it('lets no newcomer pass whoever has waited too long for another model', () => {
    const models = [held('a', { holds: 1, lastUsedAt: 95_000 })];
    const other = asked('b', 92_000);
    const newcomer = asked('a', 99_000);
    expect(told({ models, queue: [other, newcomer], freeBytes: 10 * MB })).toEqual([`start ${newcomer.id}`, 'wait b']);
    expect(told({ models, queue: [other, newcomer], freeBytes: 10 * MB, now: 103_000 })).toEqual(['wait b', 'wait a']);
  });

  it('does not load for somebody who has left, and gives up a load nobody waits for', () => {
    const gone = asked('b', 99_000, { gone: true });
    expect(told({ queue: [gone] })).toEqual([`drop ${gone.id}`]);
    const loading = held('b', { state: 'loading' });
    expect(told({ models: [loading], queue: [gone] })).toEqual([`drop ${gone.id}`, 'evict b']);
  });

  it('after memory ran out it frees what is idle and tries once more', () => {
    const models = [held('a'), held('c', { holds: 1 })];
    const queue = [asked('b', 99_000)];
    expect(told({ models, queue, ranOut: new Set(['b']) })).toEqual(['evict a', 'wait b']);
    expect(told({ models: models.slice(1), queue, ranOut: new Set(['b']) })).toEqual(['load b', 'wait b']);
  });

  it('unloads what is idle for its own time, and wakes for the next one', () => {
    const models = [
      held('a', { lastUsedAt: 90_000, keepAliveMs: 10_000 }),
      held('b', { lastUsedAt: 90_000, keepAliveMs: 60_000 }),
    ];
    const { actions, wakeAt } = decide(facts({ models }));
    expect(actions).toEqual([
      { kind: 'evict', model: 'a', cause: 'idle', for: null, reason: 'nobody used it for 10 s' },
    ]);
    expect(wakeAt).toBe(150_000);
  });

  it('unloads what it was told to when those who came before have their answer', () => {
    const before = asked('a', 90_000);
    const after = asked('a', 99_000);
    const model = held('a', { unloadAskedAt: 95_000 });
    expect(told({ models: [model], queue: [before, after] })).toEqual([`start ${before.id}`, 'wait a']);
    expect(told({ models: [model], queue: [after] })).toEqual(['evict a', 'wait a']);
  });

  it('refuses the newest when too many wait, background work first', () => {
    const queue = [asked('b', 1), asked('b', 2, { serviceClass: 'background' }), asked('b', 3), asked('b', 4)];
    const told_ = told({ now: 5, queue, limits: { ...LIMITS, queued: 2 } });
    expect(told_).toEqual([
      'load b',
      `reject ${queue[1]?.id} runtime_busy`,
      `reject ${queue[3]?.id} runtime_busy`,
      'wait b',
    ]);
  });

  it('lets no more models answer than there are cores, in turn', () => {
    const limits = { ...LIMITS, busyModels: 1 };
    const models = [held('a', { holds: 1 }), held('b')];
    const [waits, newcomer] = [asked('b', 95_000), asked('a', 99_000)];
    expect(told({ models, queue: [waits, newcomer], limits })).toEqual([`start ${newcomer.id}`, 'wait b']);
    expect(told({ models, queue: [waits, newcomer], limits, now: 106_000 })).toEqual(['wait b', 'wait a']);
  });
});

interface Arrival {
  model: string;
  at: number;
  serviceClass: 'interactive' | 'background';
  answerMs: number;
  /** When its client leaves, if it has no answer by then. */
  leavesAt: number;
}

const LOAD_MS = 3_000;
const SIZES: Record<string, number> = { a: 100 * MB, b: 60 * MB, c: 140 * MB, d: 100 * MB };

/** Plays a day of arrivals on a clock of its own, and checks at every decision what must hold at every decision. */
function play(arrivals: readonly Arrival[], memoryBytes: number, rest: Partial<ScheduleLimits> = {}) {
  const limits = { ...LIMITS, queued: 10_000, ...rest };
  const models = new Map<string, HeldModel & { holds: number }>();
  const queue = new Map<number, QueuedRequest & Arrival>();
  const waits: { request: Arrival; waitedMs: number }[] = [];
  const left = [...arrivals].sort((a, b) => a.at - b.at);
  const events: { at: number; happen: () => void }[] = [];
  const later = (at: number, happen: () => void) => events.push({ at, happen });
  const counts = { loads: 0, room: 0, dropped: 0 };
  let now = 0;
  let id = 0;
  for (const arrival of left)
    later(arrival.at, () => {
      id += 1;
      const bytes = SIZES[arrival.model] ?? 0;
      const needs = { leastBytes: bytes, wantedBytes: bytes };
      const request = { ...arrival, id, since: now, gone: false, mayEvict: true, needs };
      queue.set(id, request);
      later(arrival.leavesAt, () => {
        request.gone = true;
      });
    });
  for (let steps = 0; events.length > 0; steps += 1) {
    if (steps > 200_000) throw new Error('it never ends');
    events.sort((a, b) => a.at - b.at);
    const [event] = events.splice(0, 1);
    if (!event) break;
    now = Math.max(now, event.at);
    event.happen();
    const used = [...models.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    const given = { now, models: [...models.values()], queue: [...queue.values()], freeBytes: memoryBytes - used };
    const { actions, wakeAt } = decide({ ...given, ranOut: new Set(), limits });
    const starting = new Set(actions.flatMap((action) => (action.kind === 'start' ? [action.model] : [])));
    for (const action of actions) {
      if (action.kind === 'evict') {
        const model = models.get(action.model);
        if (!model || model.holds > 0 || starting.has(action.model)) throw new Error(`evicted busy ${action.model}`);
        if (action.cause === 'room') counts.room += 1;
        models.set(action.model, { ...model, state: 'ending' });
        later(now + 100, () => models.delete(action.model));
      } else if (action.kind === 'load') {
        const wanted = [...queue.values()].some(({ model, gone }) => model === action.model && !gone);
        if (!wanted) throw new Error(`loaded ${action.model} for nobody`);
        const bytes = SIZES[action.model] ?? 0;
        if (used + bytes > memoryBytes) throw new Error(`loaded ${action.model} without room`);
        if ([...models.values()].some(({ state }) => state === 'loading')) throw new Error('two loads at once');
        counts.loads += 1;
        const entry = held(action.model, {
          state: 'loading',
          bytes,
          freesBytes: bytes,
          readyAt: now,
          conversations: 2,
        });
        models.set(action.model, entry);
        later(now + LOAD_MS, () => {
          const current = models.get(action.model);
          if (current?.state === 'loading')
            models.set(action.model, { ...current, state: 'ready', readyAt: now, lastUsedAt: now });
        });
      } else if (action.kind === 'start') {
        const request = queue.get(action.request);
        const model = models.get(action.model);
        if (!request || model?.state !== 'ready' || model.holds >= model.conversations) throw new Error('bad start');
        if (request.gone) throw new Error('answered nobody');
        queue.delete(action.request);
        model.holds += 1;
        waits.push({ request, waitedMs: now - request.since });
        later(now + request.answerMs, () => {
          const current = models.get(action.model) as HeldModel & { holds: number };
          models.set(action.model, { ...current, holds: current.holds - 1, lastUsedAt: now });
        });
        if ([...models.values()].filter(({ holds }) => holds > 0).length > limits.busyModels)
          throw new Error('more models answer than there are cores');
      } else if (action.kind === 'drop') {
        counts.dropped += 1;
        queue.delete(action.request);
      } else if (action.kind === 'reject') throw new Error(`rejected: ${action.reason}`);
    }
    if (wakeAt !== null && !events.some(({ at }) => at === wakeAt)) later(wakeAt, () => {});
  }
  if (queue.size > 0) throw new Error(`${queue.size} requests wait for ever`);
  return { waits, ...counts };
}

const arrivals = fc.array(
  fc.record({
    model: fc.constantFrom('a', 'b', 'c', 'd'),
    at: fc.integer({ min: 0, max: 60_000 }),
    serviceClass: fc.constantFrom('interactive' as const, 'background' as const),
    answerMs: fc.integer({ min: 10, max: 4_000 }),
    leavesAt: fc.constantFrom(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 30_000, 65_000),
  }),
  { minLength: 5, maxLength: 60 },
);

describe('decide, over time', { timeout: 60_000 }, () => {
  it('never cuts an answer, never overfills memory, and serves everybody who stays', () => {
    fc.assert(
      fc.property(
        arrivals,
        fc.integer({ min: 140, max: 400 }),
        fc.integer({ min: 1, max: 3 }),
        (day, megabytes, cores) => {
          const { waits, dropped } = play(day, megabytes * MB, { busyModels: cores });
          return waits.length + dropped === day.length;
        },
      ),
      { numRuns: 300 },
    );
  });

  it('starves nobody behind a model that is always in demand', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('interactive' as const, 'background' as const),
        fc.integer({ min: 500, max: 3_000 }),
        fc.constantFrom(1, 4),
        (serviceClass, answerMs, cores) => {
          const stays = { leavesAt: Number.POSITIVE_INFINITY };
          const hot: Arrival[] = Array.from({ length: 160 }, (_, index) => ({
            model: 'a',
            at: index * 400,
            serviceClass: 'interactive',
            answerMs,
            ...stays,
          }));
          const rare: Arrival = { model: 'd', at: 20_000, serviceClass, answerMs: 1_000, ...stays };
          const { waits } = play([...hot, rare], 150 * MB, { busyModels: cores });
          const waited = waits.find(({ request }) => request.model === 'd')?.waitedMs ?? Number.POSITIVE_INFINITY;
          // Those who were there before it, two at a time.
          const before = waits.filter(
            ({ request, waitedMs }) => request.at < rare.at && request.at + waitedMs >= rare.at,
          );
          const theirsMs = (before.length / 2) * answerMs;
          // And its patience, the answers that were being written, making room, and its load.
          return waited <= theirsMs + LIMITS.patienceMs[serviceClass] + answerMs + 100 + LOAD_MS + LIMITS.lingerMs + 10;
        },
      ),
      { numRuns: 30 },
    );
  });

  it('loads each model once for everything that waits at the same moment', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 60 }), (names) => {
        const day = names.map((model) => ({
          model,
          at: 0,
          serviceClass: 'interactive' as const,
          answerMs: 700,
          leavesAt: Number.POSITIVE_INFINITY,
        }));
        const { loads, room } = play(day, 150 * MB);
        return loads === new Set(names).size && room === loads - 1;
      }),
      { numRuns: 100 },
    );
  });

  it('gives ten answers per load and more when two models are always in demand by turns', () => {
    const day = Array.from(
      { length: 400 },
      (_, index): Arrival => ({
        model: index % 2 === 0 ? 'a' : 'd',
        at: index * 500,
        serviceClass: 'interactive',
        answerMs: 900,
        leavesAt: Number.POSITIVE_INFINITY,
      }),
    );
    const { loads } = play(day, 150 * MB);
    // In the order of arrival it would be 200.
    expect(loads).toBeLessThanOrEqual(200 / 10);
  });

  it('needs no room twice where there is memory for all', () => {
    fc.assert(
      fc.property(arrivals, (day) => {
        const { room, loads } = play(day, 1_000 * MB);
        return room === 0 && loads <= 4 * 2;
      }),
      { numRuns: 100 },
    );
  });
});
