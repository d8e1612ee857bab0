// Normal chat: tasks from submission to their stored end.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { chunk, type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';
import { TaskClient } from './task-client.js';

let upstream: FakeUpstream;
let server: TestServer;
let client: TaskClient;

beforeEach(async () => {
  upstream = await startFakeUpstream();
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url });
  client = new TaskClient(server.url);
});
afterEach(async () => {
  await server.close();
  await upstream.close();
});

/** An answer that goes on until it is let go. */
function heldAnswer() {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  upstream.behaviour = async (_body, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chunk({ content: 'Begun' }));
    await held;
    if (!response.destroyed) response.end(`${chunk({ content: ' and done' })}${chunk({}, 'stop')}data: [DONE]\n\n`);
  };
  return { release };
}

describe('POST /tasks', () => {
  it('takes long prompts, and parameters out of the usual range', async () => {
    const content = 'Harbours and ships. '.repeat(7_500);
    const { status } = await client.run({
      content,
      generation_params: { temperature: 5, top_p: 0, top_k: -1, repeat_penalty: 90 },
    });
    expect(status).toBe('COMPLETED');
    // A server of OpenAI's wire has ranges of its own; engines that are known get what they take.
    expect(upstream.requests.at(-1)).toMatchObject({ temperature: 5 });
    expect((await client.post('/tasks', { content: 'x'.repeat(200_001) })).status).toBe(422);
  });

  it('answers 201 with the contract’s fields and completes in the background', async () => {
    const response = await client.post('/tasks', { content: 'Tell me a joke' });
    expect(response.status).toBe(201);
    const accepted = (await response.json()) as Record<string, unknown>;
    expect(accepted).toEqual({
      task_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
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
      execution_mode: 'api_skill',
      fallback_reason: null,
    });
    const task = await client.ended(accepted['task_id'] as string);
    expect(task).toMatchObject({
      status: 'COMPLETED',
      result: 'Hello world',
      content: 'Tell me a joke',
      context_used: { lessons: [], memory_entries: [] },
      context_history: {
        llm_runtime: { provider: 'openai-compatible', model: 'fake-model', status: 'ready', error: null },
        intent_debug: { source: 'lexicon', language: 'en' },
        tool_requirement: { required: false, intent: 'GENERAL_CHAT' },
        first_token: { preview: 'Hello' },
        streaming: { chunk_count: expect.any(Number) },
        routing_decision: { reason_code: 'default_eco_mode' },
      },
    });
    expect(task.created_at).toMatch(/Z$/);
  });

  it('refuses what has no content or too much of it, and an unknown shape', async () => {
    expect((await client.post('/tasks', {})).status).toBe(422);
    expect((await client.post('/tasks', { content: 'x'.repeat(200_001) })).status).toBe(422);
    expect((await client.post('/tasks', { content: 'x', generation_params: { temperature: 'hot' } })).status).toBe(422);
    expect((await fetch(`${client.url}/tasks/nope`)).status).toBe(422);
    expect((await fetch(`${client.url}/tasks/01a20e0d-0000-7000-8000-000000000000`)).status).toBe(404);
  });

  it('makes one task of one idempotency key, also when both come at once', async () => {
    const headers = { 'idempotency-key': 'once' };
    const ids = await Promise.all(Array.from({ length: 8 }, () => client.submit({ content: 'Hi' }, headers)));
    expect(new Set(ids).size).toBe(1);
    await client.ended(ids[0] as string);
    expect(await client.submit({ content: 'Hi' }, headers)).toBe(ids[0]);
    expect(await client.get<unknown[]>('/tasks')).toHaveLength(1);
    expect((await client.post('/tasks', { content: 'Hi' }, { 'idempotency-key': 'x'.repeat(201) })).status).toBe(400);
  });

  it('keeps question and answer in the session, and sends earlier messages along', async () => {
    await client.run({ content: 'First', session_id: 's-1' });
    await client.run({ content: 'Second', session_id: 's-1' });
    const { history } = await client.get<{ history: { role: string; content: string }[] }>('/memory/session/s-1');
    expect(history.map(({ role, content }) => `${role}: ${content}`)).toEqual([
      'user: First',
      'assistant: Hello world',
      'user: Second',
      'assistant: Hello world',
    ]);
    const messages = upstream.requests[1]?.['messages'] as { role: string; content: string }[];
    expect(messages.map(({ role, content }) => (role === 'system' ? role : content))).toEqual([
      'system',
      'First',
      'Hello world',
      'Second',
    ]);
  });

  it('passes generation parameters, tone and extra context on', async () => {
    await client.run({
      content: 'Hi',
      tone: 'cheerful',
      generation_params: { temperature: 0.3, max_tokens: 99, repeat_penalty: 1.2 },
      extra_context: { notes: ['The cat is called Mia.'], files: null },
    });
    expect(upstream.requests[0]).toMatchObject({ temperature: 0.3, max_tokens: 99, repeat_penalty: 1.2 });
    const sent = JSON.stringify(upstream.requests[0]?.['messages']);
    expect(sent).toContain('cheerful');
    expect(sent).toContain('The cat is called Mia.');
  });

  it('asks a model that is named for this one answer, and leaves the active one as it is', async () => {
    const named = await client.run({ content: 'Tell me a joke', model: 'org/other' });
    expect(named).toMatchObject({ status: 'COMPLETED', context_history: { llm_runtime: { model: 'org/other' } } });
    expect(upstream.requests.at(-1)?.['model']).toBe('org/other');
    await client.run({ content: 'Tell me another joke' });
    expect(upstream.requests.at(-1)?.['model']).toBe('fake-model');
  });

  it('fails with the envelope when the engine does, and never with an error text as a result', async () => {
    upstream.behaviour = (_body, response) => {
      response.writeHead(500, { 'content-type': 'application/json' });
      response.end('{"error":{"message":"boom"}}');
    };
    const task = await client.run({ content: 'Hi', session_id: 's-1' });
    expect(task.status).toBe('FAILED');
    expect(task.context_history.llm_runtime).toMatchObject({
      status: 'error',
      error: { error_code: 'upstream_rejected', stage: 'agent_runtime', error_details: { prompt_preview: 'Hi' } },
    });
    const detail = await client.get(`/history/requests/${task.id}`);
    expect(detail).toMatchObject({ status: 'FAILED', error_code: 'upstream_rejected', error_stage: 'agent_runtime' });
    const { messages } = await client.get<{ messages: { role: string; status: string; content: string }[] }>(
      '/sessions/s-1/messages',
    );
    expect(messages[1]).toMatchObject({ role: 'assistant', status: 'failed', content: '' });
  });

  it('calls an answer without a word a failure', async () => {
    upstream.behaviour = streams([]);
    expect((await client.run({ content: 'Hi' })).context_history.llm_runtime.error?.error_code).toBe(
      'upstream_protocol',
    );
  });
});

