import { describe, expect, it } from 'vitest';
import { isFiltered, toDiscoverSearch } from './discover-search';

describe('toDiscoverSearch', () => {
  it('keeps what is a choice, and nothing that is the usual one', () => {
    expect(
      toDiscoverSearch({
        tab: 'papers',
        q: 'qwen',
        source: 'ollama',
        fits: true,
        licence: 'permissive',
        ability: 'tools',
        max: 8,
        sort: 'size',
      }),
    ).toEqual({
      tab: 'papers',
      q: 'qwen',
      source: 'ollama',
      fits: true,
      licence: 'permissive',
      ability: 'tools',
      max: 8,
      sort: 'size',
    });
    expect(toDiscoverSearch({ tab: 'models', sort: 'trending', q: '', fits: false })).toEqual({});
  });

  it('makes nothing of what is none', () => {
    expect(
      toDiscoverSearch({ tab: 7, q: {}, source: 'x', fits: 'maybe', licence: null, ability: [], max: 'a', sort: 1 }),
    ).toEqual({});
    expect(toDiscoverSearch({ max: -4 })).toEqual({});
    expect(toDiscoverSearch({ q: 70, max: '4', fits: 'true' })).toEqual({ q: '70', max: 4, fits: true });
    expect(toDiscoverSearch({ q: 'a'.repeat(5_000) }).q).toHaveLength(200);
  });
});

it('calls filtered what leaves models out', () => {
  expect(isFiltered({ q: 'a', source: 'local', sort: 'size' })).toBe(false);
  expect(isFiltered({ max: 4 })).toBe(true);
});
