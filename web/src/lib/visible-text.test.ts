import { expect, it } from 'vitest';
import { visibleText } from './visible-text';

it('writes out what cannot be seen, and leaves lines and letters alone', () => {
  expect(visibleText('Zażółć\n\tgęślą 日本 🙂')).toBe('Zażółć\n\tgęślą 日本 🙂');
  expect(visibleText('safe\u202Eexe\u200B\u0007\u{E0041}')).toBe('safe⟨U+202E⟩exe⟨U+200B⟩⟨U+0007⟩⟨U+E0041⟩');
});
