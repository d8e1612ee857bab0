// Numbers in groups: which of the kinds in number-checks.ts the digits are that begin at a place.
import { isBlank, isDigit, isLetterOrDigit, isSeparator, isUpperOrDigit } from './characters.js';
import type { Finding } from './kinds.js';
import { isIban, isPaymentCard, isPesel, isPhoneByGroups, spacedIbanEnd } from './number-checks.js';

const MAX_NUMBER = 40;
/** No card and no telephone number is written in more. */
const MAX_GROUPS = 7;
const SHORTEST_NUMBER = 7;
const LONGEST_PHONE = 15;
const SHORTEST_IBAN = 15;
const LONGEST_IBAN = 34;
/** How far before a number its cue may stand. */
const CUE_REACH = 24;

export interface DigitGroup {
  digits: string;
  end: number;
}

export function digitGroups(text: string, start: number): DigitGroup[] {
  const groups: DigitGroup[] = [];
  const stop = Math.min(text.length, start + MAX_NUMBER);
  let at = start;
  while (at < stop && groups.length < MAX_GROUPS) {
    const from = at;
    while (at < stop && isDigit(text.charCodeAt(at))) at += 1;
    // Part of a longer word, such as a hash, or of a longer number: none of ours.
    const next = text.charCodeAt(at);
    if (at === from || isLetterOrDigit(next) || next === 95) break;
    groups.push({ digits: text.slice(from, at), end: at });
    // One separator between groups, with a bracket beside it: (030) 123, 0 (30) 123.
    let skipped = 0;
    while (at < stop && skipped < 2 && isSeparator(text.charCodeAt(at))) {
      at += 1;
      skipped += 1;
    }
    if (skipped === 0) break;
  }
  return groups;
}

/** Where a postal code ends that begins here, as Poland writes them: 00-950; else the first group. */
export const postCodeEnd = (text: string, start: number, [first, second]: readonly DigitGroup[]): number =>
  (first?.digits.length === 2 && second?.digits.length === 3 && text[start + 2] === '-' ? second : first)?.end ?? start;

/** The longest run of groups that is a number of ours. @param cueEnd  where a word ended that says a telephone number comes */
export function numberOf(
  text: string,
  start: number,
  groups: readonly DigitGroup[],
  cueEnd: number,
): Finding | undefined {
  for (let count = groups.length; count > 0; count -= 1) {
    const { end } = groups[count - 1] as DigitGroup;
    if (end - start < SHORTEST_NUMBER) return undefined;
    const digits = groups.slice(0, count).map((group) => group.digits);
    const kind = numberKind(text, start, digits, cueEnd);
    if (kind) return { kind, start: kind === 'phone' ? phoneStart(text, start) : start, end };
  }
  return undefined;
}

/** With the bracket and the plus before it. */
function phoneStart(text: string, start: number): number {
  let from = start;
  if (text.charCodeAt(from - 1) === 40) from -= 1;
  if (text.charCodeAt(from - 1) === 43) from -= 1;
  return from;
}

function numberKind(
  text: string,
  start: number,
  groups: readonly string[],
  cueEnd: number,
): 'pesel' | 'payment_card' | 'phone' | undefined {
  const digits = groups.join('');
  if (digits.length < SHORTEST_NUMBER) return undefined;
  // In one piece, or with the day of birth set apart.
  if ((groups.length === 1 || /^(?:\d{6}|\d{2})$/.test(groups[0] as string)) && isPesel(digits)) return 'pesel';
  if (isPaymentCard(digits) && (groups.length === 1 || groups.every(({ length }) => length >= 3)))
    return 'payment_card';
  return isPhone(text, start, groups, cueEnd) ? 'phone' : undefined;
}

function isPhone(text: string, start: number, groups: readonly string[], cueEnd: number): boolean {
  const digits = groups.join('');
  if (digits.length > LONGEST_PHONE) return false;
  const open = text.charCodeAt(start - 1) === 40 ? 1 : 0;
  const before = text.charCodeAt(start - 1 - open);
  if (before === 43) return digits.length >= 8;
  if (digits.startsWith('00') && digits.length >= 10) return true;
  if (start - cueEnd <= CUE_REACH) return true;
  // A dot or a digit's word before it makes it a part of something else, such as a version or an amount.
  const round = groups.slice(1).every((group) => /^0+$/.test(group));
  return before !== 46 && before !== 44 && !round && isPhoneByGroups(groups);
}

/** A bank account that begins here, with and without the customary blanks. */
export function ibanAt(text: string, start: number): Finding | undefined {
  if (!/^[A-Za-z]{2}\d{2}/.test(text.slice(start, start + 4))) return undefined;
  const end = plainIbanEnd(text, start) || spacedIbanEnd(text, start);
  return end > 0 ? { kind: 'iban', start, end } : undefined;
}

/** The longest that checks out is it. */
function plainIbanEnd(text: string, start: number): number {
  let compact = '';
  let at = start;
  let found = 0;
  while (at < text.length && compact.length < LONGEST_IBAN) {
    const code = text.charCodeAt(at);
    if (isUpperOrDigit(code)) compact += text[at];
    else if (!(isBlank(code) && isUpperOrDigit(text.charCodeAt(at + 1)))) break;
    at += 1;
    const next = text.charCodeAt(at);
    if (compact.length >= SHORTEST_IBAN && !isUpperOrDigit(next) && isIban(compact)) found = at;
  }
  return found;
}
