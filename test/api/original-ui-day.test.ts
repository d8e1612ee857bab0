// A working day of the original's web page, in the order in which it asks: it polls and follows all the while, loses its
// stream and its socket and comes back, works through its panels, and repeats what fails. original-ui.test.ts has its turns
// one by one; here nothing is set back in between.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { readEvents, startServer, type TestServer } from './server.js';

// biome-ignore lint/suspicious/noExplicitAny: read as the page reads it
type Json = any;
interface Frame {
  type: string;
  message: string;
  timestamp: string;
  data: Json;
}

const PAGE = 'http://localhost:3000';
const SESSION = 'session-1764086400000-0a1b2c3d';
const ATTEMPTS = 3;
let upstream: FakeUpstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({
    LLM_LOCAL_ENDPOINT: upstream.url,
    LLM_WARMUP_ON_STARTUP: 'false',
    // Nobody answers there, as on a machine without a network.
    HF_ENDPOINT: 'http://127.0.0.1:9',
    OLLAMA_LIBRARY_ENDPOINT: 'http://127.0.0.1:9',
  });
});
afterAll(async () => {
  page?.close();
  await server.close();
  await upstream.close();
});

/** As its client does: a JSON content type on everything, reads repeated where the server failed. */
async function ask(method: string, path: string, body?: object): Promise<{ status: number; body: Json }> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(`${server.url}/api/v1${path}`, {
      method,
      headers: { origin: PAGE, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (method === 'GET' && [500, 502, 503, 504].includes(response.status) && attempt < ATTEMPTS) continue;
    expect(response.headers.get('access-control-allow-origin'), `${method} ${path}`).toBe(PAGE);
    return { status: response.status, body: response.status === 204 ? null : await response.json() };
  }
}
async function read(path: string): Promise<Json> {
  const { status, body } = await ask('GET', path);
  expect([path, status]).toEqual([path, 200]);
  return body;
}
const post = (path: string, body?: object) => ask('POST', path, body);

/** What the page keeps open: the last hundred events, over a socket it opens anew when it was lost. */
class OpenPage {
  readonly frames: Frame[] = [];
  #socket: WebSocket | undefined;

  async open(): Promise<void> {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/events`, { headers: { origin: PAGE } });
    socket.on('message', (bytes) => this.frames.push(JSON.parse(String(bytes))));
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    this.#socket = socket;
  }
  close(): void {
    this.#socket?.terminate();
  }
  types = (): string[] => this.frames.map(({ type }) => type);
}
const page = new OpenPage();
let bootId: string;

/** An EventSource on a task, cut off after so many events where a number is given. */
async function follow(taskId: string, cutAfter = Number.POSITIVE_INFINITY): Promise<Json[]> {
  const response = await fetch(`${server.url}/api/v1/tasks/${taskId}/stream`, {
    headers: { origin: PAGE, accept: 'text/event-stream' },
  });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const events: Json[] = [];
  let text = '';
  for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += new TextDecoder().decode(bytes, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const [event = '', data = ''] = block.split('\n');
      expect(event).toMatch(/^event:\S/);
      expect(data).toMatch(/^data:\{/);
      events.push({ event: event.slice(6), data: JSON.parse(data.slice(5)) });
      if (events.length >= cutAfter) return events;
    }
  }
  return events;
}

describe('a day of the page', () => {
  it('begins with what the cockpit shows', async () => {
    await page.open();
    await vi.waitFor(() => expect(page.frames[0]).toMatchObject({ type: 'SYSTEM_LOG', data: { level: 'INFO' } }));
    bootId = (await read('/system/status')).boot_id;
    const [active, options, servers, services, tasks, queue] = await Promise.all(
      [
        '/system/llm-servers/active',
        '/system/llm-runtime/options',
        '/system/llm-servers',
        '/system/services',
        '/tasks',
        '/queue/status',
      ].map(read),
    );
    expect(active).toMatchObject({
      status: 'success',
      active_model: 'fake-model',
      runtime_switch_gate: { in_progress: false },
    });
    expect(options.runtimes.some(({ active }: Json) => active)).toBe(true);
    expect(servers.servers.length).toBe(servers.count);
    expect(services.services.every(({ name, status }: Json) => name && status)).toBe(true);
    expect(tasks).toEqual([]);
    expect(queue).toMatchObject({ paused: false, pending: 0, active: 0 });
    expect(await read(`/memory/session/${SESSION}`)).toMatchObject({ history: [], summary: null, count: 0 });
  });

  it('asks in Normal mode, loses the stream in the middle, polls, and shows the same', async () => {
    upstream.behaviour = streams(['A ', 'tower ', 'with ', 'a ', 'light.'], 120);
    const { status, body } = await post('/tasks', {
      content: 'What is a lighthouse?',
      session_id: SESSION,
      preferred_language: null,
      preference_scope: 'session',
      tone: null,
      style_notes: null,
      forced_tool: null,
      forced_provider: null,
      forced_intent: null,
      images: null,
      store_knowledge: true,
      generation_params: { temperature: 0.4, max_tokens: 128 },
      expected_config_hash: null,
      expected_runtime_id: null,
      extra_context: { files: [], links: [], paths: [], notes: ['Be brief.'] },
    });
    expect(status).toBe(201);
    const first = await follow(body.task_id, 1);
    expect(first[0]).toMatchObject({ event: 'task_update', data: { task_id: body.task_id } });
    // Every two seconds; here as fast as it goes.
    await vi.waitFor(async () => expect((await read(`/tasks/${body.task_id}`)).status).toBe('COMPLETED'), 10_000);
    const task = await read(`/tasks/${body.task_id}`);
    expect(task).toMatchObject({
      result: 'A tower with a light.',
      context_history: { llm_runtime: { status: 'ready', model: 'fake-model' }, session: { session_id: SESSION } },
    });
    const again = await follow(body.task_id);
    expect(again.map(({ event }) => event)).toEqual(['task_update', 'task_finished']);
    expect(again.at(-1).data.result).toBe(task.result);
    await vi.waitFor(() =>
      expect(page.types()).toEqual(expect.arrayContaining(['TASK_CREATED', 'TASK_STARTED', 'TASK_COMPLETED'])),
    );
    const flow = await read(`/flow/${body.task_id}`);
    expect(flow.steps.every((step: Json) => typeof step.is_decision_gate === 'boolean')).toBe(true);
    const detail = await read(`/history/requests/${body.task_id}`);
    expect(detail).toMatchObject({ status: 'COMPLETED', result: task.result, generation_params: { max_tokens: 128 } });
  });

  it('says what was wrong with the answer, and follows what comes of it', async () => {
    upstream.behaviour = streams(['A tower whose light guides ships.']);
    const [{ request_id: taskId }] = await read('/history/requests?limit=1&status=COMPLETED');
    expect((await post('/feedback', { task_id: taskId, rating: 'down' })).status).toBe(400);
    const { body } = await post('/feedback', { task_id: taskId, rating: 'down', comment: 'Say what it is for.' });
    expect(body).toMatchObject({ status: 'ok', feedback_saved: true, follow_up_task_id: expect.any(String) });
    const events = await follow(body.follow_up_task_id);
    expect(events.at(-1)).toMatchObject({ event: 'task_finished', data: { status: 'COMPLETED' } });
    expect((await post('/feedback', { task_id: body.follow_up_task_id, rating: 'up' })).body).toMatchObject({
      feedback_saved: true,
      follow_up_task_id: null,
    });
    expect((await read('/feedback/logs?limit=10')).items.map(({ rating }: Json) => rating)).toEqual(['up', 'down']);
    await vi.waitFor(async () => expect((await read('/learning/hidden-prompts?limit=10')).count).toBe(1));
    const { items } = await read('/learning/hidden-prompts');
    const [pair] = items;
    expect(
      (await post('/learning/hidden-prompts/active', { prompt_hash: pair.prompt_hash, active: true, actor: 'ui' }))
        .body,
    ).toMatchObject({ count: 1 });
    expect((await read('/learning/hidden-prompts/active')).items[0]).toMatchObject({ prompt_hash: pair.prompt_hash });
  });

  it('loses its socket, and gets what happens from then on without what was', async () => {
    page.close();
    page.frames.length = 0;
    await page.open();
    await vi.waitFor(() => expect(page.types()).toEqual(['SYSTEM_LOG']));
    // On focus it looks whether it is still the same server.
    expect((await read('/system/status')).boot_id).toBe(bootId);
  });

  it('holds the queue, drops what waits, and stops what runs', async () => {
    upstream.behaviour = streams(Array(200).fill('word '), 50);
    const { body: running } = await post('/tasks', {
      content: 'Write a long story about the sea',
      session_id: SESSION,
    });
    await vi.waitFor(async () => expect((await read('/queue/status')).active).toBe(1));
    expect((await post('/queue/pause')).body).toMatchObject({ success: true, paused: true });
    const { body: waiting } = await post('/tasks', { content: 'And another one about the hills', session_id: SESSION });
    expect((await post('/queue/purge')).body).toMatchObject({ success: true, removed: 1 });
    expect((await read(`/tasks/${waiting.task_id}`)).status).toBe('FAILED');
    await vi.waitFor(async () => expect((await read(`/tasks/${running.task_id}`)).status).toBe('PROCESSING'));
    expect((await post(`/queue/task/${running.task_id}/abort`)).body).toMatchObject({
      success: true,
      task_id: running.task_id,
    });
    await vi.waitFor(async () => expect((await read(`/tasks/${running.task_id}`)).status).toBe('FAILED'));
    expect((await post(`/queue/task/${running.task_id}/abort`)).status).toBe(404);
    expect((await post('/queue/resume')).body).toMatchObject({ success: true, paused: false });
    expect((await post('/queue/emergency-stop')).body).toMatchObject({ success: true, paused: true });
    expect((await post('/queue/resume')).body).toMatchObject({ paused: false, pending_tasks: 0 });
    await vi.waitFor(() =>
      expect(page.types()).toEqual(
        expect.arrayContaining(['QUEUE_PAUSED', 'QUEUE_PURGED', 'TASK_ABORTED', 'QUEUE_RESUMED', 'EMERGENCY_STOP']),
      ),
    );
  });

  it('asks directly, keeps the answer by itself, and finds it in the history', async () => {
    upstream.behaviour = streams(['Paris', '.']);
    const response = await fetch(`${server.url}/api/v1/llm/simple/stream`, {
      method: 'POST',
      headers: { origin: PAGE, 'content-type': 'application/json' },
      body: JSON.stringify({ content: 'Capital of France?', model: 'fake-model', max_tokens: 64, session_id: SESSION }),
    });
    const events = await readEvents(response);
    expect(events.map(({ event }) => event)).toEqual(expect.arrayContaining(['start', 'content', 'done']));
    const kept = await post('/memory/ingest', {
      text: 'Paris.',
      category: 'assistant',
      session_id: SESSION,
      user_id: 'user_default',
      pinned: true,
      memory_type: 'fact',
      scope: 'session',
    });
    expect(kept).toMatchObject({ status: 201, body: { status: 'success', chunks_count: 1 } });
    expect((await post('/memory/search', { query: 'Paris', limit: 3, collection: 'default' })).body).toMatchObject({
      status: 'success',
      query: 'Paris',
    });
    const detail = await read(`/history/requests/${response.headers.get('x-request-id')}`);
    expect(detail).toMatchObject({ context_preview: { mode: 'direct' }, result: null });
  });

  it('looks through the panel of models, without a network', async () => {
    const { models, active, providers } = await read('/models');
    expect(models.map(({ name }: Json) => name)).toEqual(expect.arrayContaining(['fake-model', 'org/other']));
    expect(active.configured_models).toEqual(expect.objectContaining({ local: expect.anything() }));
    expect(Object.keys(providers)).toContain('openai-compatible');
    for (const path of [
      '/models/trending?provider=ollama&limit=12',
      '/models/providers?provider=huggingface&limit=20',
      '/models/search?query=llama&provider=ollama',
      '/models/news?provider=huggingface&limit=5&type=blog&lang=pl',
    ])
      expect((await read(path)).count, path).toEqual(expect.any(Number));
    const schema = await read('/models/fake-model/config?runtime=openai');
    expect(schema.generation_schema.temperature).toMatchObject({ type: 'float', min: expect.any(Number) });
    expect((await post('/models/fake-model/config', { params: { temperature: 99 } })).status).toBe(400);
    expect((await post('/models/fake-model/config', { params: { temperature: 0.3 } })).body).toMatchObject({
      success: true,
      params: { temperature: 0.3 },
    });
    expect((await read('/models/fake-model/config')).current_values.temperature).toBe(0.3);
    expect((await post('/models/fake-model/config', { params: {} })).status).toBe(200);
    expect((await post('/models/install', { name: 'llama3' })).status).toBe(400);
    expect((await read('/models/operations?limit=10')).operations).toEqual(expect.any(Array));
    expect((await post('/models/switch', { name: 'org/other' })).body).toMatchObject({
      success: true,
      active_model: 'org/other',
    });
    expect((await read('/system/llm-runtime/active')).runtime.model).toBe('org/other');
    expect((await post('/models/switch', { name: 'nobody' })).status).toBe(404);
    expect((await read('/models/remote/providers')).count).toBe(2);
    expect((await read('/models/remote/connectivity')).bindings).toEqual(expect.any(Array));
  });

  it('is refused a switch nobody may make, and makes one', async () => {
    expect((await post('/system/llm-servers/active', { server_name: 'nowhere' })).status).toBe(404);
    expect(
      (await post('/system/llm-servers/active', { server_name: 'ollama', switch_source: 'elsewhere' })).status,
    ).toBe(403);
    expect((await post('/system/llm-runtime/active', { provider: 'openai' })).status).toBe(400);
    const { active_server } = await read('/system/llm-servers/active');
    const { status, body } = await post('/system/llm-servers/active', {
      server_name: active_server,
      model: 'fake-model',
    });
    expect([status, body.active_model]).toEqual([200, 'fake-model']);
  });

  it('shows figures that add up, and ends by clearing the conversation', async () => {
    const metrics = await read('/metrics');
    const tasks = await read('/tasks');
    expect(metrics.tasks.created).toBe(tasks.length);
    expect(metrics.feedback).toMatchObject({ up: 1, down: 1 });
    expect((await read('/metrics/tokens')).session_total_tokens).toBeGreaterThan(0);
    // Of those that came to an end by themselves.
    expect((await read('/metrics/execution-mode')).kpi.total).toBe(2);
    expect((await read('/models/usage')).usage.memory_total_gb).toBeGreaterThan(0);
    expect((await read(`/memory/session/${SESSION}`)).count).toBeGreaterThan(4);
    expect((await ask('DELETE', `/memory/session/${SESSION}`)).body).toMatchObject({
      status: 'success',
      session_id: SESSION,
    });
    expect(await read(`/memory/session/${SESSION}`)).toMatchObject({ history: [], count: 0 });
  });
});
