// Which of our languages a text is written in: letters, small words, and a language model of character groups.
import { detectAll } from 'tinyld/light';
import type { Language } from '../intent.js';
import type { Lexicon } from './lexicon.js';
import type { Token } from './tokens.js';

/** Letters that only Polish has among the languages people write here, and those German shares with few. */
const POLISH_LETTERS = /[ąćęłńśźż]/i;
const GERMAN_LETTERS = /[äöüß]/i;
/** Letters and signs none of ours has: accents of Romance, Nordic and Slavic languages, other alphabets. */
const FOREIGN_LETTERS = /[àâæçèêëìîïñòôõøùûÿœåčďěňřšťůžğışăâîșțő¿¡]/i;
const OTHER_ALPHABETS = /[\p{L}--\p{Script=Latin}]/gv;
const LONGEST_CHARS = 200;
const LONGEST_WORDS = 40;
/** Small words that settle it without a look at character groups, if no other language has a third as many. */
const CLEAR_WORDS = 3;
/** A single small word is enough where nothing speaks against it; character groups alone must be clearer. */
const ENOUGH = 1;

/** Null where it is another language, or where too little is said to tell. Our own three are preferred to their kin. */
export function detectLanguage(text: string, tokens: readonly Token[], lexicons: readonly Lexicon[]): Language | null {
  const sample = text.slice(0, LONGEST_CHARS).replace(/```[\s\S]*?(?:```|$)|https?:\/\/\S+/g, ' ');
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  if (letters === 0) return null;
  const others = sample.match(OTHER_ALPHABETS)?.length ?? 0;
  if (others * 2 > letters) return null;

  const points: Record<Language, number> = { en: 0, pl: 0, de: 0 };
  const words = tokens.filter(({ word, tag }) => word !== '' && tag === null).map(({ word }) => word);
  const sampled = words.slice(0, LONGEST_WORDS);
  for (const { language, marks } of lexicons) {
    const count = sampled.filter((word) => marks.has(word)).length;
    // Two words, one of them ours, say more than one among ten.
    points[language] += count + (count * 2 >= sampled.length && count > 0 ? 1 : 0);
  }
  if (POLISH_LETTERS.test(sample)) points.pl += 3;
  if (GERMAN_LETTERS.test(sample)) points.de += 2;

  const foreignLetters = FOREIGN_LETTERS.test(sample);
  const [clear, next] = ranked(points);
  if (!foreignLetters && clear[1] >= CLEAR_WORDS && next[1] * 3 <= clear[1] && clear[1] * 4 >= sampled.length)
    return clear[0];

  const guesses = detectAll(sample);
  const certain = guesses[0]?.accuracy === 1;
  let foreign = 0;
  for (const [place, { lang, accuracy }] of guesses.slice(0, 3).entries()) {
    const worth = certain ? 1.5 : Math.max(0, 0.8 - place * 0.3) + accuracy;
    if (lang === 'en' || lang === 'pl' || lang === 'de') points[lang] += worth;
    // Short texts of ours are often taken for a neighbour's; small words then decide.
    else if (place === 0) foreign = (certain ? worth : worth * 0.6) + sampled.length * 0.08;
  }
  if (foreignLetters) foreign += 2;

  const [best, second] = ranked(points);
  if (best[1] < ENOUGH || best[1] <= foreign) return null;
  return best[1] - second[1] < 0.3 ? null : best[0];
}

type Points = readonly [Language, number];
const ranked = (points: Record<Language, number>) =>
  (Object.entries(points) as [Language, number][]).sort((one, other) => other[1] - one[1]) as unknown as readonly [
    Points,
    Points,
    Points,
  ];
