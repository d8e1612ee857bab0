import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toPieces } from './text-chunks.js';

const prose = (text: string, budget: number) =>
  toPieces(text, budget)
    .filter(({ kind }) => kind === 'prose')
    .map((piece) => piece.text);

describe('toPieces', () => {
  it('cuts at paragraphs first, and keeps together what fits together', () => {
    expect(prose('One one.\n\nTwo two.\n\nThree three three.', 20)).toEqual([
      'One one.\n\nTwo two.',
      'Three three three.',
    ]);
  });

  it('cuts a long paragraph at sentences, and a long sentence at words', () => {
    expect(prose('First here. Second here. Third here.', 25)).toEqual(['First here. Second here.', 'Third here.']);
    expect(prose('aaaa bbbb cccc dddd', 10)).toEqual(['aaaa bbbb', 'cccc dddd']);
  });

  it('never shows code to a model', () => {
    const text = 'Before.\n\n```js\nconst a = `x`;\n\nrun();\n```\nAfter.\n~~~\nopen to the end\n';
    const pieces = toPieces(text, 100);
    expect(pieces.filter(({ kind }) => kind === 'prose').map((piece) => piece.text)).toEqual(['Before.', 'After.']);
    expect(pieces.map((piece) => piece.text).join('')).toBe(text);
  });

  it('leaves what holds no letter alone', () => {
    expect(prose('  12.5 – 30 %\n\n*** \n', 100)).toEqual([]);
  });

  it('loses nothing, whatever the text, and keeps to the budget', () => {
    const part = fc.constantFrom('Word', ' ', '\n', '\n\n', '. ', '```\n', '~~~', 'ż', '\t', '- ', '😀', '\r\n');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 80 }), fc.integer({ min: 5, max: 60 }), (parts, budget) => {
        const text = parts.join('');
        const pieces = toPieces(text, budget);
        expect(pieces.map((piece) => piece.text).join('')).toBe(text);
        for (const { kind, text: body } of pieces)
          if (kind === 'prose' && /\s/.test(body)) expect(body.length).toBeLessThanOrEqual(budget);
      }),
    );
  });
});
