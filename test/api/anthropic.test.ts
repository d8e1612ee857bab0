// Anthropic's own client against the whole server.
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chunk, type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';

let upstream: FakeUpstream;
let server: TestServer;
let client: Anthropic;

const hi: Anthropic.MessageParam[] = [{ role: 'user', content: 'Hi' }];
const WEATHER: Anthropic.Tool = {
  name: 'weather',
  description: 'The weather of a city',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
const callsWeather: FakeUpstream['behaviour'] = (_body, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const call = (index: number, id: string, city: string) => ({
    index,
    id,
    type: 'function',
    function: { name: 'weather', arguments: JSON.stringify({ city }) },
  });
  response.write(chunk({ content: 'Let me look.' }));
  response.write(chunk({ tool_calls: [call(0, 'call_1', 'Rome')] }));
  response.write(chunk({ tool_calls: [call(1, 'call_2', 'Oslo')] }));
  response.write(chunk({}, 'tool_calls'));
  response.end('data: [DONE]\n\n');
};

beforeAll(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({
    LLM_LOCAL_ENDPOINT: upstream.url,
    VENOM_API_KEY: 'sixteen-characters',
    MAX_CONCURRENT_STREAMS: '2',
  });
  client = new Anthropic({ baseURL: server.url, apiKey: 'sixteen-characters', maxRetries: 0 });
});
beforeEach(() => {
  upstream.requests.length = 0;
  upstream.behaviour = streams(['Hello', ' ', 'world']);
});
afterAll(async () => {
  await server.close();
  await upstream.close();
});

