import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noEmbedder, vectorOf, WordEmbedder } from '../../test/stand-ins/word-embedder.js';
import { Lessons } from '../chat/learning/lessons.js';
import { EmbeddingBacklog } from '../chat/memory/embedding-backlog.js';
import { Memory, type NewMemory } from '../chat/memory/memory.js';
import type { Embedder, MemoryScope } from '../chat/memory/ports.js';
import { AppError } from '../shared/errors.js';
import { SqliteMemory } from './sqlite-memory.js';
import { SqliteStore } from './sqlite-store.js';

let folder: string;
let store: SqliteStore;
let now = 1_750_000_000_000;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-memory-'));
  store = new SqliteStore(join(folder, 'venom.db'));
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const OPTIONS = { ttlDays: 0, lessonsTtlDays: 0, minSimilarity: 0.25, minCoverage: 0.25, embedTimeoutMs: 5_000 };
const session = (sessionId: string): MemoryScope => ({ kind: 'session', sessionId });
const GLOBAL: MemoryScope = { kind: 'global' };
const fact = (text: string, scope: MemoryScope, rest: Partial<NewMemory> = {}): NewMemory => ({
  text,
  scope,
  kind: 'fact',
  origin: 'user',
  source: 'test',
  ...rest,
});

function create(embedder: Embedder = noEmbedder, options = {}) {
  const repository = new SqliteMemory(store);
  const memory = new Memory({ repository, embedder, clock: { now: () => now } }, { ...OPTIONS, ...options });
  return { repository, memory };
}

/** What the background does, to its end. */
async function embedAll(repository: SqliteMemory, embedder: Embedder) {
  const backlog = new EmbeddingBacklog({ repository, embedder, idle: () => true });
  backlog.wake();
  await expect.poll(() => repository.counts().waiting).toBe(0);
  await backlog.close();
}

const texts = async (memory: Memory, text: string, sessionId?: string) =>
  (await memory.search({ text, places: ['global', ...(sessionId ? [{ sessionId }] : [])], limit: 10 })).hits.map(
    ({ chunk }) => chunk.text,
  );

