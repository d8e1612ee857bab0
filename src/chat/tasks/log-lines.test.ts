import { describe, expect, it } from 'vitest';
import { goalsNote } from '../campaign/campaign-report.js';
import { planNote } from '../planning/report.js';
import { LOG_LINES, logLine, readLogLine } from './log-lines.js';

describe('a line of a task log', () => {
  it.each(Object.entries(LOG_LINES))('is known again by its text: %s', (key, template) => {
    const values = Object.fromEntries(
      [...template.matchAll(/\{\{(\w+)\}\}/g)].map(([, name = ''], index) => [
        name,
        /^(value|count|number|round|rounds|tokens)$/.test(name) ? String(index + 2) : `some ${name}: one. two`,
      ]),
    );
    const line = template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] as string);
    expect(readLogLine(line)).toEqual({ code: key.replace(/_(one|other)$/, ''), values });
  });

  it('takes the form of its number', () => {
    expect(logLine('plan', { count: 1 })).toBe('Plan with 1 step.');
    expect(logLine('plan', { count: 2 })).toBe('Plan with 2 steps.');
    expect(readLogLine('Plan with 2 steps.')).toEqual({ code: 'plan', values: { count: '2' } });
  });

  it('says of a plan and of goals what their reports say', () => {
    expect(LOG_LINES.plan_source_words).toBe(planNote('words', 'en'));
    expect(LOG_LINES.plan_source_whole).toBe(planNote('whole', 'en'));
    for (const source of ['open', 'listed', 'model', 'words', 'whole'] as const)
      expect(LOG_LINES[`goals_${source}`]).toBe(goalsNote(source, 'en'));
  });

  it('may be none of ours, such as what an engine said', () => {
    expect(readLogLine('CUDA error: out of memory')).toBeUndefined();
  });
});
