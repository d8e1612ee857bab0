// venom ask: one question in one of the three chat modes.
import { randomUUID } from 'node:crypto';
import { AppError } from '../../shared/errors.js';
import type { ApiClient } from '../api-client.js';
import type { CommandContext } from '../command-context.js';
import { EXIT } from '../exit-codes.js';
import { PlanView } from '../plan-view.js';
import { followTask, type TaskListener, type WaitingForYou } from '../task-follower.js';
import { answerOnce } from './chat.js';
import { describeQuestion, type Question } from './questions.js';

export type AskMode = 'direct' | 'normal' | 'complex';

export interface AskOptions {
  mode: AskMode;
  session?: string;
  language?: string;
}

export async function ask(context: CommandContext, words: readonly string[], options: AskOptions): Promise<void> {
  const content = await context.input.question(words);
  if (content === '')
    throw new AppError('invalid_input', 'Ask something: venom ask "question", or put the question into a pipe.');
  const session = options.session ?? `cli-${randomUUID()}`;
  if (options.mode !== 'direct') return askTask(context, content, { ...options, session });
  if (options.language !== undefined)
    throw new AppError(
      'invalid_input',
      '--language is for --mode normal and complex; Direct mode asks the model as is.',
    );
  await answerOnce(context, await context.server(), { content, session_id: session });
}

async function askTask(
  context: CommandContext,
  content: string,
  { mode, session, language }: AskOptions & { session: string },
): Promise<void> {
  const { terminal } = context;
  const client = await context.server();
  const { task_id: taskId } = await client.post<{ task_id: string }>('/api/v1/tasks', {
    content,
    session_id: session,
    ...(mode === 'complex' ? { forced_intent: 'COMPLEX_PLANNING' } : {}),
    ...(language === undefined ? {} : { preferred_language: language }),
  });
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  process.once('SIGINT', onInterrupt);
  process.stdout.once('error', onInterrupt);
  try {
    await finish(context, client, { taskId, session, mode }, interrupt.signal);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    terminal.note(`Stopped. \`venom tasks resume ${taskId}\` takes it up again.`);
    process.exitCode = EXIT.interrupted;
  } finally {
    process.removeListener('SIGINT', onInterrupt);
    process.stdout.removeListener('error', onInterrupt);
  }
}

async function finish(
  { terminal }: CommandContext,
  client: ApiClient,
  { taskId, session, mode }: { taskId: string; session: string; mode: AskMode },
  signal: AbortSignal,
): Promise<void> {
  // A draft may be replaced, by its review, its translation or the report of a plan: what is written into a pipe stays
  // there, so only a person sees the text as it comes.
  const asItComes = mode === 'normal' && terminal.readByPerson;
  const plan = new PlanView(terminal);
  const listener: TaskListener = {
    onLog: () => {},
    onPlan: (steps) => plan.show(steps),
    // Answered from elsewhere, such as another terminal: this one waits.
    onWaiting: (waiting) => void noteWaiting(terminal, client, waiting),
    onText: (text) => (asItComes ? terminal.write(text) : undefined),
    onReset: () => (asItComes ? terminal.write('\n\n') : undefined),
  };
  const { result, status, context } = await followTask(client, taskId, listener, signal);
  if (asItComes) return terminal.write(result.endsWith('\n') ? '' : '\n');
  terminal.result(
    {
      task_id: taskId,
      session_id: session,
      mode,
      status,
      content: result,
      intent: (context['tool_requirement'] as { intent?: string } | undefined)?.intent ?? null,
      plan: context['plan'] ?? null,
      plan_source: context['plan_source'] ?? null,
    },
    result,
  );
}

async function noteWaiting(
  terminal: CommandContext['terminal'],
  client: ApiClient,
  { approval_id: approvalId, question_id: questionId, tool, title }: WaitingForYou,
): Promise<void> {
  if (approvalId !== undefined)
    terminal.note(
      `${title} (${tool}) waits for your yes: venom skills approvals ${approvalId} once|session|always|deny`,
    );
  if (questionId === undefined) return;
  const answer = await client
    .get<{ question: Question }>(`/api/v1/skills/questions/${questionId}`)
    .catch(() => undefined);
  terminal.note(answer ? describeQuestion(answer.question) : `${title} (${tool}) asks you: venom skills questions`);
}
