// The Council on a scripted model: who speaks, when it ends, what it may spend, and how it stops.
import { mkdtempSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { chunk, type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';
import { TaskClient } from './task-client.js';

let upstream: FakeUpstream;
let server: TestServer;
let client: TaskClient;

const start = async (env: Record<string, string> = {}) => {
  server = await startServer(
    { LLM_LOCAL_ENDPOINT: upstream.url, ...env },
    mkdtempSync(join(tmpdir(), 'venom-council-')),
  );
  client = new TaskClient(server.url);
};
beforeEach(async () => {
  upstream = await startFakeUpstream();
});
afterEach(async () => {
  await server.close();
  await upstream.close();
});

const GOAL = { content: 'Build a small shop', forced_intent: 'COMPLEX_PLANNING' };
type Speaker = 'architect' | 'coder' | 'critic' | 'guardian' | 'chair';

/** Who is asked is told by the last sentence of the question. */
function script(
  say: (speaker: Speaker, response: ServerResponse, body: Record<string, unknown>) => unknown,
): Speaker[] {
  const spoke: Speaker[] = [];
  upstream.behaviour = async (body, response) => {
    const last = (body['messages'] as { content: string }[]).at(-1)?.content ?? '';
    const speaker = (/You are the (\w+)\. Speak now\.$/.exec(last)?.[1] ?? 'chair') as Speaker;
    spoke.push(speaker);
    const said = await say(speaker, response, body);
    if (typeof said === 'string') await streams([said])(body, response);
  };
  return spoke;
}

interface Council {
  statements: { step: number; round: number; member: string; status: string; agrees: boolean | null }[];
  budget: { tokens_used: number; tokens_limit: number; cost_usd: number; time_limit_ms: number };
  stopped?: string;
}
const councilOf = (task: { context_history: Record<string, unknown> }) => task.context_history['council'] as Council;

describe('the Council', () => {
  it('talks a goal over in a fixed order until its judges agree, and concludes', async () => {
    await start();
    const said: Record<Speaker, number> = { architect: 0, coder: 0, critic: 0, guardian: 0, chair: 0 };
    const spoke = script((speaker) => {
      said[speaker] += 1;
      if (speaker === 'chair') return 'Use SQLite and one page.';
      return ['critic', 'guardian'].includes(speaker) && said[speaker] > 1
        ? 'Nothing left. AGREED'
        : `${speaker} says ${said[speaker]}`;
    });
    const task = await client.run({ ...GOAL, tone: 'like a pirate' });
    expect(task.status).toBe('COMPLETED');
    const round = ['architect', 'coder', 'critic', 'guardian'];
    expect(spoke).toEqual([...round, ...round, 'chair']);
    expect(task.result).toMatch(
      /^Use SQLite and one page\.\n\n---\n\*\*Council: agreed\*\* · Round 2\/3 · \d+ of 24,000 tokens/,
    );
    expect(task.result).toContain('### Architect · Round 1\n\narchitect says 1');
    expect(councilOf(task)).toMatchObject({ stopped: 'agreed', budget: { tokens_limit: 24_000 } });
    expect(councilOf(task).budget.tokens_used).toBeGreaterThan(0);
    // Each has a voice of its own, and how the person wants to be spoken to holds for all of them.
    const set = upstream.requests.map(({ messages }) => (messages as { content: string }[])[0]?.content ?? '');
    expect(new Set(set).size).toBe(5);
    for (const system of set) expect(system).toContain('tone: like a pirate');
    // Each hears the others.
    expect(JSON.stringify(upstream.requests[1]?.['messages'])).toContain('architect says 1');
    const { steps } = await client.get<{ steps: { component: string; action: string }[] }>(
      `/history/requests/${task.id}`,
    );
    const told = steps.map(({ component, action }) => `${component}.${action}`);
    expect(told).toEqual(expect.arrayContaining(['DecisionGate.select_council_mode', 'Council.round_2_guardian']));
    expect(told).not.toContain('DecisionGate.route_to_architect');
  });

  it('ends at its last round, and says that nobody agreed', async () => {
    await start({ COUNCIL_MAX_ROUNDS: '1' });
    const spoke = script((speaker) => `${speaker} objects`);
    const task = await client.run(GOAL);
    expect(spoke).toHaveLength(5);
    expect(task.result).toContain('ended without agreement at its last round');
    expect(councilOf(task).stopped).toBe('rounds');
  });

  it('stops speaking when its tokens are used up', async () => {
    await start({ COUNCIL_MAX_TOKENS: '500' });
    const spoke = script((_speaker, response, body) =>
      streams(Array.from({ length: 300 }, () => 'word '))(body, response),
    );
    const task = await client.run(GOAL);
    expect(spoke).toEqual(['architect', 'coder', 'chair']);
    expect(councilOf(task).stopped).toBe('tokens');
  });

  it('stops speaking when its time is over, in the middle of a sentence', async () => {
    await start({ COUNCIL_MAX_SECONDS: '1' });
    script(async (speaker, response) => {
      if (speaker !== 'coder') return `${speaker} speaks`;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ content: 'Well, ' }));
      return undefined;
    });
    const task = await client.run(GOAL);
    expect(task.status).toBe('COMPLETED');
    expect(councilOf(task).stopped).toBe('time');
    expect(task.result).toContain('could not speak: The time of the council was over.');
    await vi.waitFor(() => expect(upstream.open()).toBe(0));
  });

  it('goes on without a member that says nothing, and names it', async () => {
    await start({ COUNCIL_MAX_ROUNDS: '1' });
    script((speaker) => (speaker === 'guardian' ? '' : `${speaker} AGREED`));
    const task = await client.run(GOAL);
    expect(task.status).toBe('COMPLETED');
    expect(councilOf(task)).toMatchObject({ stopped: 'rounds' });
    expect(councilOf(task).statements[3]).toMatchObject({ member: 'guardian', status: 'failed', agrees: null });
    expect(task.result).toContain('could not speak: The model gave an empty answer.');
  });

  it('fails with a code where nobody speaks, and never as an answer', async () => {
    await start();
    script(() => '');
    const task = await client.run(GOAL);
    expect(task.status).toBe('FAILED');
    expect(task.context_history.llm_runtime.error).toMatchObject({
      error_code: 'council_failed',
      stage: 'council',
      retryable: true,
    });
  });

  it('is stopped in the middle of a statement, and the engine with it', async () => {
    await start();
    const spoke = script((_speaker, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ content: 'Well' }));
    });
    const id = await client.submit(GOAL);
    await client.until(id, ({ result }) => result?.includes('Well') ?? false);
    await client.post(`/queue/task/${id}/abort`);
    expect((await client.task(id)).context_history.llm_runtime.error?.error_code).toBe('cancelled');
    await vi.waitFor(() => expect(upstream.open()).toBe(0));
    expect(spoke).toEqual(['architect']);
  });

  it('tells of itself over WebSocket, and of each statement while it is made', async () => {
    await start({ COUNCIL_MAX_ROUNDS: '1' });
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/events`);
    const events: { type: string; data: Record<string, unknown> }[] = [];
    socket.on('message', (bytes) => events.push(JSON.parse(String(bytes))));
    await new Promise((resolve) => socket.once('open', resolve));
    // The statement is told of before the critic is asked, so the word may be given before anybody waits for it.
    const word = Promise.withResolvers<void>();
    script(async (speaker, response, body) => {
      if (speaker !== 'critic') return `${speaker} AGREED`;
      await word.promise;
      return streams(['No ', 'objection. ', 'AGREED'], 60)(body, response);
    });
    const id = await client.submit(GOAL);
    const reading = client.follow(`/tasks/${id}/stream?deltas=true`);
    await client.until(id, (task) => councilOf(task)?.statements.at(-1)?.member === 'critic');
    word.resolve();
    const stream = await reading;
    const parts = new Map<number, string>();
    for (const { event, data } of stream)
      if (event === 'step_delta') {
        const step = data['step'] as number;
        parts.set(step, (parts.get(step) ?? '').slice(0, data['offset'] as number) + data['text']);
      }
    expect(parts.get(3)).toContain('No ');
    await vi.waitFor(() => expect(events.some(({ type }) => type === 'TASK_COMPLETED')).toBe(true));
    socket.close();
    expect(events.filter(({ type }) => type.startsWith('COUNCIL_'))).toMatchObject([
      { type: 'COUNCIL_STARTED', data: { task_id: id } },
      { type: 'COUNCIL_MEMBERS', data: { members: ['architect', 'coder', 'critic', 'guardian'] } },
      {
        type: 'COUNCIL_COMPLETED',
        data: { message_count: 4, speakers: ['architect', 'coder', 'critic', 'guardian'] },
      },
    ]);
  });

  it('leaves the goal to the Architect where it is switched off', async () => {
    await start({ COUNCIL_MAX_ROUNDS: '0' });
    upstream.behaviour = (body, response) =>
      streams([
        body['response_format']
          ? '{"steps":[{"step_number":1,"agent_type":"CODER","instruction":"Build it all","depends_on":[]}]}'
          : 'Built.',
      ])(body, response);
    const task = await client.run(GOAL);
    expect(task.result).toContain('### Step 1: Build it all');
    expect(task.context_history['council']).toBeUndefined();
    expect(task.context_history['council_choice']).toEqual({ convened: false, reason: 'off' });
  });
});
