// Random kills while everything but answers is written: memories, titles, deletions, feedback, parameters, the choice of a
// model. What a client was told is what the next start shows. `VENOM_KILL_ROUNDS` sets how often.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startFakeUpstream } from '../api/fake-upstream.js';
import { randomFrom } from '../stand-ins/seeded-random.js';
import { startProcess } from './venom-process.js';

const ROUNDS = Number(process.env['VENOM_KILL_ROUNDS'] ?? 8);
const SEED = Number(process.env['VENOM_KILL_SEED'] ?? Date.now() % 1_000_000);
/** The log of feedback shows no more at once. */
const LONGEST_LIST = 500;

// biome-ignore lint/suspicious/noExplicitAny: answers are compared with what is expected, field by field
type Json = any;

async function call(url: string, method: string, path: string, body?: object): Promise<Json> {
  const response = await fetch(url + (path.startsWith('/v1/') ? path : `/api/v1${path}`), {
    method,
    ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
  });
  const answer = await response.json();
  if (!response.ok) throw new Refused(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

class Refused extends Error {}

/** One value that is written again and again: it is the last one acknowledged, or one that was under way at a kill. */
interface Register {
  write(url: string, count: number): Promise<unknown>;
  read(url: string): Promise<unknown>;
  value(count: number): unknown;
}

const SESSION = 'kept-session';
const MODELS = ['fake-model', 'org/other'];
const registers: Record<string, Register> = {
  'a title': {
    write: (url, count) => call(url, 'PATCH', `/sessions/${SESSION}`, { title: `Title ${count}` }),
    read: async (url) => (await call(url, 'GET', `/sessions/${SESSION}`)).title,
    value: (count) => `Title ${count}`,
  },
  'a parameter of a model': {
    write: (url, count) =>
      call(url, 'POST', '/models/fake-model/config', { params: { max_tokens: 128 + (count % 8_000) } }),
    read: async (url) => (await call(url, 'GET', '/models/fake-model/config')).current_values.max_tokens,
    value: (count) => 128 + (count % 8_000),
  },
  'the active model': {
    write: (url, count) => call(url, 'POST', '/models/switch', { name: MODELS[count % 2] }),
    read: async (url) => (await call(url, 'GET', '/system/llm-runtime/active')).runtime.model,
    value: (count) => MODELS[count % 2],
  },
  'an approved answer': {
    write: (url, count) =>
      call(url, 'POST', '/learning/hidden-prompts/active', {
        intent: 'GENERAL_CHAT',
        prompt: 'How?',
        approved_response: `So ${count}.`,
      }),
    read: async (url) => (await call(url, 'GET', '/learning/hidden-prompts/active')).items[0]?.approved_response,
    value: (count) => `So ${count}.`,
  },
  'whether clouds may be paid': {
    write: (url, count) => call(url, 'POST', '/system/cost-mode', { enable: count % 2 === 0 }),
    read: async (url) => (await call(url, 'GET', '/system/cost-mode')).enabled,
    value: (count) => count % 2 === 0,
  },
};

it(`keeps every acknowledged write in ${ROUNDS} kills`, { timeout: 60_000 + ROUNDS * 8_000 }, async () => {
  console.log(`seed ${SEED}: replay with VENOM_KILL_SEED=${SEED}`);
  const random = randomFrom(SEED);
  const folder = mkdtempSync(join(tmpdir(), 'venom-writes-kill-'));
  const upstream = await startFakeUpstream();
  const env = { VENOM_DATA_DIR: folder, LLM_LOCAL_ENDPOINT: upstream.url };
  /** What each register may hold: from the last acknowledged value on. */
  const possible = new Map<string, unknown[]>();
  const remembered = new Map<string, string>();
  const forgotten = new Set<string>();
  const comments = new Set<string>();
  const deleted = new Set<string>();
  /** Of OpenAI's Responses, which are asked for again by their id. */
  const responses = new Map<string, string>();
  let taskId = '';
  let count = 0;

  for (let round = 0; round <= ROUNDS; round += 1) {
    const { url, kill } = await startProcess(env);
    // Where an expectation fails, too.
    onTestFinished(kill);
    if (round === 0) {
      taskId = await completed(url, { content: 'help', session_id: SESSION });
      for (const [name, register] of Object.entries(registers)) possible.set(name, [await register.read(url)]);
    }
    for (const [name, values] of possible) {
      const found = await registers[name]?.read(url);
      expect(values, name).toContain(found);
      possible.set(name, [found]);
    }
    const kept: string[] = (await memoriesOf(url)).map(({ memory_id }) => memory_id);
    expect(new Set(kept).size).toBe(kept.length);
    for (const id of remembered.keys()) expect(kept, remembered.get(id)).toContain(id);
    for (const id of forgotten) expect(kept).not.toContain(id);
    const said = (await call(url, 'GET', `/feedback/logs?limit=${LONGEST_LIST}`)).items.map(
      ({ comment }: { comment: string }) => comment,
    );
    for (const comment of comments) expect(said.filter((one: string) => one === comment)).toEqual([comment]);
    for (const session of deleted)
      expect((await call(url, 'GET', `/memory/session/${session}`)).count, session).toBe(0);
    for (const [id, input] of responses)
      expect((await call(url, 'GET', `/v1/responses/${id}/input_items`)).data[0].content[0].text).toBe(input);
    if (round === ROUNDS) {
      await kill();
      break;
    }

    let alive = true;
    /** Goes on until the kill; a refusal is no answer a write may get here. */
    const writer = async (step: () => Promise<void>) => {
      while (alive)
        try {
          count += 1;
          await step();
        } catch (error) {
          if (error instanceof Refused) throw error;
        }
    };
    const writers = [
      ...Object.entries(registers).map(([name, register]) =>
        writer(async () => {
          const mine = count;
          possible.set(name, [...(possible.get(name) ?? []), register.value(mine)]);
          await register.write(url, mine);
          possible.set(name, [register.value(mine)]);
        }),
      ),
      writer(async () => {
        const text = `Fact number ${count} of round ${round}`;
        const { memory_id } = await call(url, 'POST', '/memory/ingest', { text });
        remembered.set(memory_id, text);
        if (random() > 0.3) return;
        // Once it is asked for, it may be gone.
        remembered.delete(memory_id);
        await call(url, 'DELETE', `/memory/entries/${memory_id}`);
        forgotten.add(memory_id);
      }),
      writer(async () => {
        if (comments.size >= LONGEST_LIST - ROUNDS)
          return void (await new Promise((resolve) => setTimeout(resolve, 20)));
        const comment = `Comment ${count}`;
        await call(url, 'POST', '/feedback', { task_id: taskId, rating: 'up', comment });
        comments.add(comment);
      }),
      writer(async () => {
        const input = `Question ${count}`;
        const { id } = await call(url, 'POST', '/v1/responses', { model: 'fake-model', input });
        responses.set(id, input);
      }),
      writer(async () => {
        const session = `passing-${count}`;
        await completed(url, { content: 'help', session_id: session });
        await call(url, 'DELETE', `/memory/session/${session}`);
        deleted.add(session);
      }),
    ];
    await new Promise((resolve) => setTimeout(resolve, 50 + random() * 700));
    alive = false;
    await kill();
    await Promise.all(writers);
  }
  console.log(
    `${remembered.size} remembered, ${forgotten.size} forgotten, ${comments.size} comments, ${deleted.size} deletions, ` +
      `${responses.size} responses`,
  );
  expect(remembered.size).toBeGreaterThan(0);
  expect(deleted.size).toBeGreaterThan(0);
  expect(responses.size).toBeGreaterThan(0);
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The id of a task that ran to its end. */
async function completed(url: string, body: object): Promise<string> {
  const { task_id } = await call(url, 'POST', '/tasks', body);
  while ((await call(url, 'GET', `/tasks/${task_id}`)).status !== 'COMPLETED')
    await new Promise((resolve) => setTimeout(resolve, 5));
  return task_id;
}

async function memoriesOf(url: string): Promise<{ memory_id: string }[]> {
  const text = await (await fetch(`${url}/api/v1/memory/export`)).text();
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}
