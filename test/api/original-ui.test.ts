// The web page of the original as a client: on its own port of this machine, so that every call crosses origins; with a
// JSON content type even on reads, as it sends them; through its first load, a Direct and a Normal turn, and what its panels ask.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';

// biome-ignore lint/suspicious/noExplicitAny: read as the page reads it
type Json = any;

const PAGE = 'http://localhost:3000';
const SESSION = `session-${Date.now()}-0a1b2c3d`;
let upstream: FakeUpstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startFakeUpstream();
  upstream.behaviour = streams(['Ahoj', ', ', 'světe 🚀']);
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url, LLM_WARMUP_ON_STARTUP: 'false' });
});
afterAll(async () => {
  await server.close();
  await upstream.close();
});

/** As a browser does it: asks first where it must, and shows the page nothing that is not allowed to be read. */
async function ask(method: string, path: string, body?: object, origin = PAGE): Promise<Response> {
  const url = `${server.url}/api/v1${path}`;
  const preflight = await fetch(url, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': 'content-type',
    },
  });
  expect(preflight.ok, `preflight of ${method} ${path}`).toBe(true);
  expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
  expect(preflight.headers.get('access-control-allow-credentials')).toBe('true');
  expect(preflight.headers.get('access-control-allow-methods')?.split(/, ?/)).toContain(method);
  expect(preflight.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('content-type');
  const response = await fetch(url, {
    method,
    headers: { origin, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  expect(response.headers.get('access-control-allow-origin'), `${method} ${path}`).toBe(origin);
  expect(response.headers.get('access-control-allow-credentials')).toBe('true');
  return response;
}
const json = async (method: string, path: string, body?: object): Promise<Json> =>
  (await ask(method, path, body)).json();

/** One event: its name and data, whether or not a space follows the colons. Other fields are passed over. */
function parseEvents(text: string): { event: string; data: Json }[] {
  expect(text.endsWith('\n\n')).toBe(true);
  return text
    .split('\n\n')
    .filter((block) => block !== '' && !block.startsWith(':'))
    .map((block) => {
      const field = (name: string) =>
        block
          .split('\n')
          .filter((line) => line.startsWith(`${name}:`))
          .map((line) => line.slice(name.length + 1).replace(/^ /, ''))
          .join('\n');
      return { event: field('event'), data: JSON.parse(field('data')) };
    });
}

describe('the first load', () => {
  it.each([
    'http://localhost:3000',
    'http://localhost:3100',
    'http://127.0.0.1:3000',
    'http://127.0.0.1:3100',
    'https://localhost:3000',
  ])('is let in from %s', async (origin) => {
    expect((await ask('GET', '/system/status', undefined, origin)).status).toBe(200);
  });

  it('finds what the page and its panels ask for', async () => {
    const { boot_id } = await json('GET', '/system/status');
    expect(boot_id).toMatch(/^[0-9a-f]{32}$/);
    const [active, options, servers, models, queue, history, metrics, tokens] = await Promise.all(
      [
        '/system/llm-servers/active',
        '/system/llm-runtime/options',
        '/system/llm-servers',
        '/models',
        '/queue/status',
        '/history/requests?limit=6',
        '/metrics',
        '/metrics/tokens',
      ].map((path) => json('GET', path)),
    );
    expect(active.active_model).toBe('fake-model');
    expect(options.active.runtime_id).toBe(active.active_server);
    expect(options.runtimes.find(({ active }: Json) => active).models.map(({ name }: Json) => name)).toContain(
      'fake-model',
    );
    expect(options.selector_flow).toEqual(['server', 'model', 'adapter']);
    expect(servers.count).toBe(servers.servers.length);
    expect(models.providers[active.active_server].map(({ name }: Json) => name)).toContain('fake-model');
    expect(queue.paused).toBe(false);
    expect(history).toEqual([]);
    expect(metrics.tasks.created).toBe(0);
    expect(tokens.session_total_tokens).toBe(0);
    for (const path of ['/models/usage', '/system/services', '/learning/logs', '/feedback/logs', '/models/operations'])
      expect((await ask('GET', path)).status, path).toBe(200);
  });

  it('may read why something is not there', async () => {
    for (const path of ['/system/autonomy', '/config/runtime', '/git/status', '/knowledge/graph'])
      expect(await json('GET', path)).toMatchObject({ detail: expect.any(String) });
    expect((await ask('POST', '/tasks', { content: 7 })).status).toBe(422);
  });
});

describe('a Direct turn', () => {
  it('is read event by event, kept by the page, and found again in the history', async () => {
    const response = await ask('POST', '/llm/simple/stream', { content: 'Hi', session_id: SESSION });
    const exposed = response.headers.get('access-control-expose-headers')?.split(/, ?/);
    expect(exposed).toEqual(expect.arrayContaining(['x-request-id', 'x-session-id']));
    const events = parseEvents(await response.text());
    expect(events[0]).toEqual({ event: 'start', data: {} });
    expect(events.at(-1)?.event).toBe('done');
    const text = events.map(({ event, data }) => (event === 'content' ? data.text : '')).join('');
    expect(text).toBe('Ahoj, světe 🚀');
    const ingested = await ask('POST', '/memory/ingest', {
      text,
      category: 'assistant',
      session_id: SESSION,
      user_id: 'user_default',
      pinned: true,
      memory_type: 'fact',
      scope: 'session',
      topic: null,
      timestamp: new Date().toISOString(),
    });
    expect(ingested.status).toBe(201);
    expect(await ingested.json()).toMatchObject({ status: 'success', chunks_count: 1 });
    const requestId = response.headers.get('x-request-id');
    const detail = await json('GET', `/history/requests/${requestId}`);
    const step = detail.steps.find(
      ({ component, action }: Json) => component === 'SimpleMode' && action === 'response',
    );
    expect(JSON.parse(step.details).response).toBe(text);
  });
});

describe('a Normal turn', () => {
  it('is followed by its stream and by events, judged, and cleared', async () => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/events`, { headers: { origin: PAGE } });
    const types: string[] = [];
    socket.on('message', (bytes) => types.push(JSON.parse(String(bytes)).type));
    await new Promise((resolve) => socket.once('open', resolve));
    const { task_id } = await json('POST', '/tasks', {
      content: 'What is a lighthouse?',
      session_id: SESSION,
      preferred_language: null,
      store_knowledge: true,
    });
    // An EventSource: no content type, its own accept, and it comes back by itself when the stream has ended.
    for (const _connection of [1, 2]) {
      const stream = await fetch(`${server.url}/api/v1/tasks/${task_id}/stream`, {
        headers: { origin: PAGE, accept: 'text/event-stream', 'cache-control': 'no-cache' },
      });
      expect(stream.headers.get('access-control-allow-origin')).toBe(PAGE);
      expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/);
      const text = await stream.text();
      expect(text).not.toMatch(/^(?:id|retry):/m);
      const events = parseEvents(text);
      expect(events.at(-1)).toMatchObject({
        event: 'task_finished',
        data: { task_id, status: 'COMPLETED', result: 'Ahoj, světe 🚀' },
      });
    }
    expect((await json('GET', `/tasks/${task_id}`)).result).toBe('Ahoj, světe 🚀');
    await vi.waitFor(() =>
      expect(types).toEqual(expect.arrayContaining(['SYSTEM_LOG', 'TASK_CREATED', 'TASK_COMPLETED'])),
    );
    socket.terminate();
    expect(await json('POST', '/feedback', { task_id, rating: 'up', comment: null })).toMatchObject({ status: 'ok' });
    const { history } = await json('GET', `/memory/session/${SESSION}`);
    expect(history.map(({ role }: Json) => role)).toEqual(['user', 'assistant', 'user', 'assistant']);
    expect((await json('GET', `/flow/${task_id}`)).mermaid_diagram).toMatch(/^sequenceDiagram/);
    expect(await json('DELETE', `/memory/session/${SESSION}`)).toMatchObject({
      status: 'success',
      session_id: SESSION,
    });
    expect((await json('GET', `/memory/session/${SESSION}`)).history).toEqual([]);
  });

  it('can be held, emptied and switched to another model', async () => {
    expect(await json('POST', '/queue/pause')).toMatchObject({ success: true, paused: true });
    expect(await json('POST', '/queue/resume')).toMatchObject({ success: true, paused: false });
    expect(await json('POST', '/models/switch', { name: 'org/other' })).toMatchObject({ active_model: 'org/other' });
    expect((await json('GET', '/system/llm-servers/active')).active_model).toBe('org/other');
    expect((await ask('GET', `/models/${encodeURIComponent('org/other')}/config`)).status).toBe(200);
  });
});
