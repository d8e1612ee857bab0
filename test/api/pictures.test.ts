// Pictures: who is shown them, who is not, and that nobody fetches an address for a client.
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { type FakeCloud, startFakeCloud } from './fake-cloud.js';
import { type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';
import { TaskClient } from './task-client.js';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const DATA_URL = `data:image/png;base64,${PNG}`;
// biome-ignore lint/suspicious/noExplicitAny: answers are compared field by field
type Json = any;

let server: TestServer;
let client: TaskClient;
let local: FakeUpstream;
let cloud: FakeCloud;
let ollama: { url: string; chats: Json[]; close: () => void } | undefined;

afterEach(async () => {
  await server?.close();
  await cloud?.close();
  await local?.close();
  ollama?.close();
  ollama = undefined;
});

async function start(env: Record<string, string> = {}) {
  cloud = await startFakeCloud();
  local = await startFakeUpstream();
  local.behaviour = streams(['From ', 'the ', 'house']);
  server = await startServer({
    LLM_WARMUP_ON_STARTUP: 'false',
    ...(ollama ? { OLLAMA_ENDPOINT: ollama.url } : { LLM_LOCAL_ENDPOINT: local.url }),
    ...cloud.env,
    ...env,
  });
  client = new TaskClient(server.url);
}

/** An Ollama with one model that sees and one that does not. */
async function startOllama(): Promise<void> {
  const chats: Json[] = [];
  const http: Server = createServer(async (request, response) => {
    let text = '';
    for await (const piece of request) text += piece;
    const body = text === '' ? {} : JSON.parse(text);
    const answers: Record<string, unknown> = {
      '/api/tags': { models: ['seer:latest', 'blind:latest'].map((name) => ({ name, size: 1_000, digest: name })) },
      '/api/version': { version: '0.9.0' },
      '/api/ps': { models: [] },
      '/api/show': {
        capabilities: body.model?.startsWith('seer') ? ['completion', 'vision'] : ['completion'],
        model_info: {},
      },
      '/api/chat': { message: { role: 'assistant', content: 'A dot.' }, done: true, done_reason: 'stop' },
    };
    if (request.url === '/api/chat') chats.push(body);
    const answer = answers[request.url ?? ''];
    response.writeHead(answer ? 200 : 404, { 'content-type': 'application/x-ndjson' });
    response.end(`${JSON.stringify(answer ?? { error: 'no' })}\n`);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  ollama = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    chats,
    close: () => {
      http.closeAllConnections();
      http.close();
    },
  };
}

const post = async (path: string, body: object) => {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Json };
};
const completion = (model: string, url: string) =>
  post('/v1/chat/completions', {
    model,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url } },
        ],
      },
    ],
  });

