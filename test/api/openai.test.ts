import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';

let upstream: FakeUpstream;
let server: TestServer;
let client: OpenAI;

beforeAll(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
});
beforeEach(() => {
  upstream.behaviour = streams(['Hello', ' ', 'world']);
});
afterAll(async () => {
  await server.close();
  await upstream.close();
});

describe("OpenAI's own client", () => {
  it('lists models, also with a slash in the name', async () => {
    const names = (await client.models.list()).data.map(({ id }) => id);
    expect(names).toEqual(['fake-model', 'org/other']);
    expect((await client.models.retrieve('org/other')).id).toBe('org/other');
    for (const unknown of ['100%', 'a%zz', '%2F'])
      await expect(client.models.retrieve(unknown)).rejects.toMatchObject({ status: 404 });
  });

  it('gets a whole answer with usage', async () => {
    const answer = await client.chat.completions.create({
      model: 'fake-model',
      messages: [{ role: 'user', content: 'Hi' }],
    });
    expect(answer.choices[0]?.message.content).toBe('Hello world');
    expect(answer.usage?.total_tokens).toBe(6);
  });

  it('streams', async () => {
    const stream = await client.chat.completions.create({
      model: 'fake-model',
      messages: [{ role: 'user', content: 'Hi' }],
      stream: true,
    });
    let text = '';
    for await (const part of stream) text += part.choices[0]?.delta.content ?? '';
    expect(text).toBe('Hello world');
  });

  it('passes tools and unknown fields to servers that know them', async () => {
    await client.chat.completions.create({
      model: 'fake-model',
      messages: [{ role: 'user', content: 'Hi' }],
      tools: [{ type: 'function', function: { name: 'f', parameters: {} } }],
      ...{ min_p: 0.1 },
    });
    expect(upstream.requests.at(-1)).toMatchObject({ min_p: 0.1, tools: [{ function: { name: 'f' } }] });
  });

  it('makes embeddings', async () => {
    const { data } = await client.embeddings.create({ model: 'fake-model', input: 'x', encoding_format: 'float' });
    expect(data[0]?.embedding).toEqual([0.5, 0.25]);
    const asked = (dimensions: number) =>
      client.embeddings.create({ model: 'fake-model', input: ['x', 'y'], encoding_format: 'float', dimensions });
    expect((await asked(2)).data).toHaveLength(2);
    await expect(asked(3)).rejects.toMatchObject({ status: 400, code: 'unsupported' });
    expect(upstream.embedded.at(-1)).toMatchObject({ input: ['x', 'y'], dimensions: 3 });
  });

  it('makes embeddings of all that clients send, in base64 where nothing else is asked for', async () => {
    const embed = async (input: string | string[] | number[] | number[][]) => {
      const { data } = await client.embeddings.create({ model: 'fake-model', input });
      expect(data.map(({ embedding }) => embedding)).toEqual(data.map(() => [0.5, 0.25]));
      return [data.length, upstream.embedded.at(-1)?.['input']];
    };
    expect(await embed('x')).toEqual([1, ['x']]);
    expect(await embed([1, 2])).toEqual([1, [[1, 2]]]);
    expect(await embed([[1, 2], [3]])).toEqual([2, [[1, 2], [3]]]);
    for (const input of [[], [[]], [1.5], [-1], ['x', [1]], ''])
      await expect(client.embeddings.create({ model: 'fake-model', input: input as string })).rejects.toMatchObject({
        status: 400,
        param: expect.stringMatching(/^input/),
      });
  });

  it('sees typed errors', async () => {
    await expect(client.models.retrieve('nowhere')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
    await expect(client.chat.completions.create({ model: 'fake-model', messages: [] })).rejects.toMatchObject({
      status: 400,
      param: 'messages',
    });
  });
});

describe('a server whose places are all taken', () => {
  it('says so to each kind of client in its own way, and when to come again', async () => {
    const small = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url, MAX_CONCURRENT_STREAMS: '1' });
    let finish = () => {};
    upstream.behaviour = async (body, response) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      await streams(['Hello'])(body, response);
    };
    const messages = [{ role: 'user', content: 'Hi' }];
    const post = (path: string, body: object = {}) =>
      fetch(small.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'fake-model', messages, ...body }),
      });
    const before = upstream.requests.length;
    const first = post('/v1/chat/completions');
    await expect.poll(() => upstream.requests.length).toBe(before + 1);
    const { messages: _, ...responses } = { messages, model: 'fake-model', input: 'Hi' };
    // OpenAI and Ollama say 503 when they are overloaded, Anthropic 529; 429 is what one client does too often.
    for (const [path, status, body] of [
      ['/v1/chat/completions', 503, {}],
      ['/v1/responses', 503, { ...responses, messages: undefined }],
      ['/v1/messages', 529, { max_tokens: 10 }],
      ['/api/chat', 503, {}],
    ] as const) {
      const refused = await post(path, body);
      expect([path, refused.status]).toEqual([path, status]);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(upstream.requests).toHaveLength(before + 1);
    finish();
    expect((await first).status).toBe(200);
    await small.close();
  });
});
