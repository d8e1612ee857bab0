// Private keys, which have lines at their beginning and end.
import type { Finding } from './kinds.js';
import { TURN_CHARS } from './turn.js';

const MAX_HEADER = 80;

export function* privateKeys(text: string): Generator<void, Finding[]> {
  const found: Finding[] = [];
  let at = text.indexOf('-----BEGIN');
  let turnEnd = TURN_CHARS;
  while (at !== -1) {
    if (at >= turnEnd) {
      turnEnd = at + TURN_CHARS;
      yield;
    }
    const header = text.slice(at, at + MAX_HEADER);
    if (header.includes('PRIVATE KEY')) {
      const close = text.indexOf('-----END', at);
      const last = close === -1 ? -1 : text.indexOf('-----', close + 8);
      const end = last === -1 ? text.length : last + 5;
      found.push({ kind: 'private_key', start: at, end });
      at = text.indexOf('-----BEGIN', end);
    } else at = text.indexOf('-----BEGIN', at + 10);
  }
  return found;
}
