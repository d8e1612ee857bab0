// A plan: steps, who does them, and what each needs. Checked before anything of it runs.
import { z } from 'zod';
import { PLAN_AGENTS, type PlanAgent } from '../agents/agent.js';

export const MAX_PLAN_STEPS = 8;
/** Fewer are asked for than are taken. */
const PLANNED_STEPS = 5;
const MAX_INSTRUCTION_CHARS = 2_000;
/** What the grammar lets a model write: without an end, a small one fills its whole answer with one sentence. */
const PLANNED_INSTRUCTION_CHARS = 240;

export interface PlanStep {
  /** From 1. */
  number: number;
  agent: PlanAgent;
  instruction: string;
  dependsOn: readonly number[];
}

const AGENT_NAMES = Object.keys(PLAN_AGENTS) as [PlanAgent, ...PlanAgent[]];

/** What the model is held to, where its engine can. */
export const PLAN_SCHEMA = {
  type: 'object',
  properties: {
    steps: {
      type: 'array',
      minItems: 1,
      maxItems: PLANNED_STEPS,
      items: {
        type: 'object',
        properties: {
          step_number: { type: 'integer' },
          agent_type: { type: 'string', enum: AGENT_NAMES },
          instruction: { type: 'string', minLength: 1, maxLength: PLANNED_INSTRUCTION_CHARS },
          depends_on: { type: 'array', items: { type: 'integer' }, maxItems: MAX_PLAN_STEPS },
        },
        required: ['step_number', 'agent_type', 'instruction', 'depends_on'],
        additionalProperties: false,
      },
    },
  },
  required: ['steps'],
  additionalProperties: false,
} as const;

const Steps = z.object({
  steps: z
    .array(
      z.object({
        step_number: z.int(),
        agent_type: z.string().transform((name) => name.trim().toUpperCase()),
        instruction: z.string().trim().min(1).max(MAX_INSTRUCTION_CHARS),
        depends_on: z.union([z.array(z.int()).max(MAX_PLAN_STEPS), z.int(), z.null()]).optional(),
      }),
    )
    .min(1)
    .max(MAX_PLAN_STEPS),
});

export interface RefusedPlan {
  /** In words a model can act on. */
  problems: string[];
  /** The steps one after the other, where only their numbers and what they wait for are wrong. */
  inOrder?: PlanStep[];
}

/** @returns the plan, or what is wrong with it */
export function checkPlan(text: string): { plan: PlanStep[] } | RefusedPlan {
  const json = jsonIn(text);
  if (json === undefined) return { problems: ['The answer holds no JSON object.'] };
  const parsed = Steps.safeParse(json);
  if (!parsed.success)
    return { problems: parsed.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.')}: ${issue.message}`) };
  const problems: string[] = [];
  // Models count as they like; here the first step is 1.
  const numbers = new Map<number, number>();
  const plan = parsed.data.steps.map((step, index): PlanStep => {
    const own = step.step_number;
    if (numbers.has(own)) problems.push(`Step number ${own} is used twice.`);
    if (!AGENT_NAMES.includes(step.agent_type as PlanAgent))
      problems.push(`Step ${own}: agent_type must be one of ${AGENT_NAMES.join(', ')}.`);
    const given = step.depends_on ?? [];
    const dependsOn = [...new Set(typeof given === 'number' ? [given] : given)].map((needed) => {
      const earlier = numbers.get(needed);
      if (earlier === undefined) problems.push(`Step ${own} depends on ${needed}, which is not an earlier step.`);
      return earlier ?? 0;
    });
    numbers.set(own, index + 1);
    return { number: index + 1, agent: step.agent_type as PlanAgent, instruction: step.instruction, dependsOn };
  });
  const empty = plan.length === 1 && !/\S\s+\S/.test(plan[0]?.instruction ?? '');
  if (empty) problems.push('One step of a single word is no plan: say what is to be done, in sentences.');
  if (problems.length === 0) return { plan };
  const agentsKnown = plan.every(({ agent }) => AGENT_NAMES.includes(agent));
  // A small model fills the form with its own words for the fields, or says the same thing five times.
  const said = new Set(plan.map(({ instruction }) => instruction.toLowerCase()));
  const sensible = !empty && said.size === plan.length && !AGENT_NAMES.some((name) => said.has(name.toLowerCase()));
  const inOrder = plan.map((step, index) => ({ ...step, dependsOn: index === 0 ? [] : [index] }));
  return { problems, ...(agentsKnown && sensible ? { inOrder } : {}) };
}

/** What is done where no plan came of it. */
export const singleStep = (goal: string): PlanStep[] => [
  { number: 1, agent: 'CODER', instruction: goal, dependsOn: [] },
];

function jsonIn(text: string): unknown {
  const from = text.indexOf('{');
  const to = text.lastIndexOf('}');
  if (from === -1 || to < from) return undefined;
  try {
    return JSON.parse(text.slice(from, to + 1));
  } catch {
    return undefined;
  }
}
