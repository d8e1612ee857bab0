import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { sessionLabelling } from '../../routing/session-labelling.js';
import type { SessionRepository, SessionSummary } from '../ports.js';
import { SessionStore } from './session-store.js';

const SECRET = 'The account is DE89370400440532013000.';
const LONG = `${'The sea is calm tonight. '.repeat(10_000)}${SECRET}`;

function newStore() {
  const turns: string[][] = [[]];
  const wrote = async (what: string) => void turns.at(-1)?.push(what);
  const labels: string[] = [];
  const repository = {
    adoptBoot: () => {},
    interruptUnfinished: () => 0,
    beginTurn: ({ labels: found }) => wrote(`question ${found}`),
    endTurn: () => wrote(`answer ${labels}`),
    together: (ask) => ask(),
    summary: () => ({}) as SessionSummary,
    change: async () => {
      await wrote(`instructions ${labels}`);
      return true;
    },
  } as Partial<SessionRepository> as SessionRepository;
  const sensitivity = { localOnly: true, masking: false, imagesMayLeave: false, options: {} };
  const labelling = sessionLabelling(sensitivity, {
    of: () => labels,
    add: (_session, found) => void labels.push(...found),
  });
  const sessions = new SessionStore(repository, { now: () => 0 }, { publish: () => {} }, 'boot', labelling);
  let watching = true;
  const watch = async () => {
    for (; watching; await setImmediate()) if (turns.at(-1)?.length !== 0) turns.push([]);
  };
  void watch();
  return {
    sessions,
    wrote,
    /** What was written, by turn of the event loop. */
    written: () => {
      watching = false;
      return turns.filter((turn) => turn.length > 0);
    },
  };
}

const question = { sessionId: 's', requestId: 'r', model: 'm', idempotencyKey: null };
const end = { requestId: 'r', status: 'complete' as const, error: null, usage: null };

describe('SessionStore', () => {
  it.each([
    ['a short', SECRET],
    ['a long', LONG],
  ])(
    'stores %s question with what is found in it, and what belongs to it in the same turn of the loop',
    async (_, text) => {
      const { sessions, wrote, written } = newStore();
      await sessions.beginTurn({ ...question, userText: text }, () => wrote('task'));
      expect(written()).toEqual([['task', 'question iban']]);
    },
  );

  it.each([
    ['a short', SECRET],
    ['a long', LONG],
  ])('labels the session by %s answer before its end is stored', async (_, text) => {
    const { sessions, wrote, written } = newStore();
    await sessions.endTurn('s', { ...end, text }, () => wrote('task'));
    expect(written()).toEqual([['task', 'answer iban']]);
  });

  it.each([
    ['short', SECRET],
    ['long', LONG],
  ])('labels the session by %s instructions before they are stored', async (_, instructions) => {
    const { sessions, written } = newStore();
    await sessions.change('s', { instructions });
    expect(written()).toEqual([['instructions iban']]);
  });
});
