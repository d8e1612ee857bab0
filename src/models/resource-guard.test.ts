import { afterEach, describe, expect, it } from 'vitest';
import { AppError } from '../shared/errors.js';
import type { HostedModel, ModelHost } from './model-host.js';
import { type AcquireOptions, type Lease, ResourceGuard } from './resource-guard.js';
import type { ScheduleLimits } from './schedule-facts.js';

const MB = 1_048_576;
const WAIT = { timeout: 20_000 };
const NEEDS = { leastBytes: 60 * MB, wantedBytes: 100 * MB };

class FakeModel implements HostedModel {
  readonly conversations = 2;
  readonly processId = 1;
  alive = true;
  #gone: (() => void)[] = [];

  constructor(
    readonly name: string,
    readonly host: FakeHost,
  ) {}

  async measure() {
    return { bytes: 100 * MB, freesBytes: 100 * MB };
  }

  onGone(listener: () => void) {
    this.#gone.push(listener);
  }

  async end() {
    this.alive = false;
    this.host.running.delete(this);
    // The process is gone, its memory not yet.
    await new Promise((resolve) => setTimeout(resolve, 1));
    setTimeout(() => {
      this.host.free += 100 * MB;
    }, this.host.freesAfterMs);
  }

  crash() {
    this.alive = false;
    this.host.running.delete(this);
    this.host.free += 100 * MB;
    for (const listener of this.#gone) listener();
  }
}

/** An engine with memory for one model and a half, unless a test gives it more. */
class FakeHost implements ModelHost<FakeModel> {
  free = 150 * MB;
  freesAfterMs = 0;
  readonly running = new Set<FakeModel>();
  readonly loads: string[] = [];
  readonly freeAtLoad: number[] = [];
  busy: string[][] = [];
  failures: AppError[] = [];
  hold: Promise<void> = Promise.resolve();

  async freeBytes() {
    return this.free;
  }

  async load(name: string, _roomBytes: number, signal: AbortSignal) {
    this.loads.push(name);
    this.freeAtLoad.push(this.free);
    await Promise.race([
      this.hold,
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new AppError('cancelled', 'The load was given up.')));
      }),
    ]);
    const failure = this.failures.shift();
    if (failure) throw failure;
    this.free -= 100 * MB;
    const model = new FakeModel(name, this);
    this.running.add(model);
    return model;
  }

  ranOutOfMemory({ code }: AppError) {
    return code === 'insufficient_memory';
  }

  onBusy(models: readonly FakeModel[]) {
    this.busy.push(models.map(({ name }) => name));
  }
}

let guard: ResourceGuard<FakeModel>;
let host: FakeHost;

function create({
  keepAliveMs = () => Number.POSITIVE_INFINITY,
  pinned = () => false,
  ...limits
}: Partial<ScheduleLimits> & { keepAliveMs?: (model: string) => number; pinned?: (model: string) => boolean } = {}) {
  host = new FakeHost();
  guard = new ResourceGuard({
    host,
    keepAliveMs,
    pinned,
    limits: {
      loadedModels: 0,
      memoryBytes: 0,
      queued: 8,
      busyModels: 4,
      lingerMs: 20,
      patienceMs: { interactive: 10_000, background: 30_000 },
      ...limits,
    },
  });
}

const acquire = (name: string, rest: Partial<AcquireOptions> = {}) => guard.acquire(name, { needs: NEEDS, ...rest });
const turns = () => new Promise((resolve) => setTimeout(resolve, 5));

afterEach(() => guard.close());

