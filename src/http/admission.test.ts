import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Admission } from './admission.js';

it('begins a few requests per turn of the event loop, in the order in which they came', async () => {
  const admission = new Admission(2);
  const begun: number[] = [];
  for (let number = 0; number < 5; number += 1) admission.enter(() => begun.push(number));
  expect(begun).toEqual([0, 1]);
  await nextTurn();
  expect(begun).toEqual([0, 1, 2, 3]);
  await nextTurn();
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});

it('lets a newcomer pass at once where nobody waits, and never before those who do', async () => {
  const admission = new Admission(1);
  const begun: string[] = [];
  admission.enter(() => begun.push('first'));
  admission.enter(() => begun.push('second'));
  await nextTurn();
  admission.enter(() => begun.push('third'));
  expect(begun).toEqual(['first', 'second']);
  await nextTurn();
  await nextTurn();
  expect(begun).toEqual(['first', 'second', 'third']);
  await nextTurn();
  admission.enter(() => begun.push('alone'));
  expect(begun.at(-1)).toBe('alone');
});
