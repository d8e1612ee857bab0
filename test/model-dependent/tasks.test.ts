// Normal and Complex chat on the real starter model, through the whole server. Needs VENOM_TEST_MODEL and a build.
import { copyFileSync, linkSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startServer, type TestServer } from '../api/server.js';
import { TaskClient, type VenomTask } from '../api/task-client.js';

const file = process.env['VENOM_TEST_MODEL'] ?? '';
let server: TestServer;
let client: TaskClient;

beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'venom-model-tasks-'));
  mkdirSync(join(dataDir, 'models'));
  const target = join(dataDir, 'models', basename(file));
  try {
    linkSync(file, target);
  } catch {
    copyFileSync(file, target);
  }
  server = await startServer({}, dataDir);
  client = new TaskClient(server.url);
});
afterAll(() => server.close());

async function run(body: object): Promise<VenomTask> {
  const id = await client.submit(body);
  const events = await client.follow(`/tasks/${id}/stream`);
  expect(events.at(-1)?.event).toBe('task_finished');
  return client.task(id);
}

it('answers in Normal mode, with the conversation so far', async () => {
  const first = await run({ content: 'What is the capital of France?', session_id: 's-1' });
  expect(first).toMatchObject({ status: 'COMPLETED', result: expect.stringContaining('Paris') });
  expect(first.context_history['first_token']).toMatchObject({ elapsed_ms: expect.any(Number) });
  const second = await run({
    content: 'Which city did I ask about the capital of? Name the capital again.',
    session_id: 's-1',
    generation_params: { max_tokens: 60 },
  });
  expect(second).toMatchObject({ status: 'COMPLETED', result: expect.stringMatching(/Paris|France/) });
});

it('finishes a plan in Complex mode', async () => {
  const task = await run({
    content: 'Write a two-line poem about foxes, and a title for it.',
    forced_intent: 'COMPLEX_PLANNING',
    generation_params: { max_tokens: 60, temperature: 0 },
  });
  expect(task.status, task.result ?? '').toBe('COMPLETED');
  console.log(task.logs.join('\n'));
  console.log(`plan: ${JSON.stringify(task.context_history['plan'])}\n${task.result}`);
  expect(task.result).toMatch(/^\*\*\d of \d steps done\*\*/);
  expect(task.logs.some((line) => /^Step 1 done/.test(line))).toBe(true);
});

it('is led to a tool, though it cannot call one by itself', async () => {
  const task = await run({
    content: 'List the files of the workspace.',
    forced_intent: 'FILE_OPERATION',
    generation_params: { max_tokens: 60, temperature: 0 },
  });
  console.log(task.logs.join('\n'), task.result);
  expect(task.status, task.result ?? '').toBe('COMPLETED');
  expect(task.logs.some((line) => /^Tool file__\w+ (answered|failed)/.test(line))).toBe(true);
});

it('plans a long goal, which a model of this size cannot talk over in a council', async () => {
  const task = await run({
    content:
      'Design a small system for a library: what it keeps, who uses it, and how a book is lent and given back in it.',
    forced_intent: 'COMPLEX_PLANNING',
    generation_params: { max_tokens: 60, temperature: 0 },
  });
  expect(task.status, task.result ?? '').toBe('COMPLETED');
  expect(task.context_history['council']).toBeUndefined();
  const { steps } = await client.get<{ steps: { action: string; details: string }[] }>(`/history/requests/${task.id}`);
  expect(steps.find(({ action }) => action === 'route_to_architect')?.details).toContain('small_model');
});

it('works through a campaign, and reports what there is without inventing any', async () => {
  const task = await run({
    content: 'Start a campaign:\n- Say hello to Anna in one sentence\n- Name one colour of the rainbow',
    session_id: 's-campaign',
  });
  console.log(task.result);
  expect(task.status, task.result ?? '').toBe('COMPLETED');
  expect(task.result).toMatch(/^\*\*2 of 2 goals reached\*\*/);
  const report = await run({ content: 'Give me a status report', session_id: 's-campaign' });
  console.log(report.result);
  expect(report.result).toMatch(/^\*\*Goals\*\*\n- done: 2\n- done: Name one colour of the rainbow/);
});
