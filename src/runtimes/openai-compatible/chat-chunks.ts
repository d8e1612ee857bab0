// Chunks of an OpenAI-style chat stream as parts of the AI SDK's contract.
import type { LanguageModelV4StreamPart, LanguageModelV4Usage } from '@ai-sdk/provider';
import { AppError } from '../../shared/errors.js';
import { errorText } from '../http-upstream.js';
import { RAW_THOUGHTS, type SaidPiece, ThoughtSplitter } from '../thought-splitter.js';
import { mapFinishReason } from './map-finish-reason.js';

const MAX_TOOL_CALLS = 128;
/** Names and inputs of all calls of one answer. */
const MAX_TOOL_CHARS = 4_194_304;

interface Chunk {
  choices?:
    | {
        delta?: { content?: unknown; reasoning?: unknown; reasoning_content?: unknown; tool_calls?: unknown };
        message?: { content?: unknown; reasoning?: unknown; reasoning_content?: unknown; tool_calls?: unknown };
        finish_reason?: string | null;
        logprobs?: { content?: unknown } | null;
      }[]
    | null;
  usage?: {
    prompt_tokens?: number;
    completion_tokens?: number;
    prompt_tokens_details?: { cached_tokens?: number };
  } | null;
  error?: unknown;
}

interface ToolCall {
  id: string;
  name: string;
  input: string;
}

/** Gathers what only the end tells: usage, finish reason, whole tool calls. */
export class ChatChunks {
  #finishReason: string | null = null;
  #usage: Chunk['usage'];
  #done = false;
  #sawText = false;
  #toolChars = 0;
  /** Null once the server was seen to tell thoughts apart by itself, and once nothing more can be a thought. */
  #splitter: ThoughtSplitter | null = new ThoughtSplitter(RAW_THOUGHTS);
  readonly #tools = new Map<number, ToolCall>();

  /** Whether the server said that the answer is complete. */
  get complete(): boolean {
    return this.#done || this.#finishReason !== null;
  }

  /** @throws AppError `upstream_protocol`, `upstream_rejected` for an error inside the stream */
  push(data: string, parts: LanguageModelV4StreamPart[]): void {
    if (this.#done) return;
    if (data === '[DONE]') {
      this.#done = true;
      return;
    }
    let chunk: Chunk;
    try {
      chunk = JSON.parse(data);
    } catch (cause) {
      throw new AppError('upstream_protocol', 'The model server sent broken JSON.', { cause });
    }
    if (typeof chunk !== 'object' || chunk === null)
      throw new AppError('upstream_protocol', 'The model server sent no object.');
    if (chunk.error) throw new AppError('upstream_rejected', `The model server failed: ${errorText(chunk.error)}`);
    if (chunk.usage) this.#usage = chunk.usage;
    const choice = chunk.choices?.[0];
    if (!choice) return;
    const delta = choice.delta ?? choice.message;
    if (Array.isArray(delta?.tool_calls) && delta.tool_calls.length > 0) {
      this.#toolCalls(delta.tool_calls);
      parts.push({ type: 'raw', rawValue: { toolCalls: delta.tool_calls } });
    }
    // Of a whole answer only: with a stream they would be more than its text.
    if (choice.message && Array.isArray(choice.logprobs?.content)) {
      parts.push({ type: 'raw', rawValue: { logprobs: choice.logprobs.content.map(toLogprob) } });
    }
    // vLLM renamed the field in 0.12; others kept the old name.
    const reasoning = delta?.reasoning ?? delta?.reasoning_content;
    if (typeof reasoning === 'string' && reasoning !== '') {
      this.#say(this.#splitter?.end() ?? [], parts);
      this.#splitter = null;
      parts.push({ type: 'reasoning-delta', id: 'reasoning', delta: reasoning });
    }
    const text = delta?.content;
    if (typeof text === 'string' && text !== '') {
      this.#sawText = true;
      this.#say(this.#splitter?.push(text) ?? [{ kind: 'text', text }], parts);
      if (this.#splitter?.isDone) this.#splitter = null;
    }
    if (typeof choice.finish_reason === 'string') this.#finishReason = choice.finish_reason;
  }

  /** The closing parts. @throws AppError `upstream_truncated` when the server never said that it was done */
  end(parts: LanguageModelV4StreamPart[]): void {
    if (!this.complete) {
      throw new AppError(
        'upstream_truncated',
        this.#sawText ? 'The model server broke off in the middle of the answer.' : 'The model server sent no answer.',
      );
    }
    this.#say(this.#splitter?.end() ?? [], parts);
    for (const call of this.#tools.values()) {
      parts.push({ type: 'tool-call', toolCallId: call.id, toolName: call.name, input: call.input });
    }
    parts.push({
      type: 'finish',
      finishReason: { unified: mapFinishReason(this.#finishReason), raw: this.#finishReason ?? undefined },
      usage: toUsage(this.#usage),
    });
  }

  #say(pieces: readonly SaidPiece[], parts: LanguageModelV4StreamPart[]): void {
    for (const { kind, text } of pieces)
      parts.push(
        kind === 'thought'
          ? { type: 'reasoning-delta', id: 'reasoning', delta: text }
          : { type: 'text-delta', id: 'text', delta: text },
      );
  }

  #toolCalls(deltas: unknown[]): void {
    for (const delta of deltas as { index?: number; id?: string; function?: { name?: string; arguments?: string } }[]) {
      if (typeof delta !== 'object' || delta === null)
        throw new AppError('upstream_protocol', 'The model server sent a tool call that is none.');
      const index = Number.isInteger(delta.index) ? (delta.index as number) : this.#tools.size;
      if (index < 0 || index >= MAX_TOOL_CALLS)
        throw new AppError('upstream_protocol', 'The model server sent a tool call out of range.');
      const call = this.#tools.get(index) ?? { id: `call_${index}`, name: '', input: '' };
      const { name, arguments: input } = delta.function ?? {};
      if (typeof delta.id === 'string' && delta.id !== '') call.id = delta.id;
      if (typeof name === 'string') call.name += name;
      if (typeof input === 'string') call.input += input;
      this.#toolChars += (typeof name === 'string' ? name.length : 0) + (typeof input === 'string' ? input.length : 0);
      if (this.#toolChars > MAX_TOOL_CHARS)
        throw new AppError('upstream_protocol', 'The model server sent a tool call without end.');
      this.#tools.set(index, call);
    }
  }
}

interface Logprob {
  token?: unknown;
  logprob?: unknown;
  top_logprobs?: unknown;
}

const MAX_TOP_LOGPROBS = 8;

const toLogprob = ({ token, logprob, top_logprobs }: Logprob) => ({
  token,
  logprob,
  top_logprobs: (Array.isArray(top_logprobs) ? top_logprobs : [])
    .slice(0, MAX_TOP_LOGPROBS)
    .map((top: Logprob) => ({ token: top.token, logprob: top.logprob })),
});

/** More than any context holds; what says more would spoil every sum it goes into. */
const MAX_TOKENS = 1_000_000_000;

const count = (value: unknown): number | undefined =>
  typeof value === 'number' && value >= 0 && value <= MAX_TOKENS ? value : undefined;

function toUsage(usage: Chunk['usage']): LanguageModelV4Usage {
  return {
    inputTokens: {
      total: count(usage?.prompt_tokens),
      noCache: undefined,
      cacheRead: count(usage?.prompt_tokens_details?.cached_tokens),
      cacheWrite: undefined,
    },
    outputTokens: { total: count(usage?.completion_tokens), text: undefined, reasoning: undefined },
  };
}
