// Random kills while eight writers chat: what was acknowledged is there once, in order. `VENOM_KILL_ROUNDS` sets how often.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startFakeUpstream, streams } from '../api/fake-upstream.js';
import type { SseEvent } from '../api/server.js';
import { randomFrom } from '../stand-ins/seeded-random.js';
import { startProcess } from './venom-process.js';

const ROUNDS = Number(process.env['VENOM_KILL_ROUNDS'] ?? 20);
const WRITERS = 8;
const SEED = Number(process.env['VENOM_KILL_SEED'] ?? Date.now() % 1_000_000);
const TOKENS = ['The ', 'quick ', 'brown ', 'fox ', 'jumps.'];

interface Acknowledged {
  question: string;
  requestId: string;
  /** What the client saw of the answer, and whether it saw its end. */
  text: string;
  done: boolean;
}

interface Message {
  role: string;
  content: string;
  request_id: string;
  status: string;
  seq: number;
}

it(`loses, doubles and reorders nothing in ${ROUNDS} kills`, { timeout: 60_000 + ROUNDS * 5_000 }, async () => {
  console.log(`seed ${SEED}: replay with VENOM_KILL_SEED=${SEED}`);
  const random = randomFrom(SEED);
  const folder = mkdtempSync(join(tmpdir(), 'venom-kill-'));
  const upstream = await startFakeUpstream();
  upstream.behaviour = streams(TOKENS, 4);
  const log = new Map<string, Acknowledged[]>();
  const env = { VENOM_DATA_DIR: folder, LLM_LOCAL_ENDPOINT: upstream.url };
  let asked = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const venom = await startProcess(env);
    let alive = true;
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
      const session = `writer-${writer}`;
      while (alive) {
        asked += 1;
        await converse(venom.url, session, `${session} asks ${asked}`, log);
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 20 + random() * 480));
    alive = false;
    await venom.kill();
    await Promise.all(writers);
  }
  const venom = await startProcess(env);
  let acknowledged = 0;
  for (const [session, turns] of log) {
    const messages = await allMessages(venom.url, session);
    const seqs = messages.map(({ seq }) => seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    expect(new Set(messages.map(({ role, request_id }) => `${role} ${request_id}`)).size).toBe(messages.length);
    expect(messages.filter(({ status }) => status === 'streaming')).toEqual([]);
    const stored = messages.filter(({ role }) => role === 'user').map(({ content }) => content);
    const known = new Set(turns.map(({ question }) => question));
    expect(stored.filter((question) => known.has(question))).toEqual(turns.map(({ question }) => question));
    for (const turn of turns) {
      acknowledged += 1;
      const answer = messages.find(({ role, request_id }) => role === 'assistant' && request_id === turn.requestId);
      expect(answer, turn.question).toBeDefined();
      if (turn.done) expect(answer).toMatchObject({ status: 'complete', content: TOKENS.join('') });
      else expect(TOKENS.join('').startsWith(answer?.content ?? 'nothing')).toBe(true);
    }
  }
  console.log(`${acknowledged} acknowledged turns of ${asked} in ${ROUNDS} kills`);
  expect(acknowledged).toBeGreaterThan(ROUNDS);
  expect((await venom.stop()).code).toBe(0);
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

async function converse(
  url: string,
  session: string,
  question: string,
  log: Map<string, Acknowledged[]>,
): Promise<void> {
  let turn: Acknowledged | undefined;
  try {
    const response = await fetch(`${url}/api/v1/llm/simple/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ content: question, session_id: session }),
    });
    let rest = '';
    const decoder = new TextDecoder();
    for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
      rest += decoder.decode(bytes, { stream: true });
      for (let end = rest.indexOf('\n\n'); end !== -1; end = rest.indexOf('\n\n')) {
        const event = parse(rest.slice(0, end));
        rest = rest.slice(end + 2);
        if (event.event === 'start') {
          turn = { question, requestId: response.headers.get('x-request-id') ?? '', text: '', done: false };
          log.set(session, [...(log.get(session) ?? []), turn]);
        } else if (event.event === 'content' && turn) turn.text += event.data['text'];
        else if (event.event === 'done' && turn) turn.done = true;
      }
    }
  } catch {
    // The server was killed: what the log holds by now is what counts.
  }
}

function parse(block: string): Pick<SseEvent, 'event' | 'data'> {
  const field = (name: string) =>
    block
      .split('\n')
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2) ?? '';
  return { event: field('event'), data: JSON.parse(field('data') || '{}') };
}

async function allMessages(url: string, session: string): Promise<Message[]> {
  const all: Message[] = [];
  for (let before = ''; ; ) {
    const page = (await (await fetch(`${url}/api/v1/sessions/${session}/messages?limit=1000${before}`)).json()) as {
      messages: Message[];
      has_more: boolean;
    };
    all.unshift(...page.messages);
    if (!page.has_more) return all;
    before = `&before_seq=${page.messages[0]?.seq}`;
  }
}
