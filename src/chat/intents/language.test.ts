import { describe, expect, it } from 'vitest';
import { detectLanguage } from './language.js';
import { lexicons } from './lexicons.js';
import { tokensOf } from './tokens.js';

const language = (text: string) => detectLanguage(text, tokensOf(text), lexicons());

describe('detectLanguage', () => {
  it.each([
    ['hi there', 'en'],
    ['hello', 'en'],
    ['what time is it', 'en'],
    ['fix my code please', 'en'],
    ['cześć', 'pl'],
    ['czesc', 'pl'],
    ['dzień dobry', 'pl'],
    ['ktora godzina', 'pl'],
    ['zrób commit i push', 'pl'],
    ['napisz funkcje ktora sortuje liste', 'pl'],
    ['hallo', 'de'],
    ['guten Tag', 'de'],
    ['wie spät ist es', 'de'],
    ['wie spaet ist es', 'de'],
    ['zeig mir die letzten commits', 'de'],
  ])('%s is %s', (text, expected) => {
    expect(language(text)).toBe(expected);
  });

  it.each([
    'bonjour, comment ça va aujourd’hui ?',
    '¿cuál es la capital de Perú?',
    'привет, как дела?',
    'こんにちは、元気ですか',
    'quanto costa una pizza a Roma',
    'hej, hur mår du idag?',
    '',
    '12345 + 3',
    '```\nfor (;;) {}\n```',
    '👍',
  ])('"%s" is none of ours', (text) => {
    expect(language(text)).toBeNull();
  });

  it('code and links do not speak', () => {
    expect(language('popraw to: ```const the = what; if (you) { return this; }```')).toBe('pl');
  });
});
