// An answer in the form of OpenAI's Responses API: its items as they grow, and the events that tell of them.
import type { LanguageModelV4StreamPart, LanguageModelV4Usage } from '@ai-sdk/provider';
import type { ResponseRequest } from '../../contract/responses.js';
import { type AppError, toAppError } from '../../shared/errors.js';
import { type CompatibleAnswer, NO_USAGE } from './answers.js';

type Item =
  | { type: 'message'; id: string; role: 'assistant'; status: string; content: TextPart[] }
  | {
      type: 'reasoning';
      id: string;
      summary: never[];
      status: string;
      content: { type: 'reasoning_text'; text: string }[];
    }
  | { type: 'function_call'; id: string; call_id: string; name: string; arguments: string; status: string };
interface TextPart {
  type: 'output_text';
  text: string;
  annotations: never[];
  logprobs: never[];
}

const CONTENT_TYPES = { message: 'output_text', reasoning: 'reasoning_text' } as const;

export class ResponsesAnswer {
  readonly id: string;
  readonly #body: ResponseRequest;
  readonly #answer: CompatibleAnswer;
  readonly #createdAt: number;
  readonly #output: Item[] = [];
  #sequence = 0;
  #finish = 'other';
  #usage: LanguageModelV4Usage | null = null;
  #error: AppError | null = null;
  #ended = false;

  constructor(body: ResponseRequest, answer: CompatibleAnswer, nowMs: number) {
    this.#body = body;
    this.#answer = answer;
    this.#createdAt = Math.floor(nowMs / 1_000);
    this.id = `resp_${answer.requestId.replaceAll('-', '')}`;
  }

  get output(): readonly Item[] {
    return this.#output;
  }

  get failure(): AppError | null {
    return this.#error;
  }

