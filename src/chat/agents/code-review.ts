// Code is written, reviewed and repaired: at most three drafts, fewer where the reviewer repeats itself or it costs too much.

const MAX_ROUNDS = 3;
const COST_BOUND_USD = 0.5;

export interface CodeReviewParts {
  /** Writes a draft. `repair` holds the last one and what is wrong with it. */
  write: (repair: { code: string; feedback: string } | null) => Promise<string>;
  review: (code: string) => Promise<string>;
  costUsd: () => number;
  onRound: (round: number, verdict: 'approved' | 'rejected', feedback: string) => void;
}

export interface ReviewedCode {
  code: string;
  approved: boolean;
  rounds: number;
  stopped: 'approved' | 'rounds' | 'same_feedback' | 'cost';
  feedback: string;
}

export async function reviewedCode({ write, review, costUsd, onRound }: CodeReviewParts): Promise<ReviewedCode> {
  let repair: { code: string; feedback: string } | null = null;
  for (let round = 1; ; round += 1) {
    const code = await write(repair);
    const feedback = (await review(code)).trim();
    const approved = isApproval(feedback);
    onRound(round, approved ? 'approved' : 'rejected', feedback);
    const result = { code, approved, rounds: round, feedback };
    if (approved) return { ...result, stopped: 'approved' };
    if (round >= MAX_ROUNDS) return { ...result, stopped: 'rounds' };
    // A repair that was asked for in the same words did not help.
    if (repair && sameFeedback(repair.feedback, feedback)) return { ...result, stopped: 'same_feedback' };
    if (costUsd() > COST_BOUND_USD) return { ...result, stopped: 'cost' };
    repair = { code, feedback };
  }
}

export const isApproval = (feedback: string): boolean =>
  /\bAPPROVED\b/.test(feedback) && !/\b(NOT|DIS|UN)[\s-]?APPROVED\b/i.test(feedback);

const sameFeedback = (one: string, other: string): boolean => folded(one) === folded(other);
const folded = (text: string): string => text.toLowerCase().replace(/\s+/g, ' ').trim();
