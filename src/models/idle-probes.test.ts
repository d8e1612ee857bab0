import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Runtime, RuntimeModel } from '../runtimes/runtime.js';
import type { ErrorCode } from '../shared/errors.js';
import { IdleProbes } from './idle-probes.js';
import type { InstalledModel } from './installed-models.js';
import type { ModelOperation } from './model-operation.js';
import { QuietMoments } from './quiet-moments.js';

type End = { status: ModelOperation['status']; code?: ErrorCode; gaveWayTo?: string };

/** Models without a report, and what becomes of each trial of them. */
function setUp(ends: (name: string, trial: number) => End = () => ({ status: 'completed' })) {
  const untried = new Map<string, { sizeBytes: number; room: boolean }>();
  const memory = new Map<string, string>();
  const trials: string[] = [];
  let recorded = 0;
  const create = () =>
    new IdleProbes({
      untried: async () =>
        [...untried].map(
          ([name, { sizeBytes, room }]): InstalledModel => ({
            runtime: { provider: 'r', roomFor: async () => room } as unknown as Runtime,
            model: { name, sizeBytes } as RuntimeModel,
          }),
        ),
      recordActive: async () => {
        recorded += 1;
      },
      start: ({ model }) => {
        trials.push(model.name);
        return {
          operationId: `${model.name} ${trials.filter((name) => name === model.name).length}`,
        } as ModelOperation;
      },
      settled: async (id) => {
        const [name = '', trial] = id.split(' ');
        const { status, code, gaveWayTo } = ends(name, Number(trial));
        if (status === 'completed') untried.delete(name);
        return {
          status,
          error: code ? { code, message: '' } : null,
          result: gaveWayTo ? { gave_way_to: gaveWayTo } : null,
        } as unknown as ModelOperation;
      },
      quiet: new QuietMoments({ busy: () => false, quietMs: 0, now: () => performance.now() }),
      memory: { get: (key) => memory.get(key), set: (key, value) => void memory.set(key, value) },
      now: Date.now,
      onFailure: (error) => {
        throw error;
      },
    });
  return {
    untried,
    trials,
    memory,
    probes: create(),
    create,
    recorded: () => recorded,
    add: (name: string, room = true, sizeBytes = 1) => untried.set(name, { sizeBytes, room }),
  };
}

const MINUTE_MS = 61_000;

describe('IdleProbes', () => {
  beforeEach(
    () => void vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] }),
  );
  afterEach(() => void vi.useRealTimers());

  it('tries one model after another, and looks again when it is told to and by itself', async () => {
    const { add, probes, trials, recorded } = setUp();
    add('a');
    add('b');
    probes.wake();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(trials).toEqual(['a', 'b']);
    add('c');
    probes.wake();
    await vi.advanceTimersByTimeAsync(2_000);
    add('d');
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(trials).toEqual(['a', 'b', 'c', 'd']);
    expect(recorded()).toBe(3);
    probes.close();
    add('e');
    probes.wake();
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(trials).toHaveLength(4);
  });

  it('passes over a model that has no room, and takes it when there is some', async () => {
    const { add, probes, trials } = setUp();
    add('large', false);
    add('small');
    probes.wake();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(trials).toEqual(['small']);
    add('large', true);
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(trials).toEqual(['small', 'large']);
    probes.close();
  });

  it('gives up a model that fails three times, with longer pauses, over restarts, until its file is another one', async () => {
    const { add, probes, trials, create } = setUp(() => ({ status: 'failed', code: 'runtime_crashed' }));
    add('broken');
    probes.wake();
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(trials).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(11 * MINUTE_MS);
    expect(trials).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(20 * MINUTE_MS);
    expect(trials).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(100 * MINUTE_MS);
    expect(trials).toHaveLength(3);
    probes.close();
    const next = create();
    next.wake();
    await vi.advanceTimersByTimeAsync(2_000 * MINUTE_MS);
    expect(trials).toHaveLength(3);
    add('broken', true, 2);
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(trials).toHaveLength(4);
    next.close();
  });

  it.each<[string, End, number]>([
    ['that found no room', { status: 'failed', code: 'insufficient_memory' }, 2],
    ['that gave way to another operation', { status: 'cancelled', gaveWayTo: 'op' }, 2],
    ['that a person cancelled', { status: 'cancelled' }, 1],
  ])('a trial %s is repeated a minute later, or never', async (_name, end, trials) => {
    const setup = setUp((_model, trial) => (trial === 1 ? end : { status: 'completed' }));
    setup.add('m');
    setup.probes.wake();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(setup.trials).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(3 * MINUTE_MS);
    expect(setup.trials).toHaveLength(trials);
    setup.probes.close();
  });
});
