// What the pages of Ollama's library show, read as text: the results of a search, and the tags of a model. They are made for
// people, so what is not found on them is left open instead of guessed. Pure.
import { OFFERED_ABILITIES, type OfferedAbility } from '../../models/discovery-terms.js';

const MAX_FOUND = 200;
const MAX_TAGS = 300;
const MAX_LINKS = 5_000;
/** Of one result or one tag: the next one begins before. */
const MAX_BLOCK = 8_000;
const UNITS: Readonly<Record<string, number>> = { KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };
const COUNTS: Readonly<Record<string, number>> = { '': 1, K: 1e3, M: 1e6, B: 1e9 };

export interface FoundModel {
  name: string;
  description: string | null;
  abilities: OfferedAbility[];
  /** As its tags are called, smallest first, such as `8b`. */
  sizes: string[];
  pulls: number | null;
}

export function foundOnPage(page: string): FoundModel[] {
  const found = new Map<string, FoundModel>();
  const links = [...page.matchAll(/href="\/library\/([\w\-.]{1,100})"/g)].slice(0, MAX_LINKS);
  for (const [place, { 1: name = '', index }] of links.entries()) {
    if (found.has(name) || found.size >= MAX_FOUND) continue;
    // A result may hold more than one link to its model.
    const next = links.slice(place + 1).find(({ 1: other }) => other !== name)?.index ?? page.length;
    const block = page.slice(index, Math.min(next, index + MAX_BLOCK));
    const marked = (mark: string) =>
      [...block.matchAll(new RegExp(`${mark}[^>]{0,300}>\\s*([^<]{1,50}?)\\s*<`, 'g'))].map(([, text]) => text ?? '');
    found.set(name, {
      name,
      description: readable(/<p[^>]{0,300}>([^<]{1,1000})<\/p>/.exec(block)?.[1]),
      abilities: OFFERED_ABILITIES.filter((ability) => marked('x-test-capability').includes(ability)),
      sizes: marked('x-test-size').filter((size) => /^[\w.]{1,20}$/.test(size)),
      pulls: countOf(marked('x-test-pull-count')[0]),
    });
  }
  return [...found.values()];
}

export interface LibraryTag {
  name: string;
  /** Null where the page does not say. */
  sizeBytes: number | null;
}

/** Others are answered by a cloud of Ollama's. */
export const isFetched = (tag: string): boolean => !/(?:^|-)cloud$/.test(tag);

/** @param path  as the page's links name the model: `library/llama3.2` or `owner/model` */
export function tagsOnPage(page: string, path: string): LibraryTag[] {
  const tags = new Map<string, LibraryTag>();
  const escaped = path.replace(/[^\w/]/g, '\\$&');
  const links = [...page.matchAll(new RegExp(`href="/${escaped}:([\\w\\-.]{1,100})"`, 'g'))].slice(0, MAX_LINKS);
  for (const { 1: name = '', index } of links) {
    if (tags.size >= MAX_TAGS) break;
    if (!isFetched(name) || (tags.get(name)?.sizeBytes ?? null) !== null) continue;
    // What follows the next link is of something else.
    const [block = ''] = page.slice(index + 1, index + MAX_BLOCK).split('href="', 1);
    const [, amount, unit = ''] = /(?:^|[\s>•·])(\d{1,4}(?:\.\d{1,3})?)\s?([KMGT]B)\b/.exec(block) ?? [];
    tags.set(name, { name, sizeBytes: amount === undefined ? null : Math.round(Number(amount) * (UNITS[unit] ?? 0)) });
  }
  return [...tags.values()];
}

function countOf(text: string | undefined): number | null {
  const [, amount, unit = ''] = /^([\d,]{1,12}(?:\.\d+)?)([KMB]?)$/.exec(text ?? '') ?? [];
  return amount === undefined ? null : Math.round(Number(amount.replaceAll(',', '')) * (COUNTS[unit] ?? 1));
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'" };

function readable(text: string | undefined): string | null {
  const plain = text
    ?.replace(/&(amp|lt|gt|quot|#39|#x27);/g, (_, name: string) => ENTITIES[name] ?? '')
    .replace(/\s+/g, ' ')
    .trim();
  return plain || null;
}
