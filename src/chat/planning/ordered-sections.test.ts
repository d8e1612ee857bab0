import { describe, expect, it } from 'vitest';
import { OrderedSections } from './ordered-sections.js';

describe('OrderedSections', () => {
  it('shows the first open section as it is written and holds the later ones', () => {
    const shown: string[] = [];
    const sections = new OrderedSections([1, 2, 3], (text) => shown.push(text));
    sections.write(2, 'second');
    sections.write(1, 'fir');
    sections.end(2);
    expect(shown).toEqual(['fir']);
    sections.write(1, 'st');
    sections.write(3, 'thi');
    expect(shown).toEqual(['fir', 'st']);
    sections.end(1);
    expect(shown).toEqual(['fir', 'st', 'second', 'thi']);
    sections.write(3, 'rd');
    sections.end(3);
    expect(shown.join('')).toBe('firstsecondthird');
  });
});
