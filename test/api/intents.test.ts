// Learned phrases over HTTP, as somebody reviews them.

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LearnedPhrases } from '../../src/chat/intents/learned-phrases.js';
import { SqliteLearnedPhrases } from '../../src/storage/sqlite-learned-phrases.js';
import { SqliteStore } from '../../src/storage/sqlite-store.js';
import { startServer, type TestServer } from './server.js';

let server: TestServer;
let url: string;

beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'venom-test-'));
  // What a former run has proposed.
  const store = new SqliteStore(join(dataDir, 'venom.db'));
  const learned = new LearnedPhrases({
    repository: new SqliteLearnedPhrases(store),
    now: Date.now,
    newId: () => crypto.randomUUID(),
    recording: true,
  });
  for (const text of ['wrap it in a bow', 'give it the boot', 'make it so'])
    learned.propose(text, { intent: 'RELEASE_PROJECT', source: 'llm', language: 'en', score: 0.4, top2: [] });
  await store.commit(() => undefined);
  store.close();
  server = await startServer({}, dataDir);
  url = `${server.url}/api/v1/intents/learned`;
});
afterAll(() => server.close());

interface Phrase {
  id: string;
  phrase: string;
  intent: string;
  state: string;
}
const list = async (query = '') =>
  (await (await fetch(url + query)).json()) as { phrases: Phrase[]; count: number; total: number };
const idOf = async (phrase: string) => (await list()).phrases.find((item) => item.phrase === phrase)?.id ?? '';
const post = (path: string, body?: object) =>
  fetch(`${url}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });

describe('/intents/learned', () => {
  it('lists what is proposed, newest first, a page at a time', async () => {
    const page = await list('?state=proposed&limit=2');
    expect(page).toMatchObject({ status: 'success', count: 2, total: 3 });
    expect(page.phrases.map(({ phrase }) => phrase)).toEqual(['make it so', 'give it the boot']);
  });

  it('approves, with another intent where the proposal was wrong', async () => {
    const answer = await post(`${await idOf('make it so')}/approve`, { intent: 'START_CAMPAIGN' });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      status: 'success',
      phrase: { state: 'approved', intent: 'START_CAMPAIGN', reviewed_at: expect.stringMatching(/Z$/) },
    });
  });

  it('rejects', async () => {
    expect((await post(`${await idOf('give it the boot')}/reject`)).status).toBe(200);
    expect((await list('?state=rejected')).phrases.map(({ phrase }) => phrase)).toEqual(['give it the boot']);
  });

  it('deletes', async () => {
    const id = await idOf('wrap it in a bow');
    expect((await fetch(`${url}/${id}`, { method: 'DELETE' })).status).toBe(200);
    expect((await fetch(`${url}/${id}`, { method: 'DELETE' })).status).toBe(404);
  });

  it.each([
    ['nonsense/approve', undefined, 422],
    [`${crypto.randomUUID()}/approve`, undefined, 404],
    [`${crypto.randomUUID()}/approve`, { intent: 'WORLD_PEACE' }, 422],
  ])('POST %s with %j is %i', async (path, body, status) => {
    expect((await post(path, body)).status).toBe(status);
  });
});
