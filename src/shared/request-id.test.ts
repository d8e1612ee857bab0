// Ids of requests: never the same twice, also when the drawn bytes run out, and in the order of their time.
import { expect, it } from 'vitest';
import { newRequestId } from './request-id.js';

it('gives ten thousand different UUIDs of version 7, sorted by millisecond', () => {
  const ids = Array.from({ length: 10_000 }, newRequestId);

  expect(new Set(ids).size).toBe(10_000);
  expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(
    true,
  );
  const times = ids.map((id) => id.slice(0, 13));
  expect(times).toEqual([...times].sort());
  // What follows the time is random in each of them.
  expect(new Set(ids.map((id) => id.slice(19))).size).toBe(10_000);
});
