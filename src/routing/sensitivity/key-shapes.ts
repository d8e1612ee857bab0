// Keys that are known by their own shape, whatever stands around them: beginnings that providers give out, signed tokens,
// addresses that are keys.
import { isWordCode, MAX_IDENTIFIER, valueEnd, wordEnd } from './characters.js';
import type { Finding } from './kinds.js';

/** Of the part before a line's end: shorter ones are everyday words. */
const SHORTEST_CUT_KEY = 8;
const SHORTEST_TOKEN_HEAD = 10;
const LONGEST_DOTTED = 4;

/** Beginnings of keys that providers give out, and how long the whole is at least. By first letter, because every word is asked. */
const PREFIXES: readonly (readonly [prefix: string, atLeast: number])[] = [
  ['sk-', 20],
  ['sk_live_', 20],
  ['sk_test_', 20],
  ['rk_live_', 20],
  ['pk_live_', 20],
  ['ghp_', 30],
  ['gho_', 30],
  ['ghu_', 30],
  ['ghs_', 30],
  ['ghr_', 30],
  ['github_pat_', 30],
  ['glpat-', 20],
  ['AIza', 35],
  ['xoxa-', 20],
  ['xoxb-', 20],
  ['xoxp-', 20],
  ['xoxr-', 20],
  ['xoxs-', 20],
  ['xapp-', 20],
  ['hf_', 30],
  ['npm_', 30],
  ['pypi-', 40],
  ['dckr_pat_', 25],
  ['shpat_', 30],
  ['gsk_', 30],
  ['xai-', 40],
  ['nvapi-', 40],
  ['tvly-', 20],
  ['pplx-', 30],
  ['dop_v1_', 40],
  ['lin_api_', 30],
  ['sq0csp-', 30],
  ['ATATT3', 40],
  ['AGE-SECRET-KEY-', 40],
  ['rk_test_', 20],
  ['whsec_', 24],
  ['GOCSPX-', 24],
  ['glptt-', 20],
  ['glrt-', 20],
  ['glsa_', 30],
  ['sbp_', 40],
  ['sntrys_', 40],
  ['figd_', 30],
  ['PMAK-', 40],
  ['r8_', 36],
];
const BY_FIRST = Map.groupBy(PREFIXES, ([prefix]) => prefix.charCodeAt(0));

/** Keys whose beginning ends with a dot, which ends a word. */
const DOTTED: ReadonlyMap<string, number> = new Map([
  ['SG', 16],
  ['ya29', 20],
  ['hvs', 20],
]);

/** Addresses that are keys: whoever knows one may write there. By their first word. */
const SECRET_ADDRESSES: ReadonlyMap<string, string> = new Map([
  ['hooks', 'hooks.slack.com/services/'],
  ['discord', 'discord.com/api/webhooks/'],
  ['discordapp', 'discordapp.com/api/webhooks/'],
]);

/** `sk-` ends everyday words, such as risk-: there must be a seam before it. */
const GLUED = new RegExp(`(?<=[A-Z\\d_])(?:${PREFIXES.map(([prefix]) => prefix).join('|')})`, 'g');

/** The key that the word from `start` to `end` is, or begins. */
export function keyAt(text: string, start: number, end: number): Finding | undefined {
  const length = end - start;
  if (isProviderKey(text, start, end)) return { kind: 'api_key', start, end };
  // Cut by a line's end, as in a terminal.
  if (length >= SHORTEST_CUT_KEY && text.charCodeAt(end) === 10) {
    const rest = wordEnd(text, end + 1, end + MAX_IDENTIFIER);
    if (rest > end + 1 && isProviderKey(text.slice(start, end) + text.slice(end + 1, rest), 0, rest - start - 1))
      return { kind: 'api_key', start, end: rest };
  }
  const address = SECRET_ADDRESSES.get(text.slice(start, end));
  if (address !== undefined && text.startsWith(address, start))
    return { kind: 'secret', start, end: valueEnd(text, start + address.length) };
  if (length >= SHORTEST_TOKEN_HEAD && text.startsWith('eyJ', start)) {
    const done = jsonWebTokenEnd(text, end);
    if (done > 0) return { kind: 'jwt', start, end: done };
  }
  if (length <= LONGEST_DOTTED && text.charCodeAt(end) === 46) {
    const atLeast = DOTTED.get(text.slice(start, end));
    const done = atLeast === undefined ? 0 : dottedEnd(text, end);
    if (atLeast !== undefined && done - end > atLeast) return { kind: 'api_key', start, end: done };
  }
  return undefined;
}

const TELEGRAM_BOT = /\d{8,10}:AA[\w-]{30,}/y;

/** A key that begins with digits. */
export function numberedKey(text: string, start: number): Finding | undefined {
  TELEGRAM_BOT.lastIndex = start;
  return TELEGRAM_BOT.test(text) ? { kind: 'api_key', start, end: TELEGRAM_BOT.lastIndex } : undefined;
}

/** Where a provider's key begins in a word that something else was glued to: KEYsk-…, my_sk-…; -1 where none does. */
export function gluedKey(word: string): number {
  for (const { index } of word.matchAll(GLUED))
    if (/\d/.test(word.slice(index)) && isProviderKey(word, index, word.length)) return index;
  return -1;
}

/** Whether `text` from `start` to `end`, one word, has the shape of a provider's key. */
function isProviderKey(text: string, start: number, end: number): boolean {
  const length = end - start;
  for (const [prefix, atLeast] of BY_FIRST.get(text.charCodeAt(start)) ?? [])
    if (length >= atLeast && text.startsWith(prefix, start)) return true;
  // Amazon's: exactly 20, all capitals and digits.
  return (
    length === 20 &&
    (text.startsWith('AKIA', start) || text.startsWith('ASIA', start)) &&
    /^[A-Z0-9]+$/.test(text.slice(start, end))
  );
}

/** 0 where the word before `headEnd` is no head of one. */
function jsonWebTokenEnd(text: string, headEnd: number): number {
  if (text.charCodeAt(headEnd) !== 46 || !text.startsWith('eyJ', headEnd + 1)) return 0;
  const bodyEnd = wordEnd(text, headEnd + 1);
  return text.charCodeAt(bodyEnd) === 46 ? wordEnd(text, bodyEnd + 1) : bodyEnd;
}

function dottedEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && (isWordCode(text.charCodeAt(at)) || text.charCodeAt(at) === 46)) at += 1;
  return at;
}
