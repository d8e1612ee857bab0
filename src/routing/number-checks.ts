// Check digits of the numbers people write in chats: bank accounts, cards, Polish personal numbers.

/** ISO 13616: country, two check digits, 11 to 30 letters and digits; 97 divides the rearranged number with rest 1. */
export function isIban(compact: string): boolean {
  if (compact.length < 15 || compact.length > 34 || !/^[A-Z]{2}\d{2}[A-Z0-9]+$/.test(compact)) return false;
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