describe('ResourceGuard', { timeout: 30_000 }, () => {
  it('serves A B C A B C with two changes when memory holds one, and tells why each one went', async () => {
    create();
    (await acquire('a')).release();
    const answers: string[] = [];
    await Promise.all(
      ['a', 'b', 'c', 'a', 'b', 'c'].map(async (name) => {
        const { model, release } = await acquire(name);
        await turns();
        expect(model.alive).toBe(true);
        answers.push(name);
        release();
      }),
    );
    expect(answers).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
    const state = guard.state();
    expect(state).toMatchObject({ swaps: 2, loads: 3 });
    expect(state.evictions.map(({ model, cause }) => `${model} ${cause}`)).toEqual(['a room', 'b room']);
    expect(state.evictions[0]?.reason).toContain('b needs its room');
  });

  it('keeps both where there is memory for both', async () => {
    create();
    host.free = 500 * MB;
    await Promise.all(
      ['a', 'b', 'a', 'b'].map(async (name) => {
        const { release } = await acquire(name);
        await turns();
        release();
      }),
    );
    expect(guard.state()).toMatchObject({ swaps: 0, loads: 2, loaded: [{ name: 'a' }, { name: 'b' }] });
    expect(host.busy).toContainEqual(['a', 'b']);
    expect(host.busy.at(-1)).toEqual([]);
  });

  it('loads the next model only when the memory of the last one is seen to be free', async () => {
    create();
    host.freesAfterMs = 120;
    (await acquire('a')).release();
    (await acquire('b')).release();
    expect(host.freeAtLoad).toEqual([150 * MB, 150 * MB]);
  });

  it('goes on when freed memory is never seen', async () => {
    create();
    host.freesAfterMs = 3_600_000;
    (await acquire('a')).release();
    const started = performance.now();
    const refused = acquire('b');
    await expect(refused).rejects.toMatchObject({ code: 'insufficient_memory', details: { needed_bytes: 60 * MB } });
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it('frees what is idle and tries exactly once more after memory ran out', async () => {
    create();
    host.free = 500 * MB;
    (await acquire('a')).release();
    host.failures = [new AppError('insufficient_memory', 'no')];
    (await acquire('b')).release();
    expect(host.loads).toEqual(['a', 'b', 'b']);
    expect(guard.state().evictions).toMatchObject([{ model: 'a', cause: 'out-of-memory' }]);
    host.failures = [new AppError('insufficient_memory', 'one'), new AppError('insufficient_memory', 'two')];
    await expect(acquire('c')).rejects.toMatchObject({ code: 'insufficient_memory', message: 'two' });
    expect(host.loads).toEqual(['a', 'b', 'b', 'c', 'c']);
    (await acquire('c')).release();
  });

  it('gives the error of a load to all who waited for it, and to nobody else', async () => {
    create();
    host.failures = [new AppError('invalid_model', 'damaged')];
    const [first, second, other] = await Promise.allSettled([acquire('a'), acquire('a'), acquire('b')]);
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'invalid_model' } });
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'invalid_model' } });
    expect(other).toMatchObject({ status: 'fulfilled' });
  });

  it('loads nothing for a client that has left, and gives up the load it left behind', async () => {
    create();
    const { release } = await acquire('a');
    const gone = new AbortController();
    const left = acquire('b', { signal: gone.signal });
    await turns();
    gone.abort();
    await expect(left).rejects.toMatchObject({ code: 'cancelled' });
    release();
    await turns();
    expect(host.loads).toEqual(['a']);
    expect(guard.state()).toMatchObject({ dropped: 1, queue: [] });
    await guard.unloadAll();

    host.hold = new Promise(() => {});
    const leaves = new AbortController();
    const loading = acquire('c', { signal: leaves.signal });
    await expect.poll(() => host.loads, WAIT).toEqual(['a', 'c']);
    leaves.abort();
    await expect(loading).rejects.toMatchObject({ code: 'cancelled' });
    await expect.poll(() => guard.state().loaded, WAIT).toEqual([]);
    expect(guard.state().evictions.at(-1)).toMatchObject({ model: 'c', cause: 'unwanted' });
  });

  it('refuses what would wait beyond the limit', async () => {
    create({ queued: 1 });
    const leases = [await acquire('a'), await acquire('a')];
    const waits = acquire('a');
    await expect(acquire('a')).rejects.toMatchObject({ code: 'runtime_busy' });
    for (const { release } of leases) release();
    (await waits).release();
    expect(guard.state()).toMatchObject({ rejected: 1, queue: [] });
  });

  it('forgets a model whose process died, and loads it again for whoever waits', async () => {
    create();
    const first = await acquire('a');
    await acquire('a');
    const waits = acquire('a');
    first.model.crash();
    const again = await waits;
    expect(again.model).not.toBe(first.model);
    first.release();
    first.release();
    expect(guard.state().loaded).toMatchObject([{ name: 'a', answers: 1 }]);
    again.release();
    const died = again.model;
    died.crash();
    expect(guard.state().loaded).toEqual([]);
  });

  it('unloads when the answers have ended, and loads again for whoever came later', async () => {
    create();
    const lease = await acquire('a');
    let gone = false;
    const unloading = guard.unload('a').then(() => {
      gone = true;
    });
    const later = acquire('a');
    await turns();
    expect([gone, lease.model.alive]).toEqual([false, true]);
    lease.release();
    await unloading;
    expect(lease.model.alive).toBe(false);
    (await later).release();
    expect(host.loads).toEqual(['a', 'a']);
    expect(guard.state().evictions).toMatchObject([{ cause: 'asked' }]);
    await guard.unload('not loaded');
  });

  it('takes an unload back whose asker has left', async () => {
    create();
    const { release } = await acquire('a');
    const leaves = new AbortController();
    const unloading = guard.unload('a', leaves.signal);
    leaves.abort();
    await expect(unloading).rejects.toBeDefined();
    release();
    await turns();
    expect(guard.state().loaded).toMatchObject([{ name: 'a' }]);
  });

  it('ends everything when it is closed: who waits, who loads, who answers', async () => {
    create();
    host.free = 500 * MB;
    const answering = await acquire('a');
    host.hold = new Promise(() => {});
    const loading = acquire('b').catch((error) => error.code);
    await expect.poll(() => host.loads, WAIT).toEqual(['a', 'b']);
    await guard.close();
    expect(await loading).toBe('shutting_down');
    expect([answering.model.alive, host.running.size]).toEqual([false, 0]);
    await expect(acquire('a')).rejects.toMatchObject({ code: 'shutting_down' });
  });

  it('keeps each model for its own time, as the setting, its own choice or its last request says', async () => {
    let chosen = 300;
    create({ keepAliveMs: (model) => (model === 'brief' ? chosen : Number.POSITIVE_INFINITY) });
    host.free = 500 * MB;
    (await acquire('brief')).release();
    (await acquire('asked', { keepAliveMs: 300 })).release();
    (await acquire('stays')).release();
    const left = Object.fromEntries(guard.state().loaded.map(({ name, idleLeftMs }) => [name, idleLeftMs]));
    expect(left).toEqual({ brief: expect.any(Number), asked: expect.any(Number), stays: null });
    await expect.poll(() => guard.state().loaded.map(({ name }) => name), WAIT).toEqual(['stays']);
    expect(guard.state().evictions.map(({ cause }) => cause)).toEqual(['idle', 'idle']);
    (await acquire('brief', { keepAliveMs: 3_600_000 })).release();
    chosen = 10;
    guard.reconsider('brief');
    await expect.poll(() => guard.state().loaded.map(({ name }) => name), WAIT).toEqual(['stays']);
  });

  it('remembers the last fifty evictions and no more', async () => {
    create({ keepAliveMs: () => 0 });
    for (let round = 0; round < 55; round += 1) {
      (await acquire(`m${round}`)).release();
      await expect.poll(() => guard.state().loaded, { ...WAIT, interval: 1 }).toEqual([]);
    }
    const { evictions } = guard.state();
    expect(evictions).toHaveLength(50);
    expect(evictions.at(-1)).toMatchObject({ model: 'm54', cause: 'idle' });
  });

  it('lets background work wait for people', async () => {
    create();
    const leases: Lease<FakeModel>[] = [await acquire('a'), await acquire('a')];
    const order: string[] = [];
    const background = acquire('a', { serviceClass: 'background' }).then((lease) => {
      order.push('background');
      return lease;
    });
    const person = acquire('a').then((lease) => {
      order.push('person');
      return lease;
    });
    await turns();
    leases.shift()?.release();
    (await person).release();
    (await background).release();
    expect(order).toEqual(['person', 'background']);
    leases.shift()?.release();
  });
});
