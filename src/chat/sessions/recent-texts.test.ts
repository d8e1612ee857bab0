import { describe, expect, it, vi } from 'vitest';
import { RecentTexts } from './recent-texts.js';

const text = (content: string) => ({ role: 'user' as const, content });

describe('RecentTexts', () => {
  it('reads a session once, and follows what is added to it', () => {
    const recent = new RecentTexts();
    const load = vi.fn(() => [text('one')]);
    expect(recent.get('s', 100, load)).toEqual([text('one')]);
    recent.add('s', text('two'));
    expect(recent.get('s', 100, load)).toEqual([text('one'), text('two')]);
    expect(recent.get('s', 3, load)).toEqual([text('two')]);
    expect(load).toHaveBeenCalledTimes(1);
    recent.forget('s');
    recent.get('s', 100, load);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('keeps four million characters of all sessions, however long their histories are', () => {
    const recent = new RecentTexts();
    const load = vi.fn(() => [text('x'.repeat(250_000))]);
    for (let session = 0; session < 100; session += 1) recent.get(`s-${session}`, 300_000, load);
    expect(recent.size).toBeGreaterThan(3_000_000);
    expect(recent.size).toBeLessThanOrEqual(4_000_000);
    recent.get('s-99', 300_000, load);
    expect(load).toHaveBeenCalledTimes(100);
    recent.get('s-0', 300_000, load);
    expect(load).toHaveBeenCalledTimes(101);
  });

  it('stays bounded after ten thousand sessions of many turns', () => {
    const recent = new RecentTexts();
    for (let session = 0; session < 10_000; session += 1) {
      recent.get(`s-${session}`, 8_000, () => []);
      for (let turn = 0; turn < 5; turn += 1) recent.add(`s-${session}`, text(`Turn ${turn} ${'x'.repeat(100)}`));
    }
    expect(recent.size).toBeLessThan(128 * 5 * 200);
  });
});
