import { expect, it } from 'vitest';
import { textLanguage } from './text-language.js';

it.each([
  ['The capital of France is Paris.', 'en'],
  ['Run `npm install` and then open https://example.org/strona in the browser.', 'en'],
  ['Stolicą Francji jest Paryż.', 'pl'],
  ['Zrób listę zakupów na jutro', 'pl'],
  ['Die Hauptstadt von Frankreich ist Paris.', 'de'],
  ['Ez egy magyar mondat, amely elég hosszú.', 'hu'],
  ['Yes.', null],
  ['42 – 7', null],
  ['```\nconst answer = the.question();\n```', null],
])('%s → %s', (text, language) => {
  expect(textLanguage(text)).toBe(language);
});