describe('routing checks', () => {
  it.each([
    [{ expected_config_hash: 'feedbeef0000' }, 'routing_mismatch'],
    [{ expected_runtime_id: 'ollama@elsewhere' }, 'routing_mismatch'],
    [{ forced_provider: 'gpt' }, 'forced_provider_mismatch'],
    [{ forced_tool: 'nonsense' }, 'forced_tool_unknown'],
    [{ forced_intent: 'WORLD_PEACE' }, 'forced_intent_unknown'],
  ])('fails %j as %s without asking the engine', async (expectation, code) => {
    const task = await client.run({ content: 'Hello there', ...expectation });
    expect(task.status).toBe('FAILED');
    expect(task.context_history.llm_runtime.error).toMatchObject({ error_code: code });
    expect(upstream.requests).toHaveLength(0);
  });

  it('runs where the expectation is met', async () => {
    const { config_hash, runtime_id } = await client.get<Record<string, string>>('/system/llm-servers/active');
    const task = await client.run({
      content: 'Hello there',
      expected_config_hash: config_hash,
      expected_runtime_id: runtime_id,
    });
    expect(task.status).toBe('COMPLETED');
  });
});

describe('the fast path', () => {
  it.each([
    ['help', 'HELP_REQUEST', 'HelpAgent'],
    ['what time is it?', 'TIME_REQUEST', 'TimeAgent'],
    ['system status', 'INFRA_STATUS', 'SystemStatusAgent'],
  ])('answers "%s" from a template', async (content, intent, agent) => {
    const task = await client.run({ content });
    expect(task.status).toBe('COMPLETED');
    expect(task.result?.length).toBeGreaterThan(5);
    expect(task.context_history.llm_runtime.status).toBe('skipped');
    expect(task.context_history['tool_requirement']).toMatchObject({ intent });
    expect(upstream.requests).toHaveLength(0);
    const { steps } = await client.get<{ steps: { component: string }[] }>(`/history/requests/${task.id}`);
    expect(steps.map(({ component }) => component)).toContain(agent);
  });

  it.each([
    ['what time is it?', /^It is \d\d:\d\d on /],
    ['która godzina', /^Jest \d\d:\d\d, /],
    ['wie spaet ist es', /^Es ist \d\d:\d\d Uhr, /],
    ['co potrafisz?', /^Jestem \*\*Venom\*\*/],
    ['Bestell mir eine Pizza', /^Das kann ich nicht/],
    ['läuft der Server?', /\*\*Zustand der Dienste\.\*\* .*läuft: \d/],
  ])('answers "%s" in its own language', async (content, expected) => {
    // The first check of the services begins with the server.
    await vi.waitFor(async () => expect((await client.run({ content })).result).toMatch(expected));
    expect(upstream.requests).toHaveLength(0);
  });

  it.each(['is it time to buy a house', 'explain heritage', 'how do I use docker compose', 'tell me about websites'])(
    'does not take "%s" for an order',
    async (content) => {
      const task = await client.run({ content });
      expect(task.context_history['tool_requirement']).toMatchObject({ required: false, intent: 'GENERAL_CHAT' });
      expect(task.result).toBe('Hello world');
      // The answer alone: no model is asked what was meant.
      expect(upstream.requests).toHaveLength(1);
    },
  );

  it('answers while no engine can be reached', async () => {
    await upstream.close();
    expect((await client.run({ content: 'help' })).status).toBe('COMPLETED');
    upstream = await startFakeUpstream();
  });

  it('says that a tool is missing instead of pretending', async () => {
    const task = await client.run({ content: 'Click through the page', forced_intent: 'E2E_TESTING' });
    expect(task.status).toBe('COMPLETED');
    expect(task.result).toContain('the tool for it is not installed');
    expect(task.context_history['forced_route']).toMatchObject({ intent: 'E2E_TESTING' });
    expect(upstream.requests).toHaveLength(0);
    const { steps } = await client.get<{ steps: { action: string }[] }>(`/history/requests/${task.id}`);
    expect(steps.map(({ action }) => action)).toContain('route_unsupported');
  });

  it('begins the session anew with /clear and goes on with the rest', async () => {
    await client.run({ content: 'Old', session_id: 's-1' });
    await client.run({ content: '/clear New', session_id: 's-1' });
    const { messages } = await client.get<{ messages: { content: string }[] }>('/sessions/s-1/messages');
    expect(messages.map(({ content }) => content)).toEqual(['/clear New', 'Hello world']);
    expect(JSON.stringify(upstream.requests[1]?.['messages'])).not.toContain('Old');
    const sent = upstream.requests[1]?.['messages'] as { role: string; content: string }[];
    expect(sent.filter(({ role }) => role === 'user').map(({ content }) => content)).toEqual(['New']);
  });

  it('asks no engine about a /clear alone', async () => {
    await client.run({ content: 'Old', session_id: 's-1' });
    const task = await client.run({ content: '/clear', session_id: 's-1', preferred_language: 'pl' });
    expect(task).toMatchObject({ status: 'COMPLETED', result: 'Rozmowa zaczyna się od nowa.' });
    expect(upstream.requests).toHaveLength(1);
  });
});

