// A conversation in the AI SDK's form, built message by message from any vendor's. What belongs to one turn of the
// model becomes one message, because chat templates expect so.
import type { LanguageModelV4Message, LanguageModelV4Prompt } from '@ai-sdk/provider';
import { AppError } from '../../shared/errors.js';

type AssistantContent = Extract<LanguageModelV4Message, { role: 'assistant' }>['content'];
type ToolContent = Extract<LanguageModelV4Message, { role: 'tool' }>['content'];
type UserContent = Extract<LanguageModelV4Message, { role: 'user' }>['content'];

export class PromptBuilder {
  readonly #messages: LanguageModelV4Prompt = [];
  readonly #toolNames = new Map<string, string>();

  get prompt(): LanguageModelV4Prompt {
    return this.#messages;
  }

  system(text: string): void {
    if (text !== '') this.#messages.push({ role: 'system', content: text });
  }

  user(text: string): void {
    this.#user().push({ type: 'text', text });
  }

  /** @param base64  without any prefix */
  image(mediaType: string, base64: string): void {
    this.#user().push({ type: 'file', mediaType, data: { type: 'data', data: base64 } });
  }

  assistant(text: string): void {
    if (text !== '') this.#assistant().push({ type: 'text', text });
  }

  toolCall(id: string, name: string, input: unknown): void {
    this.#toolNames.set(id, name);
    this.#assistant().push({ type: 'tool-call', toolCallId: id, toolName: name, input });
  }

  /** @throws AppError `invalid_input` when no such call was made before */
  toolResult(id: string, text: string, isError = false): void {
    const toolName = this.#toolNames.get(id);
    if (toolName === undefined)
      throw new AppError('invalid_input', `The conversation holds a result of the tool call ${id}, but not the call.`);
    const output = { type: isError ? ('error-text' as const) : ('text' as const), value: text };
    this.#tool().push({ type: 'tool-result', toolCallId: id, toolName, output });
  }

  #user(): UserContent {
    const last = this.#messages.at(-1);
    if (last?.role === 'user') return last.content;
    const content: UserContent = [];
    this.#messages.push({ role: 'user', content });
    return content;
  }

  #assistant(): AssistantContent {
    const last = this.#messages.at(-1);
    if (last?.role === 'assistant') return last.content;
    const content: AssistantContent = [];
    this.#messages.push({ role: 'assistant', content });
    return content;
  }

  #tool(): ToolContent {
    const last = this.#messages.at(-1);
    if (last?.role === 'tool') return last.content;
    const content: ToolContent = [];
    this.#messages.push({ role: 'tool', content });
    return content;
  }
}
