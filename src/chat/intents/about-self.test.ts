import { describe, expect, it } from 'vitest';
import { asksAboutAssistant } from './about-self.js';
import { lexicons } from './lexicons.js';
import { tokensOf } from './tokens.js';

describe('asksAboutAssistant', () => {
  it.each([
    ['en', 'Which features does this assistant have?', true],
    ['en', 'Which features does this bicycle have?', false],
    ['en', 'Are you here?', false],
    ['en', 'Which one would you use?', false],
    ['en', 'you use '.repeat(20), false],
    ['pl', 'Jakie tryby ma ta aplikacja?', true],
    ['pl', 'Jakie tryby ma ta pralka?', false],
    ['de', 'Beschreibe deine Fähigkeiten', true],
    ['de', 'Beschreibe deine Schwester', false],
    ['en', 'Which functions does this app have?', true],
    ['en', 'Which app has functions?', false],
    ['de', 'Welche Funktionen hat diese App?', true],
    ['de', 'Welche App benutzt man?', false],
    ['en', '', false],
  ] as const)('%s %j: %s', (language, text, asks) => {
    const lexicon = lexicons().find((each) => each.language === language);
    expect(lexicon && asksAboutAssistant(lexicon, tokensOf(text))).toBe(asks);
  });
});
