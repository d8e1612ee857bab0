import type { LanguageModelV4, LanguageModelV4CallOptions } from '@ai-sdk/provider';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { INTENTS, type IntentId } from '../intent.js';
import { IntentClassifier, type IntentClassifierOptions } from './intent-classifier.js';
import type { PhraseEmbedder } from './ports.js';
import { WordClassifier } from './word-classifier.js';

const signal = new AbortController().signal;
const classify = (text: string, options: IntentClassifierOptions = {}) =>
  new IntentClassifier(options).classify(text, { signal });

/** Words settle nothing here, and a tool may be wanted. */
const UNCLEAR = 'the branch thing';

function modelThat(answer: string | ((options: LanguageModelV4CallOptions) => Promise<string>)) {
  const asked: LanguageModelV4CallOptions[] = [];
  const model: LanguageModelV4 = {
    specificationVersion: 'v4',
    provider: 'fake',
    modelId: 'fake',
    supportedUrls: {},
    doStream: () => Promise.reject(new Error('not used')),
    doGenerate: async (options) => {
      asked.push(options);
      const text = typeof answer === 'string' ? answer : await answer(options);
      return {
        content: [{ type: 'text', text }],
        finishReason: { unified: 'stop', raw: 'stop' },
        usage: {
          inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
          outputTokens: { total: 1, text: 1, reasoning: 0 },
        },
        warnings: [],
      };
    },
  };
  return { asked, model: { ask: async () => model, timeoutMs: 1_000 } };
}

describe('words alone', () => {
  it.each<[string, IntentId]>([
    ['is it time to buy a house', 'GENERAL_CHAT'],
    ['explain heritage', 'GENERAL_CHAT'],
    ['how do I use docker compose', 'GENERAL_CHAT'],
    ['tell me about websites', 'GENERAL_CHAT'],
    ['help me fix my code', 'CODE_GENERATION'],
    ['what is a function in maths', 'GENERAL_CHAT'],
    ['benchmark latency of the two candidates', 'GENERAL_CHAT'],
    ['Guten Tag', 'GENERAL_CHAT'],
    ['run the tests', 'E2E_TESTING'],
    ['uruchom testy projektu', 'E2E_TESTING'],
    ['führe die Tests aus', 'E2E_TESTING'],
    ['how do I run the tests in pytest', 'GENERAL_CHAT'],
    ['I ran some blood tests yesterday', 'GENERAL_CHAT'],
    ['continue the campaign', 'START_CAMPAIGN'],
    ['Welche Aufgaben hat der Bundesrat?', 'GENERAL_CHAT'],
    ['', 'GENERAL_CHAT'],
  ])('"%s" is %s', async (text, intent) => {
    expect((await classify(text)).intent).toBe(intent);
  });

  it('find it with and without Polish letters, also the ł', async () => {
    for (const text of ['pokaż wszystkie pliki w katalogu główny', 'pokaz wszystkie pliki w katalogu glowny'])
      expect(await classify(text)).toMatchObject({ intent: 'FILE_OPERATION', language: 'pl' });
    for (const text of ['zgaś światło', 'zgas swiatlo'])
      expect(await classify(text)).toMatchObject({ intent: 'UNSUPPORTED_TASK' });
  });

  it('see through a slip of the keyboard', async () => {
    expect((await classify('waht time is it')).intent).toBe('TIME_REQUEST');
    expect((await classify('write a pyhton functon')).intent).toBe('CODE_GENERATION');
  });

  it('give score, source and the best two', async () => {
    const decision = await classify('commit my changes and push them to origin');
    expect(decision).toMatchObject({ intent: 'VERSION_CONTROL', source: 'lexicon', language: 'en' });
    expect(decision.top2).toHaveLength(2);
    expect(decision.top2[0]).toEqual({ intent: 'VERSION_CONTROL', score: decision.score });
    expect(decision.top2[1]?.score).toBeLessThan(decision.score);
  });

  it('never throw, whatever the text', () => {
    const words = new WordClassifier();
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ maxLength: 300 })), (text) => {
        const { decision } = words.classify(text);
        expect(INTENTS).toContain(decision.intent);
        expect(decision.score).toBeGreaterThanOrEqual(0);
        expect(decision.score).toBeLessThanOrEqual(1);
      }),
      { numRuns: 100 },
    );
  }, 20_000);
});

