// kill -9 in the middle of a campaign: goals that were reached stay reached, the one that was cut off is worked on again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { chunk, startFakeUpstream, streams } from '../api/fake-upstream.js';
import { TaskClient } from '../api/task-client.js';
import { startProcess } from './venom-process.js';

it('goes on with the goal that was cut off, and does none twice', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'venom-campaign-kill-'));
  const upstream = await startFakeUpstream();
  const worked: string[] = [];
  let killed = false;
  upstream.behaviour = async (body, response) => {
    const last = (body['messages'] as { content: string }[]).at(-1)?.content ?? '';
    const goal = last.split('The goal now:\n').at(-1) ?? '';
    worked.push(goal);
    if (killed || !goal.includes('dogs')) return streams([`Here: ${goal}`])(body, response);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chunk({ content: 'A dog' }));
  };
  const env = { VENOM_DATA_DIR: folder, LLM_LOCAL_ENDPOINT: upstream.url };
  const first = await startProcess(env);
  const client = new TaskClient(first.url);
  const id = await client.submit({
    content: 'Start a campaign:\n- Tell a joke about cats\n- Tell a joke about dogs\n- Tell a joke about owls',
    session_id: 'killed-campaign',
    forced_intent: 'START_CAMPAIGN',
  });
  await vi.waitFor(() => expect(worked).toHaveLength(2), { timeout: 10_000 });
  await client.until(id, ({ result }) => result?.includes('A dog') ?? false);
  // Partial text goes to disk a few times a second.
  await new Promise((resolve) => setTimeout(resolve, 500));
  await first.kill();
  killed = true;

  const second = await startProcess(env);
  const after = new TaskClient(second.url);
  const interrupted = await after.task(id);
  expect(interrupted).toMatchObject({ status: 'FAILED' });
  expect(interrupted.context_history.llm_runtime.error).toMatchObject({ error_code: 'interrupted', retryable: true });
  expect(interrupted.result).toContain('Here: Tell a joke about cats');
  expect((await after.post(`/tasks/${id}/resume`)).status).toBe(200);
  const done = await after.ended(id);
  expect(done.status).toBe('COMPLETED');
  expect(done.result).toContain('**3 of 3 goals reached**');
  expect(worked).toEqual([
    'Tell a joke about cats',
    'Tell a joke about dogs',
    'Tell a joke about dogs',
    'Tell a joke about owls',
  ]);
  expect((await second.stop()).code).toBe(0);
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});
