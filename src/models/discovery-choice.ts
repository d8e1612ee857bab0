// Which of the models that are offered a person wants to see, and in which order. Pure.
import type { LicenceClass, OfferedAbility, Place, Sort } from './discovery-terms.js';
import type { EntryFit } from './entry-fit.js';
import type { CatalogEntry } from './ports.js';

export interface DiscoveryWish {
  /** Fewer than two letters: what is trending. */
  query: string;
  /** Every place where absent. */
  source?: string | undefined;
  /** Only what runs here, well, slowly or only just. */
  fits?: boolean | undefined;
  licence?: LicenceClass | undefined;
  ability?: OfferedAbility | undefined;
  /** Of the weights; what names no size is left out. */
  maxBytes?: number | undefined;
  sort: Sort;
  limit: number;
  page: number;
}

export interface Discovered {
  entry: CatalogEntry;
  fit: EntryFit;
  licence: LicenceClass;
  /** Of the weights, as far as the listing tells. */
  bytes: { bytes: number; of: string | null } | null;
}

const RUNS: ReadonlySet<Place> = new Set(['good', 'slow', 'tight']);

function isWanted({ entry, fit, licence, bytes }: Discovered, wish: DiscoveryWish): boolean {
  if (wish.fits && !RUNS.has(fit.verdict)) return false;
  if (wish.licence !== undefined && licence !== wish.licence) return false;
  // Who does not say what it can do is taken for a chat model: that is what catalogues are asked for.
  if (wish.ability !== undefined && !(entry.abilities ?? ['chat']).includes(wish.ability)) return false;
  return wish.maxBytes === undefined || (bytes !== null && bytes.bytes <= wish.maxBytes);
}

const BEST_FIRST: readonly Place[] = ['good', 'slow', 'tight', 'unknown', 'no'];

/** What is wanted of what is offered, in the order that is wanted. */
export const chosen = (offered: readonly Discovered[], wish: DiscoveryWish): Discovered[] =>
  sorted(
    offered.filter((one) => isWanted(one, wish)),
    wish.sort,
  );

/** As the places order them, where nothing else is asked for: the first of each, then the second of each. */
function sorted(found: Discovered[], sort: Sort): Discovered[] {
  const by: Record<Exclude<Sort, 'trending'>, (one: Discovered, other: Discovered) => number> = {
    downloads: (one, other) => (other.entry.downloads ?? -1) - (one.entry.downloads ?? -1),
    // Of those that fit equally well the larger, which answers better.
    fit: (one, other) =>
      BEST_FIRST.indexOf(one.fit.verdict) - BEST_FIRST.indexOf(other.fit.verdict) ||
      (other.bytes?.bytes ?? 0) - (one.bytes?.bytes ?? 0),
    size: (one, other) =>
      (one.bytes?.bytes ?? Number.POSITIVE_INFINITY) - (other.bytes?.bytes ?? Number.POSITIVE_INFINITY) || 0,
    name: (one, other) => one.entry.modelName.localeCompare(other.entry.modelName, 'en'),
  };
  if (sort !== 'trending') return found.toSorted(by[sort]);
  const ranks = new Map<string, number>();
  const ranked = found.map((one) => {
    const rank = ranks.get(one.entry.provider) ?? 0;
    ranks.set(one.entry.provider, rank + 1);
    return { one, rank };
  });
  return ranked.toSorted((one, other) => one.rank - other.rank).map(({ one }) => one);
}
