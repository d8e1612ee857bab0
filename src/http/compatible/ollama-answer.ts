// An answer in the form of Ollama's `/api/chat` and `/api/generate`: whole, or line by line with the figures last.
import type { LanguageModelV4Usage } from '@ai-sdk/provider';
import { isoUtc } from '../../shared/clock.js';
import { toAppError } from '../../shared/errors.js';
import { type CompatibleAnswer, NO_USAGE, toolInput, type WholeAnswer } from './answers.js';

export type OllamaKind = 'chat' | 'generate';

interface Said {
  text?: string;
  thinking?: string;
  toolCalls?: { id: string; name: string; input: string }[];
}

/** @param withThinking  false leaves out the thoughts of a model that thinks although it was asked not to */
export function toOllamaAnswer(
  kind: OllamaKind,
  answer: CompatibleAnswer,
  whole: WholeAnswer,
  withThinking: boolean,
): object {
  const said = {
    text: whole.text,
    ...(withThinking && whole.reasoning ? { thinking: whole.reasoning } : {}),
    ...(whole.toolCalls.length > 0 ? { toolCalls: whole.toolCalls } : {}),
  };
  return { ...head(answer), ...body(kind, said), ...ending(answer, whole.finish, whole.usage) };
}

/** Each line as it goes over the wire. Never throws: a failure is the last line. */
export async function* ollamaLines(
  kind: OllamaKind,
  answer: CompatibleAnswer,
  withThinking: boolean,
): AsyncGenerator<string> {
  let finish = 'other';
  let usage = NO_USAGE;
  const said = (what: Said) => line({ ...head(answer), ...body(kind, what), done: false });
  try {
    for await (const batch of answer.batches) {
      let lines = '';
      for (const part of batch) {
        if (part.type === 'text-delta') lines += said({ text: part.delta });
        else if (part.type === 'reasoning-delta') lines += withThinking ? said({ thinking: part.delta }) : '';
        else if (part.type === 'tool-call')
          lines += said({ toolCalls: [{ id: part.toolCallId, name: part.toolName, input: part.input }] });
        else if (part.type === 'finish') {
          finish = part.finishReason.unified;
          usage = part.usage;
        }
      }
      if (lines !== '') yield lines;
    }
    yield line({ ...head(answer), ...body(kind, {}), ...ending(answer, finish, usage) });
  } catch (thrown) {
    yield line({ error: toAppError(thrown).message });
  }
}

/** What a request without words gets: the model was brought to memory, or out of it. */
export const emptyAnswer = (kind: OllamaKind, model: string, reason: 'load' | 'unload'): object => ({
  model,
  created_at: isoUtc(Date.now()),
  ...body(kind, {}),
  done_reason: reason,
  done: true,
});

const line = (value: object): string => `${JSON.stringify(value)}\n`;

const head = ({ target }: CompatibleAnswer) => ({ model: target.model, created_at: isoUtc(Date.now()) });

function body(kind: OllamaKind, { text = '', thinking, toolCalls }: Said): object {
  if (kind === 'generate') return { response: text, ...(thinking ? { thinking } : {}) };
  return {
    message: {
      role: 'assistant',
      content: text,
      ...(thinking ? { thinking } : {}),
      ...(toolCalls
        ? {
            tool_calls: toolCalls.map(({ id, name, input }) => ({
              id,
              function: { name, arguments: toolInput(input) },
            })),
          }
        : {}),
    },
  };
}

const NANOSECONDS_PER_MS = 1_000_000;
const nanoseconds = (ms: number): number => Math.round(ms * NANOSECONDS_PER_MS);

function ending(answer: CompatibleAnswer, finish: string, { inputTokens, outputTokens }: LanguageModelV4Usage): object {
  const { firstMs, totalMs } = answer.timing();
  return {
    done_reason: finish === 'length' ? 'length' : 'stop',
    done: true,
    total_duration: nanoseconds(totalMs),
    // Engines do not tell loading and reading apart: both are in the time until the first token.
    load_duration: 0,
    prompt_eval_count: inputTokens.total ?? 0,
    prompt_eval_duration: nanoseconds(firstMs),
    eval_count: outputTokens.total ?? 0,
    eval_duration: nanoseconds(Math.max(0, totalMs - firstMs)),
  };
}
