// Every figure of /metrics as a client sees it: what is done over HTTP must show in it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startFakeOllama } from '../stand-ins/ollama.js';
import { chunk, type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';
import { TaskClient } from './task-client.js';

interface SystemMetrics {
  uptime_seconds: number;
  start_time: string;
  network: { total_bytes: number };
}

let upstream: FakeUpstream;
let server: TestServer;
let client: TaskClient;
let workspace: string;

beforeEach(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'venom-metrics-'));
  upstream = await startFakeUpstream();
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url, WORKSPACE_ROOT: workspace });
  client = new TaskClient(server.url);
});
afterEach(async () => {
  await server.close();
  await upstream.close();
  rmSync(workspace, { recursive: true, force: true });
});

const metrics = () => client.get<SystemMetrics>('/metrics');
const tokens = () => client.get('/metrics/tokens');
const prometheus = async () => (await fetch(`${server.url}/metrics`)).text();
const send = async (path: string, body: object) => {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
};
const messages = [{ role: 'user', content: 'Hi' }];

it('counts thumbs, once they are kept', async () => {
  const { id } = await client.run({ content: 'Tell me about harbours' });
  expect((await client.post('/feedback', { task_id: id, rating: 'up' })).status).toBe(200);
  expect((await client.post('/feedback', { task_id: id, rating: 'up' })).status).toBe(200);
  expect((await client.post('/feedback', { task_id: id, rating: 'down', comment: 'Shorter' })).status).toBe(200);
  expect((await client.post('/feedback', { task_id: id, rating: 'sideways' })).status).toBe(400);
  expect(await metrics()).toMatchObject({ feedback: { up: 2, down: 1 } });
  const text = await prometheus();
  expect(text).toContain('venom_feedback_total{rating="up"} 2');
  expect(text).toContain('venom_feedback_total{rating="down"} 1');
});

it('counts tasks by how they ended, and what came into the learning log', async () => {
  await client.run({ content: 'Tell me about harbours' });
  await client.run({ content: 'what time is it' });
  await client.run({ content: 'Tell me about ships', expected_config_hash: 'feedbeef0000' });
  upstream.behaviour = async (_body, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chunk({ content: 'Begun' }));
  };
  const running = await client.submit({ content: 'Tell me about islands' });
  await client.until(running, ({ result }) => result === 'Begun');
  expect((await client.post(`/queue/task/${running}/abort`)).status).toBe(200);
  await vi.waitFor(async () => expect(await metrics()).toMatchObject({ routing: { learning_logged: 2 } }));
  expect(await metrics()).toMatchObject({
    tasks: { created: 4, completed: 2, failed: 2, aborted: 1, success_rate: 50 },
    routing: { llm_only: 1, tool_required: 1 },
    runtime_switch: { model_mismatch_detected_total: 1 },
    agent_usage: { ChatAgent: 1, TimeAgent: 1 },
  });
});

it('counts the tools that a model called', async () => {
  writeFileSync(join(workspace, 'hello.txt'), 'hello');
  let called = false;
  upstream.behaviour = (body, response) => {
    const format = body['response_format'] as { json_schema?: { schema: { properties: object } } } | undefined;
    if (!format) return streams(['Done.'])(body, response);
    if (!('tool' in (format.json_schema?.schema.properties ?? {})))
      return streams(['{"path":"hello.txt"}'])(body, response);
    const choice = called ? 'none' : 'file__read_file';
    called = true;
    return streams([JSON.stringify({ tool: choice })])(body, response);
  };
  await client.run({ content: 'Read hello.txt', forced_intent: 'FILE_OPERATION' });
  expect(await metrics()).toMatchObject({ tool_usage: { file__read_file: 1 }, routing: { tool_required: 1 } });
});