describe("Anthropic's own client", () => {
  it('gets a whole message, and its wishes reach the engine', async () => {
    const message = await client.messages.create({
      model: 'fake-model',
      max_tokens: 64,
      system: [{ type: 'text', text: 'Be brief.' }],
      messages: [
        { role: 'user', content: 'One' },
        { role: 'assistant', content: [{ type: 'text', text: 'Two' }] },
        { role: 'user', content: [{ type: 'text', text: 'Three' }] },
      ],
      // No longer in the library's types, still in the API.
      ...{ temperature: 0.5, top_p: 0.9 },
      stop_sequences: ['END'],
      metadata: { user_id: 'x' },
    });
    expect(message).toMatchObject({
      type: 'message',
      role: 'assistant',
      model: 'fake-model',
      content: [{ type: 'text', text: 'Hello world' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 3, output_tokens: 3 },
    });
    expect(message._request_id).toBeTruthy();
    expect(upstream.requests[0]).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'One' },
        { role: 'assistant', content: 'Two' },
        { role: 'user', content: 'Three' },
      ],
      max_tokens: 64,
      temperature: 0.5,
      top_p: 0.9,
      stop: ['END'],
    });
  });

  it('streams, event by event, to the same message', async () => {
    const events: string[] = [];
    const stream = client.messages.stream({ model: 'fake-model', max_tokens: 64, messages: hi });
    stream.on('streamEvent', ({ type }) => events.push(type));
    const deltas: string[] = [];
    stream.on('text', (delta) => deltas.push(delta));
    const message = await stream.finalMessage();
    expect(deltas.join('')).toBe('Hello world');
    expect(message).toMatchObject({
      content: [{ type: 'text', text: 'Hello world' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 3, output_tokens: 3 },
    });
    expect([...new Set(events)]).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
  });

  it.each(['whole', 'streamed'])('calls tools, %s', async (how) => {
    upstream.behaviour = callsWeather;
    const asked = { model: 'fake-model', max_tokens: 64, messages: hi, tools: [WEATHER] };
    const message =
      how === 'whole'
        ? await client.messages.create({ ...asked, tool_choice: { type: 'tool', name: 'weather' } })
        : await client.messages.stream(asked).finalMessage();
    expect(message.stop_reason).toBe('tool_use');
    expect(message.content).toMatchObject([
      { type: 'text', text: 'Let me look.' },
      { type: 'tool_use', id: 'call_1', name: 'weather', input: { city: 'Rome' } },
      { type: 'tool_use', id: 'call_2', name: 'weather', input: { city: 'Oslo' } },
    ]);
    expect(upstream.requests[0]).toMatchObject({
      tools: [{ type: 'function', function: { name: 'weather', parameters: WEATHER.input_schema } }],
      ...(how === 'whole' ? { tool_choice: { type: 'function', function: { name: 'weather' } } } : {}),
    });
  });

  it('calls one tool at most where it is told so', async () => {
    upstream.behaviour = callsWeather;
    const { content } = await client.messages.create({
      model: 'fake-model',
      max_tokens: 64,
      messages: hi,
      tools: [WEATHER],
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    });
    expect(content.filter(({ type }) => type === 'tool_use')).toHaveLength(1);
  });

  it('hands results of tools back, failures among them', async () => {
    await client.messages.create({
      model: 'fake-model',
      max_tokens: 64,
      tools: [WEATHER],
      messages: [
        ...hi,
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hm', signature: 's' },
            { type: 'tool_use', id: 'a', name: 'weather', input: { city: 'Rome' } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: 'sunny' }], is_error: false },
            { type: 'text', text: 'And?' },
          ],
        },
      ],
    });
    expect(upstream.requests[0]?.['messages']).toEqual([
      { role: 'user', content: 'Hi' },
      {
        role: 'assistant',
        content: '',
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } }],
      },
      { role: 'tool', tool_call_id: 'a', content: 'sunny' },
      { role: 'user', content: 'And?' },
    ]);
  });

  it('answers by a schema', async () => {
    const schema = {
      type: 'object',
      properties: { a: { type: 'number' } },
      required: ['a'],
      additionalProperties: false,
    };
    await client.messages.create({
      model: 'fake-model',
      max_tokens: 64,
      messages: hi,
      output_config: { format: { type: 'json_schema', schema } },
    });
    expect(upstream.requests[0]).toMatchObject({ response_format: { type: 'json_schema', json_schema: { schema } } });
  });

  it('says max_tokens when the answer was cut', async () => {
    upstream.behaviour = (_body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`${chunk({ content: 'Hel' }, 'length')}data: [DONE]\n\n`);
    };
    const message = await client.messages.create({ model: 'fake-model', max_tokens: 1, messages: hi });
    expect(message.stop_reason).toBe('max_tokens');
  });

  it('lists models', async () => {
    const names = [];
    for await (const { id, type } of client.models.list()) names.push(`${type} ${id}`);
    expect(names).toEqual(['model fake-model', 'model org/other']);
    expect(await client.models.retrieve('org/other')).toMatchObject({ id: 'org/other', display_name: 'org/other' });
  });

  it('lists them page by page, forward and back, and says when a place is gone', async () => {
    const page = await client.models.list({ limit: 1 });
    expect(page).toMatchObject({ data: [{ id: 'fake-model' }], has_more: true, last_id: 'fake-model' });
    expect(await page.getNextPage()).toMatchObject({ data: [{ id: 'org/other' }], has_more: false });
    const former = await client.models.list({ before_id: 'org/other', limit: 1 });
    expect(former).toMatchObject({ data: [{ id: 'fake-model' }], has_more: false });
    const after = [];
    for await (const { id } of client.models.list({ after_id: 'fake-model' })) after.push(id);
    expect(after).toEqual(['org/other']);
    for (const query of [{ after_id: 'gone' }, { limit: 0 }, { after_id: 'fake-model', before_id: 'org/other' }])
      await expect(client.models.list(query)).rejects.toMatchObject({
        status: 400,
        error: { error: { type: 'invalid_request_error' } },
      });
    await expect(client.models.retrieve('nobody')).rejects.toMatchObject({
      status: 404,
      error: { type: 'error', error: { type: 'not_found_error' } },
    });
  });

  it('runs tools by its own runner, which goes on without threads', async () => {
    upstream.behaviour = (body, response) =>
      (body['messages'] as { role: string }[]).at(-1)?.role === 'tool'
        ? streams(['Sunny.'])(body, response)
        : callsWeather(body, response);
    const weather = { ...WEATHER, run: () => 'sunny', parse: (input: unknown) => input };
    const message = await client.beta.messages.toolRunner({
      model: 'fake-model',
      max_tokens: 64,
      messages: [{ role: 'user', content: 'Hi' }],
      tools: [weather],
    });
    expect(message.content).toMatchObject([{ type: 'text', text: 'Sunny.' }]);
    expect(upstream.requests).toHaveLength(2);
  });

  it('shows what tools bring: words, documents, and pictures in what the user says', async () => {
    upstream.behaviour = streams(['A dot.']);
    const picture = { type: 'base64' as const, media_type: 'image/png' as const, data: 'iVBORw0KGgo=' };
    const result = (id: string, content: Anthropic.ToolResultBlockParam['content']) => ({
      type: 'tool_result' as const,
      tool_use_id: id,
      ...(content ? { content } : {}),
    });
    await client.messages.create({
      model: 'fake-model',
      max_tokens: 64,
      tools: [WEATHER],
      messages: [
        ...hi,
        {
          role: 'assistant',
          content: ['a', 'b'].map((id) => ({ type: 'tool_use' as const, id, name: 'weather', input: {} })),
        },
        {
          role: 'user',
          content: [
            result('a', [{ type: 'image', source: picture }]),
            result('b', [
              { type: 'search_result', source: 'a book', title: 'Rain', content: [{ type: 'text', text: 'wet' }] },
            ]),
            { type: 'text', text: 'What is it?' },
          ],
        },
      ],
    });
    expect(upstream.requests[0]?.['messages']).toMatchObject([
      { role: 'user' },
      { role: 'assistant' },
      { role: 'tool', tool_call_id: 'a', content: '' },
      { role: 'tool', tool_call_id: 'b', content: 'Rain\n\na book\n\nwet' },
      { role: 'user', content: [{ type: 'image_url' }, { type: 'text', text: 'What is it?' }] },
    ]);
  });

  it('has in its parts only what the API has in them', async () => {
    const { content } = await client.messages.create({ model: 'fake-model', max_tokens: 64, messages: hi });
    // `citations: null` is read as a wrong form by other libraries.
    expect(content).toEqual([{ type: 'text', text: 'Hello world' }]);
  });

  it('counts tokens, and says when it estimates', async () => {
    const { data, response } = await client.messages
      .countTokens({ model: 'fake-model', system: 'Be brief.', messages: hi, tools: [WEATHER] })
      .withResponse();
    expect(data.input_tokens).toBeGreaterThan(20);
    expect(response.headers.get('x-venom-token-count')).toBe('estimated');
  });

  it.each<[string, object]>([
    ['a field nobody here knows', { shape: 'round' }],
    ['MCP servers to be asked by the vendor', { mcp_servers: [{ type: 'url', url: 'https://x', name: 'x' }] }],
    ['results taken out of the prompt', { context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] } }],
    ['a tool of the vendor', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }],
    [
      'an address of a picture',
      {
        messages: [
          { role: 'user', content: [{ type: 'image', source: { type: 'url', url: 'http://127.0.0.1/x.png' } }] },
        ],
      },
    ],
    ['an answer to be continued', { messages: [...hi, { role: 'assistant', content: 'He' }] }],
    [
      'a result without its call',
      { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'z' }] }] },
    ],
    ['no messages', { messages: [] }],
    ['a temperature out of range', { temperature: 1.5 }],
    ['too many stop sequences', { stop_sequences: Array(17).fill('x') }],
  ])('is refused %s, in its own form', async (_what, rest) => {
    const refused = await client.messages
      .create({ model: 'fake-model', max_tokens: 64, messages: hi, ...rest } as never)
      .catch((error) => error);
    expect(refused).toBeInstanceOf(Anthropic.BadRequestError);
    expect(refused.error).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', message: expect.any(String) },
    });
    expect(upstream.requests).toHaveLength(0);
  });

  it('may send what changes nothing', async () => {
    const message = await client.messages.create({
      model: 'fake-model',
      max_tokens: 64,
      messages: hi,
      ...({
        metadata: null,
        mcp_servers: [],
        fallbacks: null,
        thinking: { type: 'enabled', budget_tokens: 1_024 },
        context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
      } as object),
    });
    expect(message.content).toMatchObject([{ type: 'text', text: 'Hello world' }]);
  });

  it('sees typed errors', async () => {
    const stranger = new Anthropic({ baseURL: server.url, apiKey: 'another', maxRetries: 0 });
    await expect(stranger.messages.create({ model: 'm', max_tokens: 1, messages: hi })).rejects.toBeInstanceOf(
      Anthropic.AuthenticationError,
    );
    upstream.behaviour = (_body, response) => void response.writeHead(500).end('{"error":{"message":"broken"}}');
    const failed = await client.messages.create({ model: 'fake-model', max_tokens: 1, messages: hi }).catch((e) => e);
    expect(failed).toMatchObject({ status: 502, error: { error: { type: 'api_error' } } });
  });

  it('sees a failure in the middle of a stream', async () => {
    upstream.behaviour = (_body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ content: 'Hel' }));
      setTimeout(() => response.destroy(), 20);
    };
    const stream = client.messages.stream({ model: 'fake-model', max_tokens: 64, messages: hi });
    await expect(stream.finalMessage()).rejects.toMatchObject({ error: { error: { type: 'api_error' } } });
  });

  it('stops the engine when it leaves, and frees its place; others are told when all are taken', async () => {
    upstream.behaviour = (_body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ content: 'Hel' }));
    };
    const waiting = [1, 2].map(() => {
      const stream = client.messages.stream({ model: 'fake-model', max_tokens: 64, messages: hi });
      stream.on('error', () => {});
      stream.on('abort', () => {});
      return stream;
    });
    await expect.poll(() => upstream.open()).toBe(2);
    const third = await client.messages.create({ model: 'fake-model', max_tokens: 1, messages: hi }).catch((e) => e);
    expect(third).toMatchObject({ status: 529, error: { error: { type: 'overloaded_error' } } });
    for (const stream of waiting) stream.abort();
    await expect.poll(() => upstream.open()).toBe(0);
    upstream.behaviour = streams(['ok']);
    const after = await client.messages.create({ model: 'fake-model', max_tokens: 1, messages: hi });
    expect(after.content).toMatchObject([{ text: 'ok' }]);
  });

  it('leaves a trace, and is counted', async () => {
    const get = async (path: string) => {
      const response = await fetch(`${server.url}/api/v1${path}`, { headers: { 'x-api-key': 'sixteen-characters' } });
      return (await response.json()) as Record<string, unknown>;
    };
    await client.messages.create({
      model: 'fake-model',
      max_tokens: 1,
      messages: [{ role: 'user', content: 'Trace me' }],
    });
    expect(await get('/history/requests?limit=1')).toMatchObject([
      { prompt: 'Trace me', status: 'COMPLETED', llm_model: 'fake-model' },
    ]);
    const { models_breakdown } = await get('/metrics/tokens');
    expect(models_breakdown).toMatchObject({ 'fake-model': { input_tokens: expect.any(Number) } });
  });
});
