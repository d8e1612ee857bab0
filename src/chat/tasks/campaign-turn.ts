// A turn that works through goals: they are found and kept, each goes through the ordinary way of a question (intent, agent,
// tools, exit gate), and the end is a summary. A pause of the queue holds it between two goals.
import { randomUUID } from 'node:crypto';
import { AppError, toAppError } from '../../shared/errors.js';
import { placeOf } from '../../shared/owner.js';
import { AGENT_OF, AGENTS, type AgentDefinition } from '../agents/agent.js';
import { procedureOf } from '../agents/procedures/by-intent.js';
import { type CampaignBounds, type CampaignSpending, runCampaign } from '../campaign/campaign.js';
import { campaignReport, goalFailure, goalHeading, nothingOpen } from '../campaign/campaign-report.js';
import {
  GOALS_SCHEMA,
  type GoalSource,
  goalsOfWords,
  listedGoals,
  meansOpenGoals,
  readGoals,
  saysNoGoal,
} from '../campaign/derive-goals.js';
import type { Goal, GoalRepository } from '../campaign/goal.js';
import type { IntentId } from '../intent.js';
import { TEMPLATE_INTENTS, TOOL_REQUIRED_INTENTS } from '../intent-traits.js';
import { workOn } from './agent-turn.js';
import { endsTheTurn } from './final-failures.js';
import { logLine } from './log-lines.js';
import { TaskError } from './task-failure.js';
import { placeOfTools } from './task-turn.js';
import { budgetShown, labelsOf, spokenBy, type TurnWork } from './turn-work.js';

const EARLIER_GOAL_CHARS = 1_500;
const SHOWN_GOAL_CHARS = 300;
/** A small model does not end by itself. */
const SMALL_GOAL_TOKENS = 384;
/** Failures of one goal that say nothing about the next. */
const ONE_GOALS_OWN: ReadonlySet<string> = new Set(['execution_contract_violation']);

export interface CampaignTurnParts {
  goals: GoalRepository;
  bounds: CampaignBounds;
  isPaused: () => boolean;
  /** @throws the reason of a stop */
  whenResumed: () => Promise<void>;
}

