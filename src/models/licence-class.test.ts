import { expect, it } from 'vitest';
import { licenceClass } from './licence-class.js';

it.each([
  ['apache-2.0', 'permissive'],
  ['MIT ', 'permissive'],
  ['cc-by-4.0', 'permissive'],
  ['cc-by-nc-4.0', 'restricted'],
  ['gpl-3.0', 'restricted'],
  ['llama3.1', 'restricted'],
  ['gemma', 'restricted'],
  // A name nobody knows is a licence to be read, and not one to be trusted.
  ['mit-but-not-for-you', 'restricted'],
  ['other', 'unknown'],
  ['', 'unknown'],
  [null, 'unknown'],
])('%s is %s', (licence, expected) => {
  expect(licenceClass(licence)).toBe(expected);
});
