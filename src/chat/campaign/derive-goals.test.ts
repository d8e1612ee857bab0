import { describe, expect, it } from 'vitest';
import { goalsOfWords, listedGoals, meansOpenGoals, readGoals, saysNoGoal } from './derive-goals.js';

describe('what a campaign is for', () => {
  it.each([
    ['Continue the campaign', true, true],
    ['Please resume my campaign', true, true],
    ['Wznów kampanię', true, true],
    ['Kontynuuj pozostałe cele', true, true],
    ['Setze die Kampagne fort', true, true],
    ['Kampagne fortsetzen', true, true],
    ['Start a campaign', true, true],
    ['Rozpocznij kampanię', true, true],
    ['Starte die Kampagne', true, true],
    ['Start a campaign to write a manual', false, false],
    ['Rozpocznij kampanię: napisz instrukcję', false, false],
    ['Continue the campaign and also write a manual', true, false],
  ])('%s: open goals %s, nothing new %s', (request, open, nothing) => {
    expect({ open: meansOpenGoals(request), nothing: saysNoGoal(request) }).toEqual({ open, nothing });
  });

  it('reads a list line by line, without doubles and with an end', () => {
    expect(listedGoals('Campaign:\n1. Write a manual\n2) Test it all\n- write a manual!')).toEqual([
      'Write a manual',
      'Test it all',
    ]);
    expect(listedGoals('- only one line')).toEqual([]);
    expect(listedGoals(Array.from({ length: 20 }, (_, n) => `- Do the thing number ${n}`).join('\n'))).toHaveLength(8);
  });

  it('takes no answer that says nothing new', () => {
    expect(readGoals('Sure: {"goals":["Write it all","Test it all"]}', 'Make it')).toEqual([
      'Write it all',
      'Test it all',
    ]);
    expect(readGoals('{"goals":["make it."]}', 'Make it')).toEqual([]);
    expect(readGoals('{"goals":[1]}', 'Make it')).toEqual([]);
    expect(readGoals('no', 'Make it')).toEqual([]);
  });

  it('divides a request by its words, or takes it whole', () => {
    expect(goalsOfWords('Start a campaign to write a manual and test all links', 'en')).toEqual({
      goals: ['write a manual', 'test all links'],
      source: 'words',
    });
    expect(goalsOfWords('Start a campaign to write a manual', 'en')).toEqual({
      goals: ['write a manual'],
      source: 'whole',
    });
  });
});
