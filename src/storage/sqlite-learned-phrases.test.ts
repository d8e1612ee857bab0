// Learned phrases on the real store: proposed, reviewed, bounded, forgotten.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IntentDecision } from '../chat/intent.js';
import { IntentClassifier } from '../chat/intents/intent-classifier.js';
import { LearnedPhrases } from '../chat/intents/learned-phrases.js';
import { WordClassifier } from '../chat/intents/word-classifier.js';
import { SqliteLearnedPhrases } from './sqlite-learned-phrases.js';
import { SqliteStore } from './sqlite-store.js';

let folder: string;
let store: SqliteStore;
let learned: LearnedPhrases;

const phrases = (recording = true) => {
  let id = 0;
  return new LearnedPhrases({
    repository: new SqliteLearnedPhrases(store),
    now: () => 1_000,
    newId: () => `id-${++id}`,
    recording,
  });
};
const decision: IntentDecision = { intent: 'VERSION_CONTROL', source: 'llm', language: 'en', score: 0.4, top2: [] };
const settled = () => store.commit(() => undefined);
const page = { limit: 1_000, offset: 0 };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-learned-'));
  store = new SqliteStore(join(folder, 'venom.db'));
  learned = phrases();
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('LearnedPhrases', () => {
  it('proposes, counts sightings, and uses nothing before it is approved', async () => {
    const words = new WordClassifier(learned);
    learned.propose('wrap it in a bow', decision);
    learned.propose('Wrap it in a bow!', decision);
    await settled();
    const [proposal] = learned.list({ ...page, state: 'proposed' }).phrases;
    expect(proposal).toMatchObject({ phrase: 'wrap it in a bow', state: 'proposed', seen: 2, createdAt: 1_000 });
    expect(words.classify('wrap it in a bow').decision.intent).toBe('GENERAL_CHAT');

    await learned.approve(proposal?.id ?? '', 'RELEASE_PROJECT');
    expect(words.classify('WRAP IT in a bow').decision).toMatchObject({
      intent: 'RELEASE_PROJECT',
      source: 'lexicon',
      score: 1,
    });
    expect(words.classify('wrap it in a bow tomorrow').decision.intent).toBe('GENERAL_CHAT');
  });

  it('is as new after a restart', async () => {
    learned.propose('wrap it in a bow', decision);
    await settled();
    await learned.approve('id-1');
    expect(new WordClassifier(phrases()).classify('wrap it in a bow').decision.intent).toBe('VERSION_CONTROL');
  });

  it('does not bring back what was rejected', async () => {
    learned.propose('wrap it in a bow', decision);
    await settled();
    await learned.reject('id-1');
    learned.propose('wrap it in a bow', decision);
    await settled();
    expect(learned.list({ ...page, state: 'proposed' }).total).toBe(0);
    expect(learned.list({ ...page, state: 'rejected' }).phrases[0]).toMatchObject({ seen: 2, reviewedAt: 1_000 });
  });

  it('forgets a phrase that is deleted, at once', async () => {
    learned.propose('wrap it in a bow', decision);
    await settled();
    await learned.approve('id-1');
    await learned.remove('id-1');
    expect(new WordClassifier(learned).classify('wrap it in a bow').decision.intent).toBe('GENERAL_CHAT');
    await expect(learned.remove('id-1')).rejects.toMatchObject({ code: 'not_found' });
    await expect(learned.approve('id-1')).rejects.toMatchObject({ code: 'not_found' });
  });

  it.each([
    ['word', decision],
    ['one two three four five six seven eight nine', decision],
    [`${'long'.repeat(30)} text`, decision],
    ['see https://example.com now', decision],
    ['write to anna@example.com now', decision],
    ['my pin is 123456', decision],
    ['open secret.txt now', decision],
    ['what language is this', { ...decision, language: null }],
    ['settled by the lexicon already', { ...decision, source: 'lexicon' as const }],
  ])('does not record "%s"', async (text, by) => {
    learned.propose(text, by);
    await settled();
    expect(learned.list(page).total).toBe(0);
  });

  it('records nothing where learning is off', async () => {
    phrases(false).propose('wrap it in a bow', decision);
    await settled();
    expect(learned.list(page).total).toBe(0);
  });

  it('keeps the newest 500 that are not approved, and every approved one', async () => {
    learned.propose('the approved one', decision);
    await settled();
    await learned.approve('id-1');
    for (let count = 0; count < 520; count += 1) learned.propose(`phrase number ${count.toString(36)}x`, decision);
    await settled();
    expect(learned.list({ ...page, state: 'proposed' }).total).toBe(500);
    expect(learned.list({ ...page, state: 'proposed' }).phrases[0]?.phrase).toBe('phrase number efx');
    expect(learned.list({ ...page, state: 'approved' }).total).toBe(1);
  });
});

it('what a model decided is proposed, but never an hour of the day', async () => {
  const model = (intent: string) => ({
    timeoutMs: 1_000,
    ask: async () => ({
      specificationVersion: 'v4' as const,
      provider: 'fake',
      modelId: 'fake',
      supportedUrls: {},
      doStream: () => Promise.reject(new Error('not used')),
      doGenerate: async () =>
        ({ content: [{ type: 'text', text: JSON.stringify({ intent }) }], warnings: [] }) as never,
    }),
  });
  const { signal } = new AbortController();
  await new IntentClassifier({ learned, model: model('VERSION_CONTROL') }).classify('the branch thing', { signal });
  await settled();
  expect(learned.list(page).phrases.map(({ phrase, intent }) => [phrase, intent])).toEqual([
    ['the branch thing', 'VERSION_CONTROL'],
  ]);
});
