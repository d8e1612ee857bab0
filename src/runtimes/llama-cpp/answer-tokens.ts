// The tokens of one answer on its sequence: evaluated one after the other, shown as text in whole characters, taken back
// and written for the model where a grammar needs that. What they say is nobody's business here.
import type { LlamaContextSequence, LlamaModel, SequenceEvaluateOptions, Token } from 'node-llama-cpp';

/** A character has at most so many. */
const MAX_PENDING_TOKENS = 8;

export class AnswerTokens {
  readonly #model: LlamaModel;
  readonly #sequence: LlamaContextSequence;
  readonly #prompt: readonly Token[];
  readonly #limit: number;
  readonly #signal: AbortSignal;
  readonly #produced: Token[] = [];

  constructor(
    model: LlamaModel,
    sequence: LlamaContextSequence,
    { prompt, limit, signal }: { prompt: readonly Token[]; limit: number; signal: AbortSignal },
  ) {
    this.#model = model;
    this.#sequence = sequence;
    this.#prompt = prompt;
    this.#limit = limit;
    this.#signal = signal;
  }

  get count(): number {
    return this.#produced.length;
  }

  get isFull(): boolean {
    return this.#produced.length >= this.#limit;
  }

  last(count: number): Token[] {
    return this.#produced.slice(-count);
  }

  /** Writes for the model. */
  force(text: string): void {
    if (text !== '') this.#produced.push(...this.#model.tokenize(text, true, 'trimLeadingSpace'));
  }

  /** Takes back all but the first. */
  keep(count: number): void {
    this.#produced.length = count;
  }

  /** Of the prompt, so many tokens did not have to be read again. */
  async readPrompt(): Promise<number> {
    return this.#settle(this.#prompt);
  }

  /** The answer's text as it comes, in whole characters; ends with the model, the limit or the signal. */
  async *pieces(options: SequenceEvaluateOptions, markers: readonly string[]): AsyncGenerator<string> {
    const model = this.#model;
    const produced = this.#produced;
    const hidden = this.#hiddenMarkers(markers);
    const wanted = [...this.#prompt, ...produced];
    const known = await this.#settle(wanted);
    let pending: Token[] = [];
    const text = () => model.detokenize(pending, false, produced.slice(-pending.length - 4, -pending.length));
    for await (const token of this.#sequence.evaluate(wanted.slice(known), options)) {
      if (this.#signal.aborted) return;
      produced.push(token);
      pending.push(token);
      const marker = hidden.get(token);
      const shown = marker === undefined ? text() : model.detokenize(pending.slice(0, -1), false) + marker;
      // A character of several tokens is shown when it is whole.
      if (marker !== undefined || !shown.endsWith('\uFFFD') || pending.length > MAX_PENDING_TOKENS) {
        pending = [];
        yield shown;
      }
      if (this.isFull) break;
    }
    // What a limit leaves of a character is none.
    const rest = pending.length > 0 ? text().replace(/\uFFFD+$/, '') : '';
    if (rest !== '') yield rest;
  }

  /** Marks that are tokens of their own and leave no trace in the text. */
  #hiddenMarkers(markers: readonly string[]): Map<Token, string> {
    const hidden = new Map<Token, string>();
    for (const marker of markers) {
      const tokens = this.#model.tokenize(marker, true, 'trimLeadingSpace');
      const [token] = tokens;
      if (tokens.length === 1 && token !== undefined && this.#model.detokenize([token], false) === '')
        hidden.set(token, marker);
    }
    return hidden;
  }

  /** Makes the sequence hold a beginning of these tokens, as long as may be. @returns how many */
  async #settle(tokens: readonly Token[]): Promise<number> {
    const sequence = this.#sequence;
    await sequence.adaptStateToTokens([...tokens], false);
    // At least one token must be evaluated to get the next one.
    if (sequence.nextTokenIndex >= tokens.length)
      await sequence.eraseContextTokenRanges([{ start: tokens.length - 1, end: sequence.nextTokenIndex }]);
    return sequence.nextTokenIndex;
  }
}

/** Text that came token by token, so that it can be taken back to any place in it. */
export class WrittenText {
  text = '';
  /** How many tokens were there when so many characters were. */
  readonly #places: { chars: number; tokens: number }[];

  constructor(tokens: number) {
    this.#places = [{ chars: 0, tokens }];
  }

  push(piece: string, tokens: number): void {
    this.text += piece;
    this.#places.push({ chars: this.text.length, tokens });
  }

  /** Whole tokens before a character, and what stands between them and it. */
  before(at: number): { tokens: number; rest: string } {
    const { chars, tokens } = this.#places.findLast((place) => place.chars <= at) ?? { chars: 0, tokens: 0 };
    return { tokens, rest: this.text.slice(chars, at) };
  }
}
