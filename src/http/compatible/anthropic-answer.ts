// An answer in the form of Anthropic's Messages API: whole, or as its stream of events.
import type { LanguageModelV4StreamPart, LanguageModelV4Usage } from '@ai-sdk/provider';
import { toAppError } from '../../shared/errors.js';
import { STATUS } from '../error-handler.js';
import { anthropicErrorType } from '../vendor-errors.js';
import { type CompatibleAnswer, NO_USAGE, toolInput, type WholeAnswer } from './answers.js';

export interface AnthropicAnswerOptions {
  withThinking: boolean;
  /** `disable_parallel_tool_use`. */
  oneTool: boolean;
}

export function toAnthropicMessage(
  { requestId, target }: CompatibleAnswer,
  answer: WholeAnswer,
  { withThinking, oneTool }: AnthropicAnswerOptions,
): object {
  const calls = oneTool ? answer.toolCalls.slice(0, 1) : answer.toolCalls;
  return {
    ...emptyMessage(requestId, target.model),
    content: [
      ...(withThinking && answer.reasoning ? [{ type: 'thinking', thinking: answer.reasoning, signature: '' }] : []),
      ...(answer.text ? [{ type: 'text', text: answer.text }] : []),
      ...calls.map(({ id, name, input }) => ({ type: 'tool_use', id, name, input: toolInput(input) })),
    ],
    stop_reason: stopReason(answer.finish, calls.length > 0),
    usage: toUsage(answer.usage),
  };
}

/** Each event as it goes over the wire. Never throws: a failure is the last event. */
export async function* anthropicEvents(
  { requestId, target, batches }: CompatibleAnswer,
  { withThinking, oneTool }: AnthropicAnswerOptions,
): AsyncGenerator<string> {
  const blocks = new OpenBlocks();
  let usage: LanguageModelV4Usage = NO_USAGE;
  let finish = 'other';
  let calls = 0;
  const translate = (part: LanguageModelV4StreamPart): string => {
    switch (part.type) {
      case 'text-delta':
        return part.delta === ''
          ? ''
          : blocks.add('text', { type: 'text', text: '' }, { type: 'text_delta', text: part.delta });
      case 'reasoning-delta':
        if (!withThinking || part.delta === '') return '';
        return blocks.add(
          'thinking',
          { type: 'thinking', thinking: '', signature: '' },
          { type: 'thinking_delta', thinking: part.delta },
        );
      case 'tool-call': {
        if (oneTool && calls > 0) return '';
        calls += 1;
        const { toolCallId, toolName, input } = part;
        return blocks.add(
          `tool ${calls}`,
          { type: 'tool_use', id: toolCallId, name: toolName, input: {} },
          { type: 'input_json_delta', partial_json: JSON.stringify(toolInput(input)) },
        );
      }
      case 'finish':
        usage = part.usage;
        finish = part.finishReason.unified;
        return '';
      default:
        return '';
    }
  };
  try {
    yield event('message_start', { message: emptyMessage(requestId, target.model) }) + event('ping', {});
    for await (const batch of batches) {
      const text = batch.map(translate).join('');
      if (text !== '') yield text;
    }
    yield blocks.close() +
      event('message_delta', {
        delta: { stop_reason: stopReason(finish, calls > 0), stop_sequence: null, container: null, stop_details: null },
        usage: toUsage(usage),
      }) +
      event('message_stop', {});
  } catch (thrown) {
    const { code, message } = toAppError(thrown);
    yield event('error', { error: { type: anthropicErrorType(STATUS[code]), message } });
  }
}

/** One block is open at a time; the next kind of content closes it. */
class OpenBlocks {
  #index = -1;
  #open: string | undefined;

  add(kind: string, start: object, delta: object): string {
    let events = '';
    if (this.#open !== kind) {
      events += this.close();
      this.#index += 1;
      this.#open = kind;
      events += event('content_block_start', { index: this.#index, content_block: start });
    }
    return events + event('content_block_delta', { index: this.#index, delta });
  }

  close(): string {
    if (this.#open === undefined) return '';
    this.#open = undefined;
    return event('content_block_stop', { index: this.#index });
  }
}

const event = (type: string, payload: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...payload })}\n\n`;

const emptyMessage = (requestId: string, model: string) => ({
  id: `msg_${requestId.replaceAll('-', '')}`,
  type: 'message',
  role: 'assistant',
  model,
  content: [] as object[],
  container: null,
  stop_reason: null as string | null,
  stop_sequence: null,
  stop_details: null,
  usage: toUsage(NO_USAGE),
});

/** Engines do not say which stop sequence they met; it reads as the end of the turn. */
function stopReason(finish: string, withTools: boolean): string {
  if (finish === 'length') return 'max_tokens';
  if (finish === 'content-filter') return 'refusal';
  return withTools ? 'tool_use' : 'end_turn';
}

function toUsage({ inputTokens, outputTokens }: LanguageModelV4Usage) {
  const cached = inputTokens.cacheRead ?? 0;
  return {
    // What came from the cache is counted beside, not within.
    input_tokens: Math.max(0, (inputTokens.total ?? 0) - cached),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    output_tokens: outputTokens.total ?? 0,
    server_tool_use: null,
  };
}
