// Completions of the old kind with OpenAI's own client: over an engine that speaks them, and over one that knows
// conversations only.
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeOllama, startFakeOllama } from '../stand-ins/ollama.js';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';

type Stream = AsyncIterable<OpenAI.Completions.Completion>;
const clientOf = (server: TestServer) => new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
const read = async (stream: Stream) => {
  const parts: OpenAI.Completions.Completion[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
};

describe('an engine that knows conversations only', () => {
  let ollama: FakeOllama;
  let server: TestServer;
  let client: OpenAI;
  const asked = () => ollama.requests.filter(({ path }) => path === '/api/chat').map(({ body }) => body);

  beforeAll(async () => {
    ollama = await startFakeOllama();
    server = await startServer({ OLLAMA_ENDPOINT: ollama.url, LLM_WARMUP_ON_STARTUP: 'false' });
    client = clientOf(server);
  });
  beforeEach(() => {
    ollama.requests.length = 0;
  });
  afterAll(async () => {
    await server.close();
    await ollama.close();
  });

  it('answers a prompt as a whole, with usage, and keeps a trace', async () => {
    const { data, response } = await client.completions
      .create({ model: 'small:latest', prompt: 'Say hi', max_tokens: 5, stop: ['END'], temperature: 0.5, seed: 7 })
      .withResponse();
    expect(data).toMatchObject({
      object: 'text_completion',
      model: 'small:latest',
      choices: [{ text: 'Hello world', index: 0, logprobs: null, finish_reason: 'stop' }],
      usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
    });
    expect(data.id).toMatch(/^cmpl-/);
    expect(asked()[0]).toMatchObject({
      messages: [{ role: 'user', content: 'Say hi' }],
      options: { num_predict: 5, stop: ['END'], temperature: 0.5, seed: 7 },
    });
    const trace = await fetch(`${server.url}/api/v1/history/requests/${response.headers.get('x-request-id')}`);
    expect(await trace.json()).toMatchObject({ status: 'COMPLETED', prompt: 'Say hi', llm_provider: 'ollama' });
  });

  it('has the limit that OpenAI documents where none is named', async () => {
    await client.completions.create({ model: 'small:latest', prompt: 'Say hi' });
    expect(asked()[0]).toMatchObject({ options: { num_predict: 16 } });
  });

  it('streams, with usage last', async () => {
    const stream = await client.completions.create({
      model: 'small:latest',
      prompt: 'Say hi',
      stream: true,
      stream_options: { include_usage: true },
    });
    const parts = await read(stream);
    expect(parts.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe('Hello world');
    expect(parts.at(-2)?.choices[0]?.finish_reason).toBe('stop');
    expect(parts.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 10 } });
  });

  it('answers several prompts in one request, whole and streamed, and echoes them', async () => {
    const whole = await client.completions.create({ model: 'small:latest', prompt: ['One. ', 'Two. '], echo: true });
    expect(whole.choices.map(({ index, text }) => [index, text])).toEqual([
      [0, 'One. Hello world'],
      [1, 'Two. Hello world'],
    ]);
    expect(whole.usage?.total_tokens).toBe(20);
    const parts = await read(
      await client.completions.create({ model: 'small:latest', prompt: ['One. ', 'Two. '], echo: true, stream: true }),
    );
    const text = (index: number) =>
      parts.flatMap(({ choices }) => choices.filter((choice) => choice.index === index).map((choice) => choice.text));
    expect([text(0).join(''), text(1).join('')]).toEqual(['One. Hello world', 'Two. Hello world']);
  });

  it.each([
    ['logprobs', { logprobs: 2 }, 'unsupported'],
    ['several answers', { n: 2 }, 'unsupported'],
    ['the best of several', { best_of: 3 }, 'unsupported'],
    ['a bias', { logit_bias: { '5': 10 } }, 'unsupported'],
    ['numbers of tokens', { prompt: [1, 2, 3] }, 'unsupported'],
    ['an empty prompt', { prompt: '' }, 'invalid_input'],
    ['no prompt', { prompt: undefined }, 'invalid_input'],
    ['what nobody knows', { wish: 'x' }, 'invalid_input'],
    ['another model', { model: 'nowhere', status: 404 }, 'model_not_found'],
  ])('refuses %s with a code', async (_name, { status = 400, ...fields }: Record<string, unknown>, code) => {
    const request = { model: 'small:latest', prompt: 'Hi', ...fields } as OpenAI.Completions.CompletionCreateParams;
    for (const stream of [false, true])
      await expect(client.completions.create({ ...request, stream })).rejects.toMatchObject({ status, code });
    if (code !== 'model_not_found') expect(asked()).toEqual([]);
  });
});

describe('an engine that speaks them', () => {
  let upstream: FakeUpstream;
  let server: TestServer;
  let client: OpenAI;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    upstream.behaviour = (body, response) => {
      const whole = { id: 'c', object: 'text_completion', created: 1, model: 'fake-model' };
      const choice = { text: 'Hello', index: 0, logprobs: { tokens: ['Hello'] }, finish_reason: 'stop' };
      const usage = { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 };
      if (!body['stream']) {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ ...whole, choices: [choice], usage }));
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`data: ${JSON.stringify({ ...whole, choices: [choice] })}\n\ndata: [DONE]\n\n`);
    };
    server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url });
    client = clientOf(server);
  });
  afterAll(async () => {
    await server.close();
    await upstream.close();
  });

  it('gets them as they came, numbers of tokens too', async () => {
    const answer = await client.completions.create({ model: 'fake-model', prompt: [1, 2, 3], logprobs: 1, best_of: 2 });
    expect(answer.choices[0]).toMatchObject({ text: 'Hello', logprobs: { tokens: ['Hello'] } });
    expect(upstream.requests.at(-1)).toMatchObject({ model: 'fake-model', prompt: [1, 2, 3], best_of: 2 });
    const parts = await read(await client.completions.create({ model: 'fake-model', prompt: 'Hi', stream: true }));
    expect(parts[0]?.choices[0]?.text).toBe('Hello');
  });

  it('ends with its error where it breaks off', async () => {
    const good = upstream.behaviour;
    upstream.behaviour = (_body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end('data: {"choices":[{"text":"Hel","index":0,"finish_reason":null}]}\n\n');
    };
    const stream = await client.completions.create({ model: 'fake-model', prompt: 'Hi', stream: true });
    await expect(read(stream)).rejects.toMatchObject({ code: 'upstream_truncated' });
    upstream.behaviour = good;
  });

  it('leaves its place when it is done', async () => {
    for (let round = 0; round < 70; round += 1)
      expect((await client.completions.create({ model: 'fake-model', prompt: 'Hi' })).choices).toHaveLength(1);
  });
});
