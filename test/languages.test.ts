import { describe, expect, it } from 'vitest';
import { de } from '../web/src/lib/i18n/de.js';
import { en } from '../web/src/lib/i18n/en.js';
import { pl } from '../web/src/lib/i18n/pl.js';

const LANGUAGES: readonly [string, string, Record<string, string>][] = [
  ['English', 'en', en],
  ['Polish', 'pl', pl],
  ['German', 'de', de],
];
const FORM = /_(zero|one|two|few|many|other)$/;
/** Without the ending that says for which number it is. */
const base = (key: string): string => key.replace(FORM, '');
const places = (text: string): string[] => [...new Set(text.match(/\{\{\w+\}\}/g))].sort();
const formsOf = (texts: Record<string, string>, key: string): string[] =>
  Object.keys(texts).filter((each) => each !== key && base(each) === key);

describe.each(LANGUAGES)('%s', (_name, language, texts: Record<string, string>) => {
  it('has every text of English in its order, with the same places to fill in', () => {
    expect([...new Set(Object.keys(texts).map(base))]).toEqual([...new Set(Object.keys(en).map(base))]);
    const english = new Map(Object.entries(en).map(([key, text]) => [base(key), places(text)]));
    for (const [key, text] of Object.entries(texts)) expect(places(text), key).toEqual(english.get(base(key)));
  });

  it('has a form for each kind of number where it counts', () => {
    const needed = new Intl.PluralRules(language).resolvedOptions().pluralCategories.toSorted();
    const counted = new Set(
      Object.keys(texts)
        .filter((key) => FORM.test(key))
        .map(base),
    );
    expect(counted.size).toBeGreaterThan(5);
    for (const key of counted) {
      const forms = formsOf(texts, key).map((each) => FORM.exec(each)?.[1]);
      expect(forms.toSorted(), key).toEqual(needed);
    }
  });

  it('counts only in texts that have those forms', () => {
    for (const [key, text] of Object.entries(texts)) if (text.includes('{{count}}')) expect(key).toMatch(FORM);
  });
});
