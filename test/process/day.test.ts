// A day with the built server: thirty turns in three modes and three languages, a kill, switches from the house to one cloud,
// to another and back, both clouds failing, a restart. Afterwards what clients saw, what is stored and exported, tasks, traces
// and receipts agree byte for byte, every byte that left is in a receipt, and nothing that was labelled left.
import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeCloud, startFakeCloud } from '../api/fake-cloud.js';
import { type FakeUpstream, startFakeUpstream, streams } from '../api/fake-upstream.js';
import { readEvents, textOf } from '../api/server.js';
import { TaskClient, type VenomTask } from '../api/task-client.js';
import { startProcess, type VenomProcess } from './venom-process.js';

type Mode = 'direct' | 'normal' | 'complex';
type Language = 'en' | 'pl' | 'de';

interface Turn {
  mode: Mode;
  session: string;
  question: string;
  /** A text that must never leave. */
  secret?: string;
  requestId: string;
  /** What the client saw. */
  answer: string;
  status: 'complete' | 'interrupted';
}

const QUESTIONS: Record<Language, string[]> = {
  en: [
    'Tell me about the harbour of Gdynia',
    'Write a short poem about autumn leaves',
    'Why is the sky blue in the morning?',
    'Name three books about the sea',
    'What did people eat in old Rome?',
  ],
  pl: [
    'Opowiedz mi o porcie w Gdyni i jego historii',
    'Napisz krótki wiersz o jesiennych liściach',
    'Dlaczego niebo jest niebieskie o poranku?',
    'Wymień trzy książki o morzu, które warto przeczytać',
    'Co jedli ludzie w dawnym Rzymie?',
  ],
  de: [
    'Erzähle mir etwas über den Hafen von Gdynia',
    'Schreibe ein kurzes Gedicht über die Blätter im Herbst',
    'Warum ist der Himmel am Morgen blau?',
    'Nenne drei Bücher über das Meer, die man lesen sollte',
    'Was haben die Menschen im alten Rom gegessen?',
  ],
};
const SECRETS: Record<Language, [question: string, secret: string]> = {
  en: ['My IBAN is PL61 1090 1014 0000 0712 1981 2874, what is it for?', '1090 1014'],
  pl: ['Moje hasło to Slonecznik77!, jak je poprawić?', 'Slonecznik77'],
  de: ['Meine Adresse ist lotta.weber@example.org, wie richte ich sie ein?', 'lotta.weber'],
};

