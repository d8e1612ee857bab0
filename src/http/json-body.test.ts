// What may come in as JSON.
import { describe, expect, it } from 'vitest';
import { parseJsonBody } from './json-body.js';

const nested = (levels: number) => `${'{"a":['.repeat(levels / 2)}${']}'.repeat(levels / 2)}`;

describe('parseJsonBody', () => {
  it('takes what clients send', () => {
    expect(parseJsonBody('')).toBeUndefined();
    expect(parseJsonBody('{"text":"Zażółć 🙂","n":[1,null,true]}')).toEqual({ text: 'Zażółć 🙂', n: [1, null, true] });
    expect(parseJsonBody('{"properties":{"constructor":{"type":"string"}}}')).toBeDefined();
    expect(parseJsonBody(nested(100))).toBeDefined();
  });

  it.each([
    ['no JSON', '{"a":'],
    ['too many levels', nested(102)],
    ['ten thousand levels', nested(10_000)],
    ['__proto__', '{"a":[{"__proto__":{"polluted":1}}]}'],
    ['constructor.prototype', '{"constructor":{"prototype":{"polluted":1}}}'],
    ['a lone surrogate', '{"a":"\\ud83d"}'],
    ['a lone surrogate in a name', '{"\\udc00":1}'],
    ['a NUL character', '{"a":"b\\u0000"}'],
  ])('refuses %s', (_name, text) => {
    expect(() => parseJsonBody(text)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  });
});
