// What Discover's address says: a link or a reload shows the same models in the same order.
import {
  LICENCE_CLASSES,
  type LicenceClass,
  OFFERED_ABILITIES,
  type OfferedAbility,
  SORTS,
  type Sort,
} from '../../../../src/models/discovery-terms';

export const DISCOVER_TABS = ['models', 'blog', 'papers'] as const;
export type DiscoverTab = (typeof DISCOVER_TABS)[number];
export const SOURCES = ['huggingface', 'ollama', 'python-index', 'local'] as const;
export type Source = (typeof SOURCES)[number];
/** Gigabytes of weights. */
export const SIZES = [1, 2, 4, 8, 16, 32, 64] as const;

/** What is absent chooses nothing. */
export interface DiscoverSearch {
  tab?: DiscoverTab;
  q?: string;
  source?: Source;
  fits?: true;
  licence?: LicenceClass;
  ability?: OfferedAbility;
  max?: number;
  sort?: Sort;
}

const MAX_QUERY = 200;

/** An address is typed and shared by people: what is no choice is none. */
export function toDiscoverSearch(raw: Record<string, unknown>): DiscoverSearch {
  const tab = one(DISCOVER_TABS, raw['tab']);
  const source = one(SOURCES, raw['source']);
  const licence = one(LICENCE_CLASSES, raw['licence']);
  const ability = one(OFFERED_ABILITIES, raw['ability']);
  const sort = one(SORTS, raw['sort']);
  // A name of digits alone is read as a number.
  const q = ['string', 'number'].includes(typeof raw['q']) ? String(raw['q']).slice(0, MAX_QUERY) : '';
  const max = Number(raw['max']);
  return {
    ...(tab && tab !== 'models' ? { tab } : {}),
    ...(q ? { q } : {}),
    ...(source ? { source } : {}),
    ...(raw['fits'] === true || raw['fits'] === 'true' ? { fits: true } : {}),
    ...(licence ? { licence } : {}),
    ...(ability ? { ability } : {}),
    ...(Number.isFinite(max) && max > 0 ? { max } : {}),
    ...(sort && sort !== 'trending' ? { sort } : {}),
  };
}

/** Whether it leaves models out, beside what is searched for. */
export const isFiltered = ({ fits, licence, ability, max }: DiscoverSearch): boolean =>
  Boolean(fits || licence || ability || max);

const one = <T extends string>(known: readonly T[], value: unknown): T | undefined =>
  known.find((each) => each === value);