describe('GET /tasks', () => {
  it('lists the newest first, in pages by offset or cursor', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.push((await client.run({ content: 'help' })).id);
    const newestFirst = [...ids].reverse();
    expect((await client.get<{ id: string }[]>('/tasks')).map(({ id }) => id)).toEqual(newestFirst);
    const first = await fetch(`${client.url}/tasks?limit=2`);
    const page = (await first.json()) as { id: string }[];
    expect(page.map(({ id }) => id)).toEqual(newestFirst.slice(0, 2));
    const next = await client.get<{ id: string }[]>(`/tasks?limit=2&cursor=${first.headers.get('x-next-cursor')}`);
    expect(next.map(({ id }) => id)).toEqual(newestFirst.slice(2, 4));
    const rest = await client.get<{ id: string }[]>('/tasks?limit=2&offset=4');
    expect(rest.map(({ id }) => id)).toEqual(newestFirst.slice(4));
    expect((await fetch(`${client.url}/tasks?limit=0`)).status).toBe(422);
  });
});

describe('GET /tasks/{id}/stream', () => {
  it('frames the contract’s events without a space and ends with task_finished', async () => {
    const { release } = heldAnswer();
    const id = await client.submit({ content: 'Hi' });
    const reading = fetch(`${client.url}/tasks/${id}/stream`);
    await client.until(id, ({ result }) => result === 'Begun');
    release();
    const response = await reading;
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const text = await response.text();
    expect(text.startsWith(`event:task_update\ndata:{"task_id":"${id}"`)).toBe(true);
    expect(text).not.toMatch(/^(event|data): /m);
    expect(text).not.toMatch(/^(id|retry):/m);
    const names = [...text.matchAll(/^event:(\w+)$/gm)].map(([, name]) => name);
    expect(names.at(-1)).toBe('task_finished');
    expect(new Set(names)).toEqual(new Set(['task_update', 'task_finished']));
    const last = JSON.parse(text.trimEnd().split('\ndata:').at(-1) as string);
    expect(last).toMatchObject({ status: 'COMPLETED', result: 'Begun and done', llm_status: 'ready', llm_error: null });
    expect(last).not.toHaveProperty('logs');
    expect(last.timestamp).toMatch(/\+00:00$/);
    expect(last.context_history).toEqual(last.context);
  });

  it('sends each log line once', async () => {
    const id = await client.submit({ content: 'Hi' });
    const events = await client.follow(`/tasks/${id}/stream`);
    const logs = events.flatMap(({ data }) => (data['logs'] as string[] | undefined) ?? []);
    expect(logs).toEqual((await client.task(id)).logs);
  });

  it('tells of a task that has ended long ago', async () => {
    const { id } = await client.run({ content: 'help' });
    const events = await client.follow(`/tasks/${id}/stream`);
    expect(events.map(({ event }) => event)).toEqual(['task_update', 'task_finished']);
    expect((await fetch(`${client.url}/tasks/01a20e0d-0000-7000-8000-000000000000/stream`)).status).toBe(404);
  });

  it('sends deltas on request, which can be rejoined where they broke off', async () => {
    const tokens = Array.from({ length: 60 }, (_, n) => `word${n} `);
    upstream.behaviour = streams(tokens, 5);
    const id = await client.submit({ content: 'Hi' });
    const first = await client.follow(`/tasks/${id}/stream?deltas=true`, {
      enough: (events) => events.filter(({ event }) => event === 'task_delta').length >= 2,
    });
    const seen = first.filter(({ event }) => event === 'task_delta');
    const lastId = first.at(-1)?.id as string;
    const rest = await client.follow(`/tasks/${id}/stream`, {
      headers: { accept: 'text/event-stream; deltas=true', 'last-event-id': lastId },
    });
    const text = [...seen, ...rest.filter(({ event }) => event === 'task_delta')]
      .map(({ data }) => data['text'])
      .join('');
    expect(text).toBe(tokens.join(''));
    expect(rest.at(-1)).toMatchObject({ event: 'task_finished', data: { result: null, result_length: text.length } });
    const afterwards = await client.follow(`/tasks/${id}/stream?deltas=1&last_event_id=${lastId}`);
    expect(
      seen.map(({ data }) => data['text']).join('') +
        afterwards
          .filter(({ event }) => event === 'task_delta')
          .map(({ data }) => data['text'])
          .join(''),
    ).toBe(text);
  });

  it('sends a long result seldom enough not to grow with its square', async () => {
    upstream.behaviour = streams(
      Array.from({ length: 200 }, () => 'x'.repeat(50)),
      2,
    );
    const id = await client.submit({ content: 'Hi' });
    const events = await client.follow(`/tasks/${id}/stream`);
    expect(events.at(-1)?.data['result']).toHaveLength(10_000);
    expect(events.length).toBeLessThan(20);
  });
});

