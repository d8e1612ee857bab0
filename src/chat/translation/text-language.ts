// Which language a text is written in, whichever it is: by character groups, and silent where they say too little.
import { detectAll } from 'tinyld/light';

const SAMPLE_CHARS = 1_000;
const ENOUGH_LETTERS = 12;
const ENOUGH_ACCURACY = 0.05;
/** How far the best must be ahead of the second. */
const CLEAR = 1.5;
const NOT_PROSE = /```[\s\S]*?(?:```|$)|`[^`\n]*`|https?:\/\/\S+/g;

/** A code such as `pl`, or null. */
export function textLanguage(text: string): string | null {
  const sample = text.slice(0, SAMPLE_CHARS).replace(NOT_PROSE, ' ');
  if ((sample.match(/\p{L}/gu)?.length ?? 0) < ENOUGH_LETTERS) return null;
  const [best, second] = detectAll(sample);
  if (!best || best.accuracy < ENOUGH_ACCURACY) return null;
  return second && second.accuracy * CLEAR > best.accuracy ? null : best.lang;
}
