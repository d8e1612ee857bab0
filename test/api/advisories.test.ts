// Advisories of the field about who asks, what may be asked of an engine, and what an engine may say, by the HTTP API alone.
// Those about MCP, Git and addresses are in mcp-attacks.test.ts; about files of models in model-life.test.ts and gguf-check;
// about whose something is (CVE-2026-31950, CVE-2026-45349, CVE-2026-45671) in ownership.test.ts and tool-grants.test.ts.
import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { chunk, type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { readEvents, startServer, type TestServer } from './server.js';

const ADMINISTRATOR = 'administrator-key-0123456789';
const USER = 'key-of-anna-0123456789';
let upstream: FakeUpstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({
    LLM_LOCAL_ENDPOINT: upstream.url,
    VENOM_API_KEY: ADMINISTRATOR,
    VENOM_USER_API_KEYS: USER,
  });
});
beforeEach(() => {
  upstream.behaviour = streams(['Hello']);
});
afterAll(async () => {
  await server.close();
  await upstream.close();
});

/** With headers as they are given, twice the same one too. */
const status = (headers: Readonly<Record<string, string | string[] | undefined>>, path = '/api/v1/system/settings') =>
  new Promise<number>((done, fail) => {
    const { hostname, port } = new URL(server.url);
    request({ hostname, port, path, headers }, (response) => {
      response.resume();
      done(response.statusCode ?? 0);
    })
      .once('error', fail)
      .end();
  });

const post = (path: string, body: object, key = ADMINISTRATOR) =>
  fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