describe('pictures over the APIs of others', () => {
  it('reach an engine that says nothing of itself as they came, and in its own form', async () => {
    await start();
    expect((await completion('fake-model', DATA_URL)).status).toBe(200);
    const anthropic = await post('/v1/messages', {
      model: 'fake-model',
      max_tokens: 20,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
            { type: 'text', text: 'What is this?' },
          ],
        },
      ],
    });
    expect(anthropic.body.content[0].text).toBe('From the house');
    const shown = local.requests.map((request) => (request['messages'] as Json[]).at(-1).content);
    expect(shown).toEqual([
      [
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: DATA_URL } },
      ],
      [
        { type: 'image_url', image_url: { url: DATA_URL } },
        { type: 'text', text: 'What is this?' },
      ],
    ]);
  });

  it('are refused as addresses, before any engine could fetch them', async () => {
    await start();
    for (const url of ['https://example.org/a.png', 'http://169.254.169.254/', 'file:///etc/passwd'])
      expect(await completion('fake-model', url)).toMatchObject({
        status: 400,
        body: { error: { code: 'unsupported' } },
      });
    const response = await post('/v1/responses', {
      model: 'fake-model',
      input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'https://example.org/a.png' }] }],
    });
    expect(response).toMatchObject({ status: 400, body: { error: { code: 'unsupported' } } });
    expect(local.requests).toEqual([]);
  });

  it('are refused with what to do where the model is known to be blind', async () => {
    await startOllama();
    await start();
    expect((await completion('blind:latest', DATA_URL)).body.error).toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(/does not see pictures.*qwen2\.5vl/),
    });
    const chat = (model: string) =>
      post('/api/chat', { model, stream: false, messages: [{ role: 'user', content: 'What?', images: [PNG] }] });
    expect((await chat('blind:latest')).status).toBe(400);
    expect(ollama?.chats).toEqual([]);
    expect((await chat('seer:latest')).body.message.content).toBe('A dot.');
    expect(ollama?.chats.at(-1).messages).toEqual([{ role: 'user', content: 'What?', images: [PNG] }]);
  });

  it('stay in the house unless a setting lets them out, and then nothing is looked for in their bytes', async () => {
    await start();
    await client.post('/system/llm-runtime/active', { provider: 'openai' });
    // By chance the form of an account number.
    const data = 'iVBORw0KGgoPL61109010140000071219812874';
    const url = `data:image/png;base64,${data}`;
    expect((await completion('gpt-4o', url)).body.choices[0].message.content).toBe('From the house');
    expect(cloud.requests).toEqual([]);
    await server.close();
    await cloud.close();
    await local.close();
    await start({ SENSITIVE_DATA_IMAGES_MAY_LEAVE: 'true' });
    await client.post('/system/llm-runtime/active', { provider: 'openai' });
    expect((await completion('gpt-4o', url)).body.choices[0].message.content).toBe('From the cloud');
    expect(cloud.everything()).toContain(data);
  });
});