describe('history', () => {
  it('shows the steps of a Normal turn in the contract’s order', async () => {
    const { id } = await client.run({ content: 'Tell me a joke', session_id: 's-1' });
    const detail = await client.get<Record<string, unknown> & { steps: { component: string; action: string }[] }>(
      `/history/requests/${id}`,
    );
    expect(detail.steps.map(({ component, action }) => `${component}.${action}`)).toEqual([
      'User.submit_request',
      'RoutingDecision.compute',
      'Orchestrator.start_processing',
      'DecisionGate.intent_debug',
      'DecisionGate.execution_mode_selector',
      'DecisionGate.tool_requirement',
      'DecisionGate.context_preview',
      'Orchestrator.classify_intent',
      'DecisionGate.route_to_agent',
      'LLM.start',
      'ChatAgent.process_task',
      'System.complete',
    ]);
    expect(detail).toMatchObject({
      status: 'COMPLETED',
      session_id: 's-1',
      result: 'Hello world',
      first_token: { preview: 'Hello' },
      context_preview: { mode: 'normal', prompt_context_truncated: false },
      context_used: { lessons: [], memory_entries: [] },
      routing_decision: { provider: 'openai-compatible', model: 'fake-model', policy_gate_passed: true },
      llm_runtime: { status: 'ready' },
    });
  });

  it('draws the flow', async () => {
    const { id } = await client.run({ content: 'Draw; this --> <b>flow</b>\nplease', forced_intent: 'GENERAL_CHAT' });
    const flow = await client.get<{ mermaid_diagram: string; steps: { is_decision_gate: boolean }[] }>(`/flow/${id}`);
    const lines = flow.mermaid_diagram.split('\n');
    expect(lines.slice(0, 2)).toEqual(['sequenceDiagram', '    autonumber']);
    expect(lines).toContain('    User->>Orchestrator: Draw this -- b flow /b please');
    expect(lines.some((line) => line.startsWith('    Note over DecisionGate: intent_debug'))).toBe(true);
    expect(lines.at(-1)).toBe('    Orchestrator->>User: completed');
    expect(flow.steps.some(({ is_decision_gate }) => is_decision_gate)).toBe(true);
    expect((await fetch(`${client.url}/flow/01a20e0d-0000-7000-8000-000000000000`)).status).toBe(404);
  });
});

