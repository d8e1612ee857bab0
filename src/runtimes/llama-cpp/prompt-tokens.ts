// A conversation as the tokens a model reads: through its own chat template, with tools in it where some are offered.
import { type ChatWrapper, GeneralChatWrapper, type LlamaModel, resolveChatWrapper, type Token } from 'node-llama-cpp';
import { AppError } from '../../shared/errors.js';
import { type CallSyntax, GENERIC } from './tool-calls/call-syntax.js';
import { callText, resultText, toolPrompt } from './tool-calls/calls-as-text.js';
import type { ToolOrder } from './tool-calls/tool-order.js';
import { type PromptPiece, ToolTemplate } from './tool-calls/tool-template.js';
import type { ChatMessage } from './worker-protocol.js';

/** Runs of blanks are the longest tokens there are. */
const LONGEST_TOKEN_CHARS = 256;

type PlainMessage = Exclude<ChatMessage, { role: 'tool' }>;

export interface PromptTokens {
  tokens: Token[];
  /** How calls of tools are written after it. */
  syntax: CallSyntax;
}

export class PromptTokenizer {
  readonly #model: LlamaModel;
  readonly #wrapper: ChatWrapper;
  readonly #template: ToolTemplate | null;

  /** Renders the model's template, so that one without an end is met while it loads, and ended by the load's limit. */
  constructor(model: LlamaModel) {
    this.#model = model;
    this.#wrapper = resolveChatWrapper(model) ?? new GeneralChatWrapper();
    const source = model.fileInfo.metadata.tokenizer?.chat_template;
    this.#template =
      typeof source === 'string'
        ? ToolTemplate.of(source, {
            bos: model.tokens.bosString ?? '',
            eos: model.tokens.eosString ?? '',
            isUnsafe: (text) => model.tokenize(text, true).some((token) => model.isSpecialToken(token)),
          })
        : null;
  }

  /** How the model calls tools. */
  get callFamily(): CallSyntax['family'] {
    return (this.#template?.syntax ?? GENERIC).family;
  }

  tokens(messages: readonly ChatMessage[], order: ToolOrder | undefined): PromptTokens {
    const withTools = order !== undefined || messages.some(hasTools);
    const pieces = withTools ? this.#rendered(messages, order) : null;
    if (pieces && this.#template) return { tokens: this.#ofPieces(pieces), syntax: this.#template.syntax };
    return { tokens: this.#plain(withTools ? inWords(messages, order) : messages), syntax: GENERIC };
  }

  /** Null where the template knows no tools, or refuses this conversation: two calls in one answer, an order of its own. */
  #rendered(messages: readonly ChatMessage[], order: ToolOrder | undefined): PromptPiece[] | null {
    try {
      return this.#template?.render(messages, order?.tools ?? []) ?? null;
    } catch {
      return null;
    }
  }

  #plain(messages: readonly ChatMessage[]): Token[] {
    const { contextText } = this.#wrapper.generateContextState({
      chatHistory: [
        ...messages.map((message) =>
          message.role === 'assistant' || message.role === 'tool'
            ? { type: 'model' as const, response: [message.text] }
            : { type: message.role, text: message.text },
        ),
        { type: 'model', response: [] },
      ],
    });
    return this.#withoutSecondBos(contextText.tokenize(this.#model.tokenizer));
  }

  #ofPieces(pieces: readonly PromptPiece[]): Token[] {
    const read = pieces.flatMap(({ text, plain }, index) =>
      this.#model.tokenize(text, !plain, index === 0 ? undefined : 'trimLeadingSpace'),
    );
    const { bos, shouldPrependBosToken } = this.#model.tokens;
    return this.#withoutSecondBos(shouldPrependBosToken && bos !== null ? [bos, ...read] : read);
  }

  /** Where a template begins with the begin-of-text token itself, the one put there for it would stand there twice. */
  #withoutSecondBos(tokens: Token[]): Token[] {
    return tokens[0] === this.#model.tokens.bos && tokens[1] === tokens[0] ? tokens.slice(1) : tokens;
  }
}

const hasTools = (message: ChatMessage): boolean =>
  message.role === 'tool' || (message.role === 'assistant' && (message.calls?.length ?? 0) > 0);

/** Tools among the system's words, results among the user's. */
function inWords(messages: readonly ChatMessage[], order: ToolOrder | undefined): PlainMessage[] {
  const plain = messages.map((message): PlainMessage => {
    if (message.role === 'tool') return { role: 'user', text: resultText(message) };
    if (message.role !== 'assistant' || !message.calls?.length) return message;
    return { role: 'assistant', text: callText(message.text, message.calls, GENERIC) };
  });
  if (!order) return plain;
  const told = toolPrompt(order.tools, GENERIC);
  const [first, ...rest] = plain;
  if (first?.role === 'system') return [{ role: 'system', text: `${first.text}\n\n${told}` }, ...rest];
  return [{ role: 'system', text: told }, ...plain];
}

/** Tokenizing megabytes takes seconds, in which nobody else is answered; that they do not fit is seen at once. */
export function refuseHopeless(
  messages: readonly ChatMessage[],
  order: ToolOrder | undefined,
  contextLength: number,
): void {
  const said = messages.reduce((sum, { text }) => sum + text.length, 0);
  const chars = said + (order ? JSON.stringify(order.tools).length : 0);
  if (chars <= contextLength * LONGEST_TOKEN_CHARS) return;
  throw new AppError(
    'invalid_input',
    `The conversation has ${chars} characters; the model's context holds ${contextLength} tokens.`,
    { details: { context_length: contextLength } },
  );
}
