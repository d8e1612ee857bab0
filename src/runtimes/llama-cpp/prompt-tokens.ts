// A conversation as the tokens a model reads: through its own chat template, with tools in it where some are offered.
import { type ChatWrapper, GeneralChatWrapper, type LlamaModel, resolveChatWrapper, type Token } from 'node-llama-cpp';
import { AppError } from '../../shared/errors.js';
import { splitWhole, type ThoughtMarks } from '../thought-splitter.js';
import { ChatTemplate, type PromptPiece, type TemplateMarks } from './chat-template.js';
import { type Think, type ThoughtTraits, templateWords, thoughtTraits } from './thoughts/thought-traits.js';
import { type CallSyntax, GENERIC } from './tool-calls/call-syntax.js';
import { callText, resultText, toolPrompt } from './tool-calls/calls-as-text.js';
import type { ToolOrder } from './tool-calls/tool-order.js';
import { plainMessage, ToolTemplate } from './tool-calls/tool-template.js';
import type { ChatMessage } from './worker-protocol.js';

type PlainMessage = Exclude<ChatMessage, { role: 'tool' }>;

export interface PromptTokens {
  tokens: Token[];
  /** How calls of tools are written after it. */
  syntax: CallSyntax;
  /** How the answer's thoughts are told from it; null for a model that does not think. */
  thoughts: AnswerThoughts | null;
}

/** Marks around a thought, and whether the prompt has opened it already; null marks are channels. */
export interface AnswerThoughts {
  marks: ThoughtMarks | null;
  opened: boolean;
}

/** What the template writes behind the mark that opens a thought. */
const TAIL_TOKENS = 16;

export class PromptTokenizer {
  readonly #model: LlamaModel;
  /** Found by comparing many templates, which takes a while; of a model that thinks it is wanted where its template fails only. */
  #wrapper: ChatWrapper | undefined;
  readonly #tools: ToolTemplate | null;
  /** Of models that think: only their own template knows how they are told to, or not to. */
  readonly #thinking: { template: ChatTemplate; traits: ThoughtTraits } | null;

  /** Renders the model's template, so that one without an end is met while it loads, and ended by the load's limit. */
  constructor(model: LlamaModel) {
    this.#model = model;
    const source = model.fileInfo.metadata.tokenizer?.chat_template;
    const marks = {
      bos: model.tokens.bosString ?? '',
      eos: model.tokens.eosString ?? '',
      isUnsafe: (text: string) => model.tokenize(text, true).some((token) => model.isSpecialToken(token)),
    };
    this.#tools = typeof source === 'string' ? ToolTemplate.of(source, marks) : null;
    this.#thinking = typeof source === 'string' ? thinkingTemplate(source, marks) : null;
    if (!this.#thinking) this.#wrapper = resolveChatWrapper(model);
  }

  /** How the model calls tools. */
  get callFamily(): CallSyntax['family'] {
    return (this.#tools?.syntax ?? GENERIC).family;
  }

  tokens(said: readonly ChatMessage[], order: ToolOrder | undefined, think?: Think): PromptTokens {
    const messages = this.#thinking ? said.map((message) => withThought(message, this.#thinking?.traits.marks)) : said;
    const withTools = order !== undefined || messages.some(hasTools);
    const words = this.#thinking ? templateWords(think, this.#thinking.traits) : {};
    const pieces = withTools ? this.#withTools(messages, order, words) : null;
    if (pieces && this.#tools) return this.#toAnswer(this.#ofPieces(pieces), this.#tools.syntax);
    const plain = withTools ? inWords(messages, order) : (messages as readonly PlainMessage[]);
    return this.#toAnswer(this.#thoughtful(plain, words) ?? this.#plain(plain), GENERIC);
  }

  #toAnswer(tokens: Token[], syntax: CallSyntax): PromptTokens {
    if (!this.#thinking) return { tokens, syntax, thoughts: null };
    const { marks } = this.#thinking.traits;
    const tail = marks ? this.#model.detokenize(tokens.slice(-TAIL_TOKENS), true).trimEnd() : '';
    return { tokens, syntax, thoughts: { marks, opened: marks !== null && tail.endsWith(marks.open) } };
  }

  /**
   * A text as it is, marks of the model's own in it included; with what shall follow it where the model was taught to fill in.
   * @throws AppError `unsupported` where it was not
   */
  asItIs(prompt: string, suffix: string | undefined): PromptTokens {
    const { bos, shouldPrependBosToken, infill } = this.#model.tokens;
    const begin = shouldPrependBosToken && bos !== null ? [bos] : [];
    const read = this.#model.tokenize(prompt, true);
    if (!suffix) return { tokens: this.#withoutSecondBos([...begin, ...read]), syntax: GENERIC, thoughts: null };
    const { prefix, suffix: after, middle } = infill;
    if (prefix === null || after === null || middle === null)
      throw new AppError('unsupported', 'suffix: this model was not taught to fill in.');
    return {
      tokens: [...begin, prefix, ...read, after, ...this.#model.tokenize(suffix, true), middle],
      syntax: GENERIC,
      thoughts: null,
    };
  }

  /** Null where the template knows no tools, or refuses this conversation: two calls in one answer, an order of its own. */
  #withTools(
    messages: readonly ChatMessage[],
    order: ToolOrder | undefined,
    words: Record<string, unknown>,
  ): PromptPiece[] | null {
    try {
      return this.#tools?.render(messages, order?.tools ?? [], words) ?? null;
    } catch {
      return null;
    }
  }

  /** Null for a model that does not think, or whose template refuses this conversation. */
  #thoughtful(messages: readonly PlainMessage[], words: Record<string, unknown>): Token[] | null {
    if (!this.#thinking) return null;
    const { template } = this.#thinking;
    const safe = (value: unknown) => template.safe(value);
    try {
      return this.#ofPieces(
        template.pieces(
          messages.map((message) => plainMessage(message, safe)),
          [],
          words,
        ),
      );
    } catch {
      return null;
    }
  }

  #plain(messages: readonly PlainMessage[]): Token[] {
    this.#wrapper ??= resolveChatWrapper(this.#model) ?? new GeneralChatWrapper();
    const { contextText } = this.#wrapper.generateContextState({
      chatHistory: [
        ...messages.map((message) =>
          message.role === 'assistant'
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

function thinkingTemplate(source: string, marks: TemplateMarks) {
  const traits = thoughtTraits(source);
  try {
    return traits && { template: new ChatTemplate(source, marks), traits };
  } catch {
    return null;
  }
}

/** Some clients send an answer back with its thought in it; that is no part of what was said. */
function withThought(message: ChatMessage, marks: ThoughtMarks | null | undefined): ChatMessage {
  if (message.role !== 'assistant' || !marks || !message.text.trimStart().startsWith(marks.open)) return message;
  const { thought, text } = splitWhole(message.text, [marks]);
  return { ...message, text, thought: message.thought ?? thought };
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
