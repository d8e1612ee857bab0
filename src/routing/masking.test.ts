import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Masks } from './masking.js';
import { findSensitive } from './sensitivity.js';

const TEXT = 'Write to anna@example.com and ola@example.com, and again anna@example.com; IBAN DE89370400440532013000.';

describe('Masks', () => {
  it('gives the same value the same name, and leaves nothing to find', () => {
    const masks = new Masks({}, [TEXT]);
    const masked = masks.mask(TEXT);
    expect(masked).toBe('Write to [EMAIL_1] and [EMAIL_2], and again [EMAIL_1]; IBAN [IBAN_1].');
    expect(findSensitive(masked)).toEqual([]);
    expect(masks.counts).toEqual([
      { kind: 'email', count: 2 },
      { kind: 'iban', count: 1 },
    ]);
  });

  it('takes a value out together with what its name said of it', () => {
    const text = 'password: hunter2, token=abc123';
    const masks = new Masks({}, [text]);
    const masked = masks.mask(text);
    expect(masked).toBe('password: [PASSWORD_1], token=[SECRET_1]');
    expect(findSensitive(masked, { shapesOnly: true })).toEqual([]);
    expect(masks.restore(masked)).toBe(text);
  });

  it('does not take a name that stands in the text already', () => {
    const text = 'Keep [EMAIL_1] as it is; mail anna@example.com';
    const masks = new Masks({}, [text]);
    const masked = masks.mask(text);
    expect(masked).toBe('Keep [EMAIL_1] as it is; mail [EMAIL_2]');
    expect(masks.restore(masked)).toBe(text);
  });

  it('puts back what a model wrote with escapes or in small letters', () => {
    const masks = new Masks({}, [TEXT]);
    masks.mask(TEXT);
    expect(masks.restore('To [EMAIL\\_1] or [email_2]; not [EMAIL_9], not [x]')).toBe(
      'To anna@example.com or ola@example.com; not [EMAIL_9], not [x]',
    );
  });

  it('puts values back wherever the stream cuts a name', () => {
    const masks = new Masks({}, [TEXT]);
    const masked = `[[${masks.mask(TEXT)} [EMAIL_ [EMAIL_1`;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: masked.length }), { maxLength: 30 }), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), masked.length];
        const restorer = masks.restorer();
        let out = '';
        for (let index = 1; index < places.length; index += 1)
          out += restorer.push(masked.slice(places[index - 1], places[index]));
        expect(out + restorer.end()).toBe(`[[${TEXT} [EMAIL_ [EMAIL_1`);
      }),
    );
  });

  it('holds back no more than a name can be long', () => {
    const restorer = new Masks({}, []).restorer();
    expect(restorer.push(`[${'a'.repeat(100)}`)).toHaveLength(101);
  });
});
