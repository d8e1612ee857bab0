// Translations of the last day, bounded by number and by size; what was not asked for longest goes first.
import { createHash } from 'node:crypto';
import type { TranslationPair } from './translation-prompt.js';

const KEPT_MS = 86_400_000;
const MAX_ENTRIES = 5_000;
const MAX_CHARS = 8_000_000;

export class TranslationCache {
  readonly #now: () => number;
  readonly #entries = new Map<string, { text: string; at: number }>();
  #chars = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  get size(): number {
    return this.#entries.size;
  }

  static key(pair: TranslationPair, model: string, text: string): string {
    return createHash('sha256')
      .update(`${pair.source ?? 'auto'}::${pair.target}::${model}::${text}`)
      .digest('hex');
  }

  get(key: string): string | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#delete(key);
    if (this.#now() - entry.at > KEPT_MS) return undefined;
    this.#put(key, entry);
    return entry.text;
  }

  set(key: string, text: string): void {
    this.#delete(key);
    this.#put(key, { text, at: this.#now() });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MAX_ENTRIES && this.#chars <= MAX_CHARS) break;
      this.#delete(oldest);
    }
  }

  #put(key: string, entry: { text: string; at: number }): void {
    this.#entries.set(key, entry);
    this.#chars += entry.text.length;
  }

  #delete(key: string): void {
    this.#chars -= this.#entries.get(key)?.text.length ?? 0;
    this.#entries.delete(key);
  }
}
