import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SaidSplitter, ThoughtSplitter } from './thought-splitter.js';

const THINK = { open: '<think>', close: '</think>' };

/** What comes out, in the order of its kinds, however the text was cut. */
function read(splitter: SaidSplitter, pieces: readonly string[]) {
  const said = { thought: '', text: '' };
  for (const { kind, text } of [...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.end()])
    if (kind !== 'call') said[kind] += text;
  return said;
}
const whole = (text: string, opened = false) => read(new ThoughtSplitter([THINK], opened ? THINK : null), [text]);

describe('ThoughtSplitter', () => {
  it.each([
    ['<think>\nHm.\n</think>\n\nYes.', 'Hm.', 'Yes.'],
    ['\n<think>Hm.</think>Yes.', 'Hm.', 'Yes.'],
    ['<think>\n\n</think>\n\nYes.', '', 'Yes.'],
    ['Yes, <think> is a tag.', '', 'Yes, <think> is a tag.'],
    ['```html\n<think>x</think>\n```', '', '```html\n<think>x</think>\n```'],
    ['<think>Hm.</think>Say <think>x</think>.', 'Hm.', 'Say <think>x</think>.'],
    ['<think>It never ends. \n', 'It never ends.', ''],
    ['<think>Cut in its mark</thi', 'Cut in its mark</thi', ''],
    ['<thin', '', '<thin'],
    [' < ', '', ' < '],
    ['', '', ''],
  ])('%j', (text, thought, answer) => {
    expect(whole(text)).toEqual({ thought, text: answer });
  });

  it('begins in the thought that a prompt has opened', () => {
    expect(whole('Hm.\n</think>\n\nYes.', true)).toEqual({ thought: 'Hm.', text: 'Yes.' });
  });

  it('comes to the same wherever the text is cut', () => {
    const letters = fc.constantFrom('<think>', '</think>', '<', '/', 'think', '>', ' ', '\n', 'a', 'é');
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 14 }), fc.array(fc.nat(60), { maxLength: 8 }), (parts, cuts) => {
        const text = parts.join('');
        const places = [0, ...cuts.filter((cut) => cut < text.length).toSorted((a, b) => a - b), text.length];
        const pieces = places.slice(1).map((end, index) => text.slice(places[index], end));
        expect(read(new ThoughtSplitter([THINK]), pieces)).toEqual(whole(text));
      }),
    );
  });

  it('keeps no more than a little, however many blanks come', () => {
    for (const begun of ['', '<think>a']) {
      const splitter = new ThoughtSplitter([THINK]);
      splitter.push(begun);
      for (let count = 0; count < 100; count += 1) splitter.push(' '.repeat(50));
      expect(splitter.held).toBeLessThan(1_100);
    }
  });

  it('shows at once what can be nothing but a thought, or an answer', () => {
    const splitter = new ThoughtSplitter([THINK]);
    expect(splitter.push('<think>').concat(splitter.push('Let'))).toEqual([{ kind: 'thought', text: 'Let' }]);
    expect(splitter.push(' me see</think>').at(-1)).toEqual({ kind: 'thought', text: ' me see' });
    expect(splitter.push('Y')).toEqual([{ kind: 'text', text: 'Y' }]);
    expect(new ThoughtSplitter([THINK]).push('Y')).toEqual([{ kind: 'text', text: 'Y' }]);
  });
});
