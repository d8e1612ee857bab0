// The labelled utterances: `make eval` prints where they go wrong.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { INTENTS } from '../src/chat/intent.js';
import { TEMPLATE_INTENTS } from '../src/chat/intent-traits.js';
import { evaluate, readUtterances } from '../src/chat/intents/evaluation.js';
import { lexicons } from '../src/chat/intents/lexicons.js';
import { tokensOf } from '../src/chat/intents/tokens.js';
import { WordClassifier } from '../src/chat/intents/word-classifier.js';

const read = (name: string) => readUtterances(readFileSync(join(import.meta.dirname, 'evaluation', name), 'utf8'));
const utterances = read('intents.jsonl');
const newWordings = read('intents-new-wordings.jsonl');
const words = new WordClassifier();

describe('the evaluation set', () => {
  it('holds every intent in every language, and no text twice', () => {
    for (const intent of INTENTS)
      for (const language of ['en', 'pl', 'de']) {
        const count = utterances.filter((one) => one.intent[0] === intent && one.language === language).length;
        expect(count, `${intent} ${language}`).toBeGreaterThanOrEqual(6);
      }
    const texts = utterances.map(({ text, language }) => `${language} ${text.toLowerCase()}`);
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('shares no text with the examples of the lexicons', () => {
    const key = (text: string) =>
      tokensOf(text)
        .map(({ word }) => word)
        .join(' ');
    const examples = new Set(lexicons().flatMap((lexicon) => [...lexicon.examples.values()].flat().map(key)));
    const shared = utterances.filter(({ text }) => text.split(' ').length > 2 && examples.has(key(text)));
    expect(shared.map(({ text }) => text)).toEqual([]);
    expect(examples.size).toBeGreaterThan(150);
  });

  it('is understood at 95 % and without a misfire', () => {
    const { overall, misfires, wrong, languageTold } = evaluate(utterances, (text) => words.classify(text).decision);
    expect(misfires).toEqual([]);
    expect(overall.right / overall.total, JSON.stringify(wrong, null, 1)).toBeGreaterThanOrEqual(0.95);
    expect(languageTold.right / languageTold.total).toBeGreaterThanOrEqual(0.95);
  });
});

describe('new wordings', () => {
  const { overall, held, wrong } = evaluate(newWordings, (text) => words.classify(text).decision);

  it('are none of the evaluation set, and many of every intent and language', () => {
    const known = new Set(utterances.map(({ text, language }) => `${language} ${text.toLowerCase()}`));
    expect(newWordings.filter(({ text, language }) => known.has(`${language} ${text.toLowerCase()}`))).toEqual([]);
    for (const intent of INTENTS)
      for (const language of ['en', 'pl', 'de']) {
        const count = newWordings.filter((one) => one.intent[0] === intent && one.language === language).length;
        expect(count, `${intent} ${language}`).toBeGreaterThanOrEqual(18);
      }
  });

  it('are understood, also those that nothing was changed for', () => {
    expect(overall.right / overall.total).toBeGreaterThanOrEqual(0.9);
    expect(held.right / held.total).toBeGreaterThanOrEqual(0.85);
    expect(held.total).toBeGreaterThanOrEqual(500);
  });

  it('of ordinary talk never get an answer from a template', () => {
    const templates = new Set<string>(TEMPLATE_INTENTS);
    expect(wrong.filter(({ expected, got }) => expected === 'GENERAL_CHAT' && templates.has(got))).toEqual([]);
  });
});

it('a misfire fails the evaluation, however good the rest is', () => {
  const talk = {
    text: 'nice day',
    language: 'en' as const,
    intent: ['GENERAL_CHAT' as const],
    trap: false,
    held: false,
  };
  const good = () => ({ intent: 'GENERAL_CHAT' as const, language: 'en' as const, score: 1 });
  const set = Array.from({ length: 99 }, () => talk);
  expect(evaluate(set, good).passed).toBe(true);
  const oneTrap = [...set, { ...talk, text: 'trap', trap: true }];
  const misfiring = (text: string) => ({
    ...good(),
    intent: text === 'trap' ? ('RESEARCH' as const) : ('GENERAL_CHAT' as const),
  });
  expect(evaluate(oneTrap, misfiring)).toMatchObject({ passed: false, misfires: ['trap'] });
});
