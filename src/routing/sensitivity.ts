// What in a text must not leave the house: secrets and personal data. Pure, in one pass over the characters of its plain
// reading, with bounded looks around each word, so that no input makes it slow. What is encoded is decoded and read in the
// same way. It returns kinds and places and never keeps or logs the text.
import { setImmediate } from 'node:timers/promises';
import { decodedText, encodedEnd, SHORTEST_RUN } from './encoded-text.js';
import {
  gluedNumber,
  isIban,
  isPaymentCard,
  isPesel,
  isPhoneByGroups,
  spacedCardEnd,
  spacedIbanEnd,
} from './number-checks.js';
import { plainReading } from './plain-reading.js';
import { postalAddress } from './postal-address.js';
import {
  DOTTED,
  gluedKey,
  IS_WORDS,
  isProviderKey,
  LONGEST_WORD,
  PHONE_CUES,
  SECRET_ADDRESSES,
  WORDS,
  type WordGroup,
} from './sensitive-words.js';

export type SensitiveKind =
  | 'private_key'
  | 'api_key'
  | 'jwt'
  | 'password'
  | 'secret'
  | 'url_credentials'
  | 'email'
  | 'phone'
  | 'iban'
  | 'pesel'
  | 'payment_card'
  | 'postal_address'
  | 'custom_term'
  /** One of the contract's words with no value beside it: nothing to replace, so the whole text is sensitive. */
  | 'sensitive_word';

export interface Finding {
  kind: SensitiveKind;
  /** Offsets in UTF-16 units, end excluded. */
  start: number;
  end: number;
}

export interface SensitivityOptions {
  /** Words or phrases of the installation's own; case does not matter. */
  terms?: readonly string[];
  /** Also look for streets and postal codes, which is a guess by form. */
  addresses?: boolean;
  /** Only shapes: for texts of our own, such as tool descriptions, where `key` and `token` are everyday words. */
  shapesOnly?: boolean;
}

/** What masking can take out. A bare word cannot be: the meaning around it is what is sensitive. */
export const isMaskable = (kind: string): boolean => MASKABLE.has(kind);

const MASKABLE: ReadonlySet<string> = new Set<SensitiveKind>([
  'private_key',
  'api_key',
  'jwt',
  'password',
  'secret',
  'url_credentials',
  'email',
  'phone',
  'iban',
  'pesel',
  'payment_card',
  'postal_address',
  'custom_term',
]);

/** What masking leaves behind is not found again. */
const PLACEHOLDER = new RegExp(`^\\[(?:${[...MASKABLE].join('|').toUpperCase()})_\\d+\\]?$`);

const MAX_EMAIL_NAME = 64;
const MAX_DOMAIN = 255;
const MAX_ADDRESS_LITERAL = 48;
const MAX_URL_USER = 200;
const MAX_VALUE = 200;
const MAX_NUMBER = 40;
/** No card and no telephone number is written in more. */
const MAX_GROUPS = 7;
const SHORTEST_NUMBER = 7;
const MAX_IDENTIFIER = 80;
const MAX_KEY_HEADER = 80;
/** Of the part before a line's end: shorter ones are everyday words. */
const SHORTEST_CUT_KEY = 8;
/** How often a text is decoded that was encoded more than once. */
const MAX_DEPTH = 2;
const SHORTEST_COOKIE = 16;
/** How far before a number its cue may stand. */
const CUE_REACH = 24;

/** Read in one go: some milliseconds. */
const TURN_CHARS = 131_072;
/** Put in order in one go beside that. */
const TURN_FINDINGS = 10_000;

/** Non-overlapping, by place. */
export function findSensitive(text: string, options: SensitivityOptions = {}): Finding[] {
  const turns = reading(text, options, 0);
  for (;;) {
    const turn = turns.next();
    if (turn.done) return turn.value;
  }
}

/** Whether a text is short enough for `findSensitive`, which pauses for nobody. */
export const isReadInOneGo = (text: string): boolean => text.length <= TURN_CHARS;

/** Read since others were last served: many short texts one after another take as long as one long text. */
let unpausedChars = 0;

