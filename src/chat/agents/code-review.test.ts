import { describe, expect, it } from 'vitest';
import { isApproval, reviewedCode } from './code-review.js';

/** Drafts are numbered; `verdicts` come in turn. */
function loop(verdicts: string[], costUsd = () => 0) {
  let draft = 0;
  const repairs: (string | null)[] = [];
  return {
    repairs,
    result: reviewedCode({
      write: async (repair) => {
        draft += 1;
        repairs.push(repair && `${repair.code}: ${repair.feedback}`);
        return `draft ${draft}`;
      },
      review: async () => verdicts.shift() ?? 'more',
      costUsd,
      onRound: () => {},
    }),
  };
}

describe('reviewedCode', () => {
  it('gives the writer the last draft and what is wrong with it', async () => {
    const { result, repairs } = loop(['first remark', 'APPROVED']);
    expect(await result).toMatchObject({ code: 'draft 2', approved: true, rounds: 2, stopped: 'approved' });
    expect(repairs).toEqual([null, 'draft 1: first remark']);
  });

  it('stops after three drafts', async () => {
    expect(await loop(['a', 'b', 'c', 'APPROVED']).result).toMatchObject({
      code: 'draft 3',
      approved: false,
      stopped: 'rounds',
      feedback: 'c',
    });
  });

  it('stops when a repair changed nothing, and when it costs too much', async () => {
    expect(await loop(['The same.', 'the  same.']).result).toMatchObject({ rounds: 2, stopped: 'same_feedback' });
    expect(await loop(['a', 'b'], () => 0.51).result).toMatchObject({ rounds: 1, stopped: 'cost' });
  });

  it('knows an approval from its opposite', () => {
    expect(['APPROVED', 'Fine. APPROVED!'].map(isApproval)).toEqual([true, true]);
    expect(['NOT APPROVED', 'DISAPPROVED', 'not-APPROVED', 'approved by nobody', ''].map(isApproval)).toEqual(
      Array(5).fill(false),
    );
  });
});
