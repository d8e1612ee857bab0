// Random kills while tasks are submitted and run: what was accepted is there once and ends. `VENOM_KILL_ROUNDS` sets how often.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startFakeUpstream, streams } from '../api/fake-upstream.js';
import { TaskClient, type VenomTask } from '../api/task-client.js';
import { randomFrom } from '../stand-ins/seeded-random.js';
import { startProcess } from './venom-process.js';

const ROUNDS = Number(process.env['VENOM_KILL_ROUNDS'] ?? 10);
const WRITERS = 6;
const SEED = Number(process.env['VENOM_KILL_SEED'] ?? Date.now() % 1_000_000);
const TOKENS = ['The ', 'quick ', 'brown ', 'fox ', 'jumps.'];

it(`loses and doubles no task in ${ROUNDS} kills`, { timeout: 60_000 + ROUNDS * 6_000 }, async () => {
  console.log(`seed ${SEED}: replay with VENOM_KILL_SEED=${SEED}`);
  const random = randomFrom(SEED);
  const folder = mkdtempSync(join(tmpdir(), 'venom-task-kill-'));
  const upstream = await startFakeUpstream();
  upstream.behaviour = streams(TOKENS, 4);
  const env = { VENOM_DATA_DIR: folder, LLM_LOCAL_ENDPOINT: upstream.url };
  /** By key: the question, and the task that was acknowledged for it. */
  const asked = new Map<string, { content: string; session: string | undefined; id?: string; completed?: boolean }>();
  let count = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const venom = await startProcess(env);
    const client = new TaskClient(venom.url);
    let alive = true;
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      while (alive) {
        count += 1;
        const key = `key-${count}`;
        const session = writer % 2 === 0 ? `session-${writer}` : undefined;
        const content = count % 3 === 0 ? 'help' : `Question ${count}`;
        const question: { content: string; session: string | undefined; id?: string; completed?: boolean } = {
          content,
          session,
        };
        asked.set(key, question);
        try {
          question.id = await client.submit({ content, session_id: session }, { 'idempotency-key': key });
          if (random() < 0.5) question.completed = (await seen(client, question.id)).status === 'COMPLETED';
        } catch {
          // The server was killed: whether the task exists is asked again below.
        }
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 20 + random() * 480));
    alive = false;
    await venom.kill();
    await Promise.all(writers);
  }
  const venom = await startProcess(env);
  const client = new TaskClient(venom.url);
  // A retry of everything makes no second task of anything that was acknowledged.
  for (const [key, question] of asked) {
    const id = await client.submit(
      { content: question.content, session_id: question.session },
      { 'idempotency-key': key },
    );
    if (question.id !== undefined) expect(id).toBe(question.id);
    question.id = id;
  }
  const tasks = new Map<string, VenomTask>();
  for (const [key, question] of asked) {
    const task = await client.ended(question.id as string);
    tasks.set(key, task);
    expect(task.content).toBe(question.content);
    if (question.completed) expect(task.status, 'a completion that was seen').toBe('COMPLETED');
    if (task.status === 'FAILED') {
      expect(task.context_history.llm_runtime.error).toMatchObject({ error_code: 'interrupted', retryable: true });
      const text = task.result ?? '';
      expect(TOKENS.join('').startsWith(text) || text.includes('can be resumed')).toBe(true);
    } else if (task.content !== 'help') expect(task.result).toBe(TOKENS.join(''));
  }
  expect(new Set([...tasks.values()].map(({ id }) => id)).size).toBe(asked.size);
  for (let writer = 0; writer < WRITERS; writer += 2) {
    const own = [...asked.values()].filter(({ session }) => session === `session-${writer}`);
    const messages = await allMessages(client, `session-${writer}`);
    const requests = messages.filter(({ role }) => role === 'user').map(({ request_id }) => request_id);
    expect([...requests].sort()).toEqual(own.map(({ id }) => id as string).sort());
    expect(messages.filter(({ status }) => status === 'streaming')).toEqual([]);
    for (const { id } of own) {
      const answer = messages.find(({ role, request_id }) => role === 'assistant' && request_id === id);
      const task = await client.task(id as string);
      expect(answer?.status).toBe(task.status === 'COMPLETED' ? 'complete' : 'interrupted');
      if (task.status === 'COMPLETED') expect(answer?.content).toBe(task.result);
    }
  }
  const failed = [...tasks.values()].filter(({ status }) => status === 'FAILED').length;
  console.log(`${asked.size} tasks in ${ROUNDS} kills, ${failed} of them interrupted`);
  expect(asked.size).toBeGreaterThan(ROUNDS);
  expect((await venom.stop()).code).toBe(0);
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

async function seen(client: TaskClient, id: string): Promise<VenomTask> {
  for (;;) {
    const task = await client.task(id);
    if (task.status === 'COMPLETED' || task.status === 'FAILED') return task;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

interface Message {
  role: string;
  request_id: string;
  status: string;
  content: string;
  seq: number;
}

async function allMessages(client: TaskClient, session: string): Promise<Message[]> {
  const all: Message[] = [];
  for (let before = ''; ; ) {
    const page = await client.get<{ messages: Message[]; has_more: boolean }>(
      `/sessions/${session}/messages?limit=1000${before}`,
    );
    all.unshift(...page.messages);
    if (!page.has_more) return all;
    before = `&before_seq=${page.messages[0]?.seq}`;
  }
}
