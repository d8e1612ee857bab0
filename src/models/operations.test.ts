import { performance as nodePerformance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import { AppError } from '../shared/errors.js';
import type { ModelOperation } from './model-operation.js';
import { ModelOperations } from './operations.js';

/** Rows as a database keeps them: copies, not the objects. */
function rows() {
  const kept = new Map<string, string>();
  let full = false;
  return {
    setFull: (value: boolean) => {
      full = value;
    },
    repository: {
      save(operation: ModelOperation) {
        if (full) throw new AppError('insufficient_storage', 'full');
        kept.set(operation.operationId, JSON.stringify(operation));
      },
      get: (id: string) => (kept.has(id) ? (JSON.parse(kept.get(id) as string) as ModelOperation) : undefined),
      list: () => [...kept.values()].reverse().map((text) => JSON.parse(text) as ModelOperation),
      unfinished: () =>
        [...kept.values()]
          .map((text) => JSON.parse(text) as ModelOperation)
          .filter(({ status }) => status === 'pending' || status === 'in_progress'),
    },
  };
}

let ids = 0;
const create = (repository: ReturnType<typeof rows>['repository'], owner = 'boot-1') =>
  new ModelOperations({
    repository,
    now: () => 1,
    newId: () => `op-${++ids}`,
    owner,
    onChange: () => {},
    concurrency: 2,
    queueLimit: 3,
  });
const request = (modelName: string, type: ModelOperation['type'] = 'install') => ({
  type,
  modelName,
  provider: 'p',
  runtime: 'r',
});
const never = () => new Promise<null>(() => {});

describe('ModelOperations', () => {
  it('is on disk before it is told, and ends once', async () => {
    const { repository } = rows();
    const operations = create(repository);
    operations.handle('install', async ({ step, progress }) => {
      step('a');
      progress(5, 10);
      step('b');
      return { ok: true };
    });
    const { operationId } = operations.start(request('m'));
    expect(repository.get(operationId)).toMatchObject({ status: 'pending' });
    expect(await operations.settled(operationId)).toMatchObject({
      status: 'completed',
      progress: 100,
      result: { ok: true },
      steps: [
        { name: 'a', status: 'done' },
        { name: 'b', status: 'done' },
      ],
    });
    expect(repository.get(operationId)).toMatchObject({ status: 'completed' });
  });

  it('never runs two at once on one model, and refuses when too many wait', async () => {
    const operations = create(rows().repository);
    const running: string[] = [];
    operations.handle('install', ({ operation }) => {
      running.push(operation.modelName);
      return never();
    });
    operations.handle('remove', async () => null);
    const first = operations.start(request('m'));
    expect(operations.start(request('m')).operationId).toBe(first.operationId);
    const removal = operations.start(request('m', 'remove'));
    await new Promise(setImmediate);
    expect(running).toEqual(['m']);
    expect(operations.get(removal.operationId).status).toBe('pending');
    operations.start(request('n'));
    await new Promise(setImmediate);
    for (const name of ['x', 'y']) operations.start(request(name));
    expect(() => operations.start(request('z'))).toThrowError(expect.objectContaining({ code: 'runtime_busy' }));
  });

  it('takes up after a crash what is safe to run again, and says interrupted of the rest', async () => {
    const { repository } = rows();
    const before = create(repository);
    for (const type of ['install', 'activate'] as const)
      before.handle(type, async ({ remember }) => {
        remember({ plan: 'pinned' });
        return never();
      });
    const install = before.start(request('m'));
    const activate = before.start(request('n', 'activate'));
    await new Promise(setImmediate);
    const after = create(repository, 'boot-2');
    let seen: unknown;
    after.handle('install', async ({ operation }) => {
      seen = operation.input;
      return null;
    });
    expect(after.recover()).toEqual({ resumed: 1, interrupted: 1 });
    expect(await after.settled(install.operationId)).toMatchObject({ status: 'completed', attempt: 2 });
    expect(seen).toEqual({ plan: 'pinned' });
    expect(after.get(activate.operationId)).toMatchObject({ status: 'interrupted', error: { code: 'interrupted' } });
    after.handle('activate', async () => null);
    after.retry(activate.operationId);
    expect(await after.settled(activate.operationId)).toMatchObject({ status: 'completed' });
    expect(() => after.retry(activate.operationId)).toThrowError(expect.objectContaining({ code: 'conflict' }));
  });

  it('gives up what ends with its process again and again', async () => {
    const { repository } = rows();
    const first = create(repository);
    first.handle('install', never);
    const { operationId } = first.start(request('m'));
    const taken: number[] = [];
    for (let boot = 2; boot < 9; boot += 1) {
      await new Promise(setImmediate);
      const next = create(repository, `boot-${boot}`);
      next.handle('install', never);
      taken.push(next.recover().resumed);
    }
    expect(taken).toEqual([1, 1, 1, 1, 0, 0, 0]);
    expect(repository.get(operationId)).toMatchObject({ status: 'interrupted', attempt: 5 });
  });

  it('keeps for the next boot what the stop of the server ended, and not what a person cancelled', async () => {
    const { repository } = rows();
    const operations = create(repository);
    operations.handle('install', ({ signal }) => {
      const stopped = Promise.withResolvers<null>();
      signal.addEventListener('abort', () => stopped.reject(signal.reason), { once: true });
      return stopped.promise;
    });
    const [cut, cancelled] = ['m', 'n'].map((name) => operations.start(request(name)).operationId) as [string, string];
    await new Promise(setImmediate);
    operations.cancel(cancelled);
    await operations.close();
    expect(repository.get(cancelled)).toMatchObject({ status: 'cancelled' });
    expect(repository.get(cut)).toMatchObject({ status: 'in_progress' });
  });

  it('reserves what installations will still write', async () => {
    const operations = create(rows().repository);
    operations.handle('install', async ({ progress }) => {
      progress(30, 100);
      return never();
    });
    const { operationId } = operations.start(request('m'));
    await new Promise(setImmediate);
    expect(operations.reservedBytes()).toBe(70);
    expect(operations.reservedBytes(operationId)).toBe(0);
  });

  it('does not stay "running" because the disk is full', async () => {
    const { repository, setFull } = rows();
    const operations = create(repository);
    operations.handle('install', async () => {
      setFull(true);
      throw new AppError('insufficient_storage', 'full');
    });
    const { operationId } = operations.start(request('m'));
    await expect.poll(() => operations.get(operationId).status).toBe('failed');
    expect(operations.list(1)[0]).toMatchObject({ status: 'failed', error: { code: 'insufficient_storage' } });
    setFull(false);
    await operations.close();
  });

  it('idle work takes no place of others, and ends for whatever else is to be done with its model', async () => {
    const { repository } = rows();
    const operations = create(repository);
    const untilAborted = (signal: AbortSignal) =>
      new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error()), { once: true }));
    operations.handle('probe', ({ signal, operation }) =>
      operation.idle ? untilAborted(signal) : Promise.resolve(null),
    );
    operations.handle('remove', async () => null);
    operations.handle('install', never);
    const idle = operations.start({ ...request('m', 'probe'), idle: true });
    const places = [operations.start(request('a')), operations.start(request('b'))];
    await expect
      .poll(() => places.map(({ operationId }) => operations.get(operationId).status))
      .toEqual(['in_progress', 'in_progress']);
    expect(operations.get(idle.operationId).status).toBe('in_progress');
    // The same again is the same one; somebody who waits gets his own.
    expect(operations.start({ ...request('m', 'probe'), idle: true }).operationId).toBe(idle.operationId);
    operations.cancel(places[0]?.operationId ?? '');
    const asked = operations.start(request('m', 'probe'));
    expect(asked.operationId).not.toBe(idle.operationId);
    expect(await operations.settled(idle.operationId)).toMatchObject({
      status: 'cancelled',
      message: 'Gave way',
      result: { gave_way_to: asked.operationId },
    });
    expect(repository.get(idle.operationId)).toMatchObject({ status: 'cancelled' });
  });

  it('whoever waits for one in the queue does not keep the process busy meanwhile', async () => {
    const { repository } = rows();
    const operations = create(repository);
    operations.handle('install', never);
    const started = ['a', 'b', 'c'].map((name) => operations.start(request(name)));
    const last = started[2]?.operationId ?? '';
    const waiting = operations.settled(last);
    const before = nodePerformance.eventLoopUtilization();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(nodePerformance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);
    operations.cancel(last);
    expect(await waiting).toMatchObject({ status: 'cancelled' });
  });
});
