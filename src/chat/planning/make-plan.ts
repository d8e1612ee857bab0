// How a goal becomes a plan: the Architect is asked, once more with what was wrong, then in a simpler form; a small model
// gets the simple form at once. What no model could plan is divided by its own words. The plan says which way it came.
import type { Language } from '../intent.js';
import { checkPlan, PLAN_SCHEMA, type PlanStep, singleStep } from './plan.js';
import { inOrder, readShortPlan, SHORT_PLAN_PROMPT, SHORT_PLAN_SCHEMA } from './short-plan.js';
import { splitGoal } from './split-goal.js';

const EARLIER_CHARS = 4_000;

type Messages = readonly { role: 'system' | 'user' | 'assistant'; content: string }[];

/** `words`: no model made a usable plan, and the goal was divided; `whole`: it is done as it is. */
export type PlanSource = 'model' | 'words' | 'whole';

export interface MadePlan {
  steps: PlanStep[];
  source: PlanSource;
}

export interface MakePlanOptions {
  goal: string;
  language: Language | null;
  /** With all that goes along: what the Architect is asked. */
  messages: Messages;
  /** The model is known to be too small for the long form. */
  small: boolean;
  ask: (messages: Messages, jsonSchema: Record<string, unknown>) => Promise<string>;
  onRefused: (attempt: number, problems: readonly string[]) => void;
}

/** @throws what `ask` throws */
export async function makePlan(options: MakePlanOptions): Promise<MadePlan> {
  const { goal, language, small, ask, onRefused } = options;
  let attempt = 0;
  const refuse = (...problems: string[]) => {
    attempt += 1;
    onRefused(attempt, problems);
  };
  if (!small) {
    let { messages } = options;
    let tangled: PlanStep[] | undefined;
    while (attempt < 2) {
      const text = await ask(messages, PLAN_SCHEMA);
      const checked = checkPlan(text);
      if ('plan' in checked) return { steps: checked.plan, source: 'model' };
      tangled = checked.inOrder ?? tangled;
      refuse(...checked.problems);
      messages = [
        ...messages,
        { role: 'assistant', content: text.slice(0, EARLIER_CHARS) },
        { role: 'user', content: `This is no usable plan. ${checked.problems.join(' ')} Answer with the JSON only.` },
      ];
    }
    if (tangled) return { steps: tangled, source: 'model' };
  }
  const short = readShortPlan(
    await ask(
      [
        { role: 'system', content: SHORT_PLAN_PROMPT },
        { role: 'user', content: `Goal: ${goal}` },
      ],
      SHORT_PLAN_SCHEMA,
    ),
    goal,
  );
  if (short) return { steps: short, source: 'model' };
  refuse('The steps say nothing, or the same thing twice.');
  const parts = splitGoal(goal, language);
  return parts.length > 0 ? { steps: inOrder(parts), source: 'words' } : { steps: singleStep(goal), source: 'whole' };
}
