// Conversations that begin as a copy: branched off another one, and brought in from an export.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.js';
import { readEvents, startServer, type TestServer } from './server.js';

let upstream: FakeUpstream;
let server: TestServer;

beforeEach(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url });
});
afterEach(async () => {
  await server.close();
  await upstream.close();
});

const post = (path: string, body: object) =>
  fetch(`${server.url}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const get = async (path: string) => (await fetch(`${server.url}/api/v1${path}`)).json();
const ask = async (session_id: string, content: string) =>
  readEvents(await post('/llm/simple/stream', { session_id, content }));
const textsOf = async (id: string): Promise<string[]> =>
  (await get(`/sessions/${id}/messages`)).messages.map(({ content }: { content: string }) => content);
const lastMessages = (): string[] =>
  ((upstream.requests.at(-1)?.['messages'] ?? []) as { content: string }[]).map(({ content }) => content);

describe('a branch', () => {
  it('has everything up to a message, goes on by itself, and leaves the first one as it was', async () => {
    await ask('first', 'One');
    await ask('first', 'Two');
    const made = await post('/sessions/first/branch', { session_id: 'second', up_to_seq: 2 });
    expect(made.status).toBe(201);
    expect(await made.json()).toMatchObject({ session_id: 'second', title: 'One', message_count: 2 });
    await ask('second', 'Another two');
    expect(lastMessages()).toEqual(expect.arrayContaining(['One', 'Hello world', 'Another two']));
    expect(lastMessages()).not.toContain('Two');
    expect(await textsOf('first')).toEqual(['One', 'Hello world', 'Two', 'Hello world']);
    expect(await textsOf('second')).toEqual(['One', 'Hello world', 'Another two', 'Hello world']);
    // Nothing of one is a part of the other.
    await fetch(`${server.url}/api/v1/sessions/first`, { method: 'DELETE' });
    expect(await textsOf('second')).toHaveLength(4);
    expect((await get('/sessions?q=Another')).sessions[0].session_id).toBe('second');
  });

  it('is as sensitive as what it was made of', async () => {
    await ask('private', 'My account is PL61 1090 1014 0000 0712 1981 2874, what is it for?');
    await post('/sessions/private/branch', { session_id: 'copy', up_to_seq: 2 });
    expect((await get('/sessions/copy/labels')).labels).toEqual(['iban']);
  });

  it('is refused where there is nothing to copy, or its name is taken', async () => {
    await ask('first', 'One');
    expect((await post('/sessions/none/branch', { session_id: 'copy', up_to_seq: 2 })).status).toBe(404);
    const taken = await post('/sessions/first/branch', { session_id: 'first', up_to_seq: 2 });
    expect(taken.status).toBe(409);
    expect(await taken.json()).toMatchObject({ code: 'conflict' });
    expect((await post('/sessions/first/branch', { session_id: 'copy', up_to_seq: 0 })).status).toBe(422);
    expect(await textsOf('first')).toHaveLength(2);
  });
});

describe('an import', () => {
  it('gives back what was exported, and is searched and gone on with', async () => {
    await ask('first', 'The heron stands still');
    const exported = (await get('/sessions/first/export?format=json')) as Record<string, unknown>;
    const made = await post('/sessions/import', { ...exported, session_id: 'again', title: 'Birds' });
    expect(made.status).toBe(201);
    expect(await made.json()).toMatchObject({ session_id: 'again', title: 'Birds', message_count: 2 });
    const { messages } = await get('/sessions/again/messages');
    const { messages: before } = exported as { messages: { timestamp: string }[] };
    expect(messages[0]).toMatchObject({ role: 'user', timestamp: before[0]?.timestamp });
    expect(messages[1]).toMatchObject({ role: 'assistant', model: 'fake-model', status: 'complete' });
    expect(messages[0].request_id).toMatch(/^copy-/);
    expect(messages[1].request_id).toBe(messages[0].request_id);
    expect((await get('/sessions?q=heron')).total).toBe(2);
    await ask('again', 'Why?');
    expect(lastMessages()).toEqual(expect.arrayContaining(['The heron stands still', 'Why?']));
  });

  it('reads texts anew for what is sensitive, whatever the file says', async () => {
    const messages = [{ role: 'user', content: 'My account is PL61 1090 1014 0000 0712 1981 2874', labels: [] }];
    await post('/sessions/import', { session_id: 'brought', title: 'Account', messages });
    expect((await get('/sessions/brought/labels')).labels).toEqual(['iban']);
  });

  it('keeps what its session may keep, in one piece or not at all', async () => {
    const messages = Array.from({ length: 3_000 }, (_, index) => ({
      role: index % 2 === 0 ? 'user' : 'assistant',
      content: `message ${index}`,
    }));
    expect((await post('/sessions/import', { session_id: 'long', title: 'Long', messages })).status).toBe(201);
    const { messages: newest } = await get('/sessions/long/messages?limit=1');
    expect(newest[0].content).toBe('message 2999');
    const broken = [...messages.slice(0, 3), { role: 'nobody', content: 'x' }];
    expect((await post('/sessions/import', { session_id: 'broken', title: 'B', messages: broken })).status).toBe(422);
    expect((await post('/sessions/import', { session_id: 'none', title: 'N', messages: [] })).status).toBe(422);
    expect((await fetch(`${server.url}/api/v1/sessions/broken`)).status).toBe(404);
  });
});
