import { describe, expect, it } from 'vitest';
import { type CampaignParts, runCampaign } from './campaign.js';
import type { Goal } from './goal.js';

const goal = (number: number, status: Goal['status'] = 'PENDING'): Goal => ({
  id: `g${number}`,
  campaignId: 'c',
  sessionId: null,
  number,
  text: `Goal ${number}`,
  status,
  result: null,
  error: null,
  labels: [],
  createdAt: 0,
  updatedAt: 0,
});

function campaign(goals: Goal[], changes: Partial<CampaignParts> = {}) {
  const kept: string[] = [];
  const worked: number[] = [];
  const run = runCampaign({
    goals,
    repository: {
      update: async ({ number, status }) => {
        kept.push(`${number} ${status}`);
        return true;
      },
    },
    bounds: { goals: 8, tokens: 100, costUsd: 1, durationMs: 1_000 },
    spent: () => ({ tokens: 0, costUsd: 0, elapsedMs: 0 }),
    now: () => 1,
    mayGoOn: async () => {},
    isFinal: (error) => (error as Error).message === 'stop',
    describe: (error) => ({ code: 'x', message: (error as Error).message }),
    onStart: () => {},
    onEnd: () => {},
    ...changes,
    work: async (each, earlier) => {
      worked.push(each.number);
      return changes.work ? changes.work(each, earlier) : { text: `Done ${each.number}`, labels: [] };
    },
  });
  return { run, kept, worked };
}

describe('runCampaign', () => {
  it('keeps each goal before and after it is worked on, and passes by what has ended', async () => {
    const { run, kept } = campaign([goal(1, 'COMPLETED'), goal(2, 'FAILED'), goal(3)]);
    expect((await run).stopped).toBe('done');
    expect(kept).toEqual(['3 IN_PROGRESS', '3 COMPLETED']);
  });

  it.each([
    ['tokens', { tokens: 100, costUsd: 0, elapsedMs: 0 }],
    ['cost', { tokens: 0, costUsd: 1, elapsedMs: 0 }],
    ['time', { tokens: 0, costUsd: 0, elapsedMs: 1_000 }],
  ] as const)('begins no goal once its %s are used up', async (stopped, each) => {
    const { run, worked } = campaign([goal(1), goal(2)], {
      spent: () => (worked.length === 0 ? { tokens: 0, costUsd: 0, elapsedMs: 0 } : each),
    });
    expect(await run).toMatchObject({ stopped, goals: [{ status: 'COMPLETED' }, { status: 'PENDING' }] });
  });

  it('puts a goal back where the whole campaign is cut off, and throws why', async () => {
    const { run, kept } = campaign([goal(1), goal(2)], {
      work: async () => {
        throw new Error('stop');
      },
    });
    await expect(run).rejects.toThrow('stop');
    expect(kept).toEqual(['1 IN_PROGRESS', '1 PENDING']);
  });

  it('leaves out a goal that was given up in the meantime', async () => {
    const { run, worked } = campaign([goal(1), goal(2)], {
      repository: { update: async ({ number }) => number !== 1 },
    });
    expect((await run).goals.map(({ number }) => number)).toEqual([2]);
    expect(worked).toEqual([2]);
  });

  it('lets what sticks to a result stick to the goal', async () => {
    const { run } = campaign([{ ...goal(1), labels: ['a'] }], {
      work: async () => ({ text: 'x', labels: ['b', 'a'] }),
    });
    expect((await run).goals[0]?.labels).toEqual(['a', 'b']);
  });
});
