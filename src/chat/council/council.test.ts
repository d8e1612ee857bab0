import { describe, expect, it } from 'vitest';
import {
  type CouncilBounds,
  type CouncilMember,
  isAgreement,
  runCouncil,
  type Statement,
  transcript,
} from './council.js';
import { councilChoice } from './council-choice.js';

const BOUNDS: CouncilBounds = { rounds: 3, tokens: 1_000, costUsd: 1, durationMs: 60_000 };

async function hold(
  say: (round: number, member: CouncilMember) => string | Error,
  bounds: Partial<CouncilBounds> = {},
  each = { tokens: 1, costUsd: 0, elapsedMs: 0 },
) {
  const spoke: string[] = [];
  const result = await runCouncil({
    bounds: { ...BOUNDS, ...bounds },
    spent: () => ({
      tokens: spoke.length * each.tokens,
      costUsd: spoke.length * each.costUsd,
      elapsedMs: spoke.length * each.elapsedMs,
    }),
    isFinal: (error) => (error as Error).message === 'stop',
    describe: (error) => (error as Error).message,
    speak: async ({ round, member }) => {
      spoke.push(`${round} ${member}`);
      const said = say(round, member);
      if (said instanceof Error) throw said;
      return said;
    },
    onEnd: () => {},
  });
  return { ...result, spoke };
}

describe('runCouncil', () => {
  it('lets everybody speak in the same order until those who judge agree', async () => {
    const { spoke, stopped, rounds } = await hold((round) => (round === 2 ? 'Fine. AGREED' : 'No.'));
    expect(spoke).toEqual([
      '1 architect',
      '1 coder',
      '1 critic',
      '1 guardian',
      '2 architect',
      '2 coder',
      '2 critic',
      '2 guardian',
    ]);
    expect({ stopped, rounds }).toEqual({ stopped: 'agreed', rounds: 2 });
  });

  it('is not agreed while one of them objects, and ends at its last round', async () => {
    const { spoke, stopped } = await hold((_round, member) => (member === 'critic' ? 'AGREED' : 'Too risky.'));
    expect(spoke).toHaveLength(12);
    expect(stopped).toBe('rounds');
  });

  it.each([
    ['tokens', { tokens: 6 }, { tokens: 2, costUsd: 0, elapsedMs: 0 }, 3],
    ['cost', { costUsd: 0.5 }, { tokens: 0, costUsd: 0.25, elapsedMs: 0 }, 2],
    ['time', { durationMs: 50 }, { tokens: 0, costUsd: 0, elapsedMs: 10 }, 5],
  ] as const)('ends when its %s are used up', async (stopped, bounds, each, speeches) => {
    const result = await hold(() => 'No.', bounds, each);
    expect(result.stopped).toBe(stopped);
    expect(result.spoke).toHaveLength(speeches);
  });

  it('goes on without a member that cannot speak, and does not count it as agreed', async () => {
    const { statements, stopped } = await hold((round, member) =>
      member === 'guardian' && round === 1 ? new Error('empty') : 'AGREED',
    );
    expect(statements[3]).toMatchObject({ member: 'guardian', failure: 'empty', agrees: null });
    expect(statements).toHaveLength(8);
    expect(stopped).toBe('agreed');
  });

  it('fails when nobody proposes anything, and at once when it is stopped', async () => {
    await expect(hold(() => new Error('empty'))).rejects.toThrow('empty');
    await expect(hold(() => new Error('stop'))).rejects.toThrow('stop');
  });
});

it.each([
  ['AGREED', true],
  ['Two small things, else fine.\nAGREED.', true],
  ['agreed', false],
  ['NOT AGREED', false],
  ['not yet AGREED', false],
  ['DISAGREED', false],
])('%j is agreement: %s', (text, agreement) => {
  expect(isAgreement(text)).toBe(agreement);
});

it('shows the newest of what was said within its room', () => {
  const statement = (number: number, text: string): Statement => ({
    number,
    round: 1,
    member: 'coder',
    text,
    agrees: null,
    failure: null,
  });
  const text = transcript([statement(1, 'old '.repeat(100)), statement(2, 'new')], 120);
  expect(text.length).toBeLessThanOrEqual(122);
  expect(text.endsWith('[coder, round 1]\nnew')).toBe(true);
});

describe('councilChoice', () => {
  const on = { enabled: true, small: false };
  it.each([
    ['Make a small shop', on, { convened: false, reason: 'short_goal' }],
    ['x'.repeat(100), on, { convened: true, reason: 'length' }],
    ['Build a shop', on, { convened: true, reason: 'keyword' }],
    ['Zaprojektuj sklep', on, { convened: true, reason: 'keyword' }],
    ['Wir bauen einen Laden', on, { convened: true, reason: 'keyword' }],
    ['Who rebuilt systematics?', on, { convened: false, reason: 'short_goal' }],
    ['Build a shop', { enabled: true, small: true }, { convened: false, reason: 'small_model' }],
    ['Build a shop', { enabled: false, small: false }, { convened: false, reason: 'off' }],
  ] as const)('%s with %j', (goal, facts, choice) => {
    expect(councilChoice(goal, facts)).toEqual(choice);
  });
});
