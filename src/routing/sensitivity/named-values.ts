// Values that stand beside the name of a secret: `password: …`, `"apiKey": "…"`, a header's token, a cookie.
import { isQuote, skipBlanks, valueEnd, wordEnd } from './characters.js';
import { type Finding, PLACEHOLDER } from './kinds.js';
import { latinLook } from './look-alikes.js';
import { IS_WORDS, LONGEST_WORD, WORDS, type WordGroup } from './sensitive-words.js';

const SHORTEST_TOKEN = 16;
const SHORTEST_COOKIE = 16;
const LONGEST_IS_WORD = 8;
const MAX_QUOTED = 200;

/** @param lower  the word that ends at `end`, in lower case */
export function headerValue(text: string, lower: string, end: number): Finding | undefined {
  if (lower === 'bearer' || lower === 'basic') {
    const value = valueEnd(text, end + 1);
    if (text.charCodeAt(end) === 32 && value - end > SHORTEST_TOKEN)
      return { kind: 'secret', start: end + 1, end: value };
  }
  if (lower.endsWith('cookie') && text.charCodeAt(end) === 58) {
    const at = skipBlanks(text, end + 1);
    const name = wordEnd(text, at);
    const value = valueEnd(text, name + 1);
    if (text.charCodeAt(name) === 61 && value - name > SHORTEST_COOKIE)
      return { kind: 'secret', start: name + 1, end: value };
  }
  return undefined;
}

/**
 * `: value`, `= value`, `"name": "value"`, and for passwords `is value` where the value looks like one.
 * @param from  where the name ends
 * @param shapesOnly  in texts of our own "key: used for …" is a description
 */
export function namedValue(text: string, from: number, group: WordGroup, shapesOnly: boolean): Finding | undefined {
  const begin = valueStart(text, from, group);
  if (!begin) return undefined;
  const quote = text.charCodeAt(begin.at);
  const start = isQuote(quote) ? begin.at + 1 : begin.at;
  const end = isQuote(quote) ? quotedEnd(text, start, quote) : bareEnd(text, start);
  const value = text.slice(start, end);
  if (end === start || PLACEHOLDER.test(value)) return undefined;
  if (begin.inSentence && !isQuote(quote) && !/\d|[^\p{L}\d]/u.test(value)) return undefined;
  if (shapesOnly && group === 'secret' && !(value.length >= 6 && /\d/.test(value))) return undefined;
  return { kind: group, start, end };
}

/** Behind a colon, an equals sign, an arrow, or in a sentence, where only passwords are told, behind `is`. */
function valueStart(text: string, from: number, group: WordGroup): { at: number; inSentence: boolean } | undefined {
  const first = text.charCodeAt(from);
  const sign = skipBlanks(text, isQuote(first) || first === 93 ? from + 1 : from);
  const code = text.charCodeAt(sign);
  if (code === 58 || code === 61) {
    const next = text.charCodeAt(sign + 1);
    return { at: skipBlanks(text, next === 61 || next === 62 ? sign + 2 : sign + 1), inSentence: false };
  }
  if (group !== 'password' || sign === from) return undefined;
  const end = Math.min(wordEnd(text, sign), sign + LONGEST_IS_WORD);
  if (!IS_WORDS.has(text.slice(sign, end).toLowerCase())) return undefined;
  return { at: skipBlanks(text, text.charCodeAt(end) === 58 ? end + 1 : end), inSentence: true };
}

function quotedEnd(text: string, start: number, quote: number): number {
  const close = text.slice(start, start + MAX_QUOTED).indexOf(String.fromCharCode(quote));
  return close === -1 ? valueEnd(text, start) : start + close;
}

/** Without the signs that end a sentence. */
function bareEnd(text: string, start: number): number {
  let end = valueEnd(text, start);
  while (end > start && /[.,;!?)\]}]/.test(text[end - 1] as string)) end -= 1;
  return end;
}

/** The name a word or a part of an identifier is: `apiKey`, `client_secret` and `ACCESS-TOKEN` name one, `keyboard` none. */
export function groupOf(word: string, lower: string): WordGroup | undefined {
  if (lower.length <= LONGEST_WORD) {
    const whole = named(lower);
    if (whole) return whole;
  }
  if (!/[_-]|\p{Ll}\p{Lu}/u.test(word)) return undefined;
  for (const part of word.replace(/(\p{Ll})(\p{Lu})/gu, '$1_$2').split(/[_-]/)) {
    const group = part.length <= LONGEST_WORD ? named(folded(part)) : undefined;
    if (group) return group;
  }
  return undefined;
}

/** In letters of ours, or in another script's that look like it. */
const named = (lower: string): WordGroup | undefined => WORDS.get(lower) ?? WORDS.get(latinLook(lower) ?? '');

/** For the tables, which are in lower case and composed. */
export const folded = (word: string): string => {
  const lower = word.toLowerCase();
  return lower.length > LONGEST_WORD * 2 ? lower : lower.normalize('NFC');
};
