// Complex chat on a scripted model: the plan, its steps side by side, what is repaired and what is named.
import type { ServerResponse } from 'node:http';
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

const plan = (...steps: { agent?: string; instruction: string; needs?: number[] | number | null }[]) =>
  JSON.stringify({
    steps: steps.map(({ agent = 'RESEARCHER', instruction, needs = [] }, index) => ({
      step_number: index + 1,
      agent_type: agent,
      instruction,
      depends_on: needs,
    })),
  });

/** Answers the Architect with `plans` in turn, and each step by its instruction. */
function script(plans: string[], step: (instruction: string, response: ServerResponse, body: object) => unknown) {
  upstream.behaviour = async (body, response) => {
    const messages = body['messages'] as { role: string; content: string }[];
    const last = messages.at(-1)?.content ?? '';
    if (body['response_format']) return streams([plans.shift() ?? 'no more plans'])(body, response);
    await step(last.split('Your step:\n')[1] ?? last, response, body);
  };
}

const complex = (content = 'Make a small shop') => client.run({ content, forced_intent: 'COMPLEX_PLANNING' });
const says = (text: string, body: object, response: ServerResponse) => streams([text])(body as never, response);

describe('Complex chat', () => {
  it('plans with a schema, runs the steps and reports', async () => {
    script(
      [plan({ instruction: 'Find facts' }, { agent: 'CODER', instruction: 'Write it', needs: [1] })],
      (instruction, response, body) => says(`Result of "${instruction}"`, body, response),
    );
    const task = await complex();
    expect(task.status).toBe('COMPLETED');
    expect(task.result).toContain('**2 of 2 steps done**');
    expect(task.result).toContain('### Step 1: Find facts\n\nResult of "Find facts"');
    expect(task.logs).toEqual(expect.arrayContaining(['Plan with 2 steps.', 'Step 1 done.', 'Step 2 done.']));
    expect(upstream.requests[0]?.['response_format']).toMatchObject({ type: 'json_schema' });
    expect(JSON.stringify(upstream.requests[2]?.['messages'])).toContain('Result of step 1');
    const { steps } = await client.get<{ steps: { component: string; action: string }[] }>(
      `/history/requests/${task.id}`,
    );
    expect(steps.map(({ component, action }) => `${component}.${action}`)).toEqual(
      expect.arrayContaining(['DecisionGate.route_to_architect', 'Architect.step_1', 'ArchitectAgent.process_task']),
    );
  });

  it('reports in the language of the goal, though the intent is forced', async () => {
    script([plan({ instruction: 'Schreibe es' })], (_name, response, body) => says('Fertig.', body, response));
    const task = await complex('Bitte schreibe mir ein kurzes Gedicht über den Herbst und die fallenden Blätter');
    expect(task.result).toContain('**1 von 1 Schritten erledigt**');
  });

  it('runs steps that do not need each other at the same time', async () => {
    let open = 0;
    let together = 0;
    script(
      [plan({ instruction: 'A' }, { instruction: 'B' }, { instruction: 'C', needs: [1, 2] })],
      async (name, response, body) => {
        open += 1;
        together = Math.max(together, open);
        if (name !== 'C') await vi.waitFor(() => expect(together).toBe(2));
        open -= 1;
        await says(name, body, response);
      },
    );
    expect((await complex()).status).toBe('COMPLETED');
    expect(together).toBe(2);
  });

  it('has a bad plan repaired once', async () => {
    script(['Sure! First we think.', plan({ instruction: 'Do it' })], (name, response, body) =>
      says(name, body, response),
    );
    const task = await complex();
    expect(task.result).toContain('### Step 1: Do it');
    expect(JSON.stringify(upstream.requests[1]?.['messages'])).toContain('This is no usable plan');
  });

  it('does tangled steps one after the other when the plan stays tangled', async () => {
    const tangled = plan({ instruction: 'A', needs: [2] }, { instruction: 'B' });
    script([tangled, tangled], (name, response, body) => says(name, body, response));
    const task = await complex();
    expect(task.context_history['plan']).toMatchObject([
      { step: 1, instruction: 'A', depends_on: [], status: 'done' },
      { step: 2, instruction: 'B', depends_on: [1], status: 'done' },
    ]);
  });

  it.each([
    ['an agent nobody knows', plan({ agent: 'WIZARD', instruction: 'A' })],
    ['too many steps', plan(...Array.from({ length: 9 }, (_, n) => ({ instruction: `Step ${n}` })))],
    ['no steps', '{"steps":[]}'],
  ])('makes one step of the goal when the plan stays wrong: %s', async (_what, wrong) => {
    script([wrong, wrong], (name, response, body) => says(name, body, response));
    const task = await complex('Write a poem');
    expect(task.context_history['plan']).toEqual([
      { step: 1, agent: 'CODER', instruction: 'Write a poem', depends_on: [], status: 'done' },
    ]);
    expect(task.result).toContain('### Step 1: Write a poem');
    expect(task.result).toContain('_The model made no usable plan, so the goal was done in one step._');
    expect(task.context_history['plan_source']).toBe('whole');
  });

  it('repairs a failing step once, and names one that fails again and what needed it', async () => {
    const tries: Record<string, number> = {};
    script(
      [plan({ instruction: 'Flaky' }, { instruction: 'Broken' }, { instruction: 'Needs broken', needs: 2 })],
      (name, response, body) => {
        tries[name] = (tries[name] ?? 0) + 1;
        if (name === 'Broken' || (name === 'Flaky' && tries[name] === 1)) return says('', body, response);
        return says(`${name} works`, body, response);
      },
    );
    const task = await complex();
    expect(tries).toEqual({ Flaky: 2, Broken: 2 });
    expect(task.status).toBe('COMPLETED');
    expect(task.result).toContain('**1 of 3 steps done**');
    expect(task.result).toContain('Flaky works');
    expect(task.result).toContain('**Failed:** The model gave an empty answer.');
    expect(task.result).toContain('**Left out:** it needs step 2');
  });

  it('fails when no step can be done', async () => {
    script([plan({ instruction: 'Broken step' })], (_name, response, body) => says('', body, response));
    const task = await complex();
    expect(task.status).toBe('FAILED');
    expect(task.context_history.llm_runtime.error).toMatchObject({
      error_code: 'plan_failed',
      stage: 'plan_execution',
    });
  });

  it('shows what a running step writes, and not beside its result', async () => {
    let finish = () => {};
    script([plan({ instruction: 'Write slowly' })], async (_name, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ content: 'Half of ' }));
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      response.write(chunk({ content: 'it' }));
      response.end(`${chunk({}, 'stop')}data: [DONE]\n\n`);
    });
    const id = await client.submit({ content: 'Make it', forced_intent: 'COMPLEX_PLANNING' });
    const running = await client.until(id, ({ context_history }) =>
      JSON.stringify(context_history['plan'] ?? '').includes('Half of'),
    );
    expect(running.context_history['plan']).toMatchObject([{ status: 'running', preview: 'Half of ' }]);
    finish();
    const done = await client.until(id, ({ status }) => status === 'COMPLETED');
    expect(done.context_history['plan']).toEqual([expect.not.objectContaining({ preview: expect.anything() })]);
    expect(done.result).toContain('Half of it');
  });

  it('streams steps that run side by side: the first in the answer, each by itself on request', async () => {
    const finish: Record<string, () => void> = {};
    script([plan({ instruction: 'First' }, { instruction: 'Second' })], async (name, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ content: `${name} begins, ` }));
      await new Promise<void>((resolve) => {
        finish[name] = resolve;
      });
      response.write(chunk({ content: `${name} ends.` }));
      response.end(`${chunk({}, 'stop')}data: [DONE]\n\n`);
    });
    const id = await client.submit({ content: 'Make it', forced_intent: 'COMPLEX_PLANNING' });
    const parts = new Map<number, string>();
    const early = await client.follow(`/tasks/${id}/stream?deltas=true`, {
      enough: (events) => {
        for (const { event, data } of events.splice(0))
          if (event === 'step_delta')
            parts.set(data['step'] as number, (parts.get(data['step'] as number) ?? '') + data['text']);
        return parts.size === 2;
      },
    });
    expect(early).toEqual([]);
    expect([...parts].sort()).toEqual([
      [1, 'First begins, '],
      [2, 'Second begins, '],
    ]);
    // Whoever comes later gets what is being written from its beginning.
    const again = await client.follow(`/tasks/${id}/stream?deltas=true`, {
      enough: (events) => events.filter(({ event }) => event === 'step_delta').length === 2,
    });
    expect(again.find(({ event, data }) => event === 'step_delta' && data['step'] === 2)?.data).toMatchObject({
      offset: 0,
      text: 'Second begins, ',
    });
    finish['Second']?.();
    await client.until(id, ({ logs }) => logs.includes('Step 2 done.'));
    // In the order of the plan, though the second was ready first; the contract's own stream says the same.
    expect((await client.task(id)).result).toBe('### Step 1: First\n\nFirst begins, ');
    const [update] = await client.follow(`/tasks/${id}/stream`, { enough: (events) => events.length > 0 });
    expect(update).toMatchObject({ event: 'task_update', data: { result: '### Step 1: First\n\nFirst begins, ' } });
    finish['First']?.();
    const done = await client.ended(id);
    expect(done.result).toContain('First ends.\n\n### Step 2: Second\n\nSecond begins, Second ends.');
  });

  it('stops in the middle of a plan when it is aborted', async () => {
    script([plan({ instruction: 'Slow' }, { instruction: 'Next', needs: [1] })], async (_name, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
    });
    const id = await client.submit({ content: 'Make it', forced_intent: 'COMPLEX_PLANNING' });
    await client.until(id, ({ logs }) => logs.some((line) => line.startsWith('Step 1 (')));
    await client.post(`/queue/task/${id}/abort`);
    expect((await client.task(id)).status).toBe('FAILED');
    await vi.waitFor(() => expect(upstream.open()).toBe(0));
    expect(upstream.requests).toHaveLength(2);
  });

  it('tells of the plan as it goes, over WebSocket and in the stream', async () => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/events`);
    const events: { type: string; agent: string; data: Record<string, unknown> }[] = [];
    socket.on('message', (bytes) => events.push(JSON.parse(String(bytes))));
    await new Promise((resolve) => socket.once('open', resolve));
    script([plan({ instruction: 'Find facts' })], (_name, response, body) => says('Facts.', body, response));
    const id = await client.submit({ content: 'Know more', forced_intent: 'COMPLEX_PLANNING' });
    const stream = await client.follow(`/tasks/${id}/stream?deltas=true`);
    const logs = stream.flatMap(({ data }) => (data['logs'] as string[] | undefined) ?? []);
    expect(logs).toContain('Step 1 (RESEARCHER): Find facts');
    // The report replaces the sections it was built from, and a client of deltas is told so.
    let text = '';
    for (const { event, data } of stream) {
      if (event === 'task_reset') text = '';
      if (event === 'task_delta') text += data['text'];
    }
    expect(text).toBe((await client.task(id)).result);
    await vi.waitFor(() => expect(events.some(({ type }) => type === 'TASK_COMPLETED')).toBe(true));
    socket.close();
    const planned = events.filter(({ type }) => type.startsWith('PLAN_'));
    expect(planned.map(({ type, agent }) => `${agent} ${type}`)).toEqual([
      'Architect PLAN_CREATED',
      'Architect PLAN_STEP_STARTED',
      'Architect PLAN_STEP_COMPLETED',
    ]);
    expect(planned[0]?.data).toMatchObject({
      goal: 'Know more',
      steps_count: 1,
      steps: [{ step: 1, agent: 'RESEARCHER', instruction: 'Find facts' }],
    });
    expect(planned[1]?.data).toMatchObject({ step_number: 1, agent_type: 'RESEARCHER', instruction: 'Find facts' });
    expect(planned[2]?.data).toMatchObject({ step_number: 1, result_length: 6 });
  });
});
