import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonEnd } from './json-end.js';

describe('JsonEnd', () => {
  it('is met at the last character of any object or list, however the text comes, and not before', () => {
    const value = fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()));
    fc.assert(
      fc.property(value, fc.boolean(), (given, pretty) => {
        const text = JSON.stringify(given, null, pretty ? 2 : 0);
        const end = new JsonEnd();
        const at = [...text].findIndex((character) => end.push(character));
        expect(at).toBe([...text].length - 1);
      }),
    );
  });

  it('finds the end in the middle of a piece, and none in a bare value', () => {
    expect(new JsonEnd().push('{"a":"}\\""}\n\n')).toBe(true);
    expect(new JsonEnd().push('"}"')).toBe(false);
    expect(new JsonEnd().push('12 ')).toBe(false);
  });
});