describe('events', () => {
  it('tells the world of a task’s life with the contract’s data', async () => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/events`);
    const events: { type: string; agent: string | null; data: Record<string, unknown> }[] = [];
    socket.on('message', (bytes) => events.push(JSON.parse(String(bytes))));
    await new Promise((resolve) => socket.once('open', resolve));
    const { id } = await client.run({ content: 'Tell me a joke' });
    await client.run({ content: 'help' });
    await vi.waitFor(() => expect(events.filter(({ type }) => type === 'TASK_COMPLETED')).toHaveLength(2));
    socket.close();
    const own = events.filter(({ data }) => data?.['task_id'] === id);
    expect(own.map(({ type }) => type)).toEqual([
      'TASK_CREATED',
      'TASK_STARTED',
      'AGENT_THOUGHT',
      'AGENT_ACTION',
      'TASK_COMPLETED',
    ]);
    expect(own[0]?.data).toEqual({ task_id: id, content: 'Tell me a joke' });
    expect(own[2]?.data).toEqual({ task_id: id, intent: 'GENERAL_CHAT' });
    expect(own[3]).toMatchObject({ agent: 'ChatAgent', message: 'Hello world' });
    expect(own[4]?.data).toEqual({ task_id: id, result_length: 11 });
    const widget = events.find(({ type }) => type === 'RENDER_WIDGET');
    expect(widget?.data).toMatchObject({ widget: { id: expect.stringMatching(/^help-/), type: 'markdown' } });
  });
});

describe('code', () => {
  it('is reviewed and repaired until it is approved', async () => {
    const answers = ['draft one', 'It has a mistake.', 'draft two', 'APPROVED'];
    upstream.behaviour = (body, response) => streams([answers.shift() ?? 'too many'])(body, response);
    const task = await client.run({ content: 'Sort a list', forced_intent: 'CODE_GENERATION' });
    expect(task).toMatchObject({
      status: 'COMPLETED',
      result: 'draft two',
      context_history: { code_review: { approved: true, rounds: 2 } },
    });
    expect(JSON.stringify(upstream.requests[2]?.['messages'])).toContain('It has a mistake.');
  });

  it('stops when the reviewer repeats itself, and warns', async () => {
    let asked = 0;
    upstream.behaviour = (body, response) => {
      asked += 1;
      return streams([asked % 2 === 1 ? `draft ${asked}` : 'Still wrong.'])(body, response);
    };
    const task = await client.run({ content: 'Sort a list', forced_intent: 'CODE_GENERATION' });
    expect(task.result).toContain('draft 3');
    expect(task.result).toContain('Still wrong.');
    expect(task.context_history['code_review']).toMatchObject({ approved: false, stopped: 'same_feedback' });
  });
});
