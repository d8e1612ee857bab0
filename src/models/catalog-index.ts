// What is known of all catalogues, kept in memory: answers at once, and where a catalogue cannot be asked.
import type { CatalogEntry } from './ports.js';

const MAX_ENTRIES = 20_000;

interface Indexed {
  entry: CatalogEntry;
  name: string;
  /** Everything a word may be found in, in lower case. */
  text: string;
}

export class CatalogIndex {
  readonly #byKey = new Map<string, Indexed>();
  /** What many use first, so that a search that finds thousands has nothing to sort. */
  #inOrder: Indexed[] = [];

  get size(): number {
    return this.#byKey.size;
  }

  /** Newer knowledge takes the place of older; beyond the limit what was seen longest ago is forgotten. */
  add(entries: readonly CatalogEntry[]): void {
    for (const entry of entries) {
      const key = `${entry.provider}|${entry.modelName}`;
      const former = this.#byKey.get(key);
      this.#byKey.delete(key);
      this.#byKey.set(key, indexed(former ? merged(former.entry, entry) : entry));
    }
    for (const key of this.#byKey.keys()) {
      if (this.#byKey.size <= MAX_ENTRIES) break;
      this.#byKey.delete(key);
    }
    this.#inOrder = [...this.#byKey.values()].sort(byUse);
  }

  /** Every word must occur; names come before descriptions, and what many use before what few do. */
  search(
    query: string,
    { provider, limit, offset = 0 }: { provider?: string | undefined; limit: number; offset?: number },
  ): { entries: CatalogEntry[]; total: number } {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const ranks: CatalogEntry[][] = [[], [], [], []];
    for (const { entry, name, text } of this.#inOrder) {
      if (provider !== undefined && entry.provider !== provider) continue;
      if (words.every((word) => text.includes(word))) ranks[rankOf(name, words)]?.push(entry);
    }
    const found = ranks.flat();
    return { entries: found.slice(offset, offset + limit), total: found.length };
  }
}

function indexed(entry: CatalogEntry): Indexed {
  const name = entry.modelName.toLowerCase();
  const text = `${name}\n${entry.displayName}\n${entry.description ?? ''}\n${entry.tags.join('\n')}`.toLowerCase();
  return { entry, name, text };
}

function byUse(a: Indexed, b: Indexed): number {
  const difference = (b.entry.downloads ?? 0) - (a.entry.downloads ?? 0);
  if (difference !== 0) return difference;
  return a.name < b.name ? -1 : 1;
}

/** A search page says less than a list: what it leaves open is kept. */
const merged = (former: CatalogEntry, entry: CatalogEntry): CatalogEntry => ({
  ...entry,
  sizeBytes: entry.sizeBytes ?? former.sizeBytes,
  downloads: entry.downloads ?? former.downloads,
  likes: entry.likes ?? former.likes,
  description: entry.description ?? former.description,
  licence: entry.licence ?? former.licence,
  tags: entry.tags.length > 0 ? entry.tags : former.tags,
  abilities: entry.abilities ?? former.abilities ?? [],
  parameters: entry.parameters ?? former.parameters ?? null,
});

/** 0 to 3, the best first. */
function rankOf(name: string, words: readonly string[]): number {
  const first = words[0] ?? '';
  const own = name.slice(name.lastIndexOf('/') + 1);
  if (name === first || own === first) return 0;
  if (own.startsWith(first)) return 1;
  return words.every((word) => name.includes(word)) ? 2 : 3;
}
