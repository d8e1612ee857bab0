// How well intents are recognised, on utterances that somebody labelled. Pure: no model, no I/O.
import { z } from 'zod';
import { INTENTS, type IntentDecision, type IntentId } from '../intent.js';

/**
 * One line of test/evaluation/intents.jsonl. Where people would disagree, `intent` is a list and any of it is right. A
 * `trap` is a text that a careless rule sends to a tool; one that is missed is a misfire. Lines that are `held` were
 * never looked at while the lexicons were changed.
 */
export const LabelledUtterance = z.object({
  text: z.string().min(1).max(5_000),
  language: z.enum(['en', 'pl', 'de', 'other']),
  intent: z.union([z.enum(INTENTS), z.array(z.enum(INTENTS)).min(1)]).transform((one) => [one].flat() as IntentId[]),
  trap: z.boolean().default(false),
  held: z.boolean().default(false),
});
export type LabelledUtterance = z.output<typeof LabelledUtterance>;

export const LEAST_ACCURACY = 0.95;

export interface Share {
  right: number;
  total: number;
}

export interface Evaluation {
  overall: Share;
  held: Share;
  byIntent: Record<string, Share>;
  byLanguage: Record<string, Share>;
  /** Whether the language itself was told, over texts of three words and more. */
  languageTold: Share;
  confusions: { expected: string; got: string; count: number }[];
  wrong: { text: string; language: string; expected: string; got: string; score: number; held: boolean }[];
  /** Talk that went to a tool, among the traps. */
  misfires: string[];
  passed: boolean;
}

export function readUtterances(jsonl: string): LabelledUtterance[] {
  return jsonl
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => LabelledUtterance.parse(JSON.parse(line)));
}

export function evaluate(
  utterances: readonly LabelledUtterance[],
  classify: (text: string) => Pick<IntentDecision, 'intent' | 'language' | 'score'>,
): Evaluation {
  const overall: Share = { right: 0, total: 0 };
  const held: Share = { right: 0, total: 0 };
  const languageTold: Share = { right: 0, total: 0 };
  const byIntent: Record<string, Share> = {};
  const byLanguage: Record<string, Share> = {};
  const confused = new Map<string, { expected: string; got: string; count: number }>();
  const wrong: Evaluation['wrong'] = [];
  const misfires: string[] = [];

  for (const utterance of utterances) {
    const got = classify(utterance.text);
    const expected = utterance.intent[0] as IntentId;
    const right = utterance.intent.includes(got.intent);
    byIntent[expected] ??= { right: 0, total: 0 };
    byLanguage[utterance.language] ??= { right: 0, total: 0 };
    const shares = [overall, byIntent[expected], byLanguage[utterance.language], utterance.held ? held : undefined];
    for (const share of shares) if (share) count(share, right);
    if (utterance.text.trim().split(/\s+/).length >= 3)
      count(languageTold, (got.language ?? 'other') === utterance.language);
    if (right) continue;
    wrong.push({
      text: utterance.text,
      language: utterance.language,
      expected,
      got: got.intent,
      score: got.score,
      held: utterance.held,
    });
    if (utterance.trap) misfires.push(utterance.text);
    const key = `${expected} ${got.intent}`;
    const pair = confused.get(key) ?? { expected, got: got.intent, count: 0 };
    pair.count += 1;
    confused.set(key, pair);
  }
  return {
    overall,
    held,
    byIntent,
    byLanguage,
    languageTold,
    confusions: [...confused.values()].sort((one, other) => other.count - one.count),
    wrong,
    misfires,
    passed: misfires.length === 0 && overall.total > 0 && overall.right / overall.total >= LEAST_ACCURACY,
  };
}

function count(share: Share, right: boolean): void {
  share.total += 1;
  if (right) share.right += 1;
}
