// A clock that is set back or forward: what was said keeps its order, because it is counted and not timed.
import { afterEach, expect, it, vi } from 'vitest';
import { startFakeUpstream, streams } from './fake-upstream.js';
import { readEvents, startServer } from './server.js';

const HOUR_MS = 3_600_000;

afterEach(() => vi.restoreAllMocks());

it('keeps turns, their requests and tasks in the order they came in', async () => {
  const upstream = await startFakeUpstream();
  upstream.behaviour = streams(['An answer.']);
  const server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url });
  const realNow = Date.now;
  const asked: string[] = [];
  for (const [n, jumpMs] of [0, -5 * HOUR_MS, 24 * HOUR_MS, -HOUR_MS, 0].entries()) {
    vi.spyOn(Date, 'now').mockImplementation(() => realNow() + jumpMs);
    const content = `question ${n}`;
    asked.push(content);
    const post = (path: string, body: object) =>
      fetch(`${server.url}/api/v1${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    await readEvents(await post('/llm/simple/stream', { content, session_id: 'jumps' }));
  }
  vi.restoreAllMocks();
  const read = async (path: string) => (await fetch(`${server.url}/api/v1${path}`)).json();
  const { messages } = (await read('/sessions/jumps/messages')) as { messages: { role: string; content: string }[] };
  expect(messages.map(({ role, content }) => (role === 'user' ? content : role))).toEqual(
    asked.flatMap((content) => [content, 'assistant']),
  );
  const requests = (await read('/history/requests?limit=10')) as { prompt: string; status: string }[];
  expect(requests.map(({ prompt }) => prompt)).toEqual([...asked].reverse());
  expect(new Set(requests.map(({ status }) => status))).toEqual(new Set(['COMPLETED']));
  await server.close();
  await upstream.close();
});
