// A completion of OpenAI's old kind for engines that take conversations only: its prompt is what the user says.
import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';
import type { CompletionRequest } from '../../contract/openai.js';
import { AppError } from '../../shared/errors.js';
import { samplingOf } from './sampling.js';

/** As OpenAI documents it. */
const DEFAULT_MAX_TOKENS = 16;

/** The prompts as texts. @throws AppError `unsupported` where they are numbers of tokens */
export function promptsOf({ prompt }: CompletionRequest): string[] {
  const prompts: readonly unknown[] = typeof prompt === 'string' ? [prompt] : prompt;
  const texts = prompts.filter((one) => typeof one === 'string');
  if (texts.length < prompts.length)
    throw new AppError(
      'unsupported',
      'prompt: numbers of tokens are not taken by the engine of this model; send text.',
    );
  if (texts.includes('')) throw new AppError('invalid_input', 'prompt: an empty text is nothing to go on with.');
  return texts;
}

/** @throws AppError `unsupported` for what would change the answer and cannot be said in a conversation */
export function toCompletionCall(body: CompletionRequest, prompt: string): LanguageModelV4CallOptions {
  const refuse = (what: string): never => {
    throw new AppError('unsupported', `${what} not supported by the engine of this model.`);
  };
  if ((body.n ?? 1) > 1) refuse('n greater than 1 is');
  if ((body.best_of ?? 1) > 1) refuse('best_of greater than 1 is');
  if (typeof body.logprobs === 'number') refuse('logprobs are');
  if (Object.keys(body.logit_bias ?? {}).length > 0) refuse('logit_bias is');
  return {
    prompt: [{ role: 'user', content: [{ type: 'text', text: prompt }] }],
    maxOutputTokens: body.max_tokens ?? DEFAULT_MAX_TOKENS,
    ...samplingOf(body),
    providerOptions: {
      venom: {
        ...(body.repeat_penalty ? { repeatPenalty: body.repeat_penalty } : {}),
        ...(body.min_p ? { minP: body.min_p } : {}),
        // A conversation with one question is the next best thing.
        completionIfAble: { raw: true, ...(body.suffix ? { suffix: body.suffix } : {}) },
      },
    },
  };
}
