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
  /** Of the texts together. */
  chars: number;
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
    if (known && known.maxChars >= maxChars) return lastOf(known.texts, known.chars, maxChars).texts;
    const texts = load();
    const chars = texts.reduce((sum, { content }) => sum + content.length, 0);
    this.#sessions.set(sessionId, { maxChars, texts, chars });
    return texts;
  }

  add(sessionId: string, text: RecentText): void {
    const known = this.#sessions.get(sessionId);
    if (!known || text.content === '') return;
    const { maxChars } = known;
    const all = lastOf([...known.texts, text], known.chars + text.content.length, maxChars);
    this.#sessions.set(sessionId, { maxChars, ...all });
  }

  forget(sessionId: string): void {
    this.#sessions.delete(sessionId);
  }

  clear(): void {
    this.#sessions = emptied();
  }
}

const emptied = () =>
  new BoundedMap<Kept>({
    entries: SESSIONS_KEPT,
    size: CHARS_KEPT,
    sizeOf: ({ texts, chars }) => chars + texts.length * TEXT_OVERHEAD_CHARS,
  });

/** @param chars  of all of them */
function lastOf(texts: RecentText[], chars: number, maxChars: number): { texts: RecentText[]; chars: number } {
  let from = 0;
  let left = chars;
  for (; left > maxChars; from += 1) left -= (texts[from] as RecentText).content.length;
  return { texts: from === 0 ? texts : texts.slice(from), chars: left };
}