/** The same of a text of any length and of any number of them, with pauses in which others are served. */
export async function findSensitiveInTurns(text: string, options: SensitivityOptions = {}): Promise<Finding[]> {
  if (unpausedChars + text.length > TURN_CHARS) {
    await setImmediate();
    unpausedChars = 0;
  }
  unpausedChars += text.length;
  if (isReadInOneGo(text)) return findSensitive(text, options);
  const turns = reading(text, options, 0);
  for (;;) {
    const turn = turns.next();
    if (turn.done) return turn.value;
    await setImmediate();
  }
}

/** @param depth  how often it was encoded */
function* reading(text: string, options: SensitivityOptions, depth: number): Generator<void, Finding[]> {
  const plain = yield* plainReading(text);
  const found = yield* new Scan(plain.text, options, depth).turns();
  if (plain.text === text) return found;
  return found.map(({ kind, start, end }) => ({ kind, start: plain.origin(start), end: plain.origin(end) }));
}

export const kindsOf = (findings: readonly Finding[]): string[] => [...new Set(findings.map(({ kind }) => kind))];

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

  /** Goes on where it was whenever it is asked again; what it finds does not depend on the pauses. */
  *turns(): Generator<void, Finding[]> {
    const text = this.#text;
    yield* this.#privateKeys();
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
        for (let stop = at + TURN_CHARS; end === stop; end = wordEnd(text, end, stop)) {
          stop += TURN_CHARS;
          yield;
        }
        at = Math.max(at + 1, this.#word(at, end));
      } else {
        if (code === 64) this.#at(at);
        at += 1;
      }
    }
    yield* this.#terms();
    if (this.#found.length > TURN_FINDINGS) yield;
    return withoutOverlaps(this.#found);
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
    const found = yield* reading(decoded, { ...this.#options, shapesOnly: true }, this.#depth + 1);
    const [first] = found;
    if (first) this.#add(first.kind, start, run);
  }

  #add(kind: SensitiveKind, start: number, end: number): void {
    this.#found.push({ kind, start, end });
  }

  /** Returns where to go on. */
  #word(start: number, end: number): number {
    const text = this.#text;
    const length = end - start;
    if (isProviderKey(text, start, end)) {
      this.#add('api_key', start, end);
      return end;
    }
    // Cut by a line's end, as in a terminal.
    if (length >= SHORTEST_CUT_KEY && text.charCodeAt(end) === 10) {
      const rest = wordEnd(text, end + 1, end + MAX_IDENTIFIER);
      if (rest > end + 1 && isProviderKey(text.slice(start, end) + text.slice(end + 1, rest), 0, rest - start - 1)) {
        this.#add('api_key', start, rest);
        return rest;
      }
    }
    const address = SECRET_ADDRESSES.get(text.slice(start, end));
    if (address !== undefined && text.startsWith(address, start)) {
      const done = valueEnd(text, start + address.length);
      this.#add('secret', start, done);
      return done;
    }
    if (length >= 10 && text.startsWith('eyJ', start)) {
      const done = this.#jsonWebToken(end);
      if (done > 0) {
        this.#add('jwt', start, done);
        return done;
      }
    }
    if (length <= 4 && text.charCodeAt(end) === 46) {
      const atLeast = DOTTED.get(text.slice(start, end));
      const done = atLeast === undefined ? 0 : dottedEnd(text, end);
      if (atLeast !== undefined && done - end > atLeast) {
        this.#add('api_key', start, done);
        return done;
      }
    }
    if (this.#options.addresses) this.#address(start, end);
    if (length >= 4 && length <= 34 && isIbanStart(text, start)) {
      const done = this.#iban(start);
      if (done > 0) return done;
    }
    if (length > MAX_IDENTIFIER) return end;
    if (length >= 12) {
      const word = text.slice(start, end);
      const key = length >= 20 ? gluedKey(word) : -1;
      if (key !== -1) {
        this.#add('api_key', start + key, end);
        return end;
      }
      const number = gluedNumber(word);
      if (number) {
        this.#add(number.kind, start + number.from, end);
        return end;
      }
    }
    return this.#named(start, end);
  }

  #address(start: number, end: number): void {
    const address = postalAddress(this.#text, start, end);
    if (address) this.#add('postal_address', address.start, address.end);
  }

  /** A word that names a secret, alone or in an identifier, and the value beside it. */
  #named(start: number, end: number): number {
    const text = this.#text;
    const word = text.slice(start, end);
    const lower = folded(word);
    if (PHONE_CUES.has(lower)) this.#cueEnd = end;
    if (lower === 'bearer' || lower === 'basic') {
      const value = valueEnd(text, end + 1);
      if (text.charCodeAt(end) === 32 && value - end > 16) {
        this.#add('secret', end + 1, value);
        return value;
      }
    }
    if (lower.endsWith('cookie') && text.charCodeAt(end) === 58) {
      const at = skipBlanks(text, end + 1);
      const name = wordEnd(text, at);
      const value = valueEnd(text, name + 1);
      if (text.charCodeAt(name) === 61 && value - name > SHORTEST_COOKIE) {
        this.#add('secret', name + 1, value);
        return value;
      }
    }
    const group = groupOf(word, lower);
    if (!group) {
      const number = /[-_]\d{9,}/.exec(word);
      return number ? start + number.index + 1 : end;
    }
    const value = this.#valueOf(end, group);
    if (value) {
      this.#add(group, value.start, value.end);
      return value.end;
    }
    if (!this.#options.shapesOnly) this.#add('sensitive_word', start, end);
    return end;
  }

  /** `: value`, `= value`, `"name": "value"`, and for passwords `is value` where the value looks like one. */
  #valueOf(from: number, group: WordGroup): { start: number; end: number } | undefined {
    const text = this.#text;
    let at = from;
    if (isQuote(text.charCodeAt(at)) || text.charCodeAt(at) === 93) at += 1;
    at = skipBlanks(text, at);
    const code = text.charCodeAt(at);
    let said = false;
    if (code === 58 || code === 61) {
      at += 1;
      const next = text.charCodeAt(at);
      if (next === 61 || next === 62) at += 1;
    } else if (group === 'password' && at > from) {
      const end = Math.min(wordEnd(text, at), at + 8);
      if (!IS_WORDS.has(text.slice(at, end).toLowerCase())) return undefined;
      at = end;
      if (text.charCodeAt(at) === 58) at += 1;
      said = true;
    } else return undefined;
    at = skipBlanks(text, at);
    const quote = text.charCodeAt(at);
    let end: number;
    if (isQuote(quote)) {
      at += 1;
      const close = text.slice(at, at + MAX_VALUE).indexOf(String.fromCharCode(quote));
      end = close === -1 ? valueEnd(text, at) : at + close;
    } else {
      end = valueEnd(text, at);
      while (end > at && /[.,;!?)\]}]/.test(text[end - 1] as string)) end -= 1;
      if (said && !/\d|[^\p{L}\d]/u.test(text.slice(at, end))) return undefined;
    }
    const value = text.slice(at, end);
    if (end === at || PLACEHOLDER.test(value)) return undefined;
    // In texts of our own "key: used for …" is a description.
    if (this.#options.shapesOnly && group === 'secret' && !(value.length >= 6 && /\d/.test(value))) return undefined;
    return { start: at, end };
  }

  #jsonWebToken(headEnd: number): number {
    const text = this.#text;
    if (text.charCodeAt(headEnd) !== 46 || !text.startsWith('eyJ', headEnd + 1)) return 0;
    const bodyEnd = wordEnd(text, headEnd + 1);
    if (text.charCodeAt(bodyEnd) !== 46) return bodyEnd;
    return wordEnd(text, bodyEnd + 1);
  }

  /** Returns where to go on: behind what was found, or behind the first group, because the next may begin something. */
  #number(start: number): number {
    const text = this.#text;
    const bot = /\d{8,10}:AA[\w-]{30,}/y;
    bot.lastIndex = start;
    if (bot.test(text)) {
      this.#add('api_key', start, bot.lastIndex);
      return bot.lastIndex;
    }
    const groups: string[] = [];
    const ends: number[] = [];
    const stop = Math.min(text.length, start + MAX_NUMBER);
    let at = start;
    while (at < stop && groups.length < MAX_GROUPS) {
      const from = at;
      while (at < stop && isDigit(text.charCodeAt(at))) at += 1;
      // Part of a longer word, such as a hash, or of a longer number: none of ours.
      const next = text.charCodeAt(at);
      if (at === from || isLetterOrDigit(next) || next === 95) break;
      groups.push(text.slice(from, at));
      ends.push(at);
      // One separator between groups, with a bracket beside it: (030) 123, 0 (30) 123.
      let skipped = 0;
      while (at < stop && skipped < 2 && isSeparator(text.charCodeAt(at))) {
        at += 1;
        skipped += 1;
      }
      if (skipped === 0) break;
    }
    if (groups.length === 0) return this.#spacedCard(start) || wordEnd(text, start);
    if (this.#options.addresses) {
      const postCode = groups[0]?.length === 2 && groups[1]?.length === 3 && text[start + 2] === '-';
      this.#address(start, ends[postCode ? 1 : 0] as number);
    }
    for (let count = groups.length; count > 0; count -= 1) {
      if ((ends[count - 1] as number) - start < SHORTEST_NUMBER) break;
      const end = ends[count - 1] as number;
      const kind = this.#numberKind(start, groups.slice(0, count));
      if (!kind) continue;
      let from = start;
      if (kind === 'phone') {
        if (text.charCodeAt(from - 1) === 40) from -= 1;
        if (text.charCodeAt(from - 1) === 43) from -= 1;
      }
      this.#add(kind, from, end);
      return end;
    }
    return this.#spacedCard(start) || (ends[0] as number);
  }

  /** Returns its end, or 0. */
  #spacedCard(start: number): number {
    const end = spacedCardEnd(this.#text, start);
    if (end > 0) this.#add('payment_card', start, end);
    return end;
  }

  #numberKind(start: number, groups: readonly string[]): 'pesel' | 'payment_card' | 'phone' | undefined {
    const digits = groups.join('');
    if (digits.length < SHORTEST_NUMBER) return undefined;
    // In one piece, or with the day of birth set apart.
    if ((groups.length === 1 || /^(?:\d{6}|\d{2})$/.test(groups[0] as string)) && isPesel(digits)) return 'pesel';
    if (isPaymentCard(digits) && (groups.length === 1 || groups.every(({ length }) => length >= 3)))
      return 'payment_card';
    return this.#isPhone(start, groups, digits) ? 'phone' : undefined;
  }

  #isPhone(start: number, groups: readonly string[], digits: string): boolean {
    if (digits.length > 15) return false;
    const open = this.#text.charCodeAt(start - 1) === 40 ? 1 : 0;
    const before = this.#text.charCodeAt(start - 1 - open);
    if (before === 43) return digits.length >= 8;
    if (digits.startsWith('00') && digits.length >= 10) return true;
    if (start - this.#cueEnd <= CUE_REACH) return true;
    // A dot or a digit's word before it makes it a part of something else, such as a version or an amount.
    const round = groups.slice(1).every((group) => /^0+$/.test(group));
    return before !== 46 && before !== 44 && !round && isPhoneByGroups(groups);
  }

  #iban(start: number): number {
    const text = this.#text;
    let compact = '';
    let at = start;
    let found = 0;
    // With and without the customary blanks; the longest that checks out is it.
    while (at < text.length && compact.length < 34) {
      const code = text.charCodeAt(at);
      if (isUpperOrDigit(code)) compact += text[at];
      else if (!(isBlank(code) && isUpperOrDigit(text.charCodeAt(at + 1)))) break;
      at += 1;
      const next = text.charCodeAt(at);
      if (compact.length >= 15 && !isUpperOrDigit(next) && isIban(compact)) found = at;
    }
    if (found === 0) found = spacedIbanEnd(text, start);
    if (found > 0) this.#add('iban', start, found);
    return found;
  }

  #at(at: number): void {
    const text = this.#text;
    let left = at;
    while (left > 0 && at - left < MAX_EMAIL_NAME && isEmailName(text.charCodeAt(left - 1))) left -= 1;
    // Quotes and brackets before it are none of it.
    while (left < at && !isEmailStart(text.charCodeAt(left))) left += 1;
    if (left === at && text.charCodeAt(at - 1) === 34) {
      const open = text.lastIndexOf('"', at - 2);
      if (open !== -1 && at - open <= MAX_EMAIL_NAME) left = open;
    }
    if (isBlank(text.charCodeAt(at - 1)) && isBlank(text.charCodeAt(at + 1))) {
      this.#spacedEmail(at);
      return;
    }
    if (left < at && text.charCodeAt(at + 1) === 91) {
      const close = text.slice(at, at + MAX_ADDRESS_LITERAL).indexOf(']');
      if (close !== -1) {
        this.#add('email', left, at + close + 1);
        return;
      }
    }
    let right = at + 1;
    const stop = Math.min(text.length, at + 1 + MAX_DOMAIN);
    let lastDot = -1;
    while (right < stop && isDomain(text.charCodeAt(right))) {
      if (text.charCodeAt(right) === 46) lastDot = right;
      right += 1;
    }
    while (right > at + 1 && text.charCodeAt(right - 1) === 46) {
      right -= 1;
      lastDot = text.lastIndexOf('.', right - 1);
    }
    const host = right - at - 1;
    const before = text.slice(Math.max(0, at - MAX_URL_USER), at);
    const scheme = before.lastIndexOf('://');
    if (host > 0 && scheme !== -1) {
      const user = before.slice(scheme + 3);
      if (user.includes(':') && !/[\s/@]/.test(user)) {
        this.#add('url_credentials', at - user.length, at);
        return;
      }
    }
    if (left < at && lastDot > at + 1 && right - lastDot > 2) this.#add('email', left, right);
  }

  /** jan @ example.com */
  #spacedEmail(at: number): void {
    const before = /[\p{L}\d._+-]{1,64}$/u.exec(this.#text.slice(Math.max(0, at - 1 - MAX_EMAIL_NAME), at - 1))?.[0];
    const after = /^(?:[\p{L}\d-]{1,63}\.){1,8}\p{L}{2,}/u.exec(this.#text.slice(at + 2, at + 2 + MAX_DOMAIN))?.[0];
    if (before && after) this.#add('email', at - 1 - before.length, at + 2 + after.length);
  }

  *#privateKeys(): Generator<void, void> {
    const text = this.#text;
    let at = text.indexOf('-----BEGIN');
    let turnEnd = TURN_CHARS;
    while (at !== -1) {
      if (at >= turnEnd) {
        turnEnd = at + TURN_CHARS;
        yield;
      }
      const header = text.slice(at, at + MAX_KEY_HEADER);
      if (header.includes('PRIVATE KEY')) {
        const close = text.indexOf('-----END', at);
        const last = close === -1 ? -1 : text.indexOf('-----', close + 8);
        const end = last === -1 ? text.length : last + 5;
        this.#add('private_key', at, end);
        at = text.indexOf('-----BEGIN', end);
      } else at = text.indexOf('-----BEGIN', at + 10);
    }
  }

  *#terms(): Generator<void, void> {
    const wanted = (this.#options.terms ?? []).map((term) => sameLengthLower(term.trim())).filter(Boolean);
    if (wanted.length === 0) return;
    let lower = '';
    for (let at = 0; at < this.#text.length; ) {
      const cut = cutAfter(this.#text, at + TURN_CHARS);
      lower += sameLengthLower(this.#text.slice(at, cut));
      at = cut;
      if (at < this.#text.length) yield;
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
          this.#add('custom_term', at, end);
      }
      if (lower.length > TURN_CHARS) yield;
    }
  }
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isUpperOrDigit = (code: number): boolean => (code >= 65 && code <= 90) || isDigit(code);
const isBlank = (code: number): boolean => code === 32 || code === 9 || code === 0xa0 || code === 0x202f;
const isSeparator = (code: number): boolean =>
  isBlank(code) || code === 45 || code === 46 || code === 40 || code === 41 || code === 47;
const isQuote = (code: number): boolean => code === 34 || code === 39 || code === 96;
const isAsciiLetter = (code: number): boolean => (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
// Scripts without blanks between words end a word, so that a Latin name inside them is still one.
const isLetter = (code: number): boolean =>
  isAsciiLetter(code) ||
  (code >= 0xc0 && code < 0x2000 && code !== 0xd7 && code !== 0xf7 && !(code >= 0x0e00 && code < 0x1000));
const isLetterOrDigit = (code: number): boolean => isLetter(code) || isDigit(code);
/** Letters, digits, `_` and `-`. */
const isWordCode = (code: number): boolean => isLetterOrDigit(code) || code === 95 || code === 45;
/** Of scripts without blanks between words; not their punctuation. */
const isWideLetter = (code: number): boolean =>
  (code >= 0x0e00 && code < 0x1000) || (code >= 0x3041 && code < 0xd800) || (code >= 0xf900 && code < 0xfb00);
/** Not the signs that part an address's parameters. */
const EMAIL_SIGNS: ReadonlySet<number> = new Set([..."!$%'*+.^~"].map((sign) => sign.charCodeAt(0)));
const isEmailStart = (code: number): boolean => isLetterOrDigit(code) || isWideLetter(code) || code === 95;
const isEmailName = (code: number): boolean => isWordCode(code) || isWideLetter(code) || EMAIL_SIGNS.has(code);
const isDomain = (code: number): boolean => isLetterOrDigit(code) || isWideLetter(code) || code === 45 || code === 46;
const isIbanStart = (text: string, start: number): boolean => /^[A-Za-z]{2}\d{2}/.test(text.slice(start, start + 4));

function wordEnd(text: string, from: number, before = text.length): number {
  const stop = Math.min(text.length, before);
  let at = from;
  while (at < stop && isWordCode(text.charCodeAt(at))) at += 1;
  return at;
}

/** The last place before `limit` at which no word is cut, or the next at which no character is. */
function cutAfter(text: string, limit: number): number {
  if (limit >= text.length) return text.length;
  let at = limit;
  while (at > limit - MAX_IDENTIFIER && isWordCode(text.charCodeAt(at - 1))) at -= 1;
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at + 1 : at;
}

function dottedEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && (isWordCode(text.charCodeAt(at)) || text.charCodeAt(at) === 46)) at += 1;
  return at;
}

function valueEnd(text: string, from: number): number {
  const stop = Math.min(text.length, from + MAX_VALUE);
  let at = from;
  while (at < stop && text.charCodeAt(at) > 32 && !isQuote(text.charCodeAt(at)) && text.charCodeAt(at) !== 0xa0)
    at += 1;
  return at;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && at - from < 8 && (isBlank(text.charCodeAt(at)) || text.charCodeAt(at) === 10)) at += 1;
  return at;
}

