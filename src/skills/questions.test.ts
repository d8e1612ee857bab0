import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../shared/errors.js';
import { SqliteQuestions } from '../storage/sqlite-questions.js';
import { SqliteStore } from '../storage/sqlite-store.js';
import type { ToolCall, ToolDescriptor } from './ports.js';
import type { QuestionField, ToolQuestion } from './question-ports.js';
import { Questions } from './questions.js';

let folder: string;
let store: SqliteStore;
let questions: Questions;
let late: string[];
let over: ReadonlySet<string>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-questions-'));
  store = new SqliteStore(join(folder, 'venom.db'));
  late = [];
  over = new Set();
  let ids = 0;
  questions = new Questions({
    repository: new SqliteQuestions(store),
    events: { publish: () => {} },
    now: Date.now,
    newId: () => `question-${++ids}`,
    canResume: (requestId) => !over.has(requestId),
    onLateAnswer: (requestId) => void late.push(requestId),
  });
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const city: QuestionField = {
  name: 'city',
  title: 'City',
  description: null,
  required: true,
  type: 'text',
  format: null,
  minimum: null,
  maximum: null,
  options: [],
  initial: null,
};
const form = (message = 'Where?'): ToolQuestion => ({ kind: 'form', message, fields: [city] });
const tool = (hash = 'h1') =>
  ({ name: 'weather__now', title: 'Now', hash, source: { kind: 'mcp', id: 'weather' } }) as ToolDescriptor;
const call = (requestId = 'r-1', owner: string | null = null) =>
  ({ name: 'weather__now', owner, sessionId: 's', requestId, labels: [] }) as unknown as ToolCall & {
    requestId: string;
  };
const ask = (
  signal = new AbortController().signal,
  given: Partial<{ question: ToolQuestion; hash: string; requestId: string; owner: string; waitMs: number }> = {},
) =>
  questions.ask(tool(given.hash), call(given.requestId, given.owner), given.question ?? form(), {
    waitMs: given.waitMs ?? 20_000,
    signal,
    onWaiting: () => {},
  });
const waiting = () => questions.list({ state: 'waiting', limit: 50 });
const accepted = { action: 'accept', content: { city: 'Oslo' } } as const;

/** A question whose process goes before it is answered. */
async function askedByAFormerProcess(): Promise<string> {
  const process = new AbortController();
  const asking = ask(process.signal);
  await expect.poll(waiting).toHaveLength(1);
  process.abort(new AppError('interrupted', 'The server is stopping.'));
  await expect(asking).rejects.toMatchObject({ code: 'interrupted' });
  return waiting()[0]?.id ?? '';
}

describe('a question', () => {
  it('waits on disk until it is answered, and keeps no answer that was used', async () => {
    const asking = ask();
    await expect.poll(waiting).toHaveLength(1);
    await expect(questions.answer('question-1', { action: 'accept', content: {} })).rejects.toMatchObject({
      code: 'invalid_answer',
      details: { fields: { city: 'required' } },
    });
    await questions.answer('question-1', accepted);
    expect(await asking).toEqual(accepted);
    expect(questions.get('question-1')).toMatchObject({ state: 'used', action: 'accept', answer: null });
    await expect(questions.answer('question-1', { action: 'decline' })).rejects.toMatchObject({ code: 'conflict' });
    expect(late).toEqual([]);
  });

  it('that outlived its process is waited for again', async () => {
    const id = await askedByAFormerProcess();
    const asking = ask();
    await questions.answer(id, accepted);
    expect(await asking).toEqual(accepted);
    expect(questions.list({ limit: 10 })).toHaveLength(1);
  });

  it('answered meanwhile is not asked again, once, and only where it is the same', async () => {
    const id = await askedByAFormerProcess();
    await questions.answer(id, accepted);
    expect(late).toEqual(['r-1']);
    const stop = new AbortController();
    const others = [
      ask(stop.signal, { question: form('Where else?') }),
      ask(stop.signal, { hash: 'h2' }),
      ask(stop.signal, { requestId: 'r-2' }),
    ];
    await expect.poll(waiting).toHaveLength(3);
    expect(await ask()).toEqual(accepted);
    const again = ask(stop.signal);
    await expect.poll(waiting).toHaveLength(4);
    stop.abort(new AppError('cancelled', 'Stopped.'));
    for (const asking of [...others, again]) await expect(asking).rejects.toMatchObject({ code: 'cancelled' });
    await expect.poll(waiting).toEqual([]);
  });

  it('nobody answers in time is cancelled', async () => {
    expect(await ask(undefined, { waitMs: 10 })).toEqual({ action: 'cancel' });
    expect(questions.get('question-1').state).toBe('expired');
  });

  it('is over at start when nobody can be waiting for it', async () => {
    const id = await askedByAFormerProcess();
    expect(await questions.recover()).toBe(0);
    over = new Set(['r-1']);
    expect(await questions.recover()).toBe(1);
    expect(questions.get(id).state).toBe('expired');
  });

  it('of one person is unknown to another', async () => {
    const stop = new AbortController();
    const asking = ask(stop.signal, { owner: 'user-a' });
    await expect.poll(waiting).toHaveLength(1);
    expect(questions.list({ viewer: 'user-b', limit: 10 })).toEqual([]);
    expect(() => questions.get('question-1', 'user-b')).toThrow(/There is no question/);
    await expect(questions.answer('question-1', accepted, 'user-b')).rejects.toMatchObject({
      code: 'question_not_found',
    });
    stop.abort(new AppError('cancelled', 'Stopped.'));
    await expect(asking).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('may be asked twenty times in one turn', async () => {
    for (let each = 0; each < 20; each += 1) await ask(undefined, { question: form(`${each}?`), waitMs: 1 });
    await expect(ask()).rejects.toMatchObject({ code: 'queue_full' });
  });
});
