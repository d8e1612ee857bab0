// One pass over the characters of a text, with bounded looks around each word, so that no input makes it slow. What a word,
// a number or a sign is, the files beside this one say; here is who is asked, in which order, and where it goes on.
import { isDigit, isLetter, isLetterOrDigit, isWordCode, MAX_IDENTIFIER, wordEnd } from './characters.js';
import { customTerms } from './custom-terms.js';
import { digitGroups, ibanAt, numberOf, postCodeEnd } from './digit-groups.js';
import { addressAround } from './email-addresses.js';
import { decodedText, encodedEnd, SHORTEST_RUN } from './encoded-text.js';
import { gluedKey, keyAt, numberedKey } from './key-shapes.js';
import { type Finding, withoutOverlaps } from './kinds.js';
import { folded, groupOf, headerValue, namedValue } from './named-values.js';
import { gluedNumber, spacedCardEnd } from './number-checks.js';
import { plainReading } from './plain-reading.js';
import { postalAddress } from './postal-address.js';
import { privateKeys } from './private-keys.js';
import { PHONE_CUES } from './sensitive-words.js';
import { TURN_CHARS } from './turn.js';

export interface SensitivityOptions {
  /** Words or phrases of the installation's own; case does not matter. */
  terms?: readonly string[];
  /** Also look for streets and postal codes, which is a guess by form. */
  addresses?: boolean;
  /** Only shapes: for texts of our own, such as tool descriptions, where `key` and `token` are everyday words. */
  shapesOnly?: boolean;
}

/** How often a text is decoded that was encoded more than once. */
const MAX_DEPTH = 2;
/** Put in order in one go beside what is read in a turn. */
const TURN_FINDINGS = 10_000;
const SHORTEST_GLUED_KEY = 20;
const SHORTEST_GLUED_NUMBER = 12;
const CARD_GROUP = 4;

/**
 * Yields where others may be served; what it finds does not depend on the pauses.
 * @param depth  how often the text was encoded
 */
export function* scan(text: string, options: SensitivityOptions, depth = 0): Generator<void, Finding[]> {
  const plain = yield* plainReading(text);
  const found = yield* new Scan(plain.text, options, depth).turns();
  if (plain.text === text) return found;
  return found.map(({ kind, start, end }) => ({ kind, start: plain.origin(start), end: plain.origin(end) }));
}

class Scan {
  readonly #text: string;
  readonly #options: SensitivityOptions;
  readonly #found: Finding[] = [];
  readonly #depth: number;
  #cueEnd = Number.NEGATIVE_INFINITY;
  /** What was looked at as something encoded. */
  #encodedEnd = 0;

  constructor(text: string, options: SensitivityOptions, depth: number) {
    this.#text = text;
    this.#options = options;
    this.#depth = depth;
  }

