// Translation over HTTP: the contract's answer, the stream, failures, and news in another language.
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeHub, startFakeHub } from '../stand-ins/hugging-face.js';
import { chunk, type FakeUpstream, startFakeUpstream } from './fake-upstream.js';
import { readEvents, startServer, type TestServer, textOf } from './server.js';

let upstream: FakeUpstream;
let hub: FakeHub;
let server: TestServer;

const asked = (body: Record<string, unknown>): string => {
  const text = String((body['messages'] as { content: string }[]).at(-1)?.content);
  return text.slice(text.indexOf('\n\n') + 2);
};
const says = (translate: (text: string) => string) => (body: Record<string, unknown>, response: ServerResponse) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(chunk({ content: translate(asked(body)) }));
  response.write(chunk({}, 'stop'));
  response.end('data: [DONE]\n\n');
};
const post = (path: string, body: object, signal?: AbortSignal) =>
  fetch(`${server.url}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });

beforeAll(async () => {
  upstream = await startFakeUpstream();
  hub = await startFakeHub();
  hub.intercept = ({ url }, response) => {
    if (url !== '/blog/feed.xml') return false;
    response.end(
      '<rss>' +
        ['New model', 'New tool']
          .map(
            (title) =>
              `<item><title>${title}</title><link>https://example.org/x</link><description>About the ${title}</description></item>`,
          )
          .join('') +
        '</rss>',
    );
    return true;
  };
  server = await startServer({
    LLM_LOCAL_ENDPOINT: upstream.url,
    LLM_MODEL_NAME: 'fake-model',
    HF_ENDPOINT: hub.url,
    TRANSLATION_TIMEOUT_NEWS: '0.5',
    LLM_WARMUP_ON_STARTUP: 'false',
  });
});
beforeEach(() => {
  upstream.requests.length = 0;
  upstream.behaviour = says((text) => text.toUpperCase());
});
afterAll(async () => {
  await server.close();
  await hub.close();
  await upstream.close();
});

describe('POST /translate', () => {
  it("gives the contract's answer, with Polish as the target nobody named", async () => {
    const response = await post('/translate', { text: 'Open `a.txt` first' });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      success: true,
      translated_text: 'OPEN `a.txt` FIRST',
      target_lang: 'pl',
    });
    expect(upstream.requests[0]).toMatchObject({ temperature: 0.2, model: 'fake-model' });
  });

  it('asks nobody for an empty text', async () => {
    expect(await (await post('/translate', { text: '' })).json()).toMatchObject({ success: true, translated_text: '' });
    expect(upstream.requests).toHaveLength(0);
  });

  it.each(['fr', 'PL', 'polish', ''])('refuses the language %j', async (target_lang) => {
    const response = await post('/translate', { text: 'x', target_lang });
    expect([400, 422]).toContain(response.status);
    if (target_lang) expect(response.status).toBe(400);
  });

  it('says in a warning what it left as it was', async () => {
    upstream.behaviour = says(() => 'OHNE');
    expect(await (await post('/translate', { text: 'See `b` there', target_lang: 'de' })).json()).toMatchObject({
      translated_text: 'See `b` there',
      warnings: [{ chunk: 0, code: 'placeholders_lost' }],
    });
  });

  it('fails with 500 and the reason, never with the original as if it were translated', async () => {
    upstream.behaviour = (_body, response) => void response.writeHead(503).end('{"error":{"message":"busy"}}');
    const response = await post('/translate', { text: 'some words here', target_lang: 'de' });
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({
      code: 'translation_failed',
      details: { reason: 'upstream_rejected' },
    });
  });

  it('stops the engine when the client goes away', async () => {
    upstream.behaviour = (_body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ content: 'EIN' }));
    };
    const abort = new AbortController();
    const gone = post('/translate', { text: 'a text nobody waits for', target_lang: 'de' }, abort.signal);
    await expect.poll(() => upstream.open()).toBe(1);
    abort.abort();
    await expect(gone).rejects.toThrow();
    await expect.poll(() => upstream.open()).toBe(0);
  });
});

describe('POST /translate/stream', () => {
  const long = Array.from({ length: 12 }, (_, index) => `Part ${index} ${'word '.repeat(80)}`).join('\n\n');

  it('sends what is ready, in order', async () => {
    const events = await readEvents(await post('/translate/stream', { text: long, target_lang: 'de' }));
    expect(events[0]?.event).toBe('start');
    expect(events.at(-1)?.event).toBe('done');
    expect(events.filter(({ event }) => event === 'content').length).toBeGreaterThan(3);
    expect(textOf(events)).toBe(long.toUpperCase());
  });

  it('ends with an error that has a code', async () => {
    upstream.behaviour = says(() => '');
    const events = await readEvents(await post('/translate/stream', { text: 'other words', target_lang: 'de' }));
    expect(events.at(-1)).toMatchObject({ event: 'error', data: { code: 'translation_failed' } });
    expect((await post('/translate/stream', { text: 'x', target_lang: 'xx' })).status).toBe(400);
  });
});

describe('GET /models/news in another language', () => {
  const news = async (lang: string) => {
    const response = await fetch(`${server.url}/api/v1/models/news?limit=3&lang=${lang}`);
    return (await response.json()) as { success: boolean; items: { title: string; summary: string }[] };
  };

  it('translates titles and summaries, and keeps the original where that fails or takes too long', async () => {
    const original = await news('en');
    expect(original.items.map(({ title }) => title)).toEqual(['New model', 'New tool']);
    upstream.behaviour = () => {};
    expect((await news('de')).items).toEqual(original.items);
    upstream.behaviour = says((text) => text.toUpperCase());
    const read = await news('pl');
    expect(read.success).toBe(true);
    expect(read.items.map(({ title }) => title)).toEqual(original.items.map(({ title }) => title.toUpperCase()));
    expect(read.items[0]?.summary).toBe('ABOUT THE NEW MODEL');
  });
});

describe('an answer of a task', () => {
  const finished = async (id: string) => {
    const task = async () =>
      (await (await fetch(`${server.url}/api/v1/tasks/${id}`)).json()) as {
        status: string;
        result: string;
        context_history: { translation?: unknown };
      };
    await expect.poll(async () => (await task()).status, { timeout: 10_000 }).toBe('COMPLETED');
    return task();
  };
  const ask = async (preferred_language: string) => {
    upstream.behaviour = (body, response) =>
      says(() =>
        JSON.stringify(body['messages']).includes('Translate from English to German')
          ? 'Die Hauptstadt von Frankreich ist Paris, wie jeder weiß.'
          : 'The capital of France is Paris, as everybody knows.',
      )(body, response);
    const response = await post('/tasks', { content: 'Tell me about the capital of France', preferred_language });
    return finished(((await response.json()) as { task_id: string }).task_id);
  };

  it('comes in the language the person prefers', async () => {
    expect(await ask('de')).toMatchObject({
      result: 'Die Hauptstadt von Frankreich ist Paris, wie jeder weiß.',
      context_history: { translation: { source: 'en', target: 'de', applied: true } },
    });
  });

  it('is left alone when it has that language already', async () => {
    const { result } = await ask('en');
    expect(result).toBe('The capital of France is Paris, as everybody knows.');
    expect(JSON.stringify(upstream.requests)).not.toContain('Translate from');
  });
});