describe('the model', () => {
  it('is not asked about talk, nor about what the words settle', async () => {
    const { asked, model } = modelThat('{"intent":"VERSION_CONTROL"}');
    for (const text of ['hello', 'I had a long day', 'git status', 'the weather was lovely on our walk'])
      await classify(text, { model });
    expect(asked).toHaveLength(0);
  });

  it('settles what the words leave open, and can only answer with a candidate', async () => {
    const { asked, model } = modelThat('{"intent":"VERSION_CONTROL"}');
    expect(await classify(UNCLEAR, { model })).toMatchObject({ intent: 'VERSION_CONTROL', source: 'llm' });
    expect(asked[0]?.responseFormat).toMatchObject({
      type: 'json',
      schema: { properties: { intent: { enum: ['VERSION_CONTROL', 'GENERAL_CHAT'] } } },
    });
  });

  it.each(['nonsense', '{"intent":"RELEASE_PROJECT"}', ''])('that answers %j leaves it at chat', async (answer) => {
    expect(await classify(UNCLEAR, modelThat(answer))).toMatchObject({ intent: 'GENERAL_CHAT', source: 'fallback' });
  });

  it('that is too slow, and deaf to its signal, leaves it at chat', async () => {
    const failures: unknown[] = [];
    const { model } = modelThat(() => new Promise(() => {}));
    const decision = await classify(UNCLEAR, {
      model: { ...model, timeoutMs: 20 },
      onFailure: (stage, error) => failures.push([stage, (error as Error).name]),
    });
    expect(decision).toMatchObject({ intent: 'GENERAL_CHAT', source: 'fallback' });
    expect(failures).toEqual([['llm', 'TimeoutError']]);
  });

  it('that fails leaves it at chat', async () => {
    const { model } = modelThat(() => Promise.reject(new Error('down')));
    expect((await classify(UNCLEAR, { model })).intent).toBe('GENERAL_CHAT');
  });

  it('is not asked when the person has left', async () => {
    const { asked, model } = modelThat('{"intent":"VERSION_CONTROL"}');
    const decision = await new IntentClassifier({ model }).classify(UNCLEAR, { signal: AbortSignal.abort() });
    expect(decision.intent).toBe('GENERAL_CHAT');
    expect(asked).toHaveLength(0);
  });
});

describe('the embedder', () => {
  const limits = { minScore: 0.1, margin: 0.05, timeoutMs: 1_000 };
  /** Two directions: texts about branches, and all others. */
  const branches: PhraseEmbedder = async (texts) => texts.map((text) => (/zzz|branch/.test(text) ? [1, 0] : [0, 1]));
  const prepared = async (embed: PhraseEmbedder, options: Partial<typeof limits> = {}) => {
    const classifier = new IntentClassifier({ embedding: { embed, ...limits, ...options } });
    await classifier.prepare();
    return (text: string) => classifier.classify(text, { signal });
  };

  it('decides where words do not', async () => {
    const classify = await prepared(branches);
    expect(await classify('zzz zzz')).toMatchObject({ source: 'embedding', intent: 'VERSION_CONTROL' });
    expect((await classify('git status')).source).toBe('lexicon');
  });

  it.each([
    ['too far from all', { minScore: 0.99 }],
    ['as near to the second', { margin: 0.9 }],
  ])('does not decide what is %s', async (_why, options) => {
    expect(await (await prepared(branches, options))('zzz zzz')).toMatchObject({
      source: 'fallback',
      intent: 'GENERAL_CHAT',
    });
  });

  it('keeps nobody waiting while the centroids are made', async () => {
    let go: () => void = () => {};
    const waiting = new Promise<void>((resolve) => {
      go = resolve;
    });
    const classifier = new IntentClassifier({
      embedding: { embed: async (texts, signal) => waiting.then(() => branches(texts, signal)), ...limits },
    });
    expect((await classifier.classify('zzz zzz', { signal })).source).toBe('fallback');
    go();
    await classifier.prepare();
    expect((await classifier.classify('zzz zzz', { signal })).source).toBe('embedding');
  });

  it('that hangs, or fails, leaves it at chat, is told, and is tried again', async () => {
    let fails = true;
    const failures: unknown[] = [];
    const classifier = new IntentClassifier({
      embedding: {
        embed: async (texts, signal) => {
          if (fails) throw new Error('no embedding model');
          return branches(texts, signal);
        },
        ...limits,
      },
      onFailure: (stage, error) => failures.push([stage, (error as Error).message]),
    });
    await classifier.prepare();
    expect((await classifier.classify('zzz zzz', { signal })).source).toBe('fallback');
    expect(failures).toEqual([['embedding', 'no embedding model']]);
    fails = false;
    await classifier.prepare();
    expect((await classifier.classify('zzz zzz', { signal })).source).toBe('embedding');

    let hangs = false;
    const hanging = await prepared((texts, within) => (hangs ? new Promise(() => {}) : branches(texts, within)), {
      timeoutMs: 20,
    });
    hangs = true;
    expect((await hanging('zzz zzz')).source).toBe('fallback');
  });
});