export async function campaignTurn(work: TurnWork, parts: CampaignTurnParts): Promise<string> {
  const { turn, model, language, tracer, events, show } = work;
  const { live } = turn;
  const { goals: repository, bounds } = parts;
  const found = await goalsOf(work, parts);
  if (found.goals.length === 0) {
    const text = nothingOpen(language);
    show(text);
    return text;
  }
  const { source } = found;
  // What earlier goals brought goes along, and what sticks to it.
  model.foundLabels(found.goals.flatMap(({ labels }) => labels));
  const startedAt = performance.now();
  let pausedMs = 0;
  const before = { tokens: model.tokens, costUsd: model.costUsd };
  const spent = (): CampaignSpending => ({
    tokens: model.tokens - before.tokens,
    costUsd: model.costUsd - before.costUsd,
    elapsedMs: performance.now() - startedAt - pausedMs,
  });
  let current = found.goals;
  const tell = (more: Record<string, unknown> = {}) => {
    live.update({
      campaign: {
        goals: current.map(({ number, text, status }) => ({
          step: number,
          goal: text.slice(0, SHOWN_GOAL_CHARS),
          status,
        })),
        source,
        paused: false,
        budget: budgetShown(spent(), bounds),
        ...more,
      },
    });
  };
  const replace = (goal: Goal) => {
    current = current.map((each) => (each.id === goal.id ? goal : each));
    tell();
  };
  tell();
  live.log(logLine('campaign', { count: current.length }));
  live.log(logLine(`goals_${source}`));
  events.publish(
    'CAMPAIGN_STARTED',
    `A campaign with ${current.length} goals.`,
    {
      task_id: live.id,
      source,
      goals_count: current.length,
      goals: current.map(({ number, text, status }) => ({ goal: number, text: text.slice(0, 100), status })),
    },
    AGENTS.campaign.name,
  );
  const { goals, stopped } = await runCampaign({
    goals: current,
    repository,
    bounds,
    spent,
    now: work.clock.now,
    mayGoOn: async () => {
      if (!parts.isPaused()) return;
      const pausedAt = performance.now();
      tell({ paused: true });
      live.log(logLine('campaign_waits'));
      events.publish('CAMPAIGN_PAUSED', 'A campaign waits.', { task_id: live.id }, AGENTS.campaign.name);
      await parts.whenResumed();
      pausedMs += performance.now() - pausedAt;
      tell();
      live.log(logLine('campaign_resumes'));
      events.publish('CAMPAIGN_RESUMED', 'A campaign goes on.', { task_id: live.id }, AGENTS.campaign.name);
    },
    work: async (goal, earlier) => {
      const text = await workOnGoal(work, goal, earlier);
      return { text, labels: labelsOf(work) };
    },
    isFinal: (error) =>
      live.signal.aborted ||
      (endsTheTurn(error) && !(error instanceof TaskError && ONE_GOALS_OWN.has(error.failure.code))),
    describe: (error) =>
      error instanceof TaskError
        ? { code: error.failure.code, message: error.message }
        : { code: toAppError(error).code, message: toAppError(error).message },
    onStart: (goal) => {
      live.beginPart(goal.number);
      show(goalHeading(goal, language));
      replace(goal);
      live.log(logLine('goal_begins', { number: goal.number, text: goal.text }));
      events.publish(
        'CAMPAIGN_GOAL_STARTED',
        `Goal ${goal.number} is worked on.`,
        { task_id: live.id, goal: goal.number, text: goal.text.slice(0, 100) },
        AGENTS.campaign.name,
      );
    },
    onEnd: (goal) => {
      live.endPart(goal.number);
      const failure = goal.status === 'FAILED' ? goalFailure(goal, language) : '';
      show(`${failure}\n\n`);
      replace(goal);
      const reached = goal.status === 'COMPLETED';
      live.log(
        reached
          ? logLine('goal_reached', { number: goal.number })
          : logLine('goal_missed', { number: goal.number, reason: goal.error?.message ?? '' }),
      );
      tracer.step(
        live.id,
        'Campaign',
        `goal_${goal.number}`,
        JSON.stringify({ status: goal.status, chars: goal.result?.length ?? 0, error: goal.error?.code ?? null }),
        reached ? 'ok' : 'error',
      );
      events.publish(
        'CAMPAIGN_GOAL_COMPLETED',
        `Goal ${goal.number} ${reached ? 'reached' : 'not reached'}.`,
        { task_id: live.id, goal: goal.number, status: goal.status, result_length: goal.result?.length ?? 0 },
        AGENTS.campaign.name,
      );
    },
  });
  current = goals;
  tell({ stopped });
  const reached = goals.filter(({ status }) => status === 'COMPLETED').length;
  events.publish(
    'CAMPAIGN_COMPLETED',
    `${reached} of ${goals.length} goals reached.`,
    { task_id: live.id, reached, goals_count: goals.length, stopped },
    AGENTS.campaign.name,
  );
  if (reached === 0 && stopped === 'done')
    throw new TaskError({
      code: 'campaign_failed',
      message: `No goal of the campaign was reached: ${goals[0]?.error?.message ?? ''}`,
      stage: 'campaign',
      retryable: true,
    });
  return campaignReport(goals, stopped, source, language);
}

