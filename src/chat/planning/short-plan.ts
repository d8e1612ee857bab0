// A plan as a list of sentences and nothing else: what a small model can fill in. Who does a step is told by its words, and
// the steps are done one after the other.
import type { PlanStep } from './plan.js';
import { MOST_PARTS } from './split-goal.js';

const STEP_CHARS = 140;
const FEWEST_WORDS = 2;

export const SHORT_PLAN_SCHEMA = {
  type: 'object',
  properties: {
    steps: {
      type: 'array',
      minItems: 2,
      maxItems: MOST_PARTS,
      items: { type: 'string', minLength: 8, maxLength: STEP_CHARS },
    },
  },
  required: ['steps'],
  additionalProperties: false,
} as const;

export const SHORT_PLAN_PROMPT =
  'You split a goal into two to four short steps, in the order in which they are done. Each step is one sentence that says what to do. Answer with JSON.';

/** @returns the steps in order, or null where too little sense is in them */
export function readShortPlan(text: string, goal: string): PlanStep[] | null {
  const from = text.indexOf('{');
  let given: unknown;
  try {
    given = JSON.parse(text.slice(from, text.lastIndexOf('}') + 1)).steps;
  } catch {
    return null;
  }
  if (!Array.isArray(given)) return null;
  const seen = new Set([plain(goal)]);
  const steps: string[] = [];
  for (const one of given.slice(0, MOST_PARTS)) {
    if (typeof one !== 'string') return null;
    const step = one.replace(/^\s*(?:(?:step|krok|schritt)\s*)?\d{1,2}[.):]?\s+/i, '').trim();
    // The goal itself, or a step once more, is no further step.
    if (seen.has(plain(step))) continue;
    seen.add(plain(step));
    if (!saysSomething(step)) return null;
    steps.push(step.slice(0, STEP_CHARS));
  }
  return steps.length < 2 ? null : inOrder(steps);
}

/** One after the other, each with all that came before it. */
export const inOrder = (instructions: readonly string[]): PlanStep[] =>
  instructions.map((instruction, index) => ({
    number: index + 1,
    agent: workerFor(instruction),
    instruction,
    dependsOn: Array.from({ length: index }, (_, earlier) => earlier + 1),
  }));

const plain = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

/** Words, and not the same one over and over. */
function saysSomething(step: string): boolean {
  const words = plain(step)
    .split(' ')
    .filter((word) => /\p{L}{2}/u.test(word));
  const stammers = words.some((word, index) => word === words[index + 1]);
  return words.length >= FEWEST_WORDS && !stammers && new Set(words).size > words.length / 2;
}

const TOOL = /(?<![\p{L}])(?:tool|narzędzi\p{L}*|werkzeug\p{L}*)(?![\p{L}])/iu;
const LOOKING_UP =
  /(?<![\p{L}])(?:find out|look up|research|sources?|wyszuka\p{L}*|zbadaj|źród\p{L}*|recherchier\p{L}*|quellen?)(?![\p{L}])/iu;

/** Writing, text or code, is what most steps are. */
const workerFor = (step: string): PlanStep['agent'] =>
  TOOL.test(step) ? 'TOOLMAKER' : LOOKING_UP.test(step) ? 'RESEARCHER' : 'CODER';
