import { describe, expect, it } from 'vitest';
import { askedToRemember } from './remembered-turn.js';
import { sessionTitle } from './session-title.js';

describe('sessionTitle', () => {
  it.each([
    ['Hi there! Can you explain how tides work?', 'Explain how tides work?'],
    ['Cześć, czy możesz napisać list do sąsiada?', 'Napisać list do sąsiada?'],
    ['/gpt /research the history of tea', 'The history of tea'],
    ['```js\nconst a = 1;\n```\nWhy does this fail?', 'Why does this fail?'],
    ['Summarise https://example.org/a/very/long/path?x=1 for me', 'Summarise example.org for me'],
    ['First sentence is short. Then a lot more follows here.', 'First sentence is short'],
    ['hello', 'Hello'],
  ])('%j', (question, title) => {
    expect(sessionTitle(question)).toBe(title);
  });

  it('cuts at a word, and makes nothing out of nothing', () => {
    const title = sessionTitle(`please describe ${'considerable '.repeat(20)}`);
    expect(title).toMatch(/^Describe (considerable )*considerable…$/);
    expect(title?.length).toBeLessThanOrEqual(60);
    expect(sessionTitle('?!')).toBeNull();
  });
});

describe('askedToRemember', () => {
  it.each([
    ['Remember that my dog is called Rex.', 'my dog is called Rex.'],
    ['please remember: the meeting is on Monday', 'the meeting is on Monday'],
    ['Zapamiętaj, że mam alergię na orzechy', 'mam alergię na orzechy'],
    ['Merk dir, dass ich in Bonn wohne', 'ich in Bonn wohne'],
    ['Remember what I said about Rex?', null],
    ['I remember that day well', null],
  ])('%j', (prompt, what) => {
    expect(askedToRemember(prompt)).toBe(what);
  });
});
