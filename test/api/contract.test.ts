// The contract with clients of the original, line by line: every field it names, with its type, on a server that has been
// used. Fields of our own may stand beside them.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { readEvents, startServer, type TestServer } from './server.js';
import { TaskClient } from './task-client.js';

// biome-ignore lint/suspicious/noExplicitAny: answers are compared with what is expected, field by field
type Json = any;
interface Frame {
  type: string;
  agent: string | null;
  message: string;
  timestamp: string;
  data: Json;
}

const SESSION = 'session-1764000000000-0a1b2c3d';
const UNKNOWN = '00000000-0000-4000-8000-000000000000';

let upstream: FakeUpstream;
let server: TestServer;
let client: TaskClient;
let directId: string;
let taskId: string;
let socket: WebSocket;
const frames: Frame[] = [];

const text = expect.any(String);
const number = expect.any(Number);
const flag = expect.any(Boolean);
const list = expect.any(Array);
const map = expect.any(Object);
const uuid = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
const zulu = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
const offset = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$/);
/** The field is there, and null or this. */
const orNull = (matcher: { asymmetricMatch(value: unknown): boolean }) => ({
  asymmetricMatch: (value: unknown) => value === null || (value !== undefined && matcher.asymmetricMatch(value)),
  toString: () => 'orNull',
  getExpectedType: () => 'any or null',
  toAsymmetricMatcher: () => 'null or a value',
});
const get = async (path: string) => {
  const response = await fetch(client.url + path, { headers: { 'content-type': 'application/json' } });
  return { status: response.status, body: (await response.json()) as Json };
};
const post = async (path: string, body?: object, method = 'POST') => {
  const response = await fetch(client.url + path, {
    method,
    ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: (await response.json()) as Json };
};

beforeAll(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url, LLM_WARMUP_ON_STARTUP: 'false' });
  client = new TaskClient(server.url);
  socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/events`);
  socket.on('message', (bytes) => frames.push(JSON.parse(String(bytes))));
  await new Promise((resolve) => socket.once('open', resolve));
  const direct = await client.post('/llm/simple/stream', { content: 'Hi', session_id: SESSION });
  directId = direct.headers.get('x-request-id') as string;
  await readEvents(direct);
  taskId = (await client.run({ content: 'What is a lighthouse?', session_id: SESSION })).id;
});
afterAll(async () => {
  socket.terminate();
  await server.close();
  await upstream.close();
});

describe('rules for all (0)', () => {
  it('has its errors in one form', async () => {
    expect((await get('/nowhere')).body).toMatchObject({ detail: text });
    const { status, body } = await post('/tasks', { content: 7 });
    expect(status).toBe(422);
    expect(body.detail).toEqual([{ type: text, loc: ['body', 'content'], msg: text, input: null }]);
    expect((await get('/history/requests?limit=0')).body.detail[0].loc).toEqual(['query', 'limit']);
    expect((await get('/tasks/7')).body.detail[0].loc).toEqual(['path', 'task_id']);
  });

  it.each<[string, string, object, string, (string | number)[]]>([
    ['what is missing', '/tasks', {}, 'missing', ['body', 'content']],
    ['another type', '/tasks', { content: null }, 'string_type', ['body', 'content']],
    ['a place in a list', '/tasks', { content: 'x', images: ['a', 7] }, 'string_type', ['body', 'images', 1]],
    ['too short a text', '/llm/simple/stream', { content: '' }, 'string_too_short', ['body', 'content']],
    ['too small a number', '/llm/simple/stream', { content: 'x', top_p: 0 }, 'greater_than', ['body', 'top_p']],
    ['no uuid', '/feedback', { task_id: 'x', rating: 'up' }, 'uuid_parsing', ['body', 'task_id']],
    ['no name', '/models/install', { name: 'a/b' }, 'value_error', ['body', 'name']],
    ['an empty name', '/models/install', { name: '' }, 'value_error', ['body', 'name']],
    [
      'half a name',
      '/models/registry/install',
      { name: 'x', provider: 'huggingface' },
      'value_error',
      ['body', 'name'],
    ],
    ['nobody', '/models/registry/install', { name: 'x', provider: 'nobody' }, 'value_error', ['body', 'provider']],
    [
      'no precision',
      '/models/onnx/build',
      { model_name: 'x', precision: 'int3' },
      'value_error',
      ['body', 'precision'],
    ],
  ])('names %s in the words of the original', async (_name, path, sent, type, loc) => {
    const { status, body } = await post(path, sent);
    expect(status).toBe(422);
    expect(body.detail).toEqual([{ type, loc, msg: text, input: null }]);
  });

  it.each([
    '12345678-1234-1234-1234-123456789abc',
    'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
    '00000000-0000-0000-0000-000000000000',
  ])('takes %s for an id that names nothing', async (id) => {
    for (const path of [`/tasks/${id}`, `/tasks/${id}/stream`, `/history/requests/${id}`, `/flow/${id}`])
      expect([path, (await fetch(client.url + path)).status]).toEqual([path, 404]);
    expect((await post(`/queue/task/${id}/abort`)).status).toBe(404);
    expect((await post('/feedback', { task_id: id, rating: 'up' })).status).toBe(404);
    expect((await get(`/tasks/${taskId.toUpperCase()}`)).body.id).toBe(taskId);
  });

  it('takes JSON that does not say so, and nothing that says otherwise', async () => {
    const send = (type: string | null) =>
      fetch(`${client.url}/tasks`, {
        method: 'POST',
        // A string would get a type of its own.
        body: new Blob(['{"content":"help"}']),
        ...(type === null ? {} : { headers: { 'content-type': type } }),
      });
    expect((await send(null)).status).toBe(201);
    expect((await send('application/json; charset=utf-8')).status).toBe(201);
    const refused = await send('application/xml');
    expect([refused.status, ((await refused.json()) as Json).code]).toEqual([415, 'invalid_input']);
  });

  it('takes an address with a slash at its end', async () => {
    expect((await get('/queue/status/')).status).toBe(200);
    expect((await post('/tasks/', { content: 'help' })).status).toBe(201);
  });

  it('lets the UI of the original in, with its two headers', async () => {
    const response = await fetch(`${client.url}/queue/status`, { headers: { origin: 'http://localhost:3100' } });
    expect(response.headers.get('access-control-allow-origin')).toBe('http://localhost:3100');
    expect(response.headers.get('access-control-allow-credentials')).toBe('true');
    expect(response.headers.get('access-control-expose-headers')).toBe('x-request-id, x-session-id');
  });
});

describe('health and system (1)', () => {
  it.each<[string, unknown]>([
    [
      '/system/status',
      {
        status: 'success',
        boot_id: text,
        system_healthy: flag,
        memory_usage_mb: number,
        memory_total_mb: number,
        memory_usage_percent: number,
        vram_usage_mb: orNull(number),
        vram_total_mb: orNull(number),
        vram_usage_percent: orNull(number),
      },
    ],
    ['/system/services', { status: 'success', services: list, count: number }],
    [
      '/metrics',
      {
        status: 'ok',
        uptime_seconds: number,
        start_time: text,
        tasks: { created: number, success_rate: number },
        routing: { llm_only: number, tool_required: number, learning_logged: number },
        feedback: { up: number, down: number },
        policy: {
          blocked_count: number,
          block_rate: number,
          deny_rate: number,
          top_reason_codes: list,
          false_positive_triage: { candidate_count: number, candidate_rate: number, top_candidate_reasons: list },
        },
        network: { total_bytes: number },
        models: { generation_params_updates: number },
        llm: {
          first_token_samples: number,
          first_token_avg_ms: orNull(number),
          ollama_runtime: {
            samples: number,
            load_duration_avg_ms: orNull(number),
            prompt_eval_count_total: number,
            eval_count_total: number,
            prompt_eval_duration_avg_ms: orNull(number),
            eval_duration_avg_ms: orNull(number),
          },
        },
        runtime_switch: {
          model_selected_total: number,
          model_mismatch_detected_total: number,
          by_source: map,
          by_runtime: map,
        },
        tokens_used_session: number,
        tool_usage: map,
        agent_usage: map,
      },
    ],
    ['/metrics/tokens', { session_total_tokens: number, session_cost_usd: number, models_breakdown: map }],
    [
      '/metrics/execution-mode',
      {
        status: 'ok',
        kpi: {
          total: number,
          counts: { api_skill: number, browser_automation: number, gui_fallback: number },
          share_rate: { api_skill: number, browser_automation: number, gui_fallback: number },
          success_rate: number,
          manual_intervention_rate: number,
          retry_loop_rate: number,
        },
        alerts: { gui_fallback_overuse: { active: flag, threshold: 20, current: number, severity: 'none' } },
      },
    ],
  ])('GET %s', async (path, shape) => {
    const { status, body } = await get(path);
    expect(status).toBe(200);
    expect(body).toMatchObject(shape as object);
  });

  it('GET /metrics/system is GET /metrics, and /healthz has no prefix', async () => {
    expect(Object.keys((await get('/metrics/system')).body)).toEqual(Object.keys((await get('/metrics')).body));
    expect(await (await fetch(`${server.url}/healthz`)).json()).toEqual({ status: 'ok', component: 'venom-core' });
  });

  it('GET /system/services/{name} adds two fields, and does not know others', async () => {
    const { services } = (await get('/system/services')).body;
    const service = {
      name: text,
      type: text,
      status: expect.stringMatching(/^(online|offline|degraded|unknown)$/),
      latency_ms: number,
      last_check: orNull(text),
      is_critical: flag,
    };
    for (const found of services) expect(found).toMatchObject(service);
    const one = await get(`/system/services/${encodeURIComponent(services[0].name)}`);
    expect(one.body).toMatchObject({
      status: 'success',
      service: { ...service, error_message: orNull(text), description: orNull(text) },
    });
    expect((await get('/system/services/Nobody')).status).toBe(404);
  });
});

describe('tasks, queue, history (2)', () => {
  it('POST /tasks', async () => {
    const { status, body } = await post('/tasks', {
      content: '',
      preferred_language: null,
      session_id: null,
      images: null,
      store_knowledge: true,
      extra_context: null,
      unknown_field: 1,
    });
    expect(status).toBe(201);
    expect(body).toEqual({
      task_id: uuid,
      status: 'PENDING',
      decision: 'allow',
      llm_provider: 'openai-compatible',
      llm_model: 'fake-model',
      llm_endpoint: upstream.url,
      policy_blocked: false,
      reason_code: null,
      user_message: null,
      remediation_hint: null,
      technical_context: null,
      execution_mode: orNull(text),
      fallback_reason: null,
    });
    await client.ended(body.task_id);
  });

  it('GET /tasks and one of them', async () => {
    const task = {
      id: uuid,
      content: text,
      created_at: zulu,
      status: expect.stringMatching(/^(PENDING|PROCESSING|COMPLETED|FAILED)$/),
      result: orNull(text),
      logs: list,
      context_history: map,
      context_used: orNull(map),
    };
    const { body } = await get('/tasks');
    expect(body.length).toBeGreaterThan(0);
    for (const found of body) expect(found).toMatchObject(task);
    expect((await get(`/tasks/${taskId}`)).body).toMatchObject({ ...task, id: taskId, status: 'COMPLETED' });
    expect((await get(`/tasks/${UNKNOWN}`)).status).toBe(404);
    expect((await fetch(`${client.url}/tasks/${UNKNOWN}/stream`)).status).toBe(404);
  });

  it('GET /tasks/{id}/stream: updates, heartbeats when it is quiet, one end', async () => {
    upstream.behaviour = async (body, response) => {
      await new Promise((resolve) => setTimeout(resolve, 3_200));
      await streams(['late'])(body, response);
    };
    const id = await client.submit({ content: 'Tell me something slowly' });
    const events = await client.follow(`/tasks/${id}/stream`);
    upstream.behaviour = streams(['Hello', ' ', 'world']);
    const fields = {
      task_id: id,
      status: text,
      result: orNull(text),
      timestamp: offset,
      llm_provider: orNull(text),
      llm_model: orNull(text),
      llm_endpoint: orNull(text),
      llm_status: orNull(text),
      context_history: map,
    };
    const names = events.map(({ event }) => event);
    expect(names[0]).toBe('task_update');
    expect(names).toContain('heartbeat');
    expect(names.at(-1)).toBe('task_finished');
    expect(names.filter((name) => name === 'task_finished')).toHaveLength(1);
    expect(names.at(-2)).toBe('task_update');
    for (const { event, data } of events) {
      expect(data).toMatchObject(fields);
      if (event === 'task_update') expect(data).toMatchObject({ logs: list });
      if (event === 'heartbeat') expect(data).toMatchObject({ logs: [] });
      if (event === 'task_finished') expect(data).not.toHaveProperty('logs');
    }
  }, 15_000);

  it('the queue', async () => {
    const id = await client.submit({ content: 'help' });
    await client.ended(id);
    expect((await get('/queue/status')).body).toEqual({
      paused: false,
      pending: 0,
      active: 0,
      processing: 0,
      limit: orNull(number),
    });
    expect((await post('/queue/pause')).body).toEqual({ success: true, paused: true, active_tasks: 0, message: text });
    const waiting = await client.submit({ content: 'help' });
    expect((await post('/queue/purge')).body).toEqual({ success: true, removed: 1, active_tasks: 0, message: text });
    expect((await client.task(waiting)).status).toBe('FAILED');
    const resumed = await post('/queue/resume');
    expect(resumed.body).toEqual({ success: true, paused: false, pending_tasks: 0, message: text });
    expect((await post('/queue/emergency-stop')).body).toEqual({
      success: true,
      cancelled: 0,
      purged: 0,
      paused: true,
      message: text,
    });
    await post('/queue/resume');
    expect((await post(`/queue/task/${UNKNOWN}/abort`)).status).toBe(404);
    expect((await post(`/queue/task/${taskId}/abort`)).status).toBe(404);
    upstream.behaviour = () => {};
    const stuck = await client.submit({ content: 'Tell me about nothing' });
    await client.until(stuck, ({ status }) => status === 'PROCESSING');
    expect((await post(`/queue/task/${stuck}/abort`)).body).toEqual({ success: true, task_id: stuck, message: text });
    expect((await client.task(stuck)).status).toBe('FAILED');
    upstream.behaviour = streams(['Hello', ' ', 'world']);
  });

  const SUMMARY = {
    request_id: uuid,
    prompt: text,
    status: text,
    session_id: orNull(text),
    created_at: offset,
    finished_at: orNull(offset),
    duration_seconds: orNull(number),
    llm_provider: orNull(text),
    llm_model: orNull(text),
    llm_endpoint: orNull(text),
    llm_config_hash: orNull(text),
    llm_runtime_id: orNull(text),
    adapter_applied: null,
    adapter_id: null,
    forced_tool: orNull(text),
    forced_provider: orNull(text),
    forced_intent: orNull(text),
    error_code: orNull(text),
    error_class: orNull(text),
    error_message: orNull(text),
    error_details: orNull(map),
    error_stage: orNull(text),
    error_retryable: orNull(flag),
    feedback: null,
    result: null,
  };

  it('GET /history/requests', async () => {
    const { body } = await get('/history/requests?limit=1000');
    expect(body.map(({ request_id }: Json) => request_id)).toEqual(expect.arrayContaining([directId, taskId]));
    for (const found of body) expect(found).toMatchObject(SUMMARY);
    expect((await get('/history/requests?status=NONSENSE')).status).toBe(400);
    for (const query of ['limit=1001', 'offset=-1', 'limit=x'])
      expect((await get(`/history/requests?${query}`)).status, query).toBe(422);
  });

  it('GET /history/requests/{id}, for Direct and for tasks', async () => {
    const detail = {
      ...SUMMARY,
      steps: list,
      first_token: orNull(map),
      streaming: { chunk_count: number, first_chunk_ms: number, last_emit_ms: number },
      context_preview: { mode: text, prompt_context_preview: text, prompt_context_truncated: flag },
      generation_params: orNull(map),
      llm_runtime: map,
      routing_decision: {
        target_runtime: orNull(text),
        provider: orNull(text),
        model: orNull(text),
        reason_code: text,
        complexity_score: number,
        is_sensitive: flag,
        fallback_applied: flag,
        fallback_chain: list,
        policy_gate_passed: flag,
        estimated_cost_usd: number,
        budget_remaining_usd: orNull(number),
        decision_timestamp: offset,
        decision_latency_ms: number,
        error_message: orNull(text),
      },
      context_used: orNull(map),
    };
    const direct = (await get(`/history/requests/${directId}`)).body;
    expect(direct).toMatchObject({ ...detail, context_preview: { mode: 'direct' }, result: null });
    const task = (await get(`/history/requests/${taskId}`)).body;
    expect(task).toMatchObject({ ...detail, context_preview: { mode: 'normal' }, result: 'Hello world' });
    for (const { steps } of [direct, task])
      for (const step of steps)
        expect(step).toMatchObject({
          component: text,
          action: text,
          timestamp: offset,
          status: text,
          details: orNull(text),
        });
    expect(direct.first_token).toMatchObject({ at: offset, elapsed_ms: number, preview: text });
    expect((await get(`/history/requests/${UNKNOWN}`)).status).toBe(404);
  });

  it('GET /flow/{id}', async () => {
    const { body } = await get(`/flow/${taskId}`);
    expect(body).toMatchObject({
      request_id: taskId,
      prompt: text,
      status: 'COMPLETED',
      created_at: offset,
      finished_at: offset,
      duration_seconds: number,
      steps: list,
      mermaid_diagram: expect.stringMatching(/^sequenceDiagram\n\s*autonumber\n/),
    });
    for (const step of body.steps) expect(step.is_decision_gate).toBe(step.component === 'DecisionGate');
    expect((await get(`/flow/${UNKNOWN}`)).status).toBe(404);
  });
});

describe('Direct chat (4)', () => {
  it('frames its events with a space, under its headers', async () => {
    const response = await client.post('/llm/simple/stream', { content: 'Hi', session_id: SESSION });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': expect.stringMatching(/^text\/event-stream/),
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
      'x-request-id': uuid,
      'x-session-id': SESSION,
    });
    const body = await response.text();
    expect(body).toMatch(/^(?:id: [^\n]*\n)?event: start\ndata: \{/);
    expect(body.trimEnd().split('\n\n').at(-1)).toMatch(/^event: done\ndata: \{\}(?:\n|$)/);
    const { headers } = await client.post('/llm/simple/stream', { content: 'Hi' });
    expect(headers.get('x-session-id')).toBe('');
  });

  it('tells a failure under both names, and no done after it', async () => {
    upstream.behaviour = (_body, response) => void response.writeHead(500).end('{}');
    const events = await readEvents(await client.post('/llm/simple/stream', { content: 'Hi' }));
    upstream.behaviour = streams(['Hello', ' ', 'world']);
    const { data } = events.at(-1) as { data: Json };
    expect(events.at(-1)).toMatchObject({ event: 'error', data: { code: 'llm_http_error', message: text } });
    expect(data.error).toBe(data.message);
  });

  it.each<[string, object]>([
    ['no content', {}],
    ['an empty content', { content: '' }],
    ['too long a content', { content: 'x'.repeat(50_001) }],
    ['top_p 0', { content: 'Hi', top_p: 0 }],
    ['top_p above 1', { content: 'Hi', top_p: 1.1 }],
    ['top_logprobs above 20', { content: 'Hi', top_logprobs: 21 }],
  ])('answers %s with 422', async (_name, body) => {
    const answer = await post('/llm/simple/stream', body);
    expect(answer.status).toBe(422);
    expect(answer.body.detail[0]).toMatchObject({ loc: expect.arrayContaining(['body']), msg: text, type: text });
  });

  it('keeps the steps the UI reads', async () => {
    const { steps } = (await get(`/history/requests/${directId}`)).body;
    const of = (action: string) =>
      steps.find((step: Json) => step.action === action && step.component === 'SimpleMode');
    expect(of('request')).toBeDefined();
    expect(of('first_chunk').details).toMatch(/^elapsed_ms=\d+ preview=Hello/);
    expect(JSON.parse(of('response').details)).toMatchObject({
      chunks: 3,
      total_ms: number,
      chars: 11,
      response: 'Hello world',
      truncated: false,
    });
  });
});

describe('model servers (3)', () => {
  it('lists the one that answers, with what it can be asked to do', async () => {
    const { active_server } = (await get('/system/llm-servers/active')).body;
    const { servers } = (await get('/system/llm-servers')).body;
    expect(servers.find(({ name }: Json) => name === active_server)).toMatchObject({
      display_name: text,
      description: text,
      endpoint: upstream.url,
      provider: active_server,
      health_url: `${upstream.url}/models`,
      supports: { start: false, stop: false, restart: false },
      capabilities: {
        supports_stop: false,
        supports_start: false,
        supports_restart: false,
        supports_health_wait: flag,
        supports_cache_flush: flag,
        supports_model_unload: flag,
        is_in_process: false,
        release_wait_seconds: number,
      },
      status: 'online',
    });
    for (const { name, status } of servers) if (name !== active_server) expect(status).toBe('inactive');
    expect((await post(`/system/llm-servers/${active_server}/start`, {})).status).toBe(400);
    expect((await post('/system/llm-servers/active', { server_name: 'nobody' })).status).toBe(404);
    expect((await post('/system/llm-servers/active', { server_name: active_server })).body).toMatchObject({
      status: 'success',
      active_server,
      active_model: 'fake-model',
      config_hash: expect.stringMatching(/^[0-9a-f]{12}$/),
      runtime_id: `${active_server}@${upstream.url}`,
      stop_results: {},
      shutdown_results: map,
      lifecycle_state: { to_server: active_server, failed_step: null, is_complete: true, is_in_partial_state: false },
    });
  });
});

describe('models (5, 6)', () => {
  it('switches to nothing that is not there', async () => {
    expect((await post('/models/switch', { name: 'nobody' })).status).toBe(404);
    expect((await post('/models/switch', { name: 'fake-model', switch_source: 'somewhere' })).status).toBe(403);
    expect((await get('/system/llm-runtime/active')).body.runtime.model).toBe('fake-model');
    expect((await post('/models/switch', { name: 'fake-model', role: null })).body).toEqual({
      success: true,
      message: text,
      active_model: 'fake-model',
    });
  });

  it('keeps parameters of a model, and forgets them where there are none', async () => {
    await post('/models/fake-model/config', { params: { temperature: 0.5 } });
    expect((await get('/models/fake-model/config')).body.current_values.temperature).toBe(0.5);
    expect((await post('/models/fake-model/config', {})).body).toMatchObject({ success: true, params: {} });
    expect((await get('/models/fake-model/config')).body.current_values.temperature).toBe(0.7);
  });

  it('builds no ONNX models, and says so', async () => {
    const { status, body } = await post('/models/onnx/build', { model_name: 'x', builder_script: '/tmp/x.py' });
    expect([status, body.code]).toEqual([400, 'unsupported']);
  });
});

describe('session memory, feedback, learning (7)', () => {
  it('GET and DELETE /memory/session/{id}', async () => {
    const { body } = await get(`/memory/session/${SESSION}`);
    expect(body).toMatchObject({ status: 'success', session_id: SESSION, history: list, summary: orNull(text) });
    expect(body.count).toBe(body.history.length);
    for (const entry of body.history)
      expect(entry).toMatchObject({
        role: expect.stringMatching(/^(user|assistant)$/),
        content: text,
        session_id: SESSION,
        request_id: uuid,
        timestamp: zulu,
        knowledge_metadata: map,
      });
    expect(await get('/memory/session/nobody')).toEqual({
      status: 200,
      body: expect.objectContaining({ status: 'success', history: [], summary: null, count: 0 }),
    });
    const other = await client.run({ content: 'help', session_id: 'to-delete' });
    expect(other.status).toBe('COMPLETED');
    expect((await post('/memory/session/to-delete', undefined, 'DELETE')).body).toMatchObject({
      status: 'success',
      session_id: 'to-delete',
      deleted_vectors: number,
      cleared_tasks: 1,
      message: text,
    });
  });

  it('feedback', async () => {
    expect((await post('/feedback', { task_id: taskId, rating: 'up' })).body).toEqual({
      status: 'ok',
      feedback_saved: true,
      follow_up_task_id: null,
    });
    const down = await post('/feedback', { task_id: taskId, rating: 'down', comment: 'Shorter, please' });
    expect(down.body).toEqual({ status: 'ok', feedback_saved: true, follow_up_task_id: uuid });
    await client.ended(down.body.follow_up_task_id);
    expect((await post('/feedback', { task_id: taskId, rating: 'sideways' })).status).toBe(400);
    expect((await post('/feedback', { task_id: taskId, rating: 'down' })).status).toBe(400);
    expect((await post('/feedback', { task_id: UNKNOWN, rating: 'up' })).status).toBe(404);
    const said = { rating: 'down', comment: 'Shorter, please', timestamp: offset };
    expect((await get(`/history/requests/${taskId}`)).body.feedback).toEqual(said);
    const listed = (await get('/history/requests')).body.find(({ request_id }: Json) => request_id === taskId);
    expect(listed.feedback).toEqual(said);
    const logs = (await get('/feedback/logs')).body;
    expect(logs.count).toBe(2);
    expect(logs.items[0]).toMatchObject({
      task_id: taskId,
      timestamp: text,
      rating: 'down',
      comment: 'Shorter, please',
      prompt: text,
      result: orNull(text),
      intent: orNull(text),
      tool_required: orNull(flag),
    });
    expect((await get('/feedback/logs?rating=sideways')).status).toBe(400);
  });

  it.each(['/feedback/logs', '/learning/logs', '/learning/hidden-prompts'])('clamps the limit of %s', async (path) => {
    for (const limit of ['0', '-5', '501', '99999999']) {
      const { status, body } = await get(`${path}?limit=${limit}`);
      expect([limit, status]).toEqual([limit, 200]);
      expect(body).toMatchObject({ count: number, items: list });
    }
  });

  it('learning logs and hidden prompts', async () => {
    await vi.waitFor(async () => expect((await get('/learning/logs')).body.count).toBeGreaterThan(0));
    const { items } = (await get('/learning/logs')).body;
    for (const item of items)
      expect(item).toMatchObject({
        task_id: uuid,
        timestamp: text,
        intent: orNull(text),
        tool_required: orNull(flag),
        success: flag,
        need: orNull(text),
        outcome: orNull(text),
        error: orNull(text),
        fast_path_hint: orNull(text),
        tags: list,
      });
    const active = await post('/learning/hidden-prompts/active', {
      intent: 'GENERAL_CHAT',
      prompt: 'How?',
      approved_response: 'So.',
      active: true,
      actor: 'tester',
    });
    expect(active.body).toEqual({
      count: 1,
      items: [
        {
          intent: 'GENERAL_CHAT',
          prompt: 'How?',
          approved_response: 'So.',
          prompt_hash: text,
          updated_at: text,
          activated_by: 'tester',
          activated_at: text,
        },
      ],
    });
    expect((await get('/learning/hidden-prompts/active?intent=GENERAL_CHAT')).body).toEqual(active.body);
    expect((await get('/learning/hidden-prompts/active?intent=OTHER')).body).toEqual({ count: 0, items: [] });
  });
});

describe('WebSocket (8)', () => {
  const of = (type: string) => frames.filter((frame) => frame.type === type);

  it('sends every frame in one form, ignores what comes in, and tells all of each connection', async () => {
    socket.send('hello');
    socket.send('{"type":"x"');
    const before = of('SYSTEM_LOG').length;
    const second = new WebSocket(`${server.url.replace('http', 'ws')}/ws/events`);
    await new Promise((resolve) => second.once('open', resolve));
    await vi.waitFor(() => expect(of('SYSTEM_LOG')).toHaveLength(before + 1));
    expect(of('SYSTEM_LOG').at(-1)).toMatchObject({ data: { level: 'INFO' } });
    second.terminate();
    expect(socket.readyState).toBe(WebSocket.OPEN);
    for (const frame of frames)
      expect(frame).toEqual({ type: text, agent: orNull(text), message: text, timestamp: zulu, data: orNull(map) });
  });

  it('tells a task’s life', async () => {
    const mine = (type: string) => of(type).find(({ data }) => data?.task_id === taskId);
    await vi.waitFor(() => expect(mine('TASK_COMPLETED')).toBeDefined());
    expect(mine('TASK_CREATED')?.data).toMatchObject({ task_id: taskId, content: 'What is a lighthouse?' });
    expect(mine('TASK_STARTED')?.data).toEqual({ task_id: taskId });
    expect(mine('TASK_COMPLETED')?.data).toMatchObject({ task_id: taskId, result_length: 11 });
    expect(mine('AGENT_THOUGHT')?.data).toMatchObject({ task_id: taskId, intent: text });
    expect(mine('AGENT_ACTION')).toMatchObject({ agent: text, message: 'Hello world', data: { task_id: taskId } });
  });

  it('tells what is learnt', async () => {
    await vi.waitFor(() =>
      expect(of('LESSON_LEARNED').at(-1)?.data).toEqual({ task_id: taskId, lesson_id: uuid, success: false }),
    );
    const { lessons } = (await get('/lessons')).body;
    expect(lessons.map(({ lesson_id }: Json) => lesson_id)).toContain(of('LESSON_LEARNED').at(-1)?.data.lesson_id);
  });

  it('tells of the queue, of failures and of help', async () => {
    expect(of('QUEUE_PAUSED').at(-1)?.data).toEqual({ active_tasks: 0 });
    expect(of('QUEUE_RESUMED').at(-1)?.data).toEqual({ pending_tasks: 0 });
    expect(of('QUEUE_PURGED').at(-1)?.data).toEqual({ removed: 1, active: 0 });
    expect(of('EMERGENCY_STOP').at(-1)?.data).toEqual({ cancelled: 0, purged: 0 });
    expect(of('TASK_QUEUED').at(-1)?.data).toMatchObject({ task_id: uuid });
    expect(of('TASK_ABORTED').at(-1)?.data).toEqual({ task_id: uuid });
    expect(of('RENDER_WIDGET').at(-1)?.data).toEqual({
      widget: { id: expect.stringMatching(/^help-/), type: 'markdown', data: { content: text } },
    });
    upstream.behaviour = (_body, response) => void response.writeHead(500).end('{}');
    const failed = await client.run({ content: 'Tell me about failure' });
    upstream.behaviour = streams(['Hello', ' ', 'world']);
    await vi.waitFor(() =>
      expect(of('TASK_FAILED').find(({ data }) => data.task_id === failed.id)?.data).toEqual({
        task_id: failed.id,
        error: text,
      }),
    );
  });
});
