import { describe, expect, it } from 'vitest';
import { AppError } from '../shared/errors.js';
import { Activation, type Candidate } from './activation.js';
import type { ProbeReport } from './manifest.js';
import type { OperationContext } from './model-operation.js';
import type { ModelVersion } from './ports.js';

const report = (answers = true, memoryBytes: number | null = null): ProbeReport => ({
  at: 1,
  runtime: 'r',
  runtimeVersion: null,
  score: 1,
  results: [{ name: 'answers', status: answers ? 'verified' : 'failed', score: 1, reason: null, durationMs: 1 }],
  tokensPerSecond: null,
  memoryBytes,
});

function setUp() {
  const saved: ModelVersion[][] = [];
  let now = 0;
  const activation = new Activation({
    versions: { all: () => [], save: (versions) => void saved.push([...versions]) },
    now: () => ++now,
  });
  const traffic: string[] = [];
  const candidate = (modelName: string, changes: Partial<Candidate> = {}): Candidate => ({
    modelName,
    runtime: 'r',
    expectedDigest: null,
    source: null,
    check: async () => `digest-of-${modelName}`,
    load: async () => {},
    probe: async () => report(),
    estimateBytes: async () => 100,
    switchTo: () => void traffic.push(modelName),
    ...changes,
  });
  const context = (signal = new AbortController().signal) =>
    ({ signal, step: () => {}, progress: () => {} }) as unknown as OperationContext;
  return { activation, saved, traffic, candidate, context };
}

describe('Activation', () => {
  it('moves the traffic in one commit, after everything has passed', async () => {
    const { activation, saved, traffic, candidate, context } = setUp();
    await activation.run(candidate('a'), context());
    await activation.run(candidate('b'), context());
    expect(traffic).toEqual(['a', 'b']);
    expect(saved[1]?.map(({ modelName, active }) => [modelName, active])).toEqual([
      ['b', true],
      ['a', false],
    ]);
    expect(activation.active?.modelName).toBe('b');
    expect(activation.formers.map(({ modelName }) => modelName)).toEqual(['a']);
    await activation.run(candidate('c'), context());
    await activation.run(candidate('a'), context());
    expect(activation.versions().map(({ modelName }) => modelName)).toEqual(['a', 'c', 'b']);
  });

  it.each<[string, Partial<Candidate>]>([
    ['a damaged file', { check: async () => Promise.reject(new AppError('invalid_model', 'bad')) }],
    ['a file that was changed', { expectedDigest: 'another' }],
    ['a model that does not load', { load: async () => Promise.reject(new AppError('runtime_crashed', 'x')) }],
    ['a model that says nothing', { probe: async () => report(false) }],
    ['a model far beyond its estimate', { probe: async () => report(true, 200) }],
    ['an engine that fails without a code', { probe: async () => Promise.reject(new Error('template')) }],
  ])('keeps the former version on %s', async (_name, changes) => {
    const { activation, saved, traffic, candidate, context } = setUp();
    await activation.run(candidate('a'), context());
    await expect(activation.run(candidate('b', changes), context())).rejects.toMatchObject({
      code: 'activation_failed',
    });
    expect(traffic).toEqual(['a']);
    expect(saved).toHaveLength(1);
    expect(activation.active?.modelName).toBe('a');
  });

  it('changes nothing when it is cancelled on the way', async () => {
    const { activation, traffic, candidate, context } = setUp();
    const abort = new AbortController();
    const running = activation.run(
      candidate('a', {
        probe: async () => {
          abort.abort();
          return report();
        },
      }),
      context(abort.signal),
    );
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    expect(traffic).toEqual([]);
    expect(activation.active).toBeUndefined();
  });

  it('a version that was taken into use before its hash was known is the same one afterwards', async () => {
    const { activation, saved, candidate, context } = setUp();
    const unknown = activation.adopt('a', 'r', null, null);
    activation.pin(unknown.versionId, true);
    activation.identify(unknown.versionId, 'sha256:digest-of-a');
    expect(activation.versions()).toMatchObject([
      { versionId: 'r/a@digest-of-a', active: true, pinned: true, activatedAt: unknown.activatedAt },
    ]);
    // Trying it later finds the same version, and no second one.
    await activation.run(candidate('a'), context());
    expect(activation.versions()).toHaveLength(1);
    expect(saved.length).toBeGreaterThan(0);
  });
});
