import fc from 'fast-check';
import { expect, it } from 'vitest';
import { packTrace, unpackTrace } from './packed-trace.js';

it('gives back what it was given, and reads plain JSON too', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.constant(null))),
      (value) => {
        const trace = { ...value };
        expect(unpackTrace(packTrace(trace))).toEqual(trace);
        expect(unpackTrace(JSON.stringify(trace))).toEqual(trace);
      },
    ),
  );
});

it('keeps what it wrote in its first version readable', () => {
  // The dictionary is part of the file format: these bytes are in people's databases.
  const first = Buffer.from('Q8qIyNkOKcBqAQ==', 'base64');
  expect(unpackTrace(first)).toEqual({ status: 'COMPLETED', error: null });
});
