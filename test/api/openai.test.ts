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