describe('CVE-2026-45339: a second key beside the first', () => {
  it('takes no restriction away, wherever it is put', async () => {
    expect(await status({ authorization: `Bearer ${ADMINISTRATOR}` })).toBe(200);
    expect(await status({ 'x-api-key': ADMINISTRATOR })).toBe(200);
    // The first one that is presented is who asks.
    expect(await status({ authorization: `Bearer ${USER}`, 'x-api-key': 'anything' })).toBe(403);
    expect(await status({ authorization: `Bearer ${USER}`, 'x-api-key': ADMINISTRATOR })).toBe(403);
    expect(await status({ authorization: 'Bearer wrong', 'x-api-key': ADMINISTRATOR })).toBe(401);
    expect(await status({ 'x-api-key': USER, 'sec-websocket-protocol': `venom-key.${ADMINISTRATOR}` })).toBe(403);
    expect(await status({ authorization: [`Bearer ${USER}`, `Bearer ${ADMINISTRATOR}`] })).toBe(403);
    expect(await status({ 'x-api-key': [USER, ADMINISTRATOR] })).toBeGreaterThanOrEqual(401);
  });

  it('is not read from an address, a cookie or a header of a proxy', async () => {
    for (const name of ['api_key', 'key', 'token', 'access_token'])
      expect(await status({}, `/api/v1/system/settings?${name}=${ADMINISTRATOR}`)).toBe(401);
    for (const headers of [
      { cookie: `token=${ADMINISTRATOR}; api_key=${ADMINISTRATOR}` },
      { 'x-forwarded-authorization': `Bearer ${ADMINISTRATOR}` },
      { 'proxy-authorization': `Bearer ${ADMINISTRATOR}` },
      { 'x-forwarded-for': '127.0.0.1', 'x-real-ip': '127.0.0.1', forwarded: 'for=127.0.0.1' },
      { 'x-forwarded-user': 'administrator', 'x-remote-user': 'administrator' },
      { 'x-original-url': '/healthz', 'x-rewrite-url': '/healthz' },
    ])
      expect([headers, await status(headers)]).toEqual([headers, 401]);
  });

  it('opens no WebSocket as somebody else', async () => {
    const opened = (protocols: string[], headers: Record<string, string>) =>
      new Promise<number>((done) => {
        const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/events`, protocols, { headers });
        socket.once('open', () => {
          socket.close();
          done(101);
        });
        socket.once('unexpected-response', (_request, response) => done(response.statusCode ?? 0));
        socket.once('error', () => {});
      });
    expect(await opened([`venom-key.${USER}`], {})).toBe(101);
    expect(await opened([`venom-key.${ADMINISTRATOR}`], { authorization: 'Bearer wrong' })).toBe(401);
    expect(await opened(['venom-key.wrong', `venom-key.${ADMINISTRATOR}`], {})).toBe(401);
  });
});

describe('CVE-2026-21869: what a caller may ask of an engine', () => {
  const DANGEROUS = {
    n_discard: -1,
    n_keep: -5,
    n_predict: -1,
    slot_id: 99,
    id_slot: 99,
    cache_prompt: false,
    lora: [{ id: 0 }],
  };

  it.each<[string, string, object]>([
    [
      'Direct mode',
      '/api/v1/llm/simple/stream',
      { content: 'Hi', generation_params: { ...DANGEROUS, temperature: 0.5 } },
    ],
    ['Ollama', '/api/chat', { model: 'fake-model', messages: [{ role: 'user', content: 'Hi' }], options: DANGEROUS }],
    [
      'Anthropic',
      '/v1/messages',
      { model: 'fake-model', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }], ...DANGEROUS },
    ],
    ['responses', '/v1/responses', { model: 'fake-model', input: 'Hi', ...DANGEROUS }],
    [
      'OpenAI',
      '/v1/chat/completions',
      { model: 'fake-model', messages: [{ role: 'user', content: 'Hi' }], ...DANGEROUS },
    ],
    ['a task', '/api/v1/tasks', { content: 'Hi', generation_params: DANGEROUS }],
  ])('%s: parameters nobody listed do not reach it', async (_name, path, body) => {
    const from = upstream.requests.length;
    const answer = await post(path, body);
    await answer.text();
    // Refused is as good as left out.
    if (answer.status >= 400) return expect([400, 422]).toContain(answer.status);
    await expect.poll(() => upstream.requests.length).toBeGreaterThan(from);
    for (const sent of upstream.requests.slice(from))
      for (const name of Object.keys(DANGEROUS))
        expect([name, name in sent, JSON.stringify(sent).includes(`"${name}"`)]).toEqual([name, false, false]);
  });

  it.each([
    ['temperature', 1e9],
    ['top_p', -1],
    ['max_tokens', -1],
    ['max_tokens', 2 ** 53],
    ['temperature', 'hot'],
    ['n', 1_000_000],
  ])('a %s of %s is refused, or brought within its bounds', async (name, value) => {
    const from = upstream.requests.length;
    const answer = await post('/v1/chat/completions', {
      model: 'fake-model',
      messages: [{ role: 'user', content: 'Hi' }],
      [name]: value,
    });
    await answer.text();
    const sent = upstream.requests[from]?.[name];
    if (answer.status < 400) expect(JSON.stringify(sent)).not.toBe(JSON.stringify(value));
    else expect([400, 413, 422]).toContain(answer.status);
  });
});

describe('CVE-2025-64496: what an engine says', () => {
  it('becomes events of a closed set, whatever names and fields it sends', async () => {
    upstream.behaviour = (_body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: chat:message:execute\ndata: {"type":"execute","data":{"code":"alert(1)"}}\n\n');
      response.write(
        `event: execute\n${chunk({ content: 'Hi', execute: 'alert(2)', event: 'execute', type: 'execute' })}`,
      );
      response.write(`id: 7\nretry: 1\n${chunk({ role: 'system', content: '</script><script>alert(3)</script>' })}`);
      response.write(chunk({ content: '\n\nevent: execute\ndata: {"code":"alert(4)"}\n\n' }));
      response.write(chunk({}, 'stop'));
      response.end('data: [DONE]\n\n');
    };
    const answer = await post('/api/v1/llm/simple/stream', { content: 'Hi' });
    const events = await readEvents(answer);
    expect(
      [...new Set(events.map(({ event }) => event))].filter(
        (name) => !['start', 'content', 'done', 'error'].includes(name),
      ),
    ).toEqual([]);
    // Of the words nothing is lost: a page shows them, and runs nothing (browser tests).
    const text = events
      .filter(({ event }) => event === 'content')
      .map(({ data }) => String((data as { text: string }).text))
      .join('');
    expect(text).toContain('event: execute\ndata: {"code":"alert(4)"}');
    expect(JSON.stringify(events)).not.toMatch(/alert\([12]\)/);
  });
});
