import { expect, it } from 'vitest';
import { de } from '../web/src/lib/i18n/de.js';
import { en } from '../web/src/lib/i18n/en.js';
import { pl } from '../web/src/lib/i18n/pl.js';

it.each([
  ['Polish', pl],
  ['German', de],
])('%s has every text of English, with the same places to fill in', (_name, texts) => {
  expect(Object.keys(texts)).toEqual(Object.keys(en));
  const places = (text = '') => text.match(/\{\{\w+\}\}/g)?.sort() ?? [];
  for (const [key, text] of Object.entries(en)) expect(places(texts[key]), key).toEqual(places(text));
});
