// With members in memory: what a pool does that the wire does not show.
import { PassThrough } from 'node:stream';
import type { LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AppError } from '../../shared/errors.js';
import type { RuntimeModel } from '../runtime.js';
import { EndpointPool } from './endpoint-pool.js';
import type { MemberRuntime } from './member.js';

const model = (name: string): RuntimeModel => ({
  name,
  provider: 'p',
  sizeBytes: null,
  quantization: null,
  path: null,
  digest: null,
  format: 'folder',
  chat: true,
  embedding: false,
  problem: null,
});
const text = (delta: string): LanguageModelV4StreamPart => ({ type: 'text-delta', id: 'text', delta });
const unreachable = () => new AppError('upstream_unreachable', 'It cannot be reached.');

interface FakeMember extends MemberRuntime {
  models: string[];
  inMemory: string[];
  failure: (() => unknown) | undefined;
  asked: number;
  unloaded: string[];
  answer: () => AsyncGenerator<LanguageModelV4StreamPart[]>;
}

function fakeMember(name: string, models = ['m']): FakeMember {
  const check = () => {
    if (member.failure) throw member.failure();
  };
  const member: FakeMember = {
    provider: 'p',
    endpoint: `http://${name}/v1`,
    models,
    inMemory: [],
    failure: undefined,
    asked: 0,
    unloaded: [],
    answer: async function* () {
      yield [text(name)];
    },
    languageModel: () => {
      throw new Error('a pool streams');
    },
    streamBatches: async () => {
      member.asked += 1;
      check();
      return member.answer();
    },
    forward: async () => {
      member.asked += 1;
      check();
      return { status: 200, bytesSent: 2, contentType: 'text/plain', body: new PassThrough().end(name) };
    },
    listModels: async () => {
      check();
      return member.models.map(model);
    },
    health: async () =>
      member.failure
        ? { state: 'offline', latencyMs: null, error: 'away', details: {} }
        : { state: 'online', latencyMs: 1, error: null, details: {} },
    embed: async () => {
      check();
      return { vectors: [[1]], tokens: 1 };
    },
    loaded: async () => {
      check();
      return member.inMemory.map((loaded) => ({ name: loaded, sizeBytes: null, vramBytes: null, expiresAt: null }));
    },
    load: async (loaded) => {
      check();
      member.inMemory.push(loaded);
    },
    unload: async (unloaded) => {
      check();
      member.unloaded.push(unloaded);
    },
    unloadAll: async () => {
      check();
      member.inMemory = [];
    },
    close: async () => {},
  };
  return member;
}

const pools: EndpointPool[] = [];
function create(...members: FakeMember[]): EndpointPool {
  const pool = new EndpointPool({ members, backOffMs: 1_000 });
  pools.push(pool);
  return pool;
}
afterEach(async () => {
  vi.useRealTimers();
  for (const pool of pools.splice(0)) await pool.close();
});

let asked = 0;
/** Another one each time, or the beginning of the prompt would say where it belongs. */
const question = (session?: string, abortSignal?: AbortSignal) => ({
  prompt: [{ role: 'user' as const, content: [{ type: 'text' as const, text: `Question ${asked++}` }] }],
  ...(session ? { providerOptions: { venom: { sessionId: session } } } : {}),
  ...(abortSignal ? { abortSignal } : {}),
});
const ask = async (pool: EndpointPool, name = 'm', session?: string) => {
  let answer = '';
  for await (const batch of await pool.streamBatches(name, question(session)))
    for (const part of batch) if (part.type === 'text-delta') answer += part.delta;
  return answer;
};
const states = (pool: EndpointPool) => pool.pool().members.map(({ state }) => state);
const inFlight = (pool: EndpointPool) => pool.pool().members.map((member) => member.inFlight);

