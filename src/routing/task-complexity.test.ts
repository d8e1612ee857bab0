import { expect, it } from 'vitest';
import { complexityOf, taskLevel } from './task-complexity.js';

it.each([
  ['Write a hello world', 'LOW'],
  ['dodaj komentarz do architektury systemu enterprise', 'LOW'],
  ['Design a scalable architecture', 'HIGH'],
  ['an api with a database', 'MEDIUM'],
  ['Explain the design', 'LOW'],
  ['word '.repeat(50), 'MEDIUM'],
] as const)('%j is %s', (text, level) => {
  expect(taskLevel(text)).toBe(level);
});

it('takes a type nobody knows for a middling one, and stays within 0 and 10', () => {
  expect(complexityOf('SOMETHING', 10)).toBe(3);
  expect(complexityOf('CODING_COMPLEX', 100_000)).toBe(9);
});
