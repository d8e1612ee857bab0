// Answers in the form of OpenAI's completions of the old kind: whole, or piece by piece, one prompt after the other.
import type { LanguageModelV4Usage } from '@ai-sdk/provider';
import { toAppError } from '../../shared/errors.js';
import { type CompatibleAnswer, readWhole } from './answers.js';
import { finishReason, toOpenAiUsage } from './openai-answer.js';

export interface CompletionOrder {
  prompts: readonly string[];
  /** Each prompt comes before its answer. */
  echo: boolean;
  withUsage: boolean;
  ask: (prompt: string) => Promise<CompatibleAnswer>;
}

export async function wholeCompletion({ prompts, echo, ask }: CompletionOrder): Promise<object> {
  const choices: object[] = [];
  const used: LanguageModelV4Usage[] = [];
  let head: object | undefined;
  for (const [index, prompt] of prompts.entries()) {
    const answer = await ask(prompt);
    head ??= headOf(answer);
    const { text, finish, usage } = await readWhole(answer);
    used.push(usage);
    choices.push(choice(index, (echo ? prompt : '') + text, finishReason(finish)));
  }
  return { ...head, choices, usage: toOpenAiUsage(used) };
}

/** @param first  the answer to the first prompt, which was waited for so that a refusal is no broken stream */
export async function* completionEvents(
  { prompts, echo, withUsage, ask }: CompletionOrder,
  first: CompatibleAnswer,
): AsyncGenerator<string> {
  const head = headOf(first);
  const event = (choices: object[], rest: object = {}) => `data: ${JSON.stringify({ ...head, choices, ...rest })}\n\n`;
  const used: LanguageModelV4Usage[] = [];
  try {
    for (const [index, prompt] of prompts.entries()) {
      const answer = index === 0 ? first : await ask(prompt);
      let finish = 'other';
      if (echo) yield event([choice(index, prompt, null)]);
      for await (const batch of answer.batches) {
        let events = '';
        for (const part of batch) {
          if (part.type === 'text-delta') events += event([choice(index, part.delta, null)]);
          else if (part.type === 'finish') {
            finish = part.finishReason.unified;
            used.push(part.usage);
          }
        }
        if (events !== '') yield events;
      }
      yield event([choice(index, '', finishReason(finish))]);
    }
    if (withUsage) yield event([], { usage: toOpenAiUsage(used) });
    yield 'data: [DONE]\n\n';
  } catch (thrown) {
    const { code, message } = toAppError(thrown);
    yield `data: ${JSON.stringify({ error: { message, type: 'server_error', param: null, code } })}\n\n`;
  }
}

const headOf = ({ requestId, target }: CompatibleAnswer) => ({
  id: `cmpl-${requestId}`,
  object: 'text_completion',
  created: Math.floor(Date.now() / 1_000),
  model: target.model,
});

const choice = (index: number, text: string, finish: string | null) => ({
  text,
  index,
  logprobs: null,
  finish_reason: finish,
});