describe('EndpointPool', () => {
  it('lists the union of models, each with the members that have it', async () => {
    const pool = create(fakeMember('a', ['x', 'y']), fakeMember('b', ['y', 'z']));
    expect((await pool.listModels()).map(({ name, endpoints }) => [name, endpoints])).toEqual([
      ['x', ['http://a/v1']],
      ['y', ['http://a/v1', 'http://b/v1']],
      ['z', ['http://b/v1']],
    ]);
    expect(await ask(pool, 'z')).toBe('b');
    expect(await ask(pool, 'z:latest')).toBe('b');
  });

  it('lists what the others have while one member is away, and fails only when all are', async () => {
    const [a, b] = [fakeMember('a', ['x']), fakeMember('b', ['y'])];
    const pool = create(a, b);
    a.failure = unreachable;
    expect((await pool.listModels()).map(({ name }) => name)).toEqual(['y']);
    expect(states(pool)).toEqual(['excluded', 'in-service']);
    b.failure = unreachable;
    await expect(pool.listModels()).rejects.toMatchObject({ code: 'upstream_unreachable' });
  });

  it('does not keep a list waiting for a member that hangs', async () => {
    const a = fakeMember('a');
    a.listModels = () => new Promise(() => {});
    const pool = create(a, fakeMember('b', ['y']));
    expect((await pool.listModels()).map(({ name }) => name)).toEqual(['y']);
  });

  it('takes a failed member back by a probe, later each time it fails', async () => {
    vi.useFakeTimers();
    const [a, b] = [fakeMember('a'), fakeMember('b')];
    const pool = create(a, b);
    a.failure = unreachable;
    expect(await ask(pool)).toBe('b');
    expect(states(pool)).toEqual(['excluded', 'in-service']);
    await vi.advanceTimersByTimeAsync(1_100);
    // Still away: twice the time.
    expect(pool.pool().members[0]?.excludedUntil).toBeGreaterThan(Date.now() + 1_500);
    a.failure = undefined;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(states(pool)).toEqual(['excluded', 'in-service']);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(states(pool)).toEqual(['in-service', 'in-service']);
  });

  it('leaves a member that answers nothing at all, and waits for one that only takes its time', async () => {
    const [a, b] = [fakeMember('a'), fakeMember('b')];
    const pool = new EndpointPool({ members: [a, b], patienceMs: 10 });
    pools.push(pool);
    const never = vi.fn((_name: string, { abortSignal }: { abortSignal?: AbortSignal }) => {
      return new Promise<never>((_, reject) => {
        abortSignal?.addEventListener('abort', () => reject(abortSignal.reason));
      });
    });
    const well = a.streamBatches;
    a.streamBatches = never;
    a.health = async () => ({ state: 'offline', latencyMs: null, error: 'no answer in time', details: {} });
    expect(await ask(pool)).toBe('b');
    expect(never).toHaveBeenCalledOnce();
    expect(pool.pool().members[0]).toMatchObject({
      state: 'excluded',
      lastError: 'http://a/v1 hangs: it answers nothing at all.',
    });
    // The other one is slow, but says that it is well.
    b.streamBatches = async (...asked) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return well(...asked);
    };
    expect(await ask(pool)).toBe('a');
    expect(states(pool)).toEqual(['excluded', 'in-service']);
  });

  it('asks excluded members rather than nobody', async () => {
    const [a, b] = [fakeMember('a'), fakeMember('b')];
    const pool = create(a, b);
    a.failure = unreachable;
    b.failure = unreachable;
    await expect(ask(pool)).rejects.toMatchObject({ code: 'upstream_unreachable' });
    b.failure = undefined;
    expect(await ask(pool)).toBe('b');
    expect(states(pool)).toEqual(['excluded', 'in-service']);
  });

  it('does not leave members out because somebody asks for a model that nobody has', async () => {
    const [a, b] = [fakeMember('a'), fakeMember('b')];
    for (const member of [a, b]) member.failure = () => new AppError('model_not_found', 'No such model.');
    const pool = create(a, b);
    for (let count = 0; count < 5; count += 1)
      await expect(ask(pool, 'nope')).rejects.toMatchObject({ code: 'model_not_found' });
    expect(states(pool)).toEqual(['in-service', 'in-service']);
  });

  it('leaves a member out after three faults in a row', async () => {
    const [a, b] = [fakeMember('a'), fakeMember('b')];
    const pool = create(a, b);
    a.failure = () => new AppError('upstream_rejected', 'HTTP 500', { details: { status: 500 } });
    for (let count = 0; count < 12 && states(pool)[0] === 'in-service'; count += 1) expect(await ask(pool)).toBe('b');
    expect(states(pool)).toEqual(['excluded', 'in-service']);
    expect(a.asked).toBe(3);
  });

  it('counts a request until its answer has ended, was left, or was stopped before it was read', async () => {
    const pool = create(fakeMember('a'));
    const read = await pool.streamBatches('m', question());
    expect(inFlight(pool)).toEqual([1]);
    for await (const _batch of read);
    expect(inFlight(pool)).toEqual([0]);
    for await (const _batch of await pool.streamBatches('m', question())) break;
    expect(inFlight(pool)).toEqual([0]);
    const abort = new AbortController();
    await pool.streamBatches('m', question(undefined, abort.signal));
    expect(inFlight(pool)).toEqual([1]);
    abort.abort();
    expect(inFlight(pool)).toEqual([0]);
  });

  it('does not move on once something was given away, and remembers the failure', async () => {
    const [a, b] = [fakeMember('a'), fakeMember('b')];
    a.answer = async function* () {
      yield [text('half')];
      throw new AppError('upstream_reset', 'It cut the connection.');
    };
    const pool = create(a, b);
    await expect(ask(pool)).rejects.toMatchObject({ code: 'upstream_reset' });
    expect(b.asked).toBe(0);
    expect(states(pool)).toEqual(['excluded', 'in-service']);
    expect(inFlight(pool)).toEqual([0, 0]);
  });

  it('keeps a session where it was served last, also after it had to move', async () => {
    const [a, b] = [fakeMember('a'), fakeMember('b')];
    const pool = create(a, b);
    const first = await ask(pool, 'm', 's');
    for (let count = 0; count < 5; count += 1) expect(await ask(pool, 'm', 's')).toBe(first);
    const [home, other] = first === 'a' ? [a, b] : [b, a];
    home.failure = unreachable;
    const moved = await ask(pool, 'm', 's');
    expect(moved).not.toBe(first);
    home.failure = undefined;
    expect(await ask(pool, 'm', 's')).toBe(moved);
    expect(other.asked).toBe(2);
    expect(pool.pool().placement).toMatchObject({ session: 6, movedOn: 1 });
  });

  it('loads on one member, unloads where it is loaded, and frees every member whatever one of them says', async () => {
    const [a, b, c] = [fakeMember('a'), fakeMember('b'), fakeMember('c')];
    const pool = create(a, b, c);
    await pool.load?.('m');
    expect([a, b, c].flatMap(({ inMemory }) => inMemory)).toEqual(['m']);
    b.inMemory = ['m:latest'];
    await pool.unload?.('m');
    expect([a, b, c].map(({ unloaded }) => unloaded)).toEqual([['m'], ['m'], []]);
    expect((await pool.loaded?.())?.map(({ name, endpoint }) => [name, endpoint])).toEqual([
      ['m', 'http://a/v1'],
      ['m:latest', 'http://b/v1'],
    ]);
    a.failure = unreachable;
    await expect(pool.unloadAll()).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringContaining('1 of 3 servers did not do it: http://a/v1'),
    });
    expect(b.inMemory).toEqual([]);
  });

  it('offers only what its members can', () => {
    const plain = fakeMember('a');
    const { load: _load, unload: _unload, loaded: _loaded, ...without } = plain;
    const pool = new EndpointPool({ members: [without] });
    pools.push(pool);
    expect(pool.load).toBeUndefined();
    expect(pool.unload).toBeUndefined();
    expect(pool.loaded).toBeUndefined();
  });

  it('has room for a model where every member has that may be asked for it', async () => {
    const members = [fakeMember('a'), fakeMember('b'), fakeMember('c', ['other'])];
    const room = new Map(members.map(({ endpoint }) => [endpoint, true]));
    for (const member of members) member.roomFor = async () => room.get(member.endpoint) ?? false;
    const pool = new EndpointPool({ members });
    await pool.listModels();
    room.set('http://c/v1', false);
    expect(await pool.roomFor?.('m')).toBe(true);
    room.set('http://b/v1', false);
    expect(await pool.roomFor?.('m')).toBe(false);
    expect(await pool.roomFor?.('nobody has it')).toBe(false);
    expect(new EndpointPool({ members: [fakeMember('a')] }).roomFor).toBeUndefined();
    await pool.close();
  });
});
