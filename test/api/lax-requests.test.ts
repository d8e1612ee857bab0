// Requests as the original's clients may send them, and as its framework took them: what it coerced, passed over and
// refused, with its status and its words for what is wrong.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.js';
import { readEvents, startServer, type TestServer, textOf } from './server.js';

// biome-ignore lint/suspicious/noExplicitAny: answers are compared with what is expected, field by field
type Json = any;

const UNKNOWN = '00000000-0000-4000-8000-000000000000';
let upstream: FakeUpstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({
    LLM_LOCAL_ENDPOINT: upstream.url,
    LLM_WARMUP_ON_STARTUP: 'false',
    // Nobody answers there, which is no error of a catalogue.
    HF_ENDPOINT: 'http://127.0.0.1:9',
    OLLAMA_LIBRARY_ENDPOINT: 'http://127.0.0.1:9',
  });
});
afterAll(async () => {
  await server.close();
  await upstream.close();
});

async function ask(
  method: string,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
  type = 'application/json',
): Promise<{ status: number; body: Json; headers: Headers }> {
  const response = await fetch(server.url + path, {
    method,
    ...(body === undefined ? {} : { body, headers: { 'content-type': type } }),
  });
  const text = await response.text();
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text, headers: response.headers };
}
const post = (path: string, body: object) => ask('POST', `/api/v1${path}`, JSON.stringify(body));
const get = (path: string) => ask('GET', `/api/v1${path}`);

