// A turn that is planned first: the Architect's plan, its steps side by side, and their texts as they are written.
import { toAppError } from '../../shared/errors.js';
import { AGENTS, PLAN_AGENTS } from '../agents/agent.js';
import { type MadePlan, makePlan } from '../planning/make-plan.js';
import { OrderedSections } from '../planning/ordered-sections.js';
import type { PlanStep } from '../planning/plan.js';
import { planReport, stepAgain, stepFailure, stepHeading } from '../planning/report.js';
import { runPlan, type StepOutcome } from '../planning/run-plan.js';
import { endsTheTurn } from './final-failures.js';
import { logLine } from './log-lines.js';
import { TaskError } from './task-failure.js';
import { labelsOf, type TurnWork } from './turn-work.js';

const SHOW_EVERY_MS = 250;
const SHOWN_INSTRUCTION_CHARS = 300;
const EARLIER_STEP_CHARS = 4_000;
const EARLIER_PLAIN_CHARS = 1_000;
const PREVIEW_CHARS = 240;
/** A small model does not end by itself. */
const SMALL_STEP_TOKENS = 384;

export async function planTurn(work: TurnWork): Promise<string> {
  const { turn, model, small, language, tracer, events, show } = work;
  const { live } = turn;
  const { steps: plan, source } = await made(work);
  const statuses = new Map<number, string>();
  let shownAt = 0;
  const showPlan = () =>
    live.update({
      plan: plan.map(({ number, agent, instruction, dependsOn }) => {
        const written = live.parts.get(number)?.text;
        return {
          step: number,
          agent,
          instruction: instruction.slice(0, SHOWN_INSTRUCTION_CHARS),
          depends_on: dependsOn,
          status: statuses.get(number) ?? 'waiting',
          ...(written ? { preview: written.slice(-PREVIEW_CHARS) } : {}),
        };
      }),
    });
  showPlan();
  live.log(logLine('plan', { count: plan.length }));
  events.publish(
    'PLAN_CREATED',
    `A plan with ${plan.length} steps.`,
    {
      task_id: live.id,
      goal: turn.text,
      steps_count: plan.length,
      steps: plan.map(({ number, agent, instruction }) => ({
        step: number,
        agent,
        instruction: instruction.slice(0, 100),
      })),
    },
    'Architect',
  );
  const sections = new OrderedSections(
    plan.map(({ number }) => number),
    show,
  );
  const outcomes = await runPlan(plan, {
    run: async (step, earlier, problem) => {
      const { text } = await model.ask({
        agent: small ? { ...PLAN_AGENTS[step.agent], maxOutputTokens: SMALL_STEP_TOKENS } : PLAN_AGENTS[step.agent],
        onText: (delta) => {
          live.appendPart(step.number, delta);
          sections.write(step.number, delta);
          const now = performance.now();
          if (now - shownAt < SHOW_EVERY_MS) return;
          shownAt = now;
          showPlan();
        },
        messages: small ? plainStep(step, earlier) : stepMessages(turn.text, step, earlier, problem),
        labels: labelsOf(work),
      });
      return text;
    },
    isFinal: (error) => live.signal.aborted || endsTheTurn(error),
    describe: (error) => (error instanceof TaskError ? error.message : toAppError(error).message),
    onStart: (step, attempt) => {
      statuses.set(step.number, 'running');
      const begun = (live.parts.get(step.number)?.text ?? '') !== '';
      live.beginPart(step.number);
      if (attempt === 1) sections.write(step.number, stepHeading(step, language));
      else if (begun) sections.write(step.number, stepAgain(language));
      showPlan();
      if (attempt > 1) live.repeated = true;
      live.log(
        logLine(attempt > 1 ? 'step_again' : 'step_begins', {
          number: step.number,
          agent: step.agent,
          text: step.instruction,
        }),
      );
      events.publish(
        'PLAN_STEP_STARTED',
        `Step ${step.number} started.`,
        { task_id: live.id, step_number: step.number, agent_type: step.agent, instruction: step.instruction },
        'Architect',
      );
    },
    onEnd: (outcome) => {
      const { step, status, text } = outcome;
      statuses.set(step.number, status);
      live.endPart(step.number);
      if (status === 'skipped') sections.write(step.number, stepHeading(step, language));
      sections.write(step.number, status === 'done' ? '\n\n' : `${stepFailure(outcome, language)}\n\n`);
      sections.end(step.number);
      showPlan();
      live.log(
        status === 'done'
          ? logLine('step_done', { number: step.number })
          : logLine(`step_${status}`, { number: step.number, reason: text }),
      );
      tracer.step(
        live.id,
        'Architect',
        `step_${step.number}`,
        JSON.stringify({ agent: step.agent, status, chars: text.length, attempts: outcome.attempts }),
        status === 'done' ? 'ok' : 'error',
      );
      events.publish(
        'PLAN_STEP_COMPLETED',
        `Step ${step.number} ${status}.`,
        { task_id: live.id, step_number: step.number, result_length: status === 'done' ? text.length : 0, status },
        'Architect',
      );
    },
  });
  if (outcomes.every(({ status }) => status !== 'done')) {
    throw new TaskError({
      code: 'plan_failed',
      message: `No step of the plan could be done: ${outcomes[0]?.text ?? 'it was empty'}`,
      stage: 'plan_execution',
      retryable: true,
    });
  }
  return planReport(outcomes, language, source);
}

async function made(work: TurnWork): Promise<MadePlan> {
  const { turn, model, context, small, language, tracer } = work;
  const { live } = turn;
  const plan = await makePlan({
    goal: turn.text,
    language,
    messages: context.messages,
    small,
    ask: async (messages, jsonSchema) =>
      (await model.ask({ agent: AGENTS.architect, messages, labels: labelsOf(work), jsonSchema })).text,
    onRefused: (attempt, problems) => {
      live.repeated = true;
      live.log(logLine('plan_refused', { reason: problems.join(' ') }));
      tracer.step(live.id, 'Architect', 'plan_refused', JSON.stringify({ attempt, problems }), 'error');
    },
  });
  live.update({ plan_source: plan.source });
  if (plan.source !== 'model') live.log(logLine(`plan_source_${plan.source}`));
  return plan;
}

/** What a small model can follow: the step and what came just before it. Headings it would repeat. */
function plainStep(step: PlanStep, earlier: readonly StepOutcome[]) {
  const before = earlier.at(-1)?.text.slice(0, EARLIER_PLAIN_CHARS);
  return [
    { role: 'system' as const, content: AGENTS.chat.prompt },
    ...(before
      ? [
          { role: 'user' as const, content: earlier.at(-1)?.step.instruction ?? '' },
          { role: 'assistant' as const, content: before },
        ]
      : []),
    { role: 'user' as const, content: step.instruction },
  ];
}

function stepMessages(goal: string, step: PlanStep, earlier: readonly StepOutcome[], problem: string | null) {
  const before = earlier
    .map(({ step: { number }, text }) => `Result of step ${number}:\n${text.slice(0, EARLIER_STEP_CHARS)}`)
    .join('\n\n');
  return [
    { role: 'system' as const, content: PLAN_AGENTS[step.agent].prompt },
    {
      role: 'user' as const,
      content: [
        step.instruction === goal ? '' : `The whole goal, for orientation:\n${goal}`,
        before,
        problem ? `The last try failed: ${problem}` : '',
        step.instruction === goal ? goal : `Your step:\n${step.instruction}`,
      ]
        .filter(Boolean)
        .join('\n\n'),
    },
  ];
}
