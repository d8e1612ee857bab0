import { expect, it } from 'vitest';
import { TaskCounters } from './task-counters.js';

it('has succeeded with what is complete, out of all that was accepted', () => {
  const counters = new TaskCounters(0);
  expect(counters.successRate).toBe(0);
  counters.created = 3;
  counters.completed = 1;
  expect(counters.successRate).toBe(33.33);
});

it('takes a block for a mistake once somebody has taken the labels off its session', () => {
  const counters = new TaskCounters(0);
  counters.block('sensitive_blocked', 'a');
  counters.block('sensitive_blocked', 'a');
  counters.block('tool_denied', 'b');
  counters.block('sensitive_blocked', null);
  expect([counters.blocked, counters.mistaken]).toEqual([4, 0]);
  counters.released('a');
  counters.released('a');
  counters.released('nobody');
  expect([counters.blocked, counters.mistaken]).toEqual([4, 2]);
  expect([...counters.mistakenReasons]).toEqual([['sensitive_blocked', 2]]);
});

it('remembers the blocks of a bounded number of sessions', () => {
  const counters = new TaskCounters(0);
  for (let session = 0; session < 2_000; session += 1) counters.block('sensitive_blocked', `s${session}`);
  counters.released('s0');
  counters.released('s1999');
  expect(counters.mistaken).toBe(1);
});