/** The name a word or a part of an identifier is: `apiKey`, `client_secret` and `ACCESS-TOKEN` name one, `keyboard` none. */
function groupOf(word: string, lower: string): WordGroup | undefined {
  if (lower.length <= LONGEST_WORD) {
    const whole = WORDS.get(lower);
    if (whole) return whole;
  }
  if (!/[_-]|\p{Ll}\p{Lu}/u.test(word)) return undefined;
  for (const part of word.replace(/(\p{Ll})(\p{Lu})/gu, '$1_$2').split(/[_-]/)) {
    const group = part.length <= LONGEST_WORD ? WORDS.get(folded(part)) : undefined;
    if (group) return group;
  }
  return undefined;
}

const folded = (word: string): string => {
  const lower = word.toLowerCase();
  return lower.length > LONGEST_WORD * 2 ? lower : lower.normalize('NFC');
};

/** Lower case that keeps every offset: a few letters would become two. */
function sameLengthLower(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  return Array.from({ length: text.length }, (_, index) => {
    const one = (text[index] as string).toLowerCase();
    return one.length === 1 ? one : text[index];
  }).join('');
}

/** Of findings that share a place the wider wins, so that a card inside a password is one finding. */
function withoutOverlaps(found: Finding[]): Finding[] {
  // Without custom terms and keys they are found in their order.
  const inOrder = found.every(({ start }, index) => index === 0 || start > (found[index - 1] as Finding).start);
  const sorted = inOrder ? found : found.sort((a, b) => a.start - b.start || b.end - a.end);
  const kept: Finding[] = [];
  for (const finding of sorted) {
    const last = kept.at(-1);
    if (!last || finding.start >= last.end) kept.push(finding);
    // Cut across each other: together they are one place, so that masking leaves no rest of either.
    else if (finding.end > last.end) last.end = finding.end;
  }
  return kept;
}