describe('a body', () => {
  it.each<[string, object]>([
    ['/tasks', { content: 'help', store_knowledge: 'false' }],
    ['/tasks', { content: 'help', store_knowledge: 1, session_id: '', generation_params: { max_tokens: '64' } }],
    ['/tasks', { content: 'help', generation_params: { temperature: '0.5', top_k: 40.0 }, extra_context: null }],
  ])('of %s may have numbers and truth as text: %j', async (path, body) => {
    expect((await post(path, body)).status).toBe(201);
  });

  it('of a Direct turn reaches the engine as numbers', async () => {
    const response = await fetch(`${server.url}/api/v1/llm/simple/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        content: 'Hi',
        model: '',
        session_id: '',
        max_tokens: '32',
        temperature: '0.5',
        top_p: '1',
        stream: 'true',
        think: null,
      }),
    });
    expect(response.status).toBe(200);
    expect(textOf(await readEvents(response))).toBe('Hello world');
    expect(upstream.requests.at(-1)).toMatchObject({ model: 'fake-model', max_tokens: 32, temperature: 0.5, top_p: 1 });
  });

  it.each<[string, string, object, string, (string | number)[]]>([
    ['a fraction', '/llm/simple/stream', { content: 'x', max_tokens: 5.5 }, 'int_from_float', ['body', 'max_tokens']],
    ['a word', '/llm/simple/stream', { content: 'x', max_tokens: 'many' }, 'int_parsing', ['body', 'max_tokens']],
    ['a list', '/llm/simple/stream', { content: 'x', max_tokens: [] }, 'int_type', ['body', 'max_tokens']],
    ['a word', '/llm/simple/stream', { content: 'x', top_p: 'much' }, 'float_parsing', ['body', 'top_p']],
    ['a doubt', '/tasks', { content: 'x', store_knowledge: 'maybe' }, 'bool_parsing', ['body', 'store_knowledge']],
    ['a number', '/tasks', { content: 'x', session_id: 7 }, 'string_type', ['body', 'session_id']],
    ['a list', '/tasks', { content: 'x', extra_context: [] }, 'model_attributes_type', ['body', 'extra_context']],
    ['a list', '/llm/simple/stream', { content: [] }, 'string_type', ['body', 'content']],
    ['nobody', '/models/registry/install', { name: 'x' }, 'missing', ['body', 'provider']],
  ])('with %s in the wrong place is told of it once', async (_name, path, sent, type, loc) => {
    const { status, body } = await post(path, sent);
    expect(status).toBe(422);
    expect(body.detail).toEqual([{ type, loc, msg: expect.any(String), input: null }]);
  });

  it('that is none is missing', async () => {
    expect((await ask('POST', '/api/v1/tasks')).body.detail).toMatchObject([{ type: 'missing', loc: ['body'] }]);
  });

  it.each<[string, string | Uint8Array<ArrayBuffer>, number]>([
    ['is cut off', '{"content":', 11],
    ['ends twice', '{"content":"x"}}', 15],
    ['holds no number', '{"content":NaN}', 0],
    ['is no UTF-8', new Uint8Array([0xff, 0xfe]), 0],
  ])('that %s is a wrong form', async (_name, sent, position) => {
    const { status, body } = await ask('POST', '/api/v1/tasks', sent);
    expect(status).toBe(422);
    expect(body).toMatchObject({
      detail: [{ type: 'json_invalid', loc: ['body', position], msg: expect.any(String), input: null }],
      code: 'invalid_input',
    });
  });

  it('that is no JSON is 400 in the APIs of others, in their own form', async () => {
    for (const path of ['/v1/chat/completions', '/v1/messages', '/v1/responses', '/v1/embeddings']) {
      const { status, body } = await ask('POST', path, '{');
      expect([path, status, body.error.message]).toEqual([path, 400, expect.stringContaining('not valid JSON')]);
      expect(body.error.param ?? null).toBeNull();
    }
    expect(await ask('POST', '/api/chat', '{')).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('not valid JSON') },
    });
  });

  it('may begin with a byte order mark, and say that it is a kind of JSON', async () => {
    expect((await ask('POST', '/api/v1/tasks', '\uFEFF{"content":"help"}')).status).toBe(201);
    expect((await ask('POST', '/api/v1/tasks', '{"content":"help"}', 'application/vnd.api+json')).status).toBe(201);
    expect((await ask('POST', '/api/v1/tasks', '{"content":"help"}', 'application/xml+jsonish')).status).toBe(415);
  });

  it('may spell an id as the original’s validator knew it', async () => {
    const { task_id } = (await post('/tasks', { content: 'help' })).body;
    for (const id of [task_id.replaceAll('-', ''), `%7B${task_id}%7D`, `urn:uuid:${task_id}`])
      expect((await get(`/tasks/${id}`)).body).toMatchObject({ id: task_id });
    expect((await post('/feedback', { task_id: UNKNOWN.replaceAll('-', ''), rating: 'up' })).status).toBe(404);
  });

  it('may name a hash of its own beside a pair', async () => {
    const pair = {
      intent: 'RESEARCH',
      prompt: 'Where?',
      approved_response: 'Here.',
      prompt_hash: 'abc',
      active: 'yes',
    };
    expect((await post('/learning/hidden-prompts/active', pair)).body).toMatchObject({
      items: [{ intent: 'RESEARCH', prompt_hash: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    });
  });
});

describe('a query', () => {
  it.each([
    ['/models/providers?limit=0', 200],
    ['/models/providers?provider=huggingface&limit=5000', 200],
    ['/models/providers?provider=vllm', 200],
    ['/models/providers?provider=nobody', 400],
    ['/models/trending?provider=vllm&limit=-1', 200],
    ['/models/search?query=ab&provider=vllm&limit=101&page=5000', 200],
    ['/models/search?query=ab&provider=huggingface&limit=101', 200],
    ['/models/news?provider=vllm&limit=1000', 200],
    ['/models/news?type=papers&month=nonsense', 200],
    ['/models/news?type=papers&month=2025-13', 200],
    ['/models/news?type=podcasts', 200],
    ['/history/requests?offset=99999999999', 200],
    ['/models/operations?limit=100000', 200],
    ['/models/operations?limit=many', 422],
    ['/learning/hidden-prompts?min_score=-1', 200],
    ['/learning/logs?success=t', 200],
    ['/learning/logs?success=maybe', 422],
    ['/history/requests?limit=', 422],
    ['/history/requests?limit=0x5', 422],
    ['/history/requests?limit=1e2', 422],
    ['/history/requests?limit=5.0&unknown=1', 200],
  ])('%s answers %i', async (path, status) => {
    expect((await get(path)).status).toBe(status);
  });

  it('for more than a page gets a page, and is told so', async () => {
    expect((await get('/models/search?query=ab&provider=vllm&limit=5000')).body).toEqual({
      success: true,
      provider: 'vllm',
      query: 'ab',
      models: [],
      count: 0,
      total: 0,
      page: 1,
      limit: 100,
      stale: false,
      error: null,
    });
    expect((await post('/memory/search', { query: 'note', limit: 1000 })).status).toBe(200);
  });
});

it('the document of the API still says what a query may be', async () => {
  const { paths } = (await ask('GET', '/openapi.json')).body;
  const of = (path: string, name: string) =>
    paths[`/api/v1${path}`].get.parameters.find((parameter: Json) => parameter.name === name).schema;
  expect(of('/history/requests', 'limit')).toEqual({ type: 'integer', minimum: 1, maximum: 1000, default: 50 });
  expect(of('/models/search', 'limit')).toMatchObject({ type: 'integer', default: 10 });
  expect(of('/learning/logs', 'success')).toEqual({ type: 'boolean' });
});

describe('an address', () => {
  it.each([
    ['DELETE', '/models/remote/validate', 'POST'],
    ['DELETE', '/models/fake-model/config', 'GET, HEAD, POST'],
    ['DELETE', '/models/operations/x', 'GET, HEAD'],
    ['PUT', '/tasks', 'GET, HEAD, POST'],
  ])('does not know %s %s', async (method, path, allow) => {
    const { status, body, headers } = await ask(method, `/api/v1${path}`);
    expect([status, body.detail, headers.get('allow')]).toEqual([405, 'Method Not Allowed', allow]);
  });

  it('of a model with a slash in its name is no other address', async () => {
    expect((await ask('DELETE', '/api/v1/models/org/nobody')).status).toBe(404);
  });

  it.each([
    ['GET', '/models/operations/NAME', [404, 404, 404]],
    ['GET', '/models/NAME/capabilities', [404, 404, 404]],
    ['DELETE', '/models/registry/NAME', [404, 404, 404]],
    ['GET', '/system/services/NAME', [404, 404, 404]],
    // Names that none can have are told apart here, and an unknown server is 400, whatever its length.
    ['DELETE', '/models/NAME', [404, 400, 400]],
    ['POST', '/system/llm-servers/NAME/start', [400, 400, 400]],
  ])('%s %s may hold a name of any length that names nothing: %j', async (method, path, statuses) => {
    const asked = [101, 301, 1_500].map((length) => ask(method, `/api/v1${path.replace('NAME', 'n'.repeat(length))}`));
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(statuses);
  });

  it('of a model server takes three words', async () => {
    expect((await ask('POST', '/api/v1/system/llm-servers/ollama/dance')).status).toBe(400);
  });
});

describe('a parameter of a query', () => {
  it('that is named twice counts the last time', async () => {
    expect((await get('/history/requests?limit=x&limit=5')).status).toBe(200);
    expect((await get('/history/requests?limit=5&limit=x')).body.detail).toMatchObject([
      { type: 'int_parsing', loc: ['query', 'limit'] },
    ]);
    expect((await get('/learning/hidden-prompts?min_score=1&min_score=2')).status).toBe(200);
  });
});