describe('tokens', () => {
  it('counts those of every API, as far as the engine tells them', async () => {
    const model = 'fake-model';
    await send('/api/v1/llm/simple/stream', { content: 'Hi' });
    expect(await tokens()).toMatchObject({ session_total_tokens: 6 });
    await send('/v1/chat/completions', { model, messages });
    expect(await tokens()).toMatchObject({ session_total_tokens: 12 });
    await send('/v1/chat/completions', { model, messages, stream: true, stream_options: { include_usage: true } });
    expect(await tokens()).toMatchObject({ session_total_tokens: 18 });
    await send('/v1/messages', { model, messages, max_tokens: 10, stream: true });
    await send('/api/chat', { model, messages });
    expect(await tokens()).toMatchObject({
      total_tokens: 30,
      session_total_tokens: 30,
      models_breakdown: { [model]: { input_tokens: 15, output_tokens: 15, total_tokens: 30, cost_usd: 0 } },
    });
    const text = await prometheus();
    expect(text).toContain('venom_tokens_total{provider="openai-compatible",kind="prompt"} 15');
    expect(text).toContain('venom_tokens_total{provider="openai-compatible",kind="completion"} 15');
  });

  it('reads usage that comes in two pieces, and takes no text of an answer for it', async () => {
    upstream.behaviour = async (_body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ content: '"usage":{"prompt_tokens":900,"completion_tokens":900}' }));
      response.write('data: {"choices":[],"us');
      await new Promise((resolve) => setTimeout(resolve, 40));
      response.write('age":{"prompt_tokens":7,"completion_');
      await new Promise((resolve) => setTimeout(resolve, 40));
      response.end('tokens":4}}\n\ndata: [DONE]\n\n');
    };
    await send('/v1/chat/completions', { model: 'fake-model', messages, stream: true });
    expect(await tokens()).toMatchObject({ session_total_tokens: 11 });
  });
});

it('counts what goes over connections that are still open', async () => {
  const before = (await metrics()).network.total_bytes;
  expect(before).toBeGreaterThan(0);
  await send('/api/v1/llm/simple/stream', { content: 'x'.repeat(20_000) });
  expect((await metrics()).network.total_bytes - before).toBeGreaterThan(20_000);
});

it('counts parameters that were set, also of models with a slash in their names', async () => {
  const set = (name: string, params: object) =>
    client.post(`/models/${name}/config`, { runtime: 'openai-compatible', params });
  expect((await set('fake-model', { temperature: 0.5 })).status).toBe(200);
  expect((await set('org/other', { temperature: 0.5 })).status).toBe(200);
  expect((await set('fake-model', { nonsense: 1 })).status).toBe(400);
  expect(await metrics()).toMatchObject({ models: { generation_params_updates: 2 } });
});

it('tells since when it counts', async () => {
  const { uptime_seconds, start_time } = await metrics();
  expect(uptime_seconds).toBeGreaterThanOrEqual(0);
  expect(Date.now() - Date.parse(start_time)).toBeLessThan(60_000);
});

it('tells what Ollama says of its own times', async () => {
  const ollama = await startFakeOllama();
  const over = await startServer({ OLLAMA_ENDPOINT: ollama.url, LLM_WARMUP_ON_STARTUP: 'false' });
  const read = async () => {
    const answer = await fetch(`${over.url}/api/v1/metrics`);
    return ((await answer.json()) as { llm: { ollama_runtime: object } }).llm.ollama_runtime;
  };
  try {
    expect(await read()).toEqual({
      samples: 0,
      load_duration_avg_ms: null,
      prompt_eval_count_total: 0,
      eval_count_total: 0,
      prompt_eval_duration_avg_ms: null,
      eval_duration_avg_ms: null,
    });
    for (let turn = 0; turn < 2; turn += 1)
      await (await new TaskClient(over.url).post('/llm/simple/stream', { content: 'Hi' })).text();
    expect(await read()).toEqual({
      samples: 2,
      load_duration_avg_ms: 20,
      prompt_eval_count_total: 14,
      eval_count_total: 6,
      prompt_eval_duration_avg_ms: 30,
      eval_duration_avg_ms: 40,
    });
  } finally {
    await over.close();
    await ollama.close();
  }
});

it('counts tasks in which something was asked once more', async () => {
  const rate = async () =>
    (await client.get<{ kpi: { retry_loop_rate: number } }>('/metrics/execution-mode')).kpi.retry_loop_rate;
  await client.run({ content: 'Tell me about harbours' });
  expect(await rate()).toBe(0);
  // No plan: it is asked for again.
  await client.run({ content: 'Plan a trip to the sea, then a budget', forced_intent: 'COMPLEX_PLANNING' });
  expect(await rate()).toBe(50);
});
