// venom chat: one question, a question in a pipe, or a conversation in the terminal.
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { AppError, toAppError } from '../../shared/errors.js';
import { type Question, streamAnswer } from '../answer-stream.js';
import type { ApiClient } from '../api-client.js';
import type { CommandContext } from '../command-context.js';
import { EXIT } from '../exit-codes.js';

export interface ChatOptions {
  model?: string;
  session?: string;
  maxTokens?: string;
  temperature?: string;
}

export async function chat(context: CommandContext, words: readonly string[], options: ChatOptions): Promise<void> {
  const content = await context.input.question(words);
  const client = await context.server();
  const session = options.session ?? `cli-${randomUUID()}`;
  const question = (text: string): Question => ({ content: text, session_id: session, ...parameters(options) });
  if (content !== '') return answerOnce(context, client, question(content));
  if (!context.input.isTerminal || context.terminal.json)
    throw new AppError('invalid_input', 'Ask something: venom chat "question", or put the question into a pipe.');
  await converse(context, client, question);
}

export async function answerOnce({ terminal }: CommandContext, client: ApiClient, question: Question): Promise<void> {
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort();
  process.once('SIGINT', onInterrupt);
  // `venom chat … | head` closes the pipe early; the model need not go on then.
  process.stdout.once('error', onInterrupt);
  try {
    const answer = await streamAnswer(
      client,
      question,
      (text) => (terminal.json ? undefined : terminal.write(text)),
      interrupt.signal,
    );
    if (!terminal.json && !answer.content.endsWith('\n')) terminal.write('\n');
    terminal.result(answer, '');
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    process.exitCode = EXIT.interrupted;
  } finally {
    process.removeListener('SIGINT', onInterrupt);
  }
}

async function converse(
  { terminal }: CommandContext,
  client: ApiClient,
  question: (text: string) => Question,
): Promise<void> {
  terminal.note('Type your question; Ctrl-C stops an answer, Ctrl-D ends the conversation.');
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  let answering: AbortController | undefined;
  prompt.on('SIGINT', () => (answering === undefined ? prompt.close() : answering.abort()));
  prompt.setPrompt('> ');
  prompt.prompt();
  for await (const line of prompt) {
    if (line.trim() !== '') {
      answering = new AbortController();
      await streamAnswer(client, question(line.trim()), (text) => terminal.write(text), answering.signal).catch(
        (error: unknown) => {
          terminal.note(`\nvenom: ${toAppError(error).message}`);
        },
      );
      answering = undefined;
      terminal.write('\n');
    }
    prompt.prompt();
  }
}

function parameters({
  model,
  maxTokens,
  temperature,
}: ChatOptions): Pick<Question, 'model' | 'max_tokens' | 'temperature'> {
  return {
    ...(model === undefined ? {} : { model }),
    ...(maxTokens === undefined ? {} : { max_tokens: asNumber('--max-tokens', maxTokens) }),
    ...(temperature === undefined ? {} : { temperature: asNumber('--temperature', temperature) }),
  };
}

function asNumber(option: string, value: string): number {
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number))
    throw new AppError('invalid_input', `${option} must be a number, not "${value}".`);
  return number;
}
