// One conversation's answer, from the inference process to whoever reads it, in batches as they come.
import { randomBytes } from 'node:crypto';
import type { LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { AppError } from '../../shared/errors.js';
import type { InferenceProcess } from './inference-process.js';
import type { FromWorker, ToWorker } from './worker-protocol.js';

/** Ends with the answer, with the reader, or with the signal; the engine is told in each case. @throws AppError */
export async function* streamAnswer(
  process: InferenceProcess,
  order: Omit<Extract<ToWorker, { type: 'generate' }>, 'id'>,
  signal: AbortSignal | undefined,
): AsyncGenerator<LanguageModelV4StreamPart[]> {
  const queue: LanguageModelV4StreamPart[] = [];
  let wake: () => void = () => {};
  let failure: AppError | undefined;
  let ended = false;
  const calls: string[] = [];
  const openCall = () => calls.at(-1) ?? '';
  const asked = process.ask(order, (answer) => {
    if (answer instanceof AppError) failure = answer;
    else if (answer.type === 'text') queue.push({ type: 'text-delta', id: 'text', delta: answer.text });
    else if (answer.type === 'thought') queue.push({ type: 'reasoning-delta', id: 'reasoning', delta: answer.text });
    else if (answer.type === 'shortened') queue.push({ type: 'raw', rawValue: { droppedMessages: answer.messages } });
    else if (answer.type === 'call-start') {
      calls.push(newCallId());
      queue.push({ type: 'tool-input-start', id: openCall(), toolName: answer.name });
    } else if (answer.type === 'call-input')
      queue.push({ type: 'tool-input-delta', id: openCall(), delta: answer.text });
    else if (answer.type === 'call-end') queue.push(...toCall(openCall(), calls.length - 1, answer));
    else if (answer.type === 'failed') failure = new AppError(answer.code, answer.message);
    else if (answer.type === 'end') {
      ended = true;
      queue.push(toFinish(answer));
    }
    wake();
  });
  const abort = () => {
    asked.cancel();
    wake();
  };
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  try {
    for (;;) {
      if (queue.length > 0) yield queue.splice(0);
      if (signal?.aborted) throw new AppError('cancelled', 'The answer was stopped.');
      if (failure) throw failure;
      if (ended && queue.length === 0) return;
      if (queue.length === 0 && !failure) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    signal?.removeEventListener('abort', abort);
    if (!ended && !failure) asked.cancel();
  }
}

/** Never used before, in this conversation or another. */
const newCallId = () => `call_${randomBytes(12).toString('hex')}`;

/** The whole call; what is raw in it is for who shows calls as OpenAI's stream does. */
const toCall = (
  id: string,
  index: number,
  { name, input }: Extract<FromWorker, { type: 'call-end' }>,
): LanguageModelV4StreamPart[] => [
  { type: 'tool-input-end', id },
  { type: 'raw', rawValue: { toolCalls: [{ index, id, type: 'function', function: { name, arguments: input } }] } },
  { type: 'tool-call', toolCallId: id, toolName: name, input },
];

const toFinish = (answer: Extract<FromWorker, { type: 'end' }>): LanguageModelV4StreamPart => ({
  type: 'finish',
  finishReason: { unified: answer.finish, raw: answer.finish },
  usage: {
    inputTokens: {
      total: answer.promptTokens,
      noCache: answer.promptTokens - answer.cachedTokens,
      cacheRead: answer.cachedTokens,
      cacheWrite: undefined,
    },
    outputTokens: {
      total: answer.completionTokens,
      text: answer.completionTokens - answer.thoughtTokens,
      reasoning: answer.thoughtTokens,
    },
  },
});
