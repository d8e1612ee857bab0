// The last texts of the sessions that are being talked in, so that a turn need not read what was just written.
import type { MessageRole } from '../ports.js';

const SESSIONS_KEPT = 128;

export interface RecentText {
  role: MessageRole;
  content: string;
}

export class RecentTexts {
  readonly #sessions = new Map<string, { maxChars: number; texts: RecentText[] }>();

  /** The last texts, together at most `maxChars` long; `load` reads them when they are not known. */
  get(sessionId: string, maxChars: number, load: () => RecentText[]): RecentText[] {
    const known = this.#sessions.get(sessionId);
    if (known && known.maxChars >= maxChars) return lastOf(known.texts, maxChars);
    const texts = load();
    this.#keep(sessionId, { maxChars, texts });
    return texts;
  }

  add(sessionId: string, text: RecentText): void {
    const known = this.#sessions.get(sessionId);
    if (!known || text.content === '') return;
    this.#keep(sessionId, { maxChars: known.maxChars, texts: lastOf([...known.texts, text], known.maxChars) });
  }

  forget(sessionId: string): void {
    this.#sessions.delete(sessionId);
  }

  clear(): void {
    this.#sessions.clear();
  }

  #keep(sessionId: string, entry: { maxChars: number; texts: RecentText[] }): void {
    this.#sessions.delete(sessionId);
    this.#sessions.set(sessionId, entry);
    if (this.#sessions.size > SESSIONS_KEPT) this.#sessions.delete(this.#sessions.keys().next().value as string);
  }
}

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
