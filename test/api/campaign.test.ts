// Campaigns on a scripted model: goals that are kept, worked on one by one, paused, bounded, stopped and taken up again.
import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { chunk, type FakeUpstream, startFakeUpstream, streams } from './fake-upstream.js';
import { startServer, type TestServer } from './server.js';
import { TaskClient, type VenomTask } from './task-client.js';

let upstream: FakeUpstream;
let server: TestServer;
let client: TaskClient;
let dataDir: string;

const start = async (env: Record<string, string> = {}) => {
  server = await startServer({ LLM_LOCAL_ENDPOINT: upstream.url, ...env }, dataDir);
  client = new TaskClient(server.url);
};
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'venom-campaign-'));
  upstream = await startFakeUpstream();
});
afterEach(async () => {
  await server.close();
  await upstream.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Answers the one who derives goals with `goals`, and each goal by its text. */
function script(
  goals: string[],
  work: (goal: string, response: ServerResponse, body: Record<string, unknown>) => unknown,
): string[] {
  const worked: string[] = [];
  upstream.behaviour = async (body, response) => {
    const last = (body['messages'] as { content: string }[]).at(-1)?.content ?? '';
    if (body['response_format']) return streams([JSON.stringify({ goals })])(body, response);
    const goal = last.split('The goal now:\n').at(-1) ?? '';
    worked.push(goal);
    const said = await work(goal, response, body);
    if (typeof said === 'string') await streams([said])(body, response);
  };
  return worked;
}

const campaign = (content: string, session_id = 'campaign-session') => ({
  content,
  session_id,
  forced_intent: 'START_CAMPAIGN',
});
const LISTED = 'Start a campaign:\n- Tell a joke about cats\n- Tell a joke about dogs\n- Tell a joke about owls';
interface Campaign {
  goals: { step: number; goal: string; status: string }[];
  source: string;
  paused: boolean;
  stopped?: string;
}
const campaignOf = (task: VenomTask) => task.context_history['campaign'] as Campaign;

describe('a campaign', () => {
  it('derives goals, works on each through its own agent, and sums up', async () => {
    await start();
    const worked = script(['Name three facts about owls', 'Tell a joke about these owls'], (goal) => `Result: ${goal}`);
    const task = await client.run({
      ...campaign('Start a campaign to make me an expert on owls'),
      tone: 'like a pirate',
    });
    expect(task.status).toBe('COMPLETED');
    expect(worked).toEqual(['Name three facts about owls', 'Tell a joke about these owls']);
    expect(task.result).toMatch(/^\*\*2 of 2 goals reached\*\*\n\n_The goals were derived from your request\._/);
    expect(task.result).toContain('### Goal 2: Tell a joke about these owls\n\nResult: Tell a joke about these owls');
    for (const { messages } of upstream.requests)
      expect((messages as { content: string }[])[0]?.content).toContain('tone: like a pirate');
    // What was reached before is known to the next.
    expect(JSON.stringify(upstream.requests.at(-1)?.['messages'])).toContain('Result: Name three facts');
    expect(campaignOf(task)).toMatchObject({ source: 'model', stopped: 'done', paused: false });
    const { steps } = await client.get<{ steps: { component: string; action: string }[] }>(
      `/history/requests/${task.id}`,
    );
    expect(steps.map(({ component, action }) => `${component}.${action}`)).toEqual(
      expect.arrayContaining(['DecisionGate.route_campaign', 'Campaign.goal_1', 'Campaign.goal_2']),
    );
  });

  it('takes goals a person lists as they are, and asks nobody for others', async () => {
    await start();
    const worked = script(['Something else'], (goal) => `Here: ${goal}`);
    const task = await client.run(campaign(LISTED));
    expect(worked).toHaveLength(3);
    expect(upstream.requests).toHaveLength(3);
    expect(campaignOf(task).source).toBe('listed');
  });

  it('names a goal that fails, does the others, and tries it again when it is told to go on', async () => {
    await start();
    let works = false;
    const worked = script([], (goal) => (goal.includes('dogs') && !works ? '' : `Here: ${goal}`));
    const task = await client.run(campaign(LISTED));
    expect(task.status).toBe('COMPLETED');
    expect(task.result).toContain('**2 of 3 goals reached**');
    expect(task.result).toContain('**Not reached:** The model gave an empty answer.');
    expect(worked.filter((goal) => goal.includes('dogs'))).toHaveLength(1);
    works = true;
    const again = await client.run(campaign('Continue the campaign'));
    expect(again.result).toContain('**1 of 1 goals reached**');
    expect(again.result).toContain('Here: Tell a joke about dogs');
    expect(campaignOf(again).source).toBe('open');
    // Another session has none of them.
    const other = await client.run(campaign('Continue the campaign', 'other-session'));
    expect(other.result).toContain('There are no open goals here.');
  });

  it('fails with a code where no goal was reached', async () => {
    await start();
    script([], () => '');
    const task = await client.run(campaign(LISTED));
    expect(task.status).toBe('FAILED');
    expect(task.context_history.llm_runtime.error).toMatchObject({ error_code: 'campaign_failed', stage: 'campaign' });
  });

  it('waits between two goals while the queue is paused, and goes on with it', async () => {
    await start({ TASK_TIMEOUT_SECONDS: '2' });
    let finish = () => {};
    const worked = script([], async (goal) => {
      if (goal.includes('cats'))
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
      return `Here: ${goal}`;
    });
    const id = await client.submit(campaign(LISTED));
    await vi.waitFor(() => expect(worked).toHaveLength(1));
    await client.post('/queue/pause');
    finish();
    await client.until(id, (task) => campaignOf(task).paused);
    // Longer than the task may run: a pause is no work.
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    expect(worked).toHaveLength(1);
    expect((await client.task(id)).status).toBe('PROCESSING');
    await client.post('/queue/resume');
    expect((await client.ended(id)).result).toContain('**3 of 3 goals reached**');
  });

  it('begins no further goal once its tokens are used up, and says what is left', async () => {
    await start({ CAMPAIGN_MAX_TOKENS: '1000' });
    const worked = script([], (_goal, response, body) =>
      streams(Array.from({ length: 600 }, () => 'word '))(body, response),
    );
    const task = await client.run(campaign(LISTED));
    expect(worked).toHaveLength(2);
    expect(campaignOf(task).stopped).toBe('tokens');
    expect(task.result).toContain('The campaign ended because its tokens were used up.');
    expect(task.result).toContain('_Not begun yet._');
  });

  it('stops in the middle of a goal; what is open waits for the next campaign', async () => {
    await start();
    const worked = script([], (goal, response) => {
      if (!goal.includes('dogs')) return `Here: ${goal}`;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ content: 'A dog' }));
      return undefined;
    });
    const id = await client.submit(campaign(LISTED));
    await client.until(id, ({ result }) => result?.includes('A dog') ?? false);
    await client.post(`/queue/task/${id}/abort`);
    expect((await client.task(id)).context_history.llm_runtime.error?.error_code).toBe('cancelled');
    await vi.waitFor(() => expect(upstream.open()).toBe(0));
    expect(worked).toHaveLength(2);
    script([], (goal) => `Now: ${goal}`);
    const again = await client.run(campaign('Continue the campaign'));
    expect(campaignOf(again).goals.map(({ goal }) => goal)).toEqual([
      'Tell a joke about dogs',
      'Tell a joke about owls',
    ]);
  });

  it('says that a goal cannot be reached here rather than pretending', async () => {
    await start({ ENABLE_SHELL_SKILL: 'false' });
    script([], (goal) => `Here: ${goal}`);
    const task = await client.run(
      campaign('Start a campaign:\n1. Tell a joke about cats\n2. Order a pizza by phone for me'),
    );
    expect(task.result).toContain('**1 of 2 goals reached**');
    expect(task.result).toContain('**Not reached:** This needs something outside this system.');
  });

  it('shows its goals, and lets one go that nobody works on', async () => {
    await start();
    let finish = () => {};
    script([], async (goal) => {
      if (goal.includes('cats')) return 'A joke.';
      if (goal.includes('dogs'))
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
      return '';
    });
    const id = await client.submit(campaign(LISTED));
    type Goals = { goals: { goal_id: string; status: string; result: string | null }[]; counts: object };
    const goals = (query = '') => client.get<Goals>(`/goals?session_id=campaign-session${query}`);
    const drop = (goal?: { goal_id: string }) => fetch(`${client.url}/goals/${goal?.goal_id}`, { method: 'DELETE' });
    await client.until(id, (task) => campaignOf(task)?.goals[1]?.status === 'IN_PROGRESS');
    const [last, running, first] = (await goals()).goals;
    // It waits: the campaign will not begin it.
    expect((await drop(last)).status).toBe(200);
    expect([last?.status, running?.status, first?.status]).toEqual(['PENDING', 'IN_PROGRESS', 'COMPLETED']);
    expect(first).toMatchObject({ task_id: id, number: 1, text: 'Tell a joke about cats', result: 'A joke.' });
    expect((await drop(running)).status).toBe(409);
    finish();
    const ended = await client.ended(id);
    expect(ended.result).toContain('**1 of 2 goals reached**');
    expect((await goals('&status=FAILED')).goals).toHaveLength(1);
    expect((await drop(running)).status).toBe(200);
    expect((await drop(running)).status).toBe(404);
    expect((await goals()).counts).toEqual({ PENDING: 0, IN_PROGRESS: 0, COMPLETED: 1, FAILED: 0 });
    expect((await client.get<Goals>('/goals?session_id=other')).goals).toEqual([]);
    expect((await client.run(campaign('Continue the campaign'))).result).toContain('There are no open goals here.');
  });

  it('forgets its goals with its session', async () => {
    await start();
    script([], (goal) => (goal.includes('owls') ? '' : 'Here.'));
    await client.run(campaign(LISTED));
    await fetch(`${client.url}/sessions/campaign-session`, { method: 'DELETE' });
    const task = await client.run(campaign('Continue the campaign'));
    expect(task.result).toContain('There are no open goals here.');
  });
});
