// What an answer's parameters become on their way to the engine, and that the answer says so.
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
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

const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const direct = (body: object, headers: Record<string, string> = {}) =>
  post('/api/v1/llm/simple/stream', { content: 'Hi', model: 'fake-model', ...body }, headers);
const completion = (body: object, headers: Record<string, string> = {}) =>
  post('/v1/chat/completions', { model: 'fake-model', messages: [{ role: 'user', content: 'Hi' }], ...body }, headers);
const get = async (path: string) => (await fetch(server.url + path)).json() as Promise<Record<string, never>>;
/** The same stand-in as another engine: one with names of its own. */
const useOllama = async () => {
  await server.close();
  server = await startServer({ OLLAMA_ENDPOINT: upstream.url.replace('/v1', '') });
};
const ollamaAnswers = (_body: unknown, response: ServerResponse) =>
  void response.end(
    `${JSON.stringify({ message: { content: 'Yes' }, done: false })}\n${JSON.stringify({ message: { content: '' }, done: true, done_reason: 'stop' })}\n`,
  );

describe('the parameters of a Direct answer', () => {
  it('are told with its end, and kept in trace and message', async () => {
    const response = await direct({ session_id: 's-1', temperature: 9, top_k: 20, temprature: 0.2, colour: 'red' });
    const expected = {
      runtime: 'openai-compatible',
      model: 'fake-model',
      sent: { temperature: 5, top_k: 20 },
      dropped: [],
      clamped: [{ name: 'temperature', from: 9, to: 5 }],
      unknown: ['temprature'],
    };
    expect((await readEvents(response)).at(-1)).toMatchObject({ event: 'done', data: { ran_with: expected } });
    expect(upstream.requests[0]).toMatchObject({ temperature: 5, top_k: 20 });
    expect(upstream.requests[0]).not.toHaveProperty('temprature');
    const { messages } = (await get('/api/v1/sessions/s-1/messages')) as unknown as {
      messages: { usage: { ran_with: unknown } | null }[];
    };
    expect(messages.at(-1)?.usage?.ran_with).toEqual(expected);
    const id = response.headers.get('x-request-id');
    const trace = await get(`/api/v1/history/requests/${id}`);
    expect(trace['ran_with']).toEqual(expected);
    expect(trace['generation_params']).toEqual({ temperature: 9, top_k: 20 });
    // Told again to whoever comes back later.
    const again = await fetch(`${server.url}/api/v1/llm/simple/stream/${id}`);
    expect((await readEvents(again)).at(-1)?.data).toEqual({ ran_with: expected });
  });

  it('include what a person has stored for the model, below what the request says', async () => {
    const stored = await post('/api/v1/models/fake-model/config', {
      runtime: 'openai-compatible',
      params: { temperature: 0.3, top_p: 0.5 },
    });
    expect(stored.status).toBe(200);
    const answer = await direct({ temperature: 0.9 });
    // Nothing was changed, so the end says nothing, as with the original.
    expect((await readEvents(answer)).at(-1)?.data).toEqual({});
    expect((await get(`/api/v1/history/requests/${answer.headers.get('x-request-id')}`))['ran_with']).toMatchObject({
      sent: { temperature: 0.9, top_p: 0.5 },
    });
    expect(upstream.requests[0]).toMatchObject({ temperature: 0.9, top_p: 0.5 });
    await (await completion({ top_p: 0.8 })).text();
    expect(upstream.requests[1]).toMatchObject({ temperature: 0.3, top_p: 0.8 });
  });

  it("bear the engine's names, and stay within what a family takes", async () => {
    await useOllama();
    upstream.behaviour = ollamaAnswers;
    const answer = await direct({
      model: 'llama3:8b',
      max_tokens: 50,
      temperature: 1.5,
      repeat_penalty: 1.2,
      min_p: 0.05,
      logprobs: true,
    });
    expect((await readEvents(answer)).at(-1)?.data).toMatchObject({
      ran_with: {
        runtime: 'ollama',
        sent: { num_predict: 50, temperature: 1, repeat_penalty: 1.2, min_p: 0.05 },
        dropped: ['logprobs', 'top_logprobs'],
        clamped: [{ name: 'temperature', from: 1.5, to: 1 }],
      },
    });
    expect(upstream.requests[0]).toMatchObject({ options: { num_predict: 50, temperature: 1, min_p: 0.05 } });
  });

  it.each([
    [{ strict: true }, {}],
    [{}, { 'x-venom-strict-params': 'true' }],
  ])('refuse what would change in strict mode, all of it at once (%j %j)', async (body, headers) => {
    const response = await direct({ temperature: 9, mirostat: 2, session_id: 's-1', ...body }, headers);
    expect(response.status).toBe(400);
    const { code, detail } = (await response.json()) as { code: string; detail: string };
    expect(code).toBe('unknown_parameter');
    expect(detail).toMatch(/mirostat.*temperature 9/);
    expect(upstream.requests).toEqual([]);
    expect((await get('/api/v1/sessions'))['total']).toBe(0);
    expect((await direct({ temperature: 0.5, ...body }, headers)).status).toBe(200);
  });
});

describe('the parameters of /v1/chat/completions', () => {
  beforeEach(useOllama);

  it('are told where something was left out, whole or streamed', async () => {
    const whole = (await (await completion({ model: 'x', top_k: 5, temperature: 0.4 })).json()) as {
      choices: unknown[];
      venom: { ran_with: unknown };
    };
    expect(whole.choices.length).toBe(1);
    expect(whole.venom.ran_with).toMatchObject({ sent: { temperature: 0.4 }, dropped: ['top_k'] });
    expect(upstream.requests[0]).not.toHaveProperty('top_k');
    const text = await (await completion({ model: 'x', top_k: 5, stream: true })).text();
    const chunks = text
      .split('\n\n')
      .filter((block) => block.startsWith('data: {'))
      .map((block) => JSON.parse(block.slice(6)));
    const last = chunks.find(({ choices }) => choices[0]?.finish_reason === 'stop');
    expect(last.venom.ran_with.dropped).toEqual(['top_k']);
    expect(chunks.filter(({ venom }) => venom !== undefined).length).toBe(1);
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Hello world');
  });

  it('are not mentioned where nothing was', async () => {
    upstream.behaviour = streams(['a']);
    expect(await (await completion({ model: 'x', temperature: 0.4 })).text()).not.toContain('venom');
    expect(await (await completion({ model: 'x', temperature: 0.4, stream: true })).text()).not.toContain('venom');
  });

  it('are refused in strict mode, in the form of OpenAI', async () => {
    const response = await completion({ model: 'x', top_k: 5, min_p: 0.1 }, { 'x-venom-strict-params': 'true' });
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    expect(error.code).toBe('unknown_parameter');
    expect(error.message).toMatch(/top_k, min_p/);
    expect(upstream.requests).toEqual([]);
  });

  it('have the older name of the limit for Ollama, which passes over the newer one', async () => {
    await (await completion({ model: 'x', max_completion_tokens: 7 })).text();
    expect(upstream.requests[0]).toMatchObject({ max_tokens: 7 });
    expect(upstream.requests[0]).not.toHaveProperty('max_completion_tokens');
  });
});

it('the newer name of the limit stays where it was asked with', async () => {
  await (await completion({ max_completion_tokens: 7 })).text();
  expect(upstream.requests[0]).toMatchObject({ max_completion_tokens: 7 });
  expect(upstream.requests[0]).not.toHaveProperty('max_tokens');
});
