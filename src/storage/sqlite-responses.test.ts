import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ResponseLimits, SqliteResponses } from './sqlite-responses.js';
import { SqliteStore } from './sqlite-store.js';

let folder: string;
let store: SqliteStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-responses-'));
  store = new SqliteStore(join(folder, 'venom.db'));
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const save = (responses: SqliteResponses, id: string, createdAt = 0, text = '') =>
  responses.save({ id, owner: null, previousId: null, createdAt, response: { text }, input: [] });
const kept = async (limits: ResponseLimits, steps: (responses: SqliteResponses) => Promise<void>) => {
  const responses = new SqliteResponses(store, limits);
  await steps(responses);
  return ['a', 'b', 'c'].filter((id) => responses.get(id) !== undefined);
};
const WIDE = { entries: 100, bytes: 1_000_000 };

it('lets the oldest go when there are too many or they are too large', async () => {
  const three = async (responses: SqliteResponses) => {
    for (const id of ['a', 'b', 'c']) await save(responses, id, 0, 'x'.repeat(100));
  };
  expect(await kept({ ...WIDE, entries: 2 }, three)).toEqual(['b', 'c']);
  for (const id of ['b', 'c']) await new SqliteResponses(store, WIDE).remove(id);
  expect(await kept({ ...WIDE, bytes: 200 }, three)).toEqual(['c']);
});

it('lets go what is older than thirty days', async () => {
  expect(
    await kept(WIDE, async (responses) => {
      await save(responses, 'a', 0);
      await save(responses, 'b', 30 * 86_400_000);
      await save(responses, 'c', 30 * 86_400_000 + 1);
    }),
  ).toEqual(['b', 'c']);
});

it('says whether there was one to remove, and counts what was there before', async () => {
  const responses = new SqliteResponses(store, WIDE);
  await save(responses, 'a');
  expect(await responses.remove('a')).toBe(true);
  expect(await responses.remove('a')).toBe(false);
  await save(responses, 'b');
  expect(await kept({ ...WIDE, entries: 1 }, (again) => save(again, 'c'))).toEqual(['c']);
});
