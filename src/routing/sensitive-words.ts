// Words and shapes that give secrets away. Tables only; sensitivity.ts reads them.

/** What a word is the name of. */
export type WordGroup = 'password' | 'secret';

const PASSWORD =
  'password passwords passwd passphrase passcode pwd hasło hasła hasłem haseł hasłach hasłami haslo hasla passwort passworts passwörter kennwort kennwörter';
const SECRET = `token tokens tokenu tokenem tokeny tokenów klucz klucza kluczem kluczu klucze kluczy kluczami key keys
secret secrets sekret sekrety apikey apikeys credential credentials uwierzytelnienie uwierzytelnienia uwierzytelniania
uwierzytelniające poświadczenia schlüssel schlüssels geheimnis zugangsdaten anmeldedaten`;

export const WORDS: ReadonlyMap<string, WordGroup> = new Map([
  ...PASSWORD.split(/\s+/).map((word) => [word, 'password'] as const),
  ...SECRET.split(/\s+/).map((word) => [word, 'secret'] as const),
]);
export const LONGEST_WORD = 24;

/** Say that a number is one to call. */
export const PHONE_CUES: ReadonlySet<string> = new Set(
  'tel telefon telefonu telefonnummer phone mobile cell fax handy komórka komórkę rufnummer nummer whatsapp'.split(' '),
);

/** Join a name to its value in a sentence. */
export const IS_WORDS: ReadonlySet<string> = new Set(['is', 'to', 'jest', 'ist', 'lautet', 'are', 'was']);

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
export const DOTTED: ReadonlyMap<string, number> = new Map([
  ['SG', 16],
  ['ya29', 20],
  ['hvs', 20],
]);

/** Addresses that are keys: whoever knows one may write there. By their first word. */
export const SECRET_ADDRESSES: ReadonlyMap<string, string> = new Map([
  ['hooks', 'hooks.slack.com/services/'],
  ['discord', 'discord.com/api/webhooks/'],
  ['discordapp', 'discordapp.com/api/webhooks/'],
]);

/** `sk-` ends everyday words, such as risk-: there must be a seam before it. */
const GLUED = new RegExp(`(?<=[A-Z\\d_])(?:${PREFIXES.map(([prefix]) => prefix).join('|')})`, 'g');

/** Where a provider's key begins in a word that something else was glued to: KEYsk-…, my_sk-…; -1 where none does. */
export function gluedKey(word: string): number {
  for (const { index } of word.matchAll(GLUED))
    if (/\d/.test(word.slice(index)) && isProviderKey(word, index, word.length)) return index;
  return -1;
}

/** Whether `text` from `start` to `end`, one word, has the shape of a provider's key. */
export function isProviderKey(text: string, start: number, end: number): boolean {
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