describe('memory', () => {
  it('has vectors in this build', () => {
    expect(store.vectorsUnavailable).toBeNull();
  });

  it('finds by words, whatever their ending and accents, and not by "what is the"', async () => {
    const { memory } = create();
    await memory.add(fact('Moja siostra mieszka w Gdańsku', session('a')));
    await memory.add(fact('The invoice is due on the first of May', session('a')));
    expect(await texts(memory, 'gdzie mieszkają siostry?', 'a')).toEqual(['Moja siostra mieszka w Gdańsku']);
    expect(await texts(memory, 'when are invoices due', 'a')).toEqual(['The invoice is due on the first of May']);
    expect(await texts(memory, 'what is the capital of France', 'a')).toEqual([]);
  });

  it('finds by meaning once the background has been there, and says when it went by words alone', async () => {
    const embedder = new WordEmbedder();
    const { repository, memory } = create(embedder);
    await memory.add(fact('The kitten sleeps on the sofa', GLOBAL));
    await memory.add(fact('An automobile stands in the yard', session('a')));
    expect(await texts(memory, 'feline', 'a')).toEqual([]);
    await embedAll(repository, embedder);
    expect(await texts(memory, 'feline', 'a')).toEqual(['The kitten sleeps on the sofa']);
    expect(await texts(memory, 'vehicle', 'a')).toEqual(['An automobile stands in the yard']);
    expect(repository.counts()).toMatchObject({ entries: 2, vectors: 2, waiting: 0 });
    const lexical = create().memory;
    expect(await lexical.search({ text: 'kitten', places: ['global'], limit: 3 })).toMatchObject({
      degraded: 'lexical_only',
      hits: [{ chunk: { text: 'The kitten sleeps on the sofa' } }],
    });
  });

  it('goes by words when the embedder fails or is too slow', async () => {
    const embedder = new WordEmbedder();
    const { memory } = create(embedder, { embedTimeoutMs: 20 });
    await memory.add(fact('The river is deep', GLOBAL));
    embedder.failure = new Error('engine down');
    expect(await memory.search({ text: 'river', places: ['global'], limit: 3 })).toMatchObject({
      degraded: 'lexical_only',
      hits: [{ chunk: { text: 'The river is deep' } }],
    });
    embedder.failure = null;
    embedder.embed = () => new Promise(() => {});
    expect((await memory.search({ text: 'deep river', places: ['global'], limit: 3 })).degraded).toBe('lexical_only');
  });

  it('makes all vectors anew for another embedder, and never compares those of two', async () => {
    const { repository, memory } = create(new WordEmbedder('words|1'));
    await memory.add(fact('kitten', GLOBAL));
    await embedAll(repository, new WordEmbedder('words|1'));
    const second = new WordEmbedder('words|2');
    expect(repository.byMeaning(vectorOf('cat'), 'words|2', ['global'], 5, now)).toEqual([]);
    await embedAll(repository, second);
    await expect.poll(() => repository.byMeaning(vectorOf('cat'), 'words|2', ['global'], 5, now)).toHaveLength(1);
    expect(repository.byMeaning(vectorOf('cat'), 'words|1', ['global'], 5, now)).toEqual([]);
    store.close();
    store = new SqliteStore(join(folder, 'venom.db'));
    expect(new SqliteMemory(store).byMeaning(vectorOf('cat'), 'words|2', ['global'], 5, now)).toHaveLength(1);
  });

  it('goes on with the others when the engine refuses a text', async () => {
    const embedder = new WordEmbedder();
    const { repository, memory } = create(embedder);
    for (const text of ['cat', 'poison', 'river']) await memory.add(fact(text, GLOBAL));
    const { embed } = embedder;
    embedder.embed = async (given) => {
      if (given.includes('poison')) throw new AppError('invalid_input', 'too long');
      return embed(given);
    };
    await embedAll(repository, embedder);
    expect(repository.counts()).toMatchObject({ vectors: 2, waiting: 0 });
    expect(await texts(memory, 'kitten')).toEqual(['cat']);
  });

  it('keeps the same text of a scope once, and what is private stays private', async () => {
    const { memory } = create();
    const first = await memory.add(fact('The code is 4711', session('a'), { labels: ['private'] }));
    const second = await memory.add(fact('The code is 4711 ', session('a'), { pinned: true }));
    expect(second).toMatchObject({ id: first.id, added: false });
    expect(memory.get(first.id)).toMatchObject({ pinned: true, labels: ['private'] });
    expect(await memory.add(fact('The code is 4711', session('b')))).toMatchObject({ added: true });
  });

  it('ranks what a person said above the same from a model', async () => {
    const { memory } = create();
    await memory.add(fact('The bridge opened in 1932, says the model', session('a'), { origin: 'assistant' }));
    await memory.add(fact('The bridge opened in 1937, says the visitor', session('a')));
    expect((await texts(memory, 'when was the bridge opened', 'a'))[0]).toContain('1937');
  });

  it('forgets what has expired: at once in searches, for good in the clean-up', async () => {
    const embedder = new WordEmbedder();
    const { repository, memory } = create(embedder, { ttlDays: 1 });
    await memory.add(fact('The bread is in the oven', GLOBAL));
    await embedAll(repository, embedder);
    now += 86_400_000 + 1;
    expect(await texts(memory, 'bread loaf')).toEqual([]);
    expect(memory.list({ limit: 10, offset: 0 }).total).toBe(0);
    expect(await memory.expire()).toBe(1);
    expect(repository.counts()).toEqual({ entries: 0, chunks: 0, vectors: 0, waiting: 0 });
    now = 1_750_000_000_000;
  });

  it('pages and counts only lessons with the tag that was asked for', async () => {
    const { memory } = create();
    const lessons = new Lessons(memory);
    const common = { result: 'r', conclusion: 'c', taskId: null, sessionId: null, owner: null, labels: [] };
    for (let n = 0; n < 12; n += 1)
      await lessons.add({ ...common, situation: `situation ${n}`, tags: n % 4 === 0 ? ['rare', 'x'] : ['usual'] });
    const page = lessons.list({ limit: 2, offset: 1, tag: 'rare' });
    expect(page.lessons.map(({ situation }) => situation)).toEqual(['situation 4', 'situation 0']);
    expect(page.total).toBe(3);
    expect(lessons.list({ limit: 2, offset: 0, tag: 'rar' })).toEqual({ lessons: [], total: 0 });
  });

  it('deletes a session with its vectors and counts them', async () => {
    const embedder = new WordEmbedder();
    const { repository, memory } = create(embedder);
    for (const text of ['cat one', 'cat two', 'river three']) await memory.add(fact(text, session('a')));
    await memory.add(fact('cat of b', session('b')));
    await embedAll(repository, embedder);
    expect(await memory.clear(session('a'))).toEqual({ entries: 3, vectors: 3 });
    expect(await texts(memory, 'cat', 'a')).toEqual([]);
    expect(await texts(memory, 'cat', 'b')).toEqual(['cat of b']);
    // A new session of the same name inherits nothing.
    await memory.add(fact('star', session('a')));
    expect(memory.list({ limit: 10, offset: 0, scope: session('a') }).total).toBe(1);
  });

  it('never shows a text of another session, by words, by meaning, in lists or exports', async () => {
    const words = ['cat', 'kitten', 'car', 'river', 'bread', 'moon', 'star', 'loaf'];
    const sessions = ['s1', 's2', 's3', 's4'];
    const embedder = new WordEmbedder();
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            owner: fc.constantFrom<string | null>(...sessions, null),
            words: fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 4 }),
            kind: fc.constantFrom('fact' as const, 'lesson' as const, 'knowledge' as const),
            labels: fc.constantFrom([], ['private']),
          }),
          { minLength: 1, maxLength: 25 },
        ),
        fc.constantFrom(...sessions),
        fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 4 }),
        fc.option(fc.constantFrom(...sessions)),
        async (entries, asking, query, cleared) => {
          const file = join(folder, `run-${Math.random()}.db`);
          const own = new SqliteStore(file);
          const repository = new SqliteMemory(own);
          const memory = new Memory({ repository, embedder, clock: { now: () => now } }, OPTIONS);
          for (const [index, { owner, words: said, kind, labels }] of entries.entries()) {
            const scope = owner === null ? GLOBAL : session(owner);
            const text = `${said.join(' ')} ${owner ?? 'everyone'} ${index}`;
            await memory.add({ text, scope, kind, labels, origin: 'user', source: 'test' });
          }
          await embedAll(repository, embedder);
          if (cleared !== null) await memory.clear(session(cleared));
          const allowed = (text: string) => [asking, 'everyone'].includes(text.split(' ').at(-2) ?? '');
          const { hits } = await memory.search({
            text: query.join(' '),
            places: ['global', 'lessons', { sessionId: asking }],
            limit: 100,
          });
          for (const { chunk, entry } of hits) {
            expect(allowed(chunk.text)).toBe(true);
            if (entry.scope.kind === 'session') expect(entry.scope.sessionId).toBe(asking);
          }
          for (const { text } of memory.export(session(asking))) expect(text.split(' ').at(-2)).toBe(asking);
          for (const { chunk } of (await memory.search({ text: query.join(' '), places: ['global'], limit: 100 })).hits)
            expect(chunk.text.split(' ').at(-2)).toBe('everyone');
          // And everything of one's own that has one of the words is found.
          const expected = entries.filter(
            ({ owner, words: said, kind }) =>
              owner === asking && owner !== cleared && kind === 'fact' && said.join(' ') === query.join(' '),
          );
          if (expected.length > 0) expect(hits.some(({ entry }) => entry.scope.kind === 'session')).toBe(true);
          own.close();
        },
      ),
      { numRuns: 25 },
    );
  }, 120_000);
});
