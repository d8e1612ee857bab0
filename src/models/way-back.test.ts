import { expect, it } from 'vitest';
import { AppError } from '../shared/errors.js';
import { Activation, type Candidate } from './activation.js';
import type { OperationContext } from './model-operation.js';
import type { ModelVersion } from './ports.js';
import { goBack } from './way-back.js';

const gone = () => Promise.reject(new AppError('model_not_found', 'gone'));
const files = new Map<string, string>();

function setUp(served: string[]) {
  let now = 0;
  const activation = new Activation({ versions: { all: () => [], save: () => {} }, now: () => ++now });
  files.clear();
  for (const name of served) {
    files.set(name, `sha-${name}`);
    activation.adopt(name, 'r', `sha-${name}`, null);
  }
  const traffic: string[] = [];
  const abort = new AbortController();
  const candidateOf = async ({ modelName }: ModelVersion): Promise<Candidate> => ({
    modelName,
    runtime: 'r',
    // Recorded anew whenever a file is installed under this name again.
    expectedDigest: files.get(modelName) ?? null,
    source: null,
    check: async () => files.get(modelName) ?? gone(),
    load: async () => {},
    probe: async () => ({
      at: 1,
      runtime: 'r',
      runtimeVersion: null,
      score: 1,
      results: [{ name: 'answers', status: 'verified', score: 1, reason: null, durationMs: 1 }],
      tokensPerSecond: null,
      memoryBytes: null,
    }),
    estimateBytes: async () => null,
    switchTo: () => void traffic.push(modelName),
  });
  const context = { signal: abort.signal, step: () => {}, progress: () => {} } as unknown as OperationContext;
  return { activation, traffic, candidateOf, context, abort };
}

it('passes over what is gone and what another file has taken the name of, and goes to the newest that is left', async () => {
  const { activation, traffic, candidateOf, context } = setUp(['a', 'b', 'c', 'd', 'now']);
  files.delete('d');
  files.set('c', 'sha-of-another-file');
  const { version, passedOver } = await goBack(activation, candidateOf, context);
  expect(version).toMatchObject({ modelName: 'b', digest: 'sha-b', active: true });
  expect(passedOver.map(({ versionId, code }) => [versionId, code])).toEqual([
    ['r/d@sha-d', 'model_not_found'],
    ['r/c@sha-c', 'hash_mismatch'],
  ]);
  expect(traffic).toEqual(['b']);
});

it('says that no version is left, and the present one serves on', async () => {
  const { activation, traffic, candidateOf, context } = setUp(['a', 'b', 'now']);
  files.delete('a');
  files.delete('b');
  await expect(goBack(activation, candidateOf, context)).rejects.toMatchObject({
    code: 'no_former_version',
    details: { passed_over: [{ version_id: 'r/b@sha-b', code: 'model_not_found' }, { version_id: 'r/a@sha-a' }] },
  });
  expect(traffic).toEqual([]);
  expect(activation.active?.modelName).toBe('now');
});

it.each<[string, string, (parts: ReturnType<typeof setUp>) => Partial<Candidate>]>([
  [
    'memory is short',
    'activation_failed',
    () => ({ load: async () => Promise.reject(new AppError('insufficient_memory', 'x')) }),
  ],
  [
    'somebody cancels it',
    'cancelled',
    ({ abort }) => ({
      load: async () => {
        abort.abort();
        throw new AppError('runtime_crashed', 'x');
      },
    }),
  ],
])('goes no further back than it must when %s', async (_name, code, changes) => {
  const parts = setUp(['a', 'b', 'now']);
  const candidateOf = async (version: ModelVersion) => ({ ...(await parts.candidateOf(version)), ...changes(parts) });
  await expect(goBack(parts.activation, candidateOf, parts.context)).rejects.toMatchObject({ code });
  expect(parts.activation.active?.modelName).toBe('now');
});
