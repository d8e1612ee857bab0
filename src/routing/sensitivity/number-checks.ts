// Numbers people write in chats, by their forms and check digits: bank accounts, cards, Polish personal numbers.

const SHORTEST_IBAN = 15;

/** ISO 13616: country, two check digits, 11 to 30 letters and digits; 97 divides the rearranged number with rest 1. */
export function isIban(compact: string): boolean {
  if (compact.length < SHORTEST_IBAN || compact.length > 34 || !/^[A-Z]{2}\d{2}[A-Z0-9]+$/.test(compact)) return false;
  let rest = 0;
  for (let index = 0; index < compact.length; index += 1) {
    const code = compact.charCodeAt((index + 4) % compact.length);
    // A letter stands for two digits, A = 10.
    rest = code <= 57 ? (rest * 10 + code - 48) % 97 : (rest * 100 + code - 55) % 97;
  }
  return rest === 1;
}

/** ISO/IEC 7812: Luhn, and a first digit that a payment card can have. */
export function isPaymentCard(digits: string): boolean {
  if (digits.length < 13 || digits.length > 19 || !/^[2-6]/.test(digits)) return false;
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    let digit = digits.charCodeAt(digits.length - 1 - index) - 48;
    if (index % 2 === 1) {
      digit *= 2;
      if (digit > 9) digit -= 9;
    }
    sum += digit;
  }
  return sum % 10 === 0 && !/^(\d)\1+$/.test(digits);
}

const PESEL_WEIGHTS = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3] as const;

/** Eleven digits: a date of birth whose month says the century, a serial number, and a check digit. */
export function isPesel(digits: string): boolean {
  if (digits.length !== 11) return false;
  const month = Number(digits.slice(2, 4)) % 20;
  const day = Number(digits.slice(4, 6));
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  const sum = PESEL_WEIGHTS.reduce((total, weight, index) => total + weight * (digits.charCodeAt(index) - 48), 0);
  return (10 - (sum % 10)) % 10 === digits.charCodeAt(10) - 48;
}

/** The ways telephone numbers are written without a country code, by the lengths of their groups. */
export function isPhoneByGroups(groups: readonly string[]): boolean {
  const first = groups[0] ?? '';
  const lengths = groups.map(({ length }) => length).join('-');
  if (lengths === '3-3-3' || lengths === '2-3-2-2') return /^[4-8]/.test(first);
  if (lengths === '3-3-4') return /^[2-9]/.test(first);
  if (!first.startsWith('0') || groups.length < 2 || groups.length > 5) return false;
  const digits = groups.join('').length;
  return digits >= 8 && digits <= 13;
}

/** What tables, line breaks and habits put between the groups of a number. */
const GAP = String.raw`[\s\-.,/_|*:()]{1,5}`;
/** The groups that are printed on cards, or a digit at a time; wider apart than people usually write them. */
const CARD_GROUPS = new RegExp(
  [
    String.raw`\d{4}${GAP}\d{4}${GAP}\d{4}${GAP}\d{4}(?:${GAP}\d{1,3})?(?![\p{L}\d])`,
    // With a word glued to it.
    String.raw`\d{4}${GAP}\d{4}${GAP}\d{4}${GAP}\d{4}(?=\p{L})`,
    String.raw`\d{4}${GAP}\d{4}${GAP}\d{4}${GAP}\d{1,4}(?![\p{L}\d])`,
    String.raw`\d{4}${GAP}\d{6}${GAP}\d{4,5}(?![\p{L}\d])`,
    String.raw`\d{8}${GAP}\d{8}(?![\p{L}\d])`,
    String.raw`\d([ \-])\d(?:\1\d){11,17}(?!\1?\d)`,
  ].join('|'),
  'uy',
);
/** A row of numbers that goes on is a table of something else. */
const GOES_ON = new RegExp(String.raw`${GAP}\d{4}(?!\d)`, 'y');
/** Of the schemes that are in use: with so much between the digits a year must not begin one. */
const SCHEME = /^(?:4|5[0-8]|2[2-7][2-9]|3[4-9]|6)/;

/** Where a card's number ends that begins here in groups set apart; 0 where there is none. */
export function spacedCardEnd(text: string, start: number): number {
  CARD_GROUPS.lastIndex = start;
  let found = CARD_GROUPS.exec(text)?.[0] ?? '';
  // With and without a last short group, which may be the month or the check number beside it.
  for (;;) {
    const digits = found.replace(/\D/g, '');
    if (digits.length < 13) return 0;
    const end = start + found.length;
    GOES_ON.lastIndex = end;
    if (isSchemeCard(digits) && !GOES_ON.test(text)) return end;
    const shorter = /^(.*\d)\D+\d{1,3}$/s.exec(found)?.[1];
    if (!shorter) return 0;
    found = shorter;
  }
}

const IBAN_GROUPS = /[A-Za-z]{2}\d{2}(?:[\s.-]{0,3}[A-Za-z\d]{4}){2,7}(?:[\s.-]{0,3}[A-Za-z\d]{1,3})?/y;

/** The same for a bank account in groups of four, in letters of any case. */
export function spacedIbanEnd(text: string, start: number): number {
  IBAN_GROUPS.lastIndex = start;
  let found = IBAN_GROUPS.exec(text)?.[0] ?? '';
  while (found.length >= 15) {
    const compact = found.replace(/[^A-Za-z\d]/g, '').toUpperCase();
    if (!/[\p{L}\d]/u.test(text[start + found.length] ?? '') && isIban(compact)) return start + found.length;
    found = found.slice(0, -1).replace(/[^A-Za-z\d]+$/, '');
  }
  return 0;
}

interface GluedNumber {
  kind: 'pesel' | 'payment_card' | 'iban';
  from: number;
  to: number;
}

/** Between letters alone: a hash has digits in more places than one. */
const GLUED_DIGITS =
  /(?<=(?:^|[_-])\p{L}+)\d{11,19}(?=\p{L}+(?:$|[_-]))|(?<=\p{L})\d{11,19}$|^\d{11,19}(?=\p{L}+(?:$|[_-]))/u;
const GLUED_ACCOUNT = /(?<=^|[\p{Ll}_-])[A-Z]{2}\d{2}[A-Z\d]{11,30}(?=\p{Ll}*(?:$|[_-]))/u;

/** Where a number stands that letters are glued to, on one side or on both: nr4111111111111111, KARTE4111111111111111ok. */
export function gluedNumber(word: string): GluedNumber | undefined {
  const digits = GLUED_DIGITS.exec(word);
  if (digits) {
    const from = digits.index;
    const place = { from, to: from + digits[0].length };
    if (isPesel(digits[0])) return { kind: 'pesel', ...place };
    if (isSchemeCard(digits[0])) return { kind: 'payment_card', ...place };
  }
  const account = GLUED_ACCOUNT.exec(word);
  if (!account) return undefined;
  // Capitals behind it may be none of it.
  for (let [compact] = account; compact.length >= SHORTEST_IBAN; compact = compact.slice(0, -1)) {
    if (isIban(compact)) return { kind: 'iban', from: account.index, to: account.index + compact.length };
    if (/\d$/.test(compact)) break;
  }
  return undefined;
}

const isSchemeCard = (digits: string): boolean => SCHEME.test(digits) && isPaymentCard(digits);
