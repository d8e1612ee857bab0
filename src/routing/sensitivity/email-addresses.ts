// E-mail addresses, and the credentials that stand in an address before its host.
import { isBlank, isLetterOrDigit, isWideLetter, isWordCode } from './characters.js';
import type { Finding } from './kinds.js';

const MAX_NAME = 64;
const MAX_DOMAIN = 255;
const MAX_ADDRESS_LITERAL = 48;
const MAX_URL_USER = 200;
/** Not the signs that part an address's parameters. */
const NAME_SIGNS: ReadonlySet<number> = new Set([..."!$%'*+.^~"].map((sign) => sign.charCodeAt(0)));
const isNameStart = (code: number): boolean => isLetterOrDigit(code) || isWideLetter(code) || code === 95;
const isName = (code: number): boolean => isWordCode(code) || isWideLetter(code) || NAME_SIGNS.has(code);
const isDomain = (code: number): boolean => isLetterOrDigit(code) || isWideLetter(code) || code === 45 || code === 46;

/** What the `@` at this place belongs to. */
export function addressAround(text: string, at: number): Finding | undefined {
  if (isBlank(text.charCodeAt(at - 1)) && isBlank(text.charCodeAt(at + 1))) return spacedAddress(text, at);
  const start = nameStart(text, at);
  if (start < at && text.charCodeAt(at + 1) === 91) {
    const close = text.slice(at, at + MAX_ADDRESS_LITERAL).indexOf(']');
    if (close !== -1) return { kind: 'email', start, end: at + close + 1 };
  }
  const domain = domainAfter(text, at);
  if (domain.end > at + 1) {
    const credentials = urlCredentials(text, at);
    if (credentials) return credentials;
  }
  const isAddress = start < at && domain.lastDot > at + 1 && domain.end - domain.lastDot > 2;
  return isAddress ? { kind: 'email', start, end: domain.end } : undefined;
}

function nameStart(text: string, at: number): number {
  let left = at;
  while (left > 0 && at - left < MAX_NAME && isName(text.charCodeAt(left - 1))) left -= 1;
  // Quotes and brackets before it are none of it.
  while (left < at && !isNameStart(text.charCodeAt(left))) left += 1;
  if (left === at && text.charCodeAt(at - 1) === 34) {
    const open = text.lastIndexOf('"', at - 2);
    if (open !== -1 && at - open <= MAX_NAME) return open;
  }
  return left;
}

/** `lastDot` is -1 where there is none. */
function domainAfter(text: string, at: number): { end: number; lastDot: number } {
  const stop = Math.min(text.length, at + 1 + MAX_DOMAIN);
  let end = at + 1;
  let lastDot = -1;
  while (end < stop && isDomain(text.charCodeAt(end))) {
    if (text.charCodeAt(end) === 46) lastDot = end;
    end += 1;
  }
  // A sentence's own.
  while (end > at + 1 && text.charCodeAt(end - 1) === 46) {
    end -= 1;
    lastDot = text.lastIndexOf('.', end - 1);
  }
  return { end, lastDot };
}

/** https://name:password@host */
function urlCredentials(text: string, at: number): Finding | undefined {
  const before = text.slice(Math.max(0, at - MAX_URL_USER), at);
  const scheme = before.lastIndexOf('://');
  if (scheme === -1) return undefined;
  const user = before.slice(scheme + 3);
  return user.includes(':') && !/[\s/@]/.test(user)
    ? { kind: 'url_credentials', start: at - user.length, end: at }
    : undefined;
}

/** jan @ example.com */
function spacedAddress(text: string, at: number): Finding | undefined {
  const before = /[\p{L}\d._+-]{1,64}$/u.exec(text.slice(Math.max(0, at - 1 - MAX_NAME), at - 1))?.[0];
  const after = /^(?:[\p{L}\d-]{1,63}\.){1,8}\p{L}{2,}/u.exec(text.slice(at + 2, at + 2 + MAX_DOMAIN))?.[0];
  return before && after ? { kind: 'email', start: at - 1 - before.length, end: at + 2 + after.length } : undefined;
}