let folder: string;
let local: FakeUpstream;
let cloud: FakeCloud;
let venom: VenomProcess;
let client: TaskClient;
let hang = false;
const turns: Turn[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'venom-day-'));
  local = await startFakeUpstream();
  cloud = await startFakeCloud();
  local.behaviour = answerAtHome;
  cloud.answer = ({ body }) => [`Wolke ${Buffer.byteLength(body)} `, 'ł', `ę und ${cloud.requests.length}.`];
  await start();
});
afterAll(async () => {
  await venom.stop();
  await local.close();
  await cloud.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<void> {
  venom = await startProcess({ VENOM_DATA_DIR: folder, LLM_LOCAL_ENDPOINT: local.url, ...cloud.env });
  client = new TaskClient(venom.url);
}

/** A plan where one is asked for, else words that name the question, so that no two answers are alike. */
async function answerAtHome(body: Record<string, unknown>, response: ServerResponse): Promise<void> {
  if (body['response_format']) {
    const steps = ['First', 'Second'].map((instruction, index) => ({
      step_number: index + 1,
      agent_type: 'RESEARCHER',
      instruction,
      depends_on: [],
    }));
    await streams([JSON.stringify({ steps })])(body, response);
    return;
  }
  const pieces = [`Dom ${local.requests.length}: `, 'zażółć ', 'gęślą ', 'jaźń 🙂'];
  await streams(hang ? [...pieces, ...Array.from({ length: 2_000 }, () => ' …')] : pieces, hang ? 10 : 0)(
    body,
    response,
  );
}

async function direct(session: string, question: string): Promise<Omit<Turn, 'mode' | 'session' | 'question'>> {
  const response = await client.post('/llm/simple/stream', { content: question, session_id: session });
  const requestId = response.headers.get('x-request-id') as string;
  const events = await readEvents(response);
  expect(events.at(-1)?.event, question).toBe('done');
  return { requestId, answer: textOf(events), status: 'complete' };
}

async function task(
  mode: Mode,
  session: string,
  question: string,
): Promise<Omit<Turn, 'mode' | 'session' | 'question'>> {
  const requestId = await client.submit({
    content: question,
    session_id: session,
    ...(mode === 'complex' ? { forced_intent: 'COMPLEX_PLANNING' } : {}),
  });
  const events = await client.follow(`/tasks/${requestId}/stream`);
  const last = events.at(-1);
  expect(last?.event, question).toBe('task_finished');
  expect(last?.data['status'], JSON.stringify(last?.data)).toBe('COMPLETED');
  return { requestId, answer: String(last?.data['result']), status: 'complete' };
}

async function take(mode: Mode, session: string, question: string, secret?: string): Promise<void> {
  const seen = mode === 'direct' ? await direct(session, question) : await task(mode, session, question);
  turns.push({ mode, session, question, ...(secret === undefined ? {} : { secret }), ...seen });
}

const ask = (mode: Mode, language: Language, part: string, index: number) =>
  take(mode, `session-${part}-${mode}-${language}`, QUESTIONS[language][index] as string);

const tell = (mode: Mode, language: Language, part: string) => {
  const [question, secret] = SECRETS[language];
  return take(mode, `session-${part}-${mode}-${language}`, question, secret);
};

const activate = async (provider: string) => {
  const response = await client.post('/system/llm-runtime/active', { provider });
  expect(response.status).toBe(200);
};

it('goes through thirty turns, a kill, a switch, an outage and a restart', async () => {
  // In the house: 9 turns, one of them in each language with something that must stay.
  for (const language of ['en', 'pl', 'de'] as const) {
    await ask('direct', language, 'morning', 0);
    await ask('normal', language, 'morning', 1);
    await tell('direct', language, 'secret');
  }
  expect(cloud.everything()).toBe('');

  // A kill in the middle of an answer, and a start.
  hang = true;
  const session = 'session-killed';
  const question = QUESTIONS.en[2] as string;
  const response = await client.post('/llm/simple/stream', { content: question, session_id: session });
  const requestId = response.headers.get('x-request-id') as string;
  let seen = '';
  const reading = readEvents(response, (events) => {
    seen = textOf(events);
    return false;
  }).catch(() => {});
  await expect.poll(() => seen.length, { timeout: 5_000 }).toBeGreaterThan(60);
  await venom.kill();
  await reading;
  hang = false;
  turns.push({ mode: 'direct', session, question, requestId, answer: seen, status: 'interrupted' });
  await start();

  // The cloud answers: 9 turns, of which those that are labelled, or in a labelled session, stay at home.
  await activate('openai');
  for (const language of ['en', 'pl', 'de'] as const) {
    await ask('direct', language, 'noon', 2);
    await ask('complex', language, 'noon', 3);
    await tell('normal', language, 'noon');
  }
  const atNoon = cloud.requests.length;
  expect(atNoon).toBeGreaterThanOrEqual(6);
  for (const language of ['en', 'pl', 'de'] as const) await ask('direct', language, 'secret', 4);
  expect(cloud.requests).toHaveLength(atNoon);

  // The cloud is out: everything is answered at home.
  cloud.fault = (_request, answer) => {
    answer.writeHead(500);
    answer.end('{"error":{"message":"out","code":"server_error"}}');
    return true;
  };
  for (const mode of ['direct', 'normal', 'complex'] as const) await ask(mode, 'pl', 'afternoon', 4);
  expect(turns.slice(-3).map(({ answer }) => answer.includes('Dom'))).toEqual([true, true, true]);

  // An orderly restart; the cloud is back, and still the active engine.
  const { code, ms } = await venom.stop();
  expect(code).toBe(0);
  expect(ms).toBeLessThan(12_000);
  cloud.fault = () => false;
  await start();
  const before = cloud.requests.length;
  for (const mode of ['direct', 'normal'] as const) await ask(mode, 'de', 'evening', 0);
  expect(cloud.requests.length).toBe(before + 2);

  // Another cloud, which gets nothing of what is labelled either; and home again.
  await activate('google');
  await ask('complex', 'pl', 'evening', 1);
  expect(new Set(cloud.requests.map(({ provider }) => provider))).toEqual(new Set(['openai', 'google']));
  const atNight = cloud.requests.length;
  await tell('complex', 'en', 'evening');
  await client.post('/system/llm-servers/active', { server_name: 'openai-compatible' });
  await ask('normal', 'en', 'evening', 1);
  expect(cloud.requests).toHaveLength(atNight);
  expect(turns).toHaveLength(30);
  for (const of of [(turn: Turn) => turn.mode, (turn: Turn) => /\w+$/.exec(turn.session)?.[0] ?? ''])
    expect(Map.groupBy(turns.slice(0, 9).concat(turns.slice(10)), of).size).toBe(3);
}, 60_000);

interface Message {
  seq: number;
  role: string;
  content: string;
  status: string;
  request_id: string;
  receipt: Receipt | null;
}
interface Receipt {
  attempts: { provider: string; location: string; bytes_sent: number; bytes_received: number; outcome: string }[];
}
interface Detail {
  prompt: string;
  status: string;
  session_id: string;
  result: string | null;
  steps: { action: string; details: string | null }[];
  receipt: Receipt | null;
}

it('has stored what people saw, in order, and traces and receipts say the same', async () => {
  for (const session of new Set(turns.map((turn) => turn.session))) {
    const own = turns.filter((turn) => turn.session === session);
    const { messages } = await client.get<{ messages: Message[] }>(`/sessions/${session}/messages?limit=1000`);
    expect(messages.map(({ role, content, request_id }) => [role, content, request_id])).toEqual(
      own.flatMap(({ question, answer, requestId, status }) => [
        ['user', question, requestId],
        // Of what was cut off, up to 250 ms may be missing that were seen.
        ['assistant', status === 'complete' ? answer : messages[1]?.content, requestId],
      ]),
    );
    // What is exported is the same transcript.
    const exported = await client.get<{ messages: Message[] }>(`/sessions/${session}/export?format=json`);
    expect(exported.messages.map(({ seq, content }) => [seq, content])).toEqual(
      messages.map(({ seq, content }) => [seq, content]),
    );
    const { labels } = await client.get<{ labels: string[] }>(`/sessions/${session}/labels`);
    expect(labels.length > 0, session).toBe(own.some(({ secret }) => secret !== undefined));
    const { receipts } = await client.get<{ receipts: { request_id: string; receipt: Receipt }[] }>(
      `/receipts?session_id=${session}`,
    );
    for (const turn of own) {
      const stored = messages.find((message) => message.role === 'assistant' && message.request_id === turn.requestId);
      const detail = await client.get<Detail>(`/history/requests/${turn.requestId}`);
      expect(detail.prompt, JSON.stringify(detail)).toBe(turn.question);
      expect(detail.session_id).toBe(session);
      if (turn.status === 'interrupted') {
        expect(stored?.status).toBe('interrupted');
        expect(turn.answer.startsWith(stored?.content ?? 'nothing')).toBe(true);
        expect(['FAILED', 'LOST']).toContain(detail.status);
        continue;
      }
      expect(stored?.status).toBe('complete');
      expect(detail.status).toBe('COMPLETED');
      expect(detail.receipt, turn.question).toEqual(stored?.receipt);
      expect(receipts.find(({ request_id }) => request_id === turn.requestId)?.receipt).toEqual(stored?.receipt);
      if (turn.mode === 'direct') {
        const step = detail.steps.find(({ action }) => action === 'response');
        expect(JSON.parse(step?.details ?? '{}').response).toBe(turn.answer);
      } else {
        expect(detail.result).toBe(turn.answer);
        const { result, status } = await client.task(turn.requestId);
        expect({ result, status } satisfies Partial<VenomTask>).toEqual({ result: turn.answer, status: 'COMPLETED' });
      }
    }
  }
}, 30_000);

it('has every byte that left in a receipt, and nothing labelled left', async () => {
  const attempts = (
    await Promise.all(
      turns.map(
        async ({ requestId }) => (await client.get<Detail>(`/history/requests/${requestId}`)).receipt?.attempts,
      ),
    )
  ).flatMap((found) => found ?? []);
  const sent = attempts.filter(({ location, bytes_sent }) => location === 'cloud' && bytes_sent > 0);
  expect(sent.map(({ bytes_sent }) => bytes_sent).sort((a, b) => a - b)).toEqual(
    cloud.requests.map(({ body }) => Buffer.byteLength(body)).sort((a, b) => a - b),
  );
  for (const provider of ['openai', 'google'] as const)
    expect(sent.filter((attempt) => attempt.provider === provider)).toHaveLength(
      cloud.requests.filter((request) => request.provider === provider).length,
    );
  const left = cloud.everything();
  // What was asked of the cloud did arrive, so the search below could find something.
  expect(left).toContain(QUESTIONS.de[2]);
  const secrets = turns.flatMap(({ secret }) => secret ?? []);
  expect(new Set(secrets).size).toBe(3);
  for (const secret of secrets) {
    expect(left).not.toContain(secret);
    for (const { body } of cloud.requests) expect(JSON.stringify(JSON.parse(body))).not.toContain(secret);
  }
  // Nothing of a conversation left once something in it was labelled: neither what came after nor the answers to it.
  for (const session of new Set(turns.filter(({ secret }) => secret).map((turn) => turn.session))) {
    const own = turns.filter((turn) => turn.session === session);
    for (const { answer, requestId } of own.slice(own.findIndex(({ secret }) => secret))) {
      expect(left).not.toContain(answer);
      const { receipt } = await client.get<Detail>(`/history/requests/${requestId}`);
      expect(receipt?.attempts.map(({ location }) => location)).not.toContain('cloud');
    }
  }
}, 30_000);