/** On disk when it resolves. */
async function goalsOf(
  work: TurnWork,
  { goals: repository, bounds }: CampaignTurnParts,
): Promise<{ goals: Goal[]; source: GoalSource }> {
  const { turn, language } = work;
  const { id, request } = turn.live.task;
  // A former process was cut off while it worked on them.
  const own = repository.ofCampaign(id);
  if (own.length > 0) return { goals: own, source: 'open' };
  const listed = listedGoals(turn.text);
  if (listed.length === 0 && meansOpenGoals(turn.text)) {
    const open = repository.open(placeOf(request.sessionId, request.owner ?? null), bounds.goals);
    if (open.length > 0) {
      await repository.adopt(
        open.map((goal) => goal.id),
        id,
      );
      return { goals: repository.ofCampaign(id), source: 'open' };
    }
    if (saysNoGoal(turn.text)) return { goals: [], source: 'open' };
  }
  const { texts, source } = listed.length > 0 ? { texts: listed, source: 'listed' as const } : await derived(work);
  const now = work.clock.now();
  const goals = texts.slice(0, bounds.goals).map(
    (text, index): Goal => ({
      id: randomUUID(),
      campaignId: id,
      sessionId: placeOf(request.sessionId, request.owner ?? null),
      number: index + 1,
      text,
      status: 'PENDING',
      result: null,
      error: null,
      labels: labelsOf(work),
      createdAt: now,
      updatedAt: now,
    }),
  );
  await repository.add(goals);
  return { goals, source };

  async function derived({
    model,
    context,
    small,
    tracer,
  }: TurnWork): Promise<{ texts: string[]; source: GoalSource }> {
    const words = goalsOfWords(turn.text, language);
    // A request that names its parts needs nobody to divide it, and a small model divides it worse.
    if (small) return { texts: words.goals, source: words.source };
    const { text } = await model.ask({
      agent: AGENTS.campaign,
      messages: context.messages,
      labels: labelsOf(work),
      jsonSchema: GOALS_SCHEMA,
    });
    const goals = readGoals(text, turn.text);
    if (goals.length > 0) return { texts: goals, source: 'model' };
    tracer.step(id, 'Campaign', 'goals_refused', JSON.stringify({ chars: text.length }), 'error');
    return { texts: words.goals, source: words.source };
  }
}

async function workOnGoal(work: TurnWork, goal: Goal, earlier: readonly Goal[]): Promise<string> {
  const { turn, context, intents, toolBox, small, tracer } = work;
  const { live } = turn;
  const decision = await intents.classify(goal.text, { signal: live.signal });
  const intent = workable(decision.intent);
  const agent: AgentDefinition = AGENT_OF[intent];
  const toolRequired = TOOL_REQUIRED_INTENTS.has(intent);
  const request = { intent, forcedTool: null, ...placeOfTools(live.task.request), text: goal.text };
  tracer.step(
    live.id,
    'Campaign',
    'goal_intent',
    JSON.stringify({ goal: goal.number, intent, source: decision.source, agent: agent.id }),
  );
  if (decision.intent === 'UNSUPPORTED_TASK')
    throw new AppError('unsupported', 'This needs something outside this system.');
  if (toolRequired && !procedureOf(request, toolBox) && toolBox.toolsFor(request).length === 0)
    throw new AppError('unsupported', `No tool for ${intent} is installed here.`);
  const before = earlier
    .filter(({ status }) => status === 'COMPLETED')
    .map(
      ({ number, text, result }) => `Goal ${number}, reached: ${text}\n${(result ?? '').slice(0, EARLIER_GOAL_CHARS)}`,
    )
    .slice(-3)
    .join('\n\n');
  const system = context.messages.find(({ role }) => role === 'system');
  return workOn(
    { ...work, show: () => {} },
    {
      agent: small ? { ...agent, maxOutputTokens: SMALL_GOAL_TOKENS } : agent,
      intent,
      text: goal.text,
      toolRequired,
      messages: [
        // Tone, language and memory hold for each goal; a small model would answer them.
        system && !small ? spokenBy(system, agent.prompt, AGENTS.campaign) : { role: 'system', content: agent.prompt },
        { role: 'user', content: before === '' || small ? goal.text : `${before}\n\nThe goal now:\n${goal.text}` },
      ],
      onText: (delta) => {
        live.appendPart(goal.number, delta);
        work.show(delta);
      },
    },
  );
}

/** Neither a campaign nor a plan within a campaign, and no template: who works on a goal writes what is asked for. */
function workable(intent: IntentId): IntentId {
  if (intent === 'COMPLEX_PLANNING' || intent === 'START_CAMPAIGN' || TEMPLATE_INTENTS.has(intent))
    return 'GENERAL_CHAT';
  return intent;
}
