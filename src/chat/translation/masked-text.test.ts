import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mask, sameMarkdown, unmask } from './masked-text.js';

describe('mask', () => {
  it.each([
    ['Call `npm run x` now', 'Call [[1]] now', ['`npm run x`']],
    ['Use ``a ` b`` here', 'Use [[1]] here', ['``a ` b``']],
    ['See https://example.org/a_(b)?q=1#c. Then go', 'See [[1]]. Then go', ['https://example.org/a_(b)?q=1#c']],
    ['Read [the guide](docs/a(1).md "T") first', 'Read [the guide]([[1]] "T") first', ['docs/a(1).md']],
    [`Dear {{name}}, {0} of \${total} at %s: %(day)s`, 'Dear [[1]], [[2]] of [[3]] at [[4]]: [[5]]', undefined],
    ['Write to anna.b@example.org, <br/> &nbsp; end', 'Write to [[1]], [[2]] [[3]] end', undefined],
    ['50% of them, 100 % sure, a < b and c > d', '50% of them, 100 % sure, a < b and c > d', []],
    ['Already [[1]] and [[7]]', 'Already [[1]] and [[2]]', ['[[1]]', '[[7]]']],
  ])('%s', (text, masked, kept) => {
    const result = mask(text);
    expect(result.text).toBe(masked);
    if (kept) expect(result.kept).toEqual(kept);
    expect(unmask(result.text, result)).toBe(text);
  });

  it('gives every text back byte for byte', () => {
    const piece = fc.constantFrom(
      '`',
      '``',
      '[[1]]',
      '](',
      ')',
      '{',
      '}',
      '%s',
      'http://a.b/',
      '<b>',
      ' ',
      '\n',
      'słowo',
      '&amp;',
      '$',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }), (pieces) => {
        const text = pieces.join('');
        const masked = mask(text);
        expect(unmask(masked.text, masked)).toBe(text);
      }),
    );
  });
});

describe('unmask', () => {
  const masked = mask('Run `a` then `b`.');

  it('lets markers change places', () => {
    expect(unmask('Erst [[2]], dann [[1]].', masked)).toBe('Erst `b`, dann `a`.');
  });
  it.each(['Run [[1]].', 'Run [[1]] then [[1]].', 'Run [[1]] then [[2]] or [[3]].', 'Run a then b.'])(
    'refuses %s',
    (answer) => {
      expect(unmask(answer, masked)).toBeNull();
    },
  );
});

describe('sameMarkdown', () => {
  const source = '## Title\n\n- **one**\n- [two]([[1]])\n\n> quote\n\n| a | b |\n|---|---|';

  it('takes other words in the same form', () => {
    expect(sameMarkdown(source, '## Titel\n\n- **eins**\n- [zwei]([[1]])\n\n> Zitat\n\n| c | d |\n|---|---|')).toBe(
      true,
    );
  });
  it.each([
    ['a heading of another level', source.replace('##', '#')],
    ['a lost list item', source.replace('- **one**\n', '')],
    ['lost emphasis', source.replaceAll('**', '')],
    ['lines run together', source.replaceAll('\n', ' ')],
    ['another table rule', source.replace('|---|---|', '|---|')],
  ])('refuses %s', (_what, answer) => {
    expect(sameMarkdown(source, answer)).toBe(false);
  });
});
