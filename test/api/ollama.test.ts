// Ollama's own client against the whole server, whose engine is no Ollama.
import { type ChatResponse, type GenerateResponse, Ollama, type Tool } from 'ollama';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { gguf } from '../stand-ins/gguf.js';
import { type FakeHub, startFakeHub } from '../stand-ins/hugging-face.js';
import { chunk, type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';

let upstream: FakeUpstream;
let server: TestServer;
let client: Ollama;

const model = 'fake-model';
const messages = [{ role: 'user', content: 'Hi' }];
const WEATHER: Tool = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};
const callsWeather: FakeUpstream['behaviour'] = (_body, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(
    chunk({
      tool_calls: [
        { index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } },
      ],
    }),
  );
  response.write(chunk({}, 'tool_calls'));
  response.end('data: [DONE]\n\n');
};
const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  fetch(`${server.url}${path}`, { method: 'POST', body, headers });

beforeAll(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url });
  client = new Ollama({ host: server.url });
});
beforeEach(() => {
  upstream.requests.length = 0;
  upstream.behaviour = streams(['Hello', ' ', 'world']);
});
afterAll(async () => {
  await server.close();
  await upstream.close();
});

describe("Ollama's own client", () => {
  it('chats, and its options reach the engine', async () => {
    const answer = await client.chat({
      model,
      messages: [{ role: 'system', content: 'Be brief.' }, ...messages],
      options: { temperature: 0.5, top_p: 0.9, num_predict: 20, seed: 7, stop: ['END'], num_ctx: 4_096, num_thread: 2 },
      keep_alive: '5m',
    });
    expect(answer).toMatchObject({
      model,
      message: { role: 'assistant', content: 'Hello world' },
      done: true,
      done_reason: 'stop',
      prompt_eval_count: 3,
      eval_count: 3,
    });
    expect(answer.total_duration).toBeGreaterThanOrEqual(answer.prompt_eval_duration + answer.eval_duration - 1_000);
    expect(upstream.requests[0]).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
      ],
      temperature: 0.5,
      top_p: 0.9,
      max_tokens: 20,
      seed: 7,
      stop: ['END'],
    });
  });

  it('streams lines of JSON, the figures last', async () => {
    const lines: ChatResponse[] = [];
    for await (const line of await client.chat({ model, messages, stream: true })) lines.push(line);
    expect(lines.map(({ message }) => message.content).join('')).toBe('Hello world');
    expect(lines.slice(0, -1).every(({ done }) => !done)).toBe(true);
    expect(lines.at(-1)).toMatchObject({
      done: true,
      done_reason: 'stop',
      eval_count: 3,
      total_duration: expect.any(Number),
    });
    expect(Number.isNaN(Date.parse(String(lines[0]?.created_at)))).toBe(false);
  });

  it('generates, whole and streamed', async () => {
    const whole = await client.generate({ model, system: 'Be brief.', prompt: 'Hi', format: 'json' });
    expect(whole).toMatchObject({ response: 'Hello world', done: true });
    expect(upstream.requests[0]).toMatchObject({
      messages: [{ role: 'system' }, { role: 'user', content: 'Hi' }],
      response_format: { type: 'json_object' },
    });
    const lines: GenerateResponse[] = [];
    for await (const line of await client.generate({ model, prompt: 'Hi', stream: true })) lines.push(line);
    expect(lines.map(({ response }) => response).join('')).toBe('Hello world');
    expect(lines.at(-1)).toMatchObject({ done: true, prompt_eval_count: 3 });
  });

  it('calls tools, whole and streamed, and hands their results back', async () => {
    upstream.behaviour = callsWeather;
    const { message } = await client.chat({ model, messages, tools: [WEATHER] });
    expect(message.tool_calls).toMatchObject([{ function: { name: 'weather', arguments: { city: 'Rome' } } }]);
    const streamed: ChatResponse[] = [];
    for await (const line of await client.chat({ model, messages, tools: [WEATHER], stream: true }))
      streamed.push(line);
    expect(streamed.flatMap((line) => line.message.tool_calls ?? [])).toHaveLength(1);
    upstream.behaviour = streams(['Sunny.']);
    await client.chat({
      model,
      messages: [...messages, message, { role: 'tool', content: 'sunny', tool_name: 'weather' }],
      tools: [WEATHER],
    });
    expect(upstream.requests.at(-1)?.['messages']).toMatchObject([
      { role: 'user' },
      {
        role: 'assistant',
        tool_calls: [{ id: 'call_1', function: { name: 'weather', arguments: '{"city":"Rome"}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
    ]);
  });

  it('answers by a schema', async () => {
    const schema = { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] };
    await client.chat({ model, messages, format: schema });
    expect(upstream.requests[0]).toMatchObject({ response_format: { type: 'json_schema', json_schema: { schema } } });
  });

  it('lists and shows models, also under their tag', async () => {
    const { models } = await client.list();
    expect(models.map(({ name }) => name)).toEqual(['fake-model', 'org/other']);
    expect(models[0]).toMatchObject({
      model,
      size: expect.any(Number),
      digest: expect.stringMatching(/^[\da-f]{64}$/),
    });
    expect(await client.show({ model: 'fake-model:latest' })).toMatchObject({ capabilities: ['completion'] });
    expect(await (await post('/api/show', '{"model":"","name":"fake-model"}')).json()).toHaveProperty('details');
    expect(await client.ps()).toEqual({ models: [] });
    expect((await client.version()).version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(await client.chat({ model: 'fake-model:latest', messages })).toMatchObject({ model });
  });

  it('describes every model in the form its clients check', async () => {
    expect(await client.show({ model })).toMatchObject({ model_info: {}, details: { format: 'safetensors' } });
  });

  it('makes embeddings, of unit length where Ollama makes them so', async () => {
    const { embeddings, prompt_eval_count } = await client.embed({ model, input: ['x'] });
    expect(Math.hypot(...(embeddings[0] ?? []))).toBeCloseTo(1, 6);
    expect(prompt_eval_count).toBe(2);
    expect((await client.embeddings({ model, prompt: 'x' })).embedding).toEqual([0.5, 0.25]);
  });

  it.each<[string, object]>([
    ['options that change the answer and that this engine does not know', { options: { mirostat: 2 } }],
    ['thoughts of a model that has none', { think: true }],
    ['probabilities', { logprobs: true }],
    ['a result without its call', { messages: [{ role: 'tool', content: 'x', tool_name: 'weather' }] }],
    ['a temperature out of range', { options: { temperature: 9 } }],
  ])('is refused %s, in its own form', async (_what, rest) => {
    const refused = await client.chat({ model, messages, ...rest } as never).catch((error) => error);
    expect(refused).toMatchObject({ name: 'ResponseError', status_code: 400, error: expect.any(String) });
    expect(upstream.requests).toHaveLength(0);
  });

  it('sends what libraries send: nothing as null, defaults, fields of other APIs, fields nobody knows', async () => {
    const response = await post(
      '/api/chat',
      JSON.stringify({
        model,
        messages,
        stream: false,
        keep_alive: 0,
        max_output_tokens: 9,
        tools: [WEATHER],
        tool_choice: 'required',
        shape: 'round',
        options: {
          temperature: null,
          top_p: null,
          stop: null,
          mirostat: 0,
          mirostat_tau: 5,
          repeat_last_n: 64,
          tfs_z: 1,
          typical_p: 1,
          penalize_newline: true,
        },
      }),
    );
    expect(response.status).toBe(200);
    expect(response.headers.get('x-venom-unknown-fields')).toBe('shape');
    expect(upstream.requests[0]).toMatchObject({ max_tokens: 9, tool_choice: 'required' });
    expect(upstream.requests[0]).not.toHaveProperty('temperature');
    const refused = await post('/api/generate', JSON.stringify({ model, keep_alive: 0 }));
    expect([refused.status, await refused.json()]).toEqual([400, { error: expect.stringContaining('memory') }]);
  });

  it('has no vector for no text, as Ollama has none', async () => {
    expect((await client.embed({ model, input: '' })).embeddings).toEqual([]);
  });

  it.each<[string, object]>([
    ['a prompt without template', { raw: true }],
    ['a template', { template: '{{ .Prompt }}' }],
    ['text after the answer', { suffix: 'end' }],
    ['tokens of a former prompt', { context: [1, 2] }],
  ])('is refused %s, where the engine takes conversations only', async (_what, rest) => {
    await expect(client.generate({ model, prompt: 'Hi', ...rest } as never)).rejects.toMatchObject({
      status_code: 400,
    });
  });

  it('sees failures before and within a stream, and unknown paths', async () => {
    upstream.behaviour = (_body, response) => void response.writeHead(500).end('{"error":{"message":"broken"}}');
    await expect(client.chat({ model, messages })).rejects.toMatchObject({ status_code: 502 });
    upstream.behaviour = (_body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ content: 'Hel' }));
      setTimeout(() => response.destroy(), 20);
    };
    const read = async () => {
      for await (const _line of await client.chat({ model, messages, stream: true }));
    };
    await expect(read()).rejects.toThrow(/cut|broke off/);
    const { status, body } = await post('/api/nowhere', '{}').then(async (answer) => ({
      status: answer.status,
      body: await answer.json(),
    }));
    expect({ status, body }).toEqual({ status: 404, body: { error: expect.any(String) } });
  });

  it('stops the engine when it leaves', async () => {
    upstream.behaviour = (_body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ content: 'Hel' }));
    };
    const stream = await client.chat({ model, messages, stream: true });
    await expect.poll(() => upstream.open()).toBe(1);
    stream.abort();
    await expect.poll(() => upstream.open()).toBe(0);
  });
});

