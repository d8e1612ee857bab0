// Words and phrases of the installation's own.
import { isLetterOrDigit, isWordCode, MAX_IDENTIFIER } from './characters.js';
import type { Finding } from './kinds.js';
import { plainReading } from './plain-reading.js';
import { TURN_CHARS } from './turn.js';

/** Where one stands as a word of its own; case does not matter. */
export function* customTerms(text: string, terms: readonly string[]): Generator<void, Finding[]> {
  const found: Finding[] = [];
  const wanted = terms.map((term) => sameLengthLower(read(term.trim()))).filter(Boolean);
  if (wanted.length === 0) return found;
  let lower = '';
  for (let at = 0; at < text.length; ) {
    const cut = cutAfter(text, at + TURN_CHARS);
    lower += sameLengthLower(text.slice(at, cut));
    at = cut;
    if (at < text.length) yield;
  }
  for (const term of wanted) {
    let turnEnd = TURN_CHARS;
    for (let at = lower.indexOf(term); at !== -1; at = lower.indexOf(term, at + term.length)) {
      if (at >= turnEnd) {
        turnEnd = at + TURN_CHARS;
        yield;
      }
      const end = at + term.length;
      if (!isLetterOrDigit(lower.charCodeAt(at - 1)) && !isLetterOrDigit(lower.charCodeAt(end)))
        found.push({ kind: 'custom_term', start: at, end });
    }
    if (lower.length > TURN_CHARS) yield;
  }
  return found;
}

/** A term is looked for in what was read, so it is read the same way. */
function read(term: string): string {
  const reading = plainReading(term);
  for (;;) {
    const turn = reading.next();
    if (turn.done) return turn.value.text;
  }
}

/** The last place before `limit` at which no word is cut, or the next at which no character is. */
function cutAfter(text: string, limit: number): number {
  if (limit >= text.length) return text.length;
  let at = limit;
  while (at > limit - MAX_IDENTIFIER && isWordCode(text.charCodeAt(at - 1))) at -= 1;
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at + 1 : at;
}

/** Lower case that keeps every offset: a few letters would become two. */
function sameLengthLower(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  return Array.from({ length: text.length }, (_, index) => {
    const one = (text[index] as string).toLowerCase();
    return one.length === 1 ? one : text[index];
  }).join('');
}
