// Phrases: what they match and what they must not.
import { describe, expect, it } from 'vitest';
import { INTENTS } from '../intent.js';
import { compileLexicon, type LexiconFile } from './lexicon.js';
import { lexicons } from './lexicons.js';
import { matchPhrases } from './match.js';
import { tokensOf } from './tokens.js';

const withPhrases = (...sure: string[]): LexiconFile => ({
  language: 'pl',
  fillers: ['a', 'the', 'mi'],
  polite: ['please', 'proszę'],
  marks: [],
  classes: { make: ['write', 'napisz'], not: ['horse'] },
  intents: { CODE_GENERATION: { sure } },
  self: { names: [], things: [], these: [], abilities: [], frame: [] },
  asking: { phrases: [], unless: [], damps: [] },
});
const found = (phrase: string, text: string) =>
  matchPhrases(compileLexicon(withPhrases(phrase)), tokensOf(text)).length > 0;

describe('a phrase', () => {
  it.each([
    ['tag', 'tag it', true],
    ['tag', 'explain heritage', false],
    ['write function', 'please write the function', true],
    ['write function', 'write a long and winding function', false],
    ['write .. function', 'write a long and winding function', true],
    ['write .. function', 'write one two three four five six function', false],
    ['write .. function', 'write. Then a function', false],
    ['function write', 'write a function', false],
    ['<make> code', 'napisz mi code', true],
    ['funkcj*', 'te funkcje', true],
    ['write !<not>', 'write horse', false],
    ['write !<not>', 'write cow', true],
    ['^write', 'please write it', true],
    ['^write', 'they write it', false],
    ['^write', 'well done, write it', true],
    ['write$', 'I write, you read', true],
    ['write$', 'write it', false],
    ['=write', 'please write!', true],
    ['=write', 'please write a book', false],
    ['żółta łódź', 'zolta lodz', true],
    ['żółta łódź', 'ŻÓŁTA ŁÓDŹ', true],
    ['zolta lodz', 'żółta łódź', true],
    ['spät', 'spaet', true],
    ['spät', 'spät', true],
    ['#code', 'look: ```let a = 1```', true],
    ['#url', 'see https://example.com/a.b', true],
    ['#file', 'open notes.txt', true],
    ['#file', 'node.js is nice', true],
    ['#file', 'e.g. this', false],
    ['#path', 'list /etc/hosts', true],
    ['#path', 'and/or', false],
  ])('%s in "%s": %s', (phrase, text, expected) => {
    expect(found(phrase, text)).toBe(expected);
  });

  it('that names a class nobody has is refused by name', () => {
    expect(() => compileLexicon(withPhrases('<nothing> here'))).toThrow('unknown class <nothing>');
  });
});

describe('the lexicons', () => {
  it('have phrases and examples for every intent in every language', () => {
    for (const { language, examples } of lexicons())
      for (const intent of INTENTS) expect(examples.get(intent)?.length, `${language} ${intent}`).toBeGreaterThan(2);
  });
});

it('a long text is looked at only at its beginning and its end', () => {
  const tokens = tokensOf(`begin ${'word '.repeat(50_000)}end`);
  expect(tokens.length).toBeLessThan(500);
  expect(tokens[0]?.word).toBe('begin');
  expect(tokens.at(-1)?.word).toBe('end');
});
