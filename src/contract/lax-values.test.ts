// What the original's validator took for a number or a truth value.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { broughtWithin, decimal, flag, whole } from './lax-values.js';
import { Uuid } from './uuid.js';

const ID = '01234567-89ab-4def-8123-456789abcdef';

describe('lax values', () => {
  it.each([
    [5, 5],
    [5.0, 5],
    ['5', 5],
    [' 5 ', 5],
    ['+5', 5],
    ['-5', -5],
    ['5.0', 5],
  ])('reads %j as a whole number', (sent, read) => {
    expect(whole().parse(sent)).toBe(read);
  });

  it.each([5.5, '5.5', '1e2', '0x5', '', ' ', 'x', true, null, [], {}, 'NaN', Number.NaN, '9'.repeat(500)])(
    'reads %j as none',
    (sent) => {
      expect(whole().safeParse(sent).error?.issues[0]).toMatchObject({ code: 'invalid_type', expected: 'int' });
    },
  );

  it('keeps what is asked of a number beyond that', () => {
    expect(whole(z.int().min(1)).safeParse('0').error?.issues[0]).toMatchObject({ code: 'too_small' });
    expect(whole(z.int()).nullish().parse(null)).toBeNull();
    expect(decimal(z.number().max(1)).safeParse('1.5').error?.issues[0]).toMatchObject({ code: 'too_big' });
  });

  it.each([
    [0.5, 0.5],
    ['0.5', 0.5],
    ['.5', 0.5],
    ['1e-1', 0.1],
    ['-2', -2],
  ])('reads %j as a number', (sent, read) => {
    expect(decimal().parse(sent)).toBe(read);
  });

  it.each(['', 'x', 'nan', 'inf', '0x5', true, null])('reads %j as no number', (sent) => {
    expect(decimal().safeParse(sent).success).toBe(false);
  });

  it('reads truth in the words people use', () => {
    for (const sent of [true, 1, '1', 'true', 'TRUE', 't', 'yes', 'y', 'on']) expect(flag().parse(sent)).toBe(true);
    for (const sent of [false, 0, '0', 'false', 'F', 'no', 'n', 'off']) expect(flag().parse(sent)).toBe(false);
    for (const sent of ['maybe', '', 'false ', 2, null, []]) expect(flag().safeParse(sent).success).toBe(false);
  });

  it('brings what is beyond a page within it, and takes no word for a number', () => {
    const limit = broughtWithin(20, 100);
    expect([undefined, 0, '-3', 100, '5000', 1e21].map((sent) => limit.parse(sent))).toEqual([20, 1, 1, 100, 100, 100]);
    expect(limit.safeParse('many').success).toBe(false);
  });

  it.each([ID, ID.toUpperCase(), ID.replaceAll('-', ''), `{${ID}}`, `urn:uuid:${ID}`])(
    'takes %s for one id',
    (sent) => {
      expect(Uuid.parse(sent)).toBe(ID);
    },
  );

  it.each(['x', '', `${ID}0`, ` ${ID}`, 7, null])('takes %j for none', (sent) => {
    expect(Uuid.safeParse(sent).success).toBe(false);
  });
});