  *turns(): Generator<void, Finding[]> {
    for (const key of yield* privateKeys(this.#text)) this.#found.push(key);
    yield* this.#characters();
    for (const term of yield* customTerms(this.#text, this.#options.terms ?? [])) this.#found.push(term);
    if (this.#found.length > TURN_FINDINGS) yield;
    return withoutOverlaps(this.#found);
  }

  *#characters(): Generator<void, void> {
    const text = this.#text;
    let at = 0;
    let turnEnd = TURN_CHARS;
    while (at < text.length) {
      if (at >= turnEnd) {
        turnEnd = at + TURN_CHARS;
        yield;
      }
      const code = text.charCodeAt(at);
      if (at >= this.#encodedEnd && isLetterOrDigit(code)) yield* this.#encoded(at);
      // A word begins with a letter or a digit, so that -4111 1111 … is a number too.
      if (isDigit(code)) at = Math.max(at + 1, this.#number(at));
      else if (isLetter(code)) {
        let end = wordEnd(text, at, at + TURN_CHARS);
        if (end - at === TURN_CHARS) end = yield* longWordEnd(text, end);
        at = Math.max(at + 1, this.#word(at, end));
      } else {
        if (code === 64) this.#took(addressAround(text, at));
        at += 1;
      }
    }
  }

  /** What is written as base64 or hex, wherever a word begins. */
  *#encoded(start: number): Generator<void, void> {
    const text = this.#text;
    if (this.#depth >= MAX_DEPTH) return;
    // Words are short; what is not, or goes on behind a sign that ends a word, may be a run.
    let end = start;
    while (end - start < SHORTEST_RUN && isWordCode(text.charCodeAt(end))) end += 1;
    const sign = text.charCodeAt(end);
    if (end - start < SHORTEST_RUN && sign !== 43 && sign !== 47) return;
    const run = encodedEnd(text, start);
    this.#encodedEnd = run;
    const decoded = decodedText(text.slice(start, run));
    if (decoded === undefined) return;
    const [first] = yield* scan(decoded, { ...this.#options, shapesOnly: true }, this.#depth + 1);
    if (first) this.#found.push({ kind: first.kind, start, end: run });
  }

  /** Where to go on behind a finding; undefined where there is none. */
  #took(finding: Finding | undefined): number | undefined {
    if (finding) this.#found.push(finding);
    return finding?.end;
  }

  /** Returns where to go on. */
  #word(start: number, end: number): number {
    const text = this.#text;
    const length = end - start;
    const key = this.#took(keyAt(text, start, end));
    if (key !== undefined) return key;
    this.#address(start, end);
    const account = length >= 4 && length <= 34 ? this.#took(ibanAt(text, start)) : undefined;
    if (account !== undefined) return account;
    if (length > MAX_IDENTIFIER) return end;
    const word = text.slice(start, end);
    return this.#took(gluedTo(word, start, end)) ?? (this.#cardBehind(word, end) || this.#named(word, start, end));
  }

  #address(start: number, end: number): void {
    const address = this.#options.addresses ? postalAddress(this.#text, start, end) : undefined;
    if (address) this.#found.push({ kind: 'postal_address', ...address });
  }

  /** A word that names a secret, alone or in an identifier, and the value beside it. */
  #named(word: string, start: number, end: number): number {
    const text = this.#text;
    const { shapesOnly = false } = this.#options;
    const lower = folded(word);
    if (PHONE_CUES.has(lower)) this.#cueEnd = end;
    const header = this.#took(headerValue(text, lower, end));
    if (header !== undefined) return header;
    const group = groupOf(word, lower);
    if (!group) {
      const number = /[-_]\d{9,}/.exec(word);
      return number ? start + number.index + 1 : end;
    }
    const value = this.#took(namedValue(text, end, group, shapesOnly));
    if (value !== undefined) return value;
    if (!shapesOnly) this.#found.push({ kind: 'sensitive_word', start, end });
    return end;
  }

  /** Returns where to go on: behind what was found, or behind the first group, because the next may begin something. */
  #number(start: number): number {
    const text = this.#text;
    const key = this.#took(numberedKey(text, start));
    if (key !== undefined) return key;
    const groups = digitGroups(text, start);
    const [first] = groups;
    if (!first) return this.#spacedCard(start) || this.#numberBefore(start);
    this.#address(start, postCodeEnd(text, start, groups));
    return this.#took(numberOf(text, start, groups, this.#cueEnd)) ?? (this.#spacedCard(start) || first.end);
  }

  /** A card in groups whose first one is glued to the end of a word: nr4111 1111 …. Returns its end, or 0. */
  #cardBehind(word: string, end: number): number {
    return isDigit(word.charCodeAt(word.length - 1)) && /\p{L}\d{4}$/u.test(word)
      ? this.#spacedCard(end - CARD_GROUP)
      : 0;
  }

  /** A word that a number begins: 44051401359Jan. Returns its end. */
  #numberBefore(start: number): number {
    const end = wordEnd(this.#text, start);
    if (end - start <= MAX_IDENTIFIER) this.#took(gluedTo(this.#text.slice(start, end), start, end));
    return end;
  }

  /** Returns its end, or 0. */
  #spacedCard(start: number): number {
    const end = spacedCardEnd(this.#text, start);
    if (end > 0) this.#found.push({ kind: 'payment_card', start, end });
    return end;
  }
}

/** Of a word that is longer than all that is read in a turn. @param from  how far it has been read */
function* longWordEnd(text: string, from: number): Generator<void, number> {
  for (let at = from; ; ) {
    yield;
    const end = wordEnd(text, at, at + TURN_CHARS);
    if (end - at < TURN_CHARS) return end;
    at = end;
  }
}

/** A key at the end, or a number anywhere in a word that something else was glued to. */
function gluedTo(word: string, start: number, end: number): Finding | undefined {
  const key = word.length >= SHORTEST_GLUED_KEY ? gluedKey(word) : -1;
  if (key !== -1) return { kind: 'api_key', start: start + key, end };
  const number = word.length >= SHORTEST_GLUED_NUMBER ? gluedNumber(word) : undefined;
  return number && { kind: number.kind, start: start + number.from, end: start + number.to };
}
