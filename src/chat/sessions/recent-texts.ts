// The last texts of the sessions that are being talked in, so that a turn need not read what was just written.
import { BoundedMap } from '../../shared/bounded-map.js';
import type { MessageRole } from '../ports.js';

const SESSIONS_KEPT = 128;
/** Of all sessions together: one alone may have hundreds of thousands for a model with a large window. */
const CHARS_KEPT = 4_000_000;
/** What a text takes beside its characters. */
const TEXT_OVERHEAD_CHARS = 50;

export interface RecentText {
  role: MessageRole;
  content: string;
}

interface Kept {
  maxChars: number;
  texts: RecentText[];
  size: number;
}

export class RecentTexts {
  #sessions = emptied();

  /** Characters that are kept, of all sessions. */
  get size(): number {
    return this.#sessions.size;
  }

  /** The last texts, together at most `maxChars` long; `load` reads them when they are not known. */
  get(sessionId: string, maxChars: number, load: () => RecentText[]): RecentText[] {
    const known = this.#sessions.get(sessionId);
    if (known && known.maxChars >= maxChars) return lastOf(known.texts, maxChars);
    const texts = load();
    this.#keep(sessionId, maxChars, texts);
    return texts;
  }

  add(sessionId: string, text: RecentText): void {
    const known = this.#sessions.get(sessionId);
    if (!known || text.content === '') return;
    this.#keep(sessionId, known.maxChars, lastOf([...known.texts, text], known.maxChars));
  }

  forget(sessionId: string): void {
    this.#sessions.delete(sessionId);
  }

  clear(): void {
    this.#sessions = emptied();
  }

  #keep(sessionId: string, maxChars: number, texts: RecentText[]): void {
    const size = texts.reduce((sum, { content }) => sum + content.length + TEXT_OVERHEAD_CHARS, 0);
    this.#sessions.set(sessionId, { maxChars, texts, size });
  }
}

const emptied = () => new BoundedMap<Kept>({ entries: SESSIONS_KEPT, size: CHARS_KEPT, sizeOf: ({ size }) => size });

function lastOf(texts: RecentText[], maxChars: number): RecentText[] {
  let left = maxChars;
  let from = texts.length;
  while (from > 0) {
    left -= (texts[from - 1] as RecentText).content.length;
    if (left < 0) break;
    from -= 1;
  }
  return from === 0 ? texts : texts.slice(from);
}
