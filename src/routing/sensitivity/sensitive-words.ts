// Words that name secrets, and words that stand beside numbers and values. Tables only.

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