describe('pictures of tasks', () => {
  it('are shown to the model with the question, and keep the session in the house', async () => {
    await start();
    await client.post('/system/llm-runtime/active', { provider: 'openai' });
    const session_id = `session-${randomUUID()}`;
    const id = await client.submit({ content: 'What time is it?', images: [PNG], session_id });
    const task = await client.until(id, ({ status }) => status === 'COMPLETED' || status === 'FAILED');
    expect(task).toMatchObject({ status: 'COMPLETED', result: 'From the house' });
    const asked = local.requests.map((request) => (request['messages'] as Json[]).at(-1).content);
    expect(asked.at(-1)[0]).toEqual({ type: 'image_url', image_url: { url: DATA_URL } });
    expect(cloud.requests).toEqual([]);
    expect((await client.get(`/sessions/${session_id}/labels`))['labels']).toEqual(['image']);
    expect(JSON.stringify(task)).not.toContain(PNG);
  });

  describe('are kept with their message', () => {
    // Same bytes but for the last ones, which no decoder reads.
    const other = Buffer.concat([Buffer.from(PNG, 'base64'), Buffer.from('x')]).toString('base64');
    const ask = (session_id: string, images: string[], content = 'What is this?') =>
      client.run({ content, images, session_id });
    const messages = async (session: string) =>
      (await client.get<{ messages: Json[] }>(`/sessions/${session}/messages`)).messages;
    /** What is left on disk, once the server has let go of it. */
    const rows = async () => {
      await server.close({ keepData: true });
      const store = new DatabaseSync(join(server.dataDir, 'venom.db'), { readOnly: true });
      const count = (table: string) => Number(store.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);
      const counts = { pictures: count('pictures'), turns: count('turn_pictures') };
      store.close();
      return counts;
    };
    const picture = (session: string, hash: string) => fetch(`${client.url}/sessions/${session}/pictures/${hash}`);

    it('once for the same bytes, and are shown and exported with it', async () => {
      await start();
      await ask('a', [PNG, other]);
      await ask('b', [DATA_URL]);
      const [question, answer] = await messages('a');
      const hash = createHash('sha256').update(Buffer.from(PNG, 'base64')).digest('hex');
      expect(question.pictures[0]).toEqual({
        hash,
        media_type: 'image/png',
        size_bytes: Buffer.from(PNG, 'base64').length,
      });
      expect(answer.pictures).toBeUndefined();
      const shown = await picture('a', hash);
      expect(shown.headers.get('content-type')).toBe('image/png');
      expect(shown.headers.get('x-content-type-options')).toBe('nosniff');
      expect(Buffer.from(await shown.arrayBuffer()).toString('base64')).toBe(PNG);
      const exported = await client.get<{ messages: Json[] }>('/sessions/a/export');
      expect(exported.messages[0].pictures).toEqual([
        { media_type: 'image/png', base64: PNG },
        { media_type: 'image/png', base64: other },
      ]);
      expect(await (await fetch(`${client.url}/sessions/a/export?format=markdown`)).text()).toContain(
        `![](data:image/png;base64,${PNG})`,
      );
      expect(await rows()).toEqual({ pictures: 2, turns: 3 });
    });

    it('and only there: another session does not get them by their name', async () => {
      await start();
      await ask('a', [PNG]);
      const { hash } = (await messages('a'))[0].pictures[0];
      await client.run({ content: 'Hello', session_id: 'b' });
      expect((await picture('b', hash)).status).toBe(404);
      expect((await picture('a', 'f'.repeat(64))).status).toBe(404);
    });

    it('until the message is taken back, or the session deleted', async () => {
      await start();
      await ask('a', [PNG]);
      await ask('b', [PNG, other]);
      const { hash } = (await messages('a'))[0].pictures[0];
      await client.post('/sessions/a/truncate', { from_seq: 1 });
      expect((await picture('a', hash)).status).toBe(404);
      expect((await picture('b', hash)).status).toBe(200);
      await fetch(`${client.url}/sessions/b`, { method: 'DELETE' });
      expect(await rows()).toEqual({ pictures: 0, turns: 0 });
    });

    it('within a size, the oldest going first; without a session not at all', async () => {
      const large = Buffer.concat([Buffer.from(PNG, 'base64'), Buffer.alloc(60_000, 7)]).toString('base64');
      await start({ SESSION_PICTURES_MB: '0.1' });
      await ask('a', [large]);
      await ask('b', [large.replace('BwcH', 'BwcI')]);
      expect((await messages('a'))[0].pictures).toBeUndefined();
      expect((await messages('b'))[0].pictures).toHaveLength(1);
      await client.run({ content: 'What is this?', images: [PNG] });
      expect(await rows()).toEqual({ pictures: 1, turns: 1 });
    });

    it('also when the question failed, so that it can be asked again', async () => {
      await start();
      local.behaviour = streams(['']);
      expect((await ask('a', [PNG])).status).toBe('FAILED');
      expect((await messages('a'))[0].pictures).toHaveLength(1);
    });
  });

  it('survive a restart together with a task that waits', async () => {
    await start();
    await client.post('/queue/pause');
    const id = await client.submit({ content: 'What is this?', images: [DATA_URL] });
    const { dataDir } = server;
    await server.close({ keepData: true });
    server = await startServer({ LLM_LOCAL_ENDPOINT: local.url, LLM_WARMUP_ON_STARTUP: 'false' }, dataDir);
    client = new TaskClient(server.url);
    await client.post('/queue/resume');
    await server.venom.prepare();
    await client.until(id, ({ status }) => status === 'COMPLETED');
    expect(JSON.stringify(local.requests)).toContain(DATA_URL);
  });

  it('are refused at once for a model that does not see, and as paths', async () => {
    await startOllama();
    await start({ LLM_MODEL_NAME: 'blind:latest' });
    await client.get('/system/llm-runtime/active');
    const refused = await client.post('/tasks', { content: 'What is this?', images: [PNG] });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ code: 'unsupported', detail: expect.stringContaining('blind') });
    for (const image of ['/etc/passwd', 'https://example.org/a.png', 'AAAA'])
      expect((await client.post('/tasks', { content: 'What is this?', images: [image] })).status).toBe(400);
    expect(ollama?.chats).toEqual([]);
  });
});
