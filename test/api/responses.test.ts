// The Responses API through OpenAI's own client, against the whole server.
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chunk, type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';

let upstream: FakeUpstream;
let server: TestServer;
let client: OpenAI;

const model = 'fake-model';
const WEATHER: OpenAI.Responses.FunctionTool = {
  type: 'function',
  name: 'weather',
  strict: true,
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
const callsWeather: FakeUpstream['behaviour'] = (_body, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(chunk({ reasoning_content: 'I need the weather.' }));
  response.write(chunk({ content: 'One moment.' }));
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
const connect = () => new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });

beforeAll(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url });
  client = connect();
});
beforeEach(() => {
  upstream.requests.length = 0;
  upstream.behaviour = streams(['Hello', ' ', 'world']);
});
afterAll(async () => {
  await server.close();
  await upstream.close();
});

describe("OpenAI's own client", () => {
  it('gets a whole response', async () => {
    const response = await client.responses.create({
      model,
      instructions: 'Be brief.',
      input: 'Hi',
      temperature: 0.5,
      max_output_tokens: 50,
      metadata: { purpose: 'test' },
    });
    expect(response).toMatchObject({
      object: 'response',
      status: 'completed',
      output_text: 'Hello world',
      error: null,
      metadata: { purpose: 'test' },
      usage: { input_tokens: 3, output_tokens: 3, total_tokens: 6 },
    });
    expect(upstream.requests[0]).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
      ],
      temperature: 0.5,
      max_tokens: 50,
    });
  });

  it('streams the events of its documentation, numbered', async () => {
    const events: OpenAI.Responses.ResponseStreamEvent[] = [];
    const stream = client.responses.stream({ model, input: 'Hi' });
    for await (const event of stream) events.push(event);
    expect(events.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1])).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
    expect((await stream.finalResponse()).output_text).toBe('Hello world');
  });

  it('takes what was answered before by its ids, once each', async () => {
    upstream.behaviour = callsWeather;
    const first = await client.responses.create({ model, input: 'Weather?', tools: [WEATHER] });
    upstream.behaviour = streams(['Sunny.']);
    const references = first.output.map(({ id }) => ({ type: 'item_reference' as const, id: id as string }));
    const result = { type: 'function_call_output' as const, call_id: 'call_1', output: 'sunny' };
    const said = [
      { role: 'user', content: 'Weather?' },
      { role: 'assistant', content: 'One moment.', tool_calls: [{ id: 'call_1' }] },
      { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
    ];
    await client.responses.create({ model, input: [{ role: 'user', content: 'Weather?' }, ...references, result] });
    expect(upstream.requests.at(-1)?.['messages']).toMatchObject(said);
    await client.responses.create({ model, previous_response_id: first.id, input: [...references, result] });
    expect(upstream.requests.at(-1)?.['messages']).toMatchObject(said);
  });

  it('counts what it would be asked, and is asked nothing', async () => {
    const counted = await client.responses.inputTokens.count({ model, input: 'Hi', instructions: 'Be brief.' });
    expect(counted).toMatchObject({ object: 'response.input_tokens', input_tokens: expect.any(Number) });
    expect(counted.input_tokens).toBeGreaterThan(5);
    expect(upstream.requests).toHaveLength(0);
  });

  it('thinks, says and calls functions, and goes on with what they gave', async () => {
    upstream.behaviour = callsWeather;
    const first = await client.responses.stream({ model, input: 'Weather?', tools: [WEATHER] }).finalResponse();
    expect(first.output).toMatchObject([
      { type: 'reasoning', content: [{ text: 'I need the weather.' }] },
      { type: 'message', content: [{ text: 'One moment.' }] },
      { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"city":"Rome"}' },
    ]);
    upstream.behaviour = streams(['Sunny.']);
    const second = await client.responses.create({
      model,
      previous_response_id: first.id,
      input: [{ type: 'function_call_output', call_id: 'call_1', output: 'sunny' }],
    });
    expect(second.output_text).toBe('Sunny.');
    expect(upstream.requests[1]?.['messages']).toEqual([
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: 'One moment.',
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
    ]);
  });

  it('goes on from a stored response, whose instructions do not come along, also after a restart', async () => {
    const first = await client.responses.create({ model, instructions: 'Old.', input: 'One' });
    await server.close({ keepData: true });
    server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url }, server.dataDir);
    client = connect();
    const second = await client.responses.create({ model, previous_response_id: first.id, input: 'Two' });
    await client.responses.create({ model, previous_response_id: second.id, instructions: 'New.', input: 'Three' });
    expect(upstream.requests.at(-1)?.['messages']).toEqual([
      { role: 'system', content: 'New.' },
      { role: 'user', content: 'One' },
      { role: 'assistant', content: 'Hello world' },
      { role: 'user', content: 'Two' },
      { role: 'assistant', content: 'Hello world' },
      { role: 'user', content: 'Three' },
    ]);
    expect(await client.responses.retrieve(first.id)).toMatchObject({ id: first.id, output_text: 'Hello world' });
    expect((await client.responses.inputItems.list(first.id)).data).toMatchObject([
      { role: 'user', content: [{ type: 'input_text', text: 'One' }] },
    ]);
    await client.responses.delete(first.id);
    await expect(client.responses.retrieve(first.id)).rejects.toMatchObject({ status: 404, code: 'not_found' });
    await expect(
      client.responses.create({ model, previous_response_id: second.id, input: 'Four' }),
    ).rejects.toMatchObject({ status: 400 });
  });

  it('keeps nothing where it is told so', async () => {
    const { id } = await client.responses.create({ model, input: 'One', store: false });
    await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 404 });
  });

  it('says what was cut', async () => {
    upstream.behaviour = (_body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`${chunk({ content: 'Hel' }, 'length')}data: [DONE]\n\n`);
    };
    expect(await client.responses.create({ model, input: 'Hi', max_output_tokens: 1 })).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
    });
  });

  it('answers by a schema', async () => {
    const schema = { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] };
    await client.responses.create({
      model,
      input: 'Hi',
      text: { format: { type: 'json_schema', name: 'thing', schema } },
    });
    expect(upstream.requests[0]).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { name: 'thing', schema } },
    });
  });

  it.each<[string, object]>([
    ['a field nobody here knows', { conversation: 'conv_1' }],
    ['work in the background', { background: true }],
    ['a tool of the vendor', { tools: [{ type: 'web_search' }] }],
    [
      'an address of a picture',
      {
        input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'http://127.0.0.1/a.png' }] }],
      },
    ],
    ['a file', { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'f' }] }] }],
    ['a reference to an item', { input: [{ type: 'item_reference', id: 'x' }] }],
    ['a result without its call', { input: [{ type: 'function_call_output', call_id: 'z', output: '' }] }],
    ['an unknown response to go on from', { previous_response_id: 'resp_nope' }],
    ['an item nobody has', { input: [{ type: 'item_reference', id: `msg_${'0'.repeat(32)}0` }] }],
    ['nothing to answer', { input: [] }],
  ])('is refused %s', async (_what, rest) => {
    const refused = client.responses.create({ model, input: 'Hi', ...rest } as never);
    await expect(refused).rejects.toMatchObject({ status: 400, type: 'invalid_request_error' });
    expect(upstream.requests).toHaveLength(0);
  });

  it('may name what it does not ask for', async () => {
    const nothing = { conversation: null, prompt: null, moderation: null, context_management: null, user: null };
    const response = await client.responses.create({
      model,
      input: 'Hi',
      ...({ ...nothing, prompt_cache_options: { mode: 'explicit' } } as object),
    });
    expect(response.output_text).toBe('Hello world');
  });

  it('sees failures before and within a stream', async () => {
    upstream.behaviour = (_body, response) => void response.writeHead(500).end('{"error":{"message":"broken"}}');
    await expect(client.responses.create({ model, input: 'Hi' })).rejects.toMatchObject({
      status: 502,
      code: 'upstream_rejected',
    });
    // What is wrong with the request stays wrong: a library must not take it for a failing server and ask again.
    upstream.behaviour = (_body, response) => void response.writeHead(400).end('{"error":{"message":"no tools here"}}');
    await expect(client.responses.create({ model, input: 'Hi' })).rejects.toMatchObject({
      status: 400,
      code: 'upstream_rejected',
      message: expect.stringContaining('no tools here'),
    });
    upstream.behaviour = (_body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ content: 'Hel' }));
      setTimeout(() => response.destroy(), 20);
    };
    const events: OpenAI.Responses.ResponseStreamEvent[] = [];
    for await (const event of await client.responses.create({ model, input: 'Hi', stream: true })) events.push(event);
    expect(events.at(-1)).toMatchObject({ type: 'response.failed', response: { status: 'failed' } });
  });

  it('stops the engine when it leaves', async () => {
    upstream.behaviour = (_body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ content: 'Hel' }));
    };
    const stream = await client.responses.create({ model, input: 'Hi', stream: true });
    await expect.poll(() => upstream.open()).toBe(1);
    stream.controller.abort();
    await expect.poll(() => upstream.open()).toBe(0);
  });
});
