// Characters by their codes, and the places where runs of them end: what a scan asks for every character and every word.

/** Of an identifier; what is longer is none. */
export const MAX_IDENTIFIER = 80;
const MAX_VALUE = 200;
const MAX_BLANKS = 8;

export const isDigit = (code: number): boolean => code >= 48 && code <= 57;
export const isUpperOrDigit = (code: number): boolean => (code >= 65 && code <= 90) || isDigit(code);
export const isBlank = (code: number): boolean => code === 32 || code === 9 || code === 0xa0 || code === 0x202f;
/** Between the groups of a number. */
export const isSeparator = (code: number): boolean =>
  isBlank(code) || code === 45 || code === 46 || code === 40 || code === 41 || code === 47;
export const isQuote = (code: number): boolean => code === 34 || code === 39 || code === 96;
const isAsciiLetter = (code: number): boolean => (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
// Scripts without blanks between words end a word, so that a Latin name inside them is still one.
export const isLetter = (code: number): boolean =>
  isAsciiLetter(code) ||
  (code >= 0xc0 && code < 0x2000 && code !== 0xd7 && code !== 0xf7 && !(code >= 0x0e00 && code < 0x1000));
export const isLetterOrDigit = (code: number): boolean => isLetter(code) || isDigit(code);
/** Letters, digits, `_` and `-`. */
export const isWordCode = (code: number): boolean => isLetterOrDigit(code) || code === 95 || code === 45;
/** Of scripts without blanks between words; not their punctuation. */
export const isWideLetter = (code: number): boolean =>
  (code >= 0x0e00 && code < 0x1000) || (code >= 0x3041 && code < 0xd800) || (code >= 0xf900 && code < 0xfb00);

export function wordEnd(text: string, from: number, before = text.length): number {
  const stop = Math.min(text.length, before);
  let at = from;
  while (at < stop && isWordCode(text.charCodeAt(at))) at += 1;
  return at;
}

/** Where a value ends that stands without quotes. */
export function valueEnd(text: string, from: number): number {
  const stop = Math.min(text.length, from + MAX_VALUE);
  let at = from;
  while (at < stop && text.charCodeAt(at) > 32 && !isQuote(text.charCodeAt(at)) && text.charCodeAt(at) !== 0xa0)
    at += 1;
  return at;
}

export function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && at - from < MAX_BLANKS && (isBlank(text.charCodeAt(at)) || text.charCodeAt(at) === 10))
    at += 1;
  return at;
}