  /**
   * Each event as it goes over the wire; whoever wants the answer whole reads them to the end and takes `response`.
   * Never throws for what the engine does: a failure is the last event.
   * @param beforeEnd  what must have happened before the client is told that the answer is there
   */
  async *events(beforeEnd: () => Promise<void>): AsyncGenerator<string> {
    yield this.#event('response.created', { response: this.response() }) +
      this.#event('response.in_progress', { response: this.response() });
    try {
      for await (const batch of this.#answer.batches) {
        const text = batch.map((part) => this.#add(part)).join('');
        if (text !== '') yield text;
      }
      const closing = this.#close();
      this.#ended = true;
      await beforeEnd();
      const type = this.response().status === 'incomplete' ? 'response.incomplete' : 'response.completed';
      yield closing + this.#event(type, { response: this.response() });
    } catch (thrown) {
      this.#error = toAppError(thrown);
      this.#ended = true;
      yield this.#event('response.failed', { response: this.response() });
    }
  }

  response() {
    const { metadata, ...body } = this.#body;
    const length = this.#finish === 'length';
    const filtered = this.#finish === 'content-filter';
    return {
      id: this.id,
      object: 'response',
      created_at: this.#createdAt,
      status: this.#error ? 'failed' : !this.#ended ? 'in_progress' : length || filtered ? 'incomplete' : 'completed',
      error: this.#error ? { code: 'server_error', message: this.#error.message } : null,
      incomplete_details:
        this.#ended && (length || filtered) ? { reason: length ? 'max_output_tokens' : 'content_filter' } : null,
      instructions: body.instructions ?? null,
      max_output_tokens: body.max_output_tokens ?? null,
      metadata: metadata ?? {},
      model: this.#answer.target.model,
      output: this.#output,
      parallel_tool_calls: body.parallel_tool_calls ?? true,
      previous_response_id: body.previous_response_id ?? null,
      reasoning: { effort: body.reasoning?.effort ?? null, summary: null },
      store: body.store ?? true,
      temperature: body.temperature ?? null,
      text: { format: body.text?.format ?? { type: 'text' } },
      tool_choice: body.tool_choice ?? 'auto',
      tools: body.tools ?? [],
      top_p: body.top_p ?? null,
      truncation: body.truncation ?? 'disabled',
      usage: this.#ended && this.#usage ? toUsage(this.#usage) : null,
      background: false,
    };
  }

  #add(part: LanguageModelV4StreamPart): string {
    switch (part.type) {
      case 'text-delta':
        return this.#grow('message', part.delta);
      case 'reasoning-delta':
        return this.#grow('reasoning', part.delta);
      case 'tool-call': {
        if (this.#body.parallel_tool_calls === false && this.#output.some(({ type }) => type === 'function_call'))
          return '';
        return this.#toolCall(part.toolCallId, part.toolName, part.input);
      }
      case 'finish':
        this.#finish = part.finishReason.unified;
        this.#usage = part.usage;
        return '';
      default:
        return '';
    }
  }

  #grow(type: 'message' | 'reasoning', delta: string): string {
    if (delta === '') return '';
    const last = this.#output.at(-1);
    const opening = last?.type === type ? '' : this.#close() + this.#open(type);
    const item = this.#output.at(-1) as Extract<Item, { type: 'message' | 'reasoning' }>;
    const content = item.content[0] as { text: string };
    content.text += delta;
    const place = this.#place(item.id);
    return (
      opening +
      this.#event(`response.${CONTENT_TYPES[type]}.delta`, {
        ...place,
        delta,
        ...(type === 'message' ? { logprobs: [] } : {}),
      })
    );
  }

  #open(type: 'message' | 'reasoning'): string {
    const item: Item =
      type === 'message'
        ? { type, id: this.#itemId('msg'), role: 'assistant', status: 'in_progress', content: [] }
        : { type, id: this.#itemId('rs'), summary: [], status: 'in_progress', content: [] };
    this.#output.push(item);
    const added = this.#event('response.output_item.added', { output_index: this.#output.length - 1, item });
    if (item.type === 'message') item.content.push({ type: 'output_text', text: '', annotations: [], logprobs: [] });
    else item.content.push({ type: 'reasoning_text', text: '' });
    return added + this.#event('response.content_part.added', { ...this.#place(item.id), part: item.content[0] });
  }

  /** The item that was open is whole. */
  #close(): string {
    const item = this.#output.at(-1);
    if (!item || item.type === 'function_call' || item.status !== 'in_progress') return '';
    item.status = this.#finish === 'length' && item.type === 'message' ? 'incomplete' : 'completed';
    const place = this.#place(item.id);
    const part = item.content[0] as { text: string };
    return (
      this.#event(`response.${CONTENT_TYPES[item.type]}.done`, {
        ...place,
        text: part.text,
        ...(item.type === 'message' ? { logprobs: [] } : {}),
      }) +
      this.#event('response.content_part.done', { ...place, part }) +
      this.#event('response.output_item.done', { output_index: place.output_index, item })
    );
  }

  #toolCall(callId: string, name: string, input: string): string {
    const closing = this.#close();
    const item: Item = {
      type: 'function_call',
      id: this.#itemId('fc'),
      call_id: callId,
      name,
      arguments: '',
      status: 'in_progress',
    };
    this.#output.push(item);
    const place = { item_id: item.id, output_index: this.#output.length - 1 };
    const added = this.#event('response.output_item.added', { output_index: place.output_index, item });
    item.arguments = input || '{}';
    item.status = 'completed';
    return (
      closing +
      added +
      this.#event('response.function_call_arguments.delta', { ...place, delta: item.arguments }) +
      this.#event('response.function_call_arguments.done', { ...place, name, arguments: item.arguments }) +
      this.#event('response.output_item.done', { output_index: place.output_index, item })
    );
  }

  #place(itemId: string) {
    return { item_id: itemId, output_index: this.#output.length - 1, content_index: 0 };
  }

  #itemId(prefix: string): string {
    return `${prefix}_${this.#answer.requestId.replaceAll('-', '')}${this.#output.length}`;
  }

  #event(type: string, payload: object): string {
    const data = JSON.stringify({ type, sequence_number: this.#sequence, ...payload });
    this.#sequence += 1;
    return `event: ${type}\ndata: ${data}\n\n`;
  }
}

function toUsage({ inputTokens, outputTokens }: LanguageModelV4Usage = NO_USAGE) {
  const input = inputTokens.total ?? 0;
  const output = outputTokens.total ?? 0;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: inputTokens.cacheRead ?? 0, cache_write_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: outputTokens.reasoning ?? 0 },
    total_tokens: input + output,
  };
}
