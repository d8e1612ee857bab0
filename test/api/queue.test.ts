// The queue: pause, resume, purge, stop, abort, the limit, and what a restart does. Each test of a former fault names it.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { chunk, type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';
import { TaskClient } from './task-client.js';

const LIMIT = 2;
let upstream: FakeUpstream;
let server: TestServer;
let client: TaskClient;
let release: () => void;
let most: number;

beforeEach(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url, MAX_CONCURRENT_TASKS: String(LIMIT) });
  client = new TaskClient(server.url);
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  most = 0;
  upstream.behaviour = async (_body, response) => {
    most = Math.max(most, upstream.open());
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chunk({ content: 'Begun' }));
    await held;
    if (!response.destroyed) response.end(`${chunk({}, 'stop')}data: [DONE]\n\n`);
  };
});
afterEach(async () => {
  release();
  await server.close();
  await upstream.close();
});

const running = () => vi.waitFor(() => expect(upstream.open()).toBeGreaterThan(0));
const status = () => client.get<Record<string, unknown>>('/queue/status');

describe('the queue', () => {
  it('never runs more than the limit, however many come at once (fault 13)', async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, (_, n) => client.submit({ content: `Question ${n}` })));
    await vi.waitFor(() => expect(upstream.open()).toBe(LIMIT));
    expect(await status()).toEqual({ paused: false, pending: 10, active: LIMIT, processing: LIMIT, limit: LIMIT });
    release();
    for (const id of ids) expect((await client.ended(id)).status).toBe('COMPLETED');
    expect(most).toBe(LIMIT);
  });

  it('runs what was submitted while it was paused, once it goes on (fault 10)', async () => {
    release();
    expect(await (await client.post('/queue/pause')).json()).toMatchObject({
      success: true,
      paused: true,
      active_tasks: 0,
    });
    const id = await client.submit({ content: 'Hi' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await client.task(id)).status).toBe('PENDING');
    expect(await status()).toMatchObject({ paused: true, pending: 1, active: 0 });
    expect(await (await client.post('/queue/resume')).json()).toMatchObject({
      success: true,
      paused: false,
      pending_tasks: 1,
    });
    expect((await client.ended(id)).status).toBe('COMPLETED');
  });

  it('never runs what was purged (fault 11)', async () => {
    await client.post('/queue/pause');
    const id = await client.submit({ content: 'Hi', session_id: 's-1' });
    expect(await (await client.post('/queue/purge')).json()).toMatchObject({
      success: true,
      removed: 1,
      active_tasks: 0,
    });
    await client.post('/queue/resume');
    await client.run({ content: 'help' });
    const task = await client.task(id);
    expect(task).toMatchObject({
      status: 'FAILED',
      context_history: { llm_runtime: { error: { error_code: 'purged' } } },
    });
    expect(upstream.requests).toHaveLength(0);
    expect(await client.get(`/history/requests/${id}`)).toMatchObject({ status: 'FAILED', error_code: 'purged' });
    const { messages } = await client.get<{ messages: { status: string }[] }>('/sessions/s-1/messages');
    expect(messages[1]?.status).toBe('cancelled');
  });

  it('closes the trace of an aborted task at once, and the engine is let go (fault 12)', async () => {
    const id = await client.submit({ content: 'Hi', session_id: 's-1' });
    await client.until(id, ({ result }) => result === 'Begun');
    const response = await client.post(`/queue/task/${id}/abort`);
    expect(await response.json()).toMatchObject({ success: true, task_id: id });
    expect(await client.task(id)).toMatchObject({
      status: 'FAILED',
      result: 'Begun',
      context_history: { llm_runtime: { error: { error_code: 'cancelled' } } },
    });
    expect(await client.get(`/history/requests/${id}`)).toMatchObject({ status: 'FAILED', error_code: 'cancelled' });
    await vi.waitFor(() => expect(upstream.open()).toBe(0));
    const { messages } = await client.get<{ messages: { status: string; content: string }[] }>(
      '/sessions/s-1/messages',
    );
    expect(messages[1]).toMatchObject({ status: 'cancelled', content: 'Begun' });
    expect((await client.post(`/queue/task/${id}/abort`)).status).toBe(404);
    expect((await client.post('/queue/task/01a20e0d-0000-7000-8000-000000000000/abort')).status).toBe(404);
  });

  it('gives the place of an aborted task to the next, even if the engine does not stop', async () => {
    const ids = await Promise.all([1, 2, 3].map((n) => client.submit({ content: `Question ${n}` })));
    await vi.waitFor(() => expect(upstream.open()).toBe(LIMIT));
    const first = (await Promise.all(ids.map((id) => client.task(id)))).find((task) => task.status === 'PROCESSING');
    await client.post(`/queue/task/${first?.id}/abort`);
    await vi.waitFor(async () => expect(await status()).toMatchObject({ pending: 0, active: LIMIT }));
  });

  it('stops everything in an emergency', async () => {
    const ids = await Promise.all([1, 2, 3, 4].map((n) => client.submit({ content: `Question ${n}` })));
    await running();
    expect(await (await client.post('/queue/emergency-stop')).json()).toMatchObject({
      success: true,
      cancelled: LIMIT,
      purged: 2,
      paused: true,
    });
    for (const id of ids) expect((await client.task(id)).status).toBe('FAILED');
    await vi.waitFor(() => expect(upstream.open()).toBe(0));
    expect(await status()).toMatchObject({ paused: true, pending: 0, active: 0 });
  });

  it('counts what failed, and what still runs as neither (fault 15)', async () => {
    await client.run({ content: 'help' });
    const id = await client.submit({ content: 'Hi' });
    await running();
    expect(await client.get('/metrics')).toMatchObject({
      status: 'ok',
      tasks: { created: 2, success_rate: 50, completed: 1, failed: 0 },
    });
    await client.post(`/queue/task/${id}/abort`);
    expect(await client.get('/metrics/system')).toMatchObject({ tasks: { created: 2, success_rate: 50, failed: 1 } });
  });

  it('tells a waiting client that it waits, and what became of it', async () => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/events`);
    const events: { type: string; data: Record<string, unknown> }[] = [];
    socket.on('message', (bytes) => events.push(JSON.parse(String(bytes))));
    await new Promise((resolve) => socket.once('open', resolve));
    await Promise.all([1, 2, 3].map((n) => client.submit({ content: `Question ${n}` })));
    await client.post('/queue/pause');
    await client.post('/queue/purge');
    await client.post('/queue/resume');
    await client.post('/queue/emergency-stop');
    await vi.waitFor(() => expect(events.some(({ type }) => type === 'EMERGENCY_STOP')).toBe(true));
    socket.close();
    const data = (type: string) => events.find((event) => event.type === type)?.data;
    expect(data('TASK_QUEUED')).toEqual({ task_id: expect.any(String), active: LIMIT, limit: LIMIT });
    expect(data('QUEUE_PAUSED')).toEqual({ active_tasks: LIMIT });
    expect(data('QUEUE_PURGED')).toEqual({ removed: 1, active: LIMIT });
    expect(data('QUEUE_RESUMED')).toEqual({ pending_tasks: 0 });
    expect(data('EMERGENCY_STOP')).toEqual({ cancelled: LIMIT, purged: 0 });
    expect(data('TASK_ABORTED')).toEqual({ task_id: expect.any(String) });
  });
});

describe('bounds', () => {
  it('refuses more than may wait, with a code', async () => {
    await server.close();
    server = await startServer({
      LLM_LOCAL_ENDPOINT: upstream.url,
      MAX_CONCURRENT_TASKS: '1',
      MAX_QUEUED_TASKS: '2',
    });
    client = new TaskClient(server.url);
    await client.post('/queue/pause');
    await client.submit({ content: 'One' });
    await client.submit({ content: 'Two' });
    const refused = await client.post('/tasks', { content: 'Three' });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBeTruthy();
    expect(await refused.json()).toMatchObject({ code: 'queue_full' });
    expect(await client.get<unknown[]>('/tasks')).toHaveLength(2);
  });

  it('stops a task that takes too long', async () => {
    await server.close();
    server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url, TASK_TIMEOUT_SECONDS: '1' });
    client = new TaskClient(server.url);
    const task = await client.run({ content: 'Hi' });
    expect(task).toMatchObject({
      status: 'FAILED',
      result: 'Begun',
      context_history: { llm_runtime: { error: { error_code: 'task_timeout', retryable: true } } },
    });
    await vi.waitFor(() => expect(upstream.open()).toBe(0));
  });

  it('keeps data in pre-production unless that is allowed', async () => {
    await server.close();
    server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url, ENVIRONMENT_ROLE: 'preprod' });
    client = new TaskClient(server.url);
    const refused = await client.post('/queue/purge');
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ detail: { decision: 'block', reason_code: 'PERMISSION_DENIED' } });
    expect((await client.post('/queue/emergency-stop')).status).toBe(403);
    expect((await client.post('/queue/pause')).status).toBe(200);
  });
});

describe('a restart', () => {
  const restart = async () => {
    await server.close({ keepData: true });
    server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url }, server.dataDir);
    client = new TaskClient(server.url);
  };

  it('runs what waited (fault 14)', async () => {
    await client.post('/queue/pause');
    const id = await client.submit({ content: 'Hi', session_id: 's-1' });
    upstream.behaviour = streams(['Hello', ' world']);
    await restart();
    expect(await client.ended(id)).toMatchObject({ status: 'COMPLETED', result: 'Hello world' });
    const { messages } = await client.get<{ messages: { content: string; status: string }[] }>(
      '/sessions/s-1/messages',
    );
    expect(messages.map(({ content, status: kept }) => `${content}: ${kept}`)).toEqual([
      'Hi: complete',
      'Hello world: complete',
    ]);
    expect(await client.get(`/history/requests/${id}`)).toMatchObject({ status: 'COMPLETED', error_code: null });
  });

  it('marks what ran as interrupted, and resumes it when asked to', { timeout: 20_000 }, async () => {
    const id = await client.submit({ content: 'Hi', session_id: 's-1' });
    await client.until(id, ({ result }) => result === 'Begun');
    await restart();
    const interrupted = await client.task(id);
    expect(interrupted).toMatchObject({
      status: 'FAILED',
      result: 'Begun',
      context_history: { llm_runtime: { status: 'error', error: { error_code: 'interrupted', retryable: true } } },
    });
    expect(await client.get(`/history/requests/${id}`)).toMatchObject({ status: 'FAILED', error_code: 'interrupted' });
    upstream.behaviour = streams(['Hello', ' world']);
    expect((await client.post(`/tasks/${id}/resume`)).status).toBe(200);
    expect(await client.ended(id)).toMatchObject({ status: 'COMPLETED', result: 'Hello world' });
    const { messages } = await client.get<{ messages: { content: string; status: string }[] }>(
      '/sessions/s-1/messages',
    );
    expect(messages.map(({ content }) => content)).toEqual(['Hi', 'Hello world']);
    const again = await client.post(`/tasks/${id}/resume`);
    expect(again.status).toBe(409);
    expect(await again.json()).toMatchObject({ code: 'conflict' });
  });
});

describe('services', () => {
  it('lists what the server depends on, and each of it', async () => {
    const list = await client.get<{
      services: { name: string; status: string; is_critical: boolean }[];
      count: number;
    }>('/system/services');
    expect(list.count).toBe(list.services.length);
    expect(list.services.find(({ name }) => name === 'SQLite')).toMatchObject({ status: 'online', is_critical: true });
    expect(list.services.find(({ name }) => name === 'openai-compatible')?.status).toBe('online');
    expect(await client.get('/system/services/sqlite')).toMatchObject({
      status: 'success',
      service: { name: 'SQLite', type: 'database', error_message: null },
    });
    expect((await fetch(`${client.url}/system/services/nothing`)).status).toBe(404);
  });
});

describe('metrics', () => {
  it('counts tokens by model and kinds of execution', async () => {
    upstream.behaviour = streams(['Hello', ' world']);
    await client.run({ content: 'Hi' });
    await client.run({ content: 'what time is it' });
    expect(await client.get('/metrics/tokens')).toMatchObject({
      session_total_tokens: 5,
      models_breakdown: { 'fake-model': { input_tokens: 3, output_tokens: 2, total_tokens: 5, cost_usd: 0 } },
    });
    expect(await client.get('/metrics/execution-mode')).toMatchObject({
      status: 'ok',
      kpi: { total: 2, counts: { api_skill: 2, browser_automation: 0, gui_fallback: 0 } },
      alerts: { gui_fallback_overuse: { active: false, threshold: 20, severity: 'none' } },
    });
    expect(await client.get('/metrics')).toMatchObject({
      routing: { llm_only: 1, tool_required: 1 },
      llm: { first_token_samples: 1 },
      agent_usage: { ChatAgent: 1, TimeAgent: 1 },
      tokens_used_session: 5,
    });
  });
});
