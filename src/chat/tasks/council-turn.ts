// A turn that a council talks over: its members speak through the turn's own model, one after the other, and the Architect
// writes the conclusion. Everything is shown as it is said.
import { AppError, toAppError } from '../../shared/errors.js';
import { AGENTS } from '../agents/agent.js';
import {
  COUNCIL_MEMBERS,
  type CouncilBounds,
  type CouncilSpending,
  runCouncil,
  type Statement,
  transcript,
} from '../council/council.js';
import { conclusionHeading, councilReport, silence, statementHeading } from '../council/council-report.js';
import { endsTheTurn } from './final-failures.js';
import { logLine } from './log-lines.js';
import { TaskError } from './task-failure.js';
import { budgetShown, labelsOf, spokenBy, type TurnWork } from './turn-work.js';

const MEMBERS = {
  architect: AGENTS.councilArchitect,
  coder: AGENTS.councilCoder,
  critic: AGENTS.councilCritic,
  guardian: AGENTS.guardian,
} as const;
const MOST_TRANSCRIPT_CHARS = 16_000;
/** Of what may be sent; the rest is for the goal and what goes along. */
const TRANSCRIPT_SHARE = 0.5;
const CHARS_PER_TOKEN = 3;

interface ShownStatement {
  step: number;
  round: number;
  member: string;
  status: 'running' | 'done' | 'failed';
  agrees: boolean | null;
}

export async function councilTurn(work: TurnWork, bounds: CouncilBounds): Promise<string> {
  const { turn, model, context, language, tracer, events, show } = work;
  const { live } = turn;
  const startedAt = performance.now();
  const before = { tokens: model.tokens, costUsd: model.costUsd };
  const spent = (): CouncilSpending => ({
    tokens: model.tokens - before.tokens,
    costUsd: model.costUsd - before.costUsd,
    elapsedMs: performance.now() - startedAt,
  });
  const shown: ShownStatement[] = [];
  const tell = (more: Record<string, unknown> = {}) => {
    live.update({
      council: {
        members: COUNCIL_MEMBERS,
        rounds_limit: bounds.rounds,
        statements: [...shown],
        budget: budgetShown(spent(), bounds),
        ...more,
      },
    });
  };
  const roomChars = Math.min(MOST_TRANSCRIPT_CHARS, Math.floor(work.budgetTokens * TRANSCRIPT_SHARE) * CHARS_PER_TOKEN);
  /** In one message with the goal: many templates want person and model to take turns. */
  const messages = (prompt: string, statements: readonly Statement[], request: string) =>
    context.messages.map((message, index) => {
      if (message.role === 'system' && index === 0) return spokenBy(message, prompt, AGENTS.architect);
      if (index < context.messages.length - 1) return message;
      const said =
        statements.length === 0 ? '' : `What the council has said so far:\n${transcript(statements, roomChars)}`;
      return { ...message, content: [message.content, said, request].filter(Boolean).join('\n\n') };
    });
  events.publish('COUNCIL_STARTED', 'A council begins.', { task_id: live.id });
  events.publish('COUNCIL_MEMBERS', COUNCIL_MEMBERS.join(', '), { task_id: live.id, members: [...COUNCIL_MEMBERS] });
  live.log(logLine('council', { members: COUNCIL_MEMBERS.join(', '), rounds: bounds.rounds, tokens: bounds.tokens }));
  tell();
  try {
    const result = await runCouncil({
      bounds,
      spent,
      isFinal: (error) => live.signal.aborted || endsTheTurn(error),
      describe: (error) => toAppError(error).message,
      speak: async ({ number, round, member }, statements, remainingMs) => {
        shown.push({ step: number, round, member, status: 'running', agrees: null });
        tell({ round });
        live.beginPart(number);
        live.log(logLine('council_speaks', { member, round }));
        show(statementHeading({ round, member }, language));
        const late = new AbortController();
        const timer = setTimeout(
          () => late.abort(new AppError('upstream_timeout', 'The time of the council was over.')),
          Math.max(1, remainingMs),
        );
        const asked = model.ask({
          agent: MEMBERS[member],
          messages: messages(MEMBERS[member].prompt, statements, `You are the ${member}. Speak now.`),
          labels: labelsOf(work),
          timeout: late.signal,
          onText: (delta) => {
            live.appendPart(number, delta);
            show(delta);
          },
        });
        return (await asked.finally(() => clearTimeout(timer))).text;
      },
      onEnd: (statement) => {
        const { number, round, member, text, agrees, failure } = statement;
        const status = failure === null ? 'done' : 'failed';
        shown[number - 1] = { step: number, round, member, status, agrees };
        live.endPart(number);
        show(failure === null ? '\n\n' : `${silence(failure, language)}\n\n`);
        tell();
        live.log(
          failure !== null
            ? logLine('council_failed', { member, round, reason: failure })
            : agrees
              ? logLine('council_agreed', { member, round })
              : logLine('council_spoke', { member, round, value: text.length }),
        );
        tracer.step(
          live.id,
          'Council',
          `round_${round}_${member}`,
          JSON.stringify({ chars: text.length, agrees, failure, ...rounded(spent()) }),
          failure === null ? 'ok' : 'error',
        );
      },
    });
    const discussion = spent();
    tell({ stopped: result.stopped });
    tracer.step(live.id, 'Council', 'concluded', JSON.stringify({ stopped: result.stopped, rounds: result.rounds }));
    if (result.statements.every(({ failure }) => failure !== null))
      throw new AppError('upstream_timeout', 'The council said nothing before its bound was met.');
    live.log(logLine('council_ended', { stopped: result.stopped }));
    show(conclusionHeading(language));
    const { text } = await model.ask({
      agent: AGENTS.councilChair,
      messages: messages(
        AGENTS.councilChair.prompt,
        result.statements,
        'Write the answer to the person now, from what was agreed.',
      ),
      labels: labelsOf(work),
      onText: show,
    });
    events.publish('COUNCIL_COMPLETED', `The council ended: ${result.stopped}.`, {
      task_id: live.id,
      message_count: result.statements.length,
      speakers: [...new Set(result.statements.map(({ member }) => member))],
    });
    return councilReport(text, result, bounds, discussion, language);
  } catch (error) {
    const failure =
      error instanceof TaskError || live.signal.aborted || endsTheTurn(error)
        ? error
        : new TaskError(
            {
              code: 'council_failed',
              message: `The council could not come to a conclusion: ${toAppError(error).message}`,
              stage: 'council',
              retryable: true,
            },
            { cause: error },
          );
    events.publish('COUNCIL_ERROR', 'The council failed.', {
      task_id: live.id,
      error: live.signal.aborted
        ? 'stopped'
        : failure instanceof Error && !(failure instanceof TaskError)
          ? toAppError(failure).message
          : (failure as TaskError).message,
    });
    throw failure;
  }
}

const rounded = ({ tokens, costUsd, elapsedMs }: CouncilSpending) => ({
  tokens,
  cost_usd: costUsd,
  elapsed_ms: Math.round(elapsedMs),
});