describe('what the documentation of Ollama shows', () => {
  it('works without a content type, and streams when nothing is said', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const response = await post('/api/generate', JSON.stringify({ model, prompt: 'Hi' }), form);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    expect((await response.text()).trim().split('\n')).toHaveLength(4);
    expect((await post('/api/generate', '{', form)).status).toBe(400);
  });

  it('brings a model to memory where nothing is asked of it', async () => {
    const response = await post('/api/chat', JSON.stringify({ model, messages: [] }));
    expect(await response.json()).toMatchObject({ done: true, done_reason: 'load', message: { content: '' } });
    expect(upstream.requests).toHaveLength(0);
  });

  it('opens no door that is closed to others', async () => {
    expect((await post('/api/chat', '{}', { origin: 'https://evil.example' })).status).toBe(403);
    expect(await (await post('/api/chat', '{}', { origin: 'https://evil.example' })).json()).toEqual({
      error: expect.any(String),
    });
  });
});

describe("Ollama's own client, and models that come and go", () => {
  const FILE = gguf({ dataBytes: 300_000 });
  let hub: FakeHub;
  let own: TestServer;
  let models: Ollama;

  beforeAll(async () => {
    hub = await startFakeHub();
    hub.repositories['org/tiny'] = { files: { 'tiny-Q4_K_M.gguf': FILE }, license: 'mit' };
    own = await startServer({ HF_ENDPOINT: hub.url, LLM_LOCAL_ENDPOINT: upstream.url, LLM_WARMUP_ON_STARTUP: 'false' });
    models = new Ollama({ host: own.url });
  });
  afterAll(async () => {
    await own.close();
    await hub.close();
  });

  it('pulls from the hub, line by line, finds it under the name it asked for, and deletes it', async () => {
    const lines: { status: string; total?: number; completed?: number }[] = [];
    for await (const line of await models.pull({ model: 'hf.co/org/tiny', stream: true })) lines.push(line);
    expect(lines[0]).toEqual({ status: 'pulling manifest' });
    expect(lines.at(-1)).toEqual({ status: 'success' });
    expect(lines.at(-2)).toMatchObject({
      status: expect.stringMatching(/^pulling [0-9a-f]{12}$/),
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      total: FILE.length,
      completed: FILE.length,
    });
    expect((await models.list()).models.map(({ name }) => name)).toContain('tiny-Q4_K_M');
    expect(await models.show({ model: 'hf.co/org/tiny' })).toMatchObject({ details: { format: 'gguf' } });
    const asked = hub.requests.length;
    expect(await models.pull({ model: 'hf.co/org/tiny' })).toEqual({ status: 'success' });
    expect(hub.requests).toHaveLength(asked);
    await models.delete({ model: 'hf.co/org/tiny' });
    expect((await models.list()).models.map(({ name }) => name)).not.toContain('tiny-Q4_K_M');
  });

  it('is told why a pull or a removal failed', async () => {
    await expect(models.pull({ model: 'hf.co/org/nothing' })).rejects.toMatchObject({ status_code: 404 });
    const read = async () => {
      for await (const _line of await models.pull({ model: 'hf.co/org/nothing', stream: true }));
    };
    await expect(read()).rejects.toThrow(/org\/nothing/);
    await expect(models.pull({ model: 'llama3' })).rejects.toMatchObject({ status_code: 400 });
    await expect(models.delete({ model: 'nobody' })).rejects.toMatchObject({ status_code: 404 });
    await expect(models.delete({ model: 'fake-model' })).rejects.toMatchObject({ status_code: 400 });
  });
});
