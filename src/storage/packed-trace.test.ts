import fc from 'fast-check';
import { expect, it } from 'vitest';
import { packTrace, unpackTrace } from './packed-trace.js';

it('gives back what it was given, and reads plain JSON too', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.constant(null))),
      (value) => {
        const document = JSON.stringify(value);
        expect(unpackTrace(packTrace(document))).toBe(document);
        expect(unpackTrace(document)).toBe(document);
      },
    ),
  );
});

it('keeps what it wrote in its first version readable', () => {
  // The dictionary is part of the file format: these bytes are in people's databases.
  const first = Buffer.from('Q8qIyNkOKcBqAQ==', 'base64');
  expect(JSON.parse(unpackTrace(first))).toEqual({ status: 'COMPLETED', error: null });
});

it('takes no 16 kB for each result: under load there are hundreds a second', () => {
  const steps = Array.from({ length: 6 }, () => ({ component: 'SimpleMode', action: 'response', status: 'ok' }));
  const before = process.memoryUsage().arrayBuffers;
  // Held, so that no collection in between makes the difference smaller.
  const held = Array.from({ length: 1_000 }, () => packTrace(JSON.stringify({ status: 'COMPLETED', steps })));
  expect(held).toHaveLength(1_000);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4_000_000);
});

it('gives back what is larger than a piece', () => {
  const document = JSON.stringify(Array.from({ length: 20_000 }, (_, index) => index * 7_919));
  expect(unpackTrace(packTrace(document))).toBe(document);
});
