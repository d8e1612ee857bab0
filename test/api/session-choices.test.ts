// What a person chooses for one conversation: its name, that it stays on top, and what the assistant is told in it.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.js';
import { readEvents, startServer, type TestServer } from './server.js';
import { TaskClient } from './task-client.js';

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

const ask = async (body: object) =>
  readEvents(
    await fetch(`${server.url}/api/v1/llm/simple/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  );
const change = (id: string, body: object) =>
  fetch(`${server.url}/api/v1/sessions/${id}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const get = async (path: string) => (await fetch(`${server.url}/api/v1${path}`)).json();
const listed = async (query = ''): Promise<string[]> =>
  (await get(`/sessions${query}`)).sessions.map(({ session_id }: { session_id: string }) => session_id);
const systemOf = (body: Record<string, unknown> | undefined): string =>
  ((body?.['messages'] ?? []) as { role: string; content: string }[])
    .filter(({ role }) => role === 'system')
    .map(({ content }) => content)
    .join('\n');

describe('a pinned session', () => {
  it('stays on top of the list and of what a search finds, until it is let go', async () => {
    for (const id of ['old', 'middle', 'new']) await ask({ content: `About ships ${id}`, session_id: id });
    expect(await (await change('old', { pinned: true })).json()).toMatchObject({ session_id: 'old', pinned: true });
    expect(await listed()).toEqual(['old', 'new', 'middle']);
    expect(await listed('?q=ships')).toEqual(['old', 'new', 'middle']);
    expect(await listed('?limit=1&offset=1')).toEqual(['new']);
    await change('old', { pinned: false });
    expect(await listed()).toEqual(['new', 'middle', 'old']);
  });
});

describe('instructions of a session', () => {
  it('come with its first question, are kept, and go along with every later one', async () => {
    await ask({ content: 'Hi', session_id: 's', instructions: 'Speak like a pirate.' });
    expect(systemOf(upstream.requests.at(-1))).toContain('Speak like a pirate.');
    await ask({ content: 'And again', session_id: 's' });
    expect(systemOf(upstream.requests.at(-1))).toContain('Speak like a pirate.');
    expect((await get('/sessions/s')).instructions).toBe('Speak like a pirate.');
    await ask({ content: 'Hi', session_id: 'other' });
    expect(systemOf(upstream.requests.at(-1))).not.toContain('pirate');
  });

  it('hold for tasks too, and are there after a restart', async () => {
    const task = new TaskClient(server.url);
    const first = await task.submit({ content: 'Tell me about boats', session_id: 's', instructions: 'Be a sailor.' });
    await task.until(first, ({ status }) => status === 'COMPLETED');
    expect(upstream.requests.map(systemOf).some((text) => text.includes('Be a sailor.'))).toBe(true);
    await server.close({ keepData: true });
    server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url }, server.dataDir);
    upstream.requests.length = 0;
    const again = new TaskClient(server.url);
    const second = await again.submit({ content: 'Tell me about harbours', session_id: 's' });
    await again.until(second, ({ status }) => status === 'COMPLETED');
    expect(upstream.requests.map(systemOf).some((text) => text.includes('Be a sailor.'))).toBe(true);
  });

  it('are changed and taken back later', async () => {
    await ask({ content: 'Hi', session_id: 's' });
    await change('s', { instructions: '  Answer in one word.  ' });
    await ask({ content: 'And now', session_id: 's' });
    expect(systemOf(upstream.requests.at(-1))).toMatch(/Answer in one word\.$/);
    await change('s', { instructions: '' });
    await ask({ content: 'And then', session_id: 's' });
    expect(systemOf(upstream.requests.at(-1))).not.toContain('one word');
    expect((await get('/sessions/s')).instructions).toBe('');
  });

  it('without a session hold for one answer alone', async () => {
    await ask({ content: 'Hi', instructions: 'Speak like a pirate.' });
    expect(systemOf(upstream.requests.at(-1))).toContain('pirate');
    await ask({ content: 'Hi' });
    expect(systemOf(upstream.requests.at(-1))).not.toContain('pirate');
  });

  it('keep a conversation here when something private is in them', async () => {
    await ask({ content: 'Hi', session_id: 's', instructions: 'My account is PL61 1090 1014 0000 0712 1981 2874.' });
    expect((await get('/sessions/s/labels')).labels).toContain('iban');
  });
});

describe('a change that cannot be made', () => {
  it.each([
    ['nothing', {}, 422],
    ['too long', { instructions: 'x'.repeat(4_001) }, 422],
    ['no name', { title: ' ' }, 422],
  ])('%s', async (_name, body, status) => {
    await ask({ content: 'Hi', session_id: 's' });
    expect((await change('s', body)).status).toBe(status);
  });

  it('of a session that is not there', async () => {
    expect((await change('nowhere', { pinned: true })).status).toBe(404);
  });
});
