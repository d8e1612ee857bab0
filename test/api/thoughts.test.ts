// Servers that leave a model's thoughts in its answer: every API gives them their own place, and an answer that only
// speaks of such marks stays as it is.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { readEvents, startServer, type TestServer } from './server.js';

const model = 'fake-model';
const THOUGHTFUL = ['<th', 'ink>', '\n', 'Hm, 2 <', ' 3.', '\n</', 'think>\n', '\nYes', '.'];
const ABOUT_MARKS = ['Use <think>', 'x</think> in your', ' code.'];
let upstream: FakeUpstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url });
});
afterAll(async () => {
  await server.close();
  await upstream.close();
});
beforeEach(() => {
  upstream.behaviour = streams(THOUGHTFUL);
});

const post = (path: string, body: object) =>
  fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const messages = [{ role: 'user', content: 'Is it?' }];
const chat = { model, messages };

async function chunks(response: Response) {
  const text = await response.text();
  const events = text.split('\n\n').filter((event) => event.startsWith('data: {'));
  expect(text.trimEnd()).toMatch(/data: \[DONE\]$/);
  const deltas = events.flatMap((event) => {
    const choice = JSON.parse(event.slice('data: '.length)).choices?.[0];
    return choice ? [choice.delta as { content?: string; reasoning_content?: string }] : [];
  });
  const of = (name: 'content' | 'reasoning_content') => deltas.map((delta) => delta[name] ?? '').join('');
  return { thought: of('reasoning_content'), text: of('content') };
}

describe('a thought within an answer', () => {
  it('goes to its own field on /v1, streamed and whole', async () => {
    expect(await chunks(await post('/v1/chat/completions', { ...chat, stream: true }))).toEqual({
      thought: 'Hm, 2 < 3.',
      text: 'Yes.',
    });
    const whole = (await (await post('/v1/chat/completions', chat)).json()) as { choices: { message: object }[] };
    expect(whole.choices[0]?.message).toMatchObject({ content: 'Yes.', reasoning_content: 'Hm, 2 < 3.' });
  });

  it('is not seen where an answer speaks of it, byte for byte', async () => {
    upstream.behaviour = streams(ABOUT_MARKS);
    const text = ABOUT_MARKS.join('');
    expect(await chunks(await post('/v1/chat/completions', { ...chat, stream: true }))).toEqual({ thought: '', text });
    const whole = (await (await post('/v1/chat/completions', chat)).json()) as { choices: { message: object }[] };
    expect(whole.choices[0]?.message).toEqual({ role: 'assistant', content: text });
  });

  it('is shown also where the answer ends in it, and what looked like its mark is text', async () => {
    upstream.behaviour = streams(['<think>Never', ' done']);
    expect(await chunks(await post('/v1/chat/completions', { ...chat, stream: true }))).toEqual({
      thought: 'Never done',
      text: '',
    });
    upstream.behaviour = streams(['<thi']);
    expect(await chunks(await post('/v1/chat/completions', { ...chat, stream: true }))).toEqual({
      thought: '',
      text: '<thi',
    });
  });

  it('stands in its own place for clients of Ollama, Anthropic and Responses', async () => {
    const ollama = await (await post('/api/chat', { ...chat, stream: false })).json();
    expect(ollama).toMatchObject({ message: { content: 'Yes.', thinking: 'Hm, 2 < 3.' } });
    const silent = await (await post('/api/chat', { ...chat, stream: false, think: false })).json();
    expect(silent.message).toEqual({ role: 'assistant', content: 'Yes.' });
    const anthropic = await (
      await post('/v1/messages', { ...chat, max_tokens: 99, thinking: { type: 'adaptive' } })
    ).json();
    expect(anthropic.content).toMatchObject([{ type: 'thinking', thinking: 'Hm, 2 < 3.' }, { text: 'Yes.' }]);
    const unasked = await (await post('/v1/messages', { ...chat, max_tokens: 99 })).json();
    expect(unasked.content).toMatchObject([{ type: 'text', text: 'Yes.' }]);
    const responses = await (await post('/v1/responses', { model, input: 'Is it?' })).json();
    expect(responses.output).toMatchObject([
      { type: 'reasoning', content: [{ text: 'Hm, 2 < 3.' }] },
      { type: 'message', content: [{ text: 'Yes.' }] },
    ]);
  });
});

describe('a thought in Direct chat', () => {
  const direct = (session_id: string, content: string) =>
    post('/api/v1/llm/simple/stream', { content, model, session_id });

  it('is told apart, kept, told again to who comes back, and not sent along with the next question', async () => {
    const response = await direct('thinker', 'Is it?');
    const events = await readEvents(response);
    const of = (name: string) =>
      events
        .filter(({ event }) => event === name)
        .map(({ data }) => data['text'])
        .join('');
    expect({ thought: of('thinking'), text: of('content') }).toEqual({ thought: 'Hm, 2 < 3.', text: 'Yes.' });

    const { messages: kept } = (await (await fetch(`${server.url}/api/v1/sessions/thinker/messages`)).json()) as {
      messages: object[];
    };
    expect(kept).toMatchObject([{ content: 'Is it?' }, { content: 'Yes.', thought: 'Hm, 2 < 3.' }]);

    const id = response.headers.get('x-request-id');
    const back = (from: string) =>
      fetch(`${server.url}/api/v1/llm/simple/stream/${id}`, { headers: { 'last-event-id': `${id}:${from}` } });
    expect((await readEvents(await back('1.0.4'))).map(({ event, data }) => [event, data['text']])).toEqual([
      ['thinking', '2 < 3.'],
      ['content', 'es.'],
      ['done', undefined],
    ]);
    // As this page's former self wrote its ids.
    expect((await readEvents(await back('4.0'))).map(({ event }) => event)).toEqual(['thinking', 'done']);

    await (await direct('thinker', 'Sure?')).text();
    expect(upstream.requests.at(-1)?.['messages']).toMatchObject([
      { role: 'system' },
      { role: 'user', content: 'Is it?' },
      { role: 'assistant', content: 'Yes.' },
      { role: 'user', content: 'Sure?' },
    ]);
  });

  it('labels its session as the answer would', async () => {
    upstream.behaviour = streams(['<think>The key is sk-proj-', 'abcdefghijklmnopqrstuvwx12345678.</think>', 'No.']);
    await (await direct('leaky', 'What is it?')).text();
    const { labels } = (await (await fetch(`${server.url}/api/v1/sessions/leaky/labels`)).json()) as {
      labels: string[];
    };
    expect(labels.length).toBeGreaterThan(0);
  });
});
