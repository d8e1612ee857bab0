import { expect, it } from 'vitest';
import { SignsOfLife } from './signs-of-life.js';

it('ends the waiting for a server that says for ever that it is there, and never where it answers', () => {
  let now = 0;
  const signs = new SignsOfLife({ name: 'The server', idleTimeoutMs: 1_000 }, () => now);
  for (; now <= 60_000; now += 500) signs.heard(now % 9_000 === 0);
  now = 63_000;
  signs.heard(true);
  for (now = 63_500; now <= 73_000; now += 500) signs.heard(false);
  now = 73_001;
  expect(() => signs.heard(false)).toThrow(expect.objectContaining({ code: 'upstream_timeout' }));
});
