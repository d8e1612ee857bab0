import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkText } from './chunking.js';

describe('chunkText', () => {
  it('keeps a short text whole', () => {
    expect(chunkText('  Anna lives in Kraków. ')).toEqual([{ text: 'Anna lives in Kraków.', start: 2 }]);
    expect(chunkText(' \n ')).toEqual([]);
  });

  it('ends after a sentence, and begins the next piece within the one before', () => {
    const sentence = 'The lighthouse keeper counted ships until the fog came down over the bay. ';
    const chunks = chunkText(sentence.repeat(20));
    expect(chunks.length).toBeGreaterThan(2);
    for (const { text } of chunks.slice(0, -1)) expect(text.endsWith('bay.')).toBe(true);
    const [first, second] = chunks;
    expect(second?.start).toBeLessThan((first?.start ?? 0) + (first?.text.length ?? 0));
  });

  it('ends at a line, then at a word, where there is no sentence', () => {
    const lines = chunkText(`${'a'.repeat(300)}\n${'b'.repeat(400)}`);
    expect(lines[0]?.text).toBe('a'.repeat(300));
    const words = chunkText('word '.repeat(200));
    for (const { text } of words) expect(text).toMatch(/^(word ?)+$/);
  });

  it('loses no character, keeps within 500, says where each piece stands, and splits no emoji', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom('. ', '\n', ' ', '🦊', 'ł', '! '), fc.string({ maxLength: 40 })), {
          maxLength: 120,
        }),
        (pieces) => {
          const text = pieces.join('').toWellFormed();
          const covered = new Set<number>();
          for (const chunk of chunkText(text)) {
            expect(chunk.text.length).toBeLessThanOrEqual(500);
            expect(text.slice(chunk.start, chunk.start + chunk.text.length)).toBe(chunk.text);
            expect(chunk.text.isWellFormed()).toBe(true);
            for (let index = 0; index < chunk.text.length; index += 1) covered.add(chunk.start + index);
          }
          for (let index = 0; index < text.length; index += 1)
            if (text[index]?.trim()) expect(covered.has(index)).toBe(true);
        },
      ),
    );
  });
});
