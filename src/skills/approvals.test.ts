import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../shared/errors.js';
import { SqliteSkills } from '../storage/sqlite-skills.js';
import { SqliteStore } from '../storage/sqlite-store.js';
import { Approvals } from './approvals.js';
import type { ToolCall, ToolDescriptor } from './ports.js';

let folder: string;
let store: SqliteStore;
let approvals: Approvals;
let late: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-approvals-'));
  store = new SqliteStore(join(folder, 'venom.db'));
  late = [];
  let ids = 0;
  approvals = new Approvals({
    repository: new SqliteSkills(store, (error) => {
      throw error;
    }),
    events: { publish: () => {} },
    now: Date.now,
    newId: () => `approval-${++ids}`,
    waitMs: 20_000,
    onLateAnswer: (requestId) => void late.push(requestId),
  });
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const tool = (hash = 'h1') =>
  ({ name: 'files__write', title: 'Write', hash, readOnly: false, egress: false }) as ToolDescriptor;
const stop = new AbortController();
const call = (given: Partial<ToolCall> = {}): ToolCall => ({
  name: 'files__write',
  input: { path: 'a.txt' },
  owner: null,
  sessionId: null,
  requestId: 'r-1',
  labels: [],
  signal: stop.signal,
  ...given,
});
const ask = (descriptor: ToolDescriptor, given: ToolCall) => approvals.ask(descriptor, given, 'default', () => {});
const waiting = () => approvals.list({ state: 'waiting', limit: 10 });

/** A question whose process goes before it is answered. */
async function askedByAFormerProcess(): Promise<string> {
  const process = new AbortController();
  const asking = ask(tool(), call({ signal: process.signal }));
  await expect.poll(waiting).toHaveLength(1);
  process.abort(new AppError('interrupted', 'The server is stopping.'));
  await expect(asking).rejects.toMatchObject({ code: 'interrupted' });
  return waiting()[0]?.id ?? '';
}

describe('Approvals', () => {
  it('takes a yes that came while nobody waited once, for the same call of the same turn', async () => {
    await approvals.decide(await askedByAFormerProcess(), 'once');
    expect(late).toEqual(['r-1']);
    expect(await ask(tool(), call())).toBe('allowed');
    const again = ask(tool(), call());
    await expect.poll(waiting).toHaveLength(1);
    await approvals.decide(waiting()[0]?.id ?? '', 'deny');
    expect(await again).toBe('denied');
  });

  it.each<[string, ToolDescriptor, ToolCall]>([
    ['of a definition that has changed since', tool('h2'), call()],
    ['with another input', tool(), call({ input: { path: 'b.txt' } })],
    ['of another turn', tool(), call({ requestId: 'r-2' })],
    ['of no turn', tool(), call({ requestId: null })],
  ])('does not take it for a call %s', async (_, descriptor, given) => {
    await approvals.decide(await askedByAFormerProcess(), 'once');
    const asking = ask(descriptor, given);
    await expect.poll(waiting).toHaveLength(1);
    await approvals.decide(waiting()[0]?.id ?? '', 'deny');
    expect(await asking).toBe('denied');
  });

  it('goes on waiting with the question that was there, and takes a no for the rest of the turn', async () => {
    const id = await askedByAFormerProcess();
    const asking = ask(tool(), call());
    await new Promise(setImmediate);
    expect(waiting().map((each) => each.id)).toEqual([id]);
    await approvals.decide(id, 'deny');
    expect(await asking).toBe('denied');
    expect(await ask(tool(), call())).toBe('denied');
    expect(late).toEqual([]);
  });

  it('does not let an answer to a call outside of sessions hold for one', async () => {
    const asking = ask(tool(), call());
    await expect.poll(waiting).toHaveLength(1);
    const id = waiting()[0]?.id ?? '';
    await expect(approvals.decide(id, 'session')).rejects.toMatchObject({ code: 'invalid_input' });
    await approvals.decide(id, 'once');
    expect(await asking).toBe('allowed');
    expect(approvals.get(id).state).toBe('used');
    await expect(approvals.decide(id, 'deny')).rejects.toMatchObject({ code: 'conflict' });
  });
});
