import { describe, expect, it } from 'vitest';
import { chosen, type Discovered, type DiscoveryWish } from './discovery-choice.js';
import type { Place } from './discovery-terms.js';
import { licenceClass } from './licence-class.js';
import type { CatalogEntry } from './ports.js';

const one = (
  modelName: string,
  verdict: Place,
  bytes: number | null,
  fields: Partial<CatalogEntry> = {},
): Discovered => ({
  entry: {
    provider: 'huggingface',
    modelName,
    displayName: modelName,
    sizeBytes: bytes,
    runtime: 'llama-cpp',
    tags: [],
    downloads: null,
    likes: null,
    description: null,
    licence: null,
    gated: false,
    ...fields,
  },
  fit: {
    verdict,
    reason: null,
    basis: 'listing',
    of: null,
    contextLength: null,
    totalBytes: bytes,
    availableBytes: 10,
    tokensPerSecond: null,
    close: false,
  },
  licence: licenceClass(fields.licence ?? null),
  bytes: bytes === null ? null : { bytes, of: null },
});
const OFFERED = [
  one('b-large', 'no', 100, { licence: 'mit', downloads: 9, abilities: ['chat', 'tools'] }),
  one('a-small', 'good', 2, { licence: 'llama3.1', downloads: 5, abilities: ['chat', 'vision'] }),
  one('d-middle', 'good', 4, { provider: 'ollama', abilities: ['embedding'] }),
  one('c-open', 'unknown', null, { provider: 'ollama', licence: 'apache-2.0' }),
  one('e-tight', 'tight', 9, { provider: 'local', abilities: [] }),
];
const WISH: DiscoveryWish = { query: '', sort: 'name', limit: 24, page: 1 };
const names = (wish: Partial<DiscoveryWish>) =>
  chosen(OFFERED, { ...WISH, ...wish }).map(({ entry }) => entry.modelName);

describe('chosen', () => {
  it.each<[Partial<DiscoveryWish>, string[]]>([
    [{}, ['a-small', 'b-large', 'c-open', 'd-middle', 'e-tight']],
    [{ fits: true }, ['a-small', 'd-middle', 'e-tight']],
    [{ licence: 'permissive' }, ['b-large', 'c-open']],
    [{ licence: 'restricted' }, ['a-small']],
    [{ licence: 'unknown' }, ['d-middle', 'e-tight']],
    [{ ability: 'embedding' }, ['d-middle']],
    [{ ability: 'vision' }, ['a-small']],
    // Who says nothing at all is taken for a chat model; who says that it is good for nothing else is not.
    [{ ability: 'chat' }, ['a-small', 'b-large', 'c-open']],
    [{ maxBytes: 9 }, ['a-small', 'd-middle', 'e-tight']],
    [{ fits: true, maxBytes: 3, licence: 'permissive' }, []],
  ])('%j leaves %j', (wish, expected) => {
    expect(names(wish)).toEqual(expected);
  });

  it('orders by what is asked for', () => {
    expect(names({ sort: 'size' })).toEqual(['a-small', 'd-middle', 'e-tight', 'b-large', 'c-open']);
    expect(names({ sort: 'fit' })).toEqual(['d-middle', 'a-small', 'e-tight', 'c-open', 'b-large']);
    expect(names({ sort: 'downloads' }).slice(0, 2)).toEqual(['b-large', 'a-small']);
    // The first of each place, then the second of each.
    expect(names({ sort: 'trending' })).toEqual(['b-large', 'd-middle', 'e-tight', 'a-small', 'c-open']);
  });
});
