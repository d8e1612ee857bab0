// One answer in the inference process: words, or calls of tools that a grammar holds to their schemas. A model that may do
// either writes freely until it begins a call; from there on it can only write one that is whole and fits.
import {
  type Llama,
  type LlamaContextSequence,
  type LlamaGrammar,
  LlamaGrammarEvaluationState,
  type LlamaModel,
  type SequenceEvaluateOptions,
  type Token,
} from 'node-llama-cpp';
import { BoundedMap } from '../../shared/bounded-map.js';
import { AppError } from '../../shared/errors.js';
import { SchemaGrammar } from './schema-grammar.js';
import { TextOut } from './text-out.js';
import { type CallGrammar, callGrammar } from './tool-calls/call-grammar.js';
import { type CallEvent, CallReader } from './tool-calls/call-reader.js';
import { CallScanner } from './tool-calls/call-scanner.js';
import type { CallSyntax } from './tool-calls/call-syntax.js';
import type { ToolOrder } from './tool-calls/tool-order.js';
import type { SamplingOptions } from './worker-protocol.js';

const PENALTY_TOKENS = 64;
/** Compiling one takes milliseconds to a second, and an agent asks with the same tools again and again. */
const GRAMMARS = { entries: 16, size: 4_000_000, sizeOf: (_: LlamaGrammar, text: string) => text.length };

export type Finish = 'stop' | 'length' | 'tool-calls';

export interface AnswerOrder {
  prompt: readonly Token[];
  sampling: SamplingOptions;
  tools: ToolOrder | undefined;
  syntax: CallSyntax;
  /** Tokens it may have at most. */
  limit: number;
  signal: AbortSignal;
  emit: (event: { type: 'text'; text: string } | CallEvent) => void;
}

/** Grammars by their text, for one model. */
export class Grammars {
  readonly #llama: Llama;
  readonly #model: LlamaModel;
  readonly #compiled = new BoundedMap<LlamaGrammar>(GRAMMARS);

  constructor(llama: Llama, model: LlamaModel) {
    this.#llama = llama;
    this.#model = model;
  }

  /** At its beginning. @throws AppError `invalid_input` */
  async state(text: string): Promise<LlamaGrammarEvaluationState> {
    return new LlamaGrammarEvaluationState({ model: this.#model, grammar: await this.#get(text) });
  }

  async #get(text: string): Promise<LlamaGrammar> {
    const known = this.#compiled.get(text);
    if (known) return known;
    try {
      const grammar = await this.#llama.createGrammar({ grammar: text });
      this.#compiled.set(text, grammar);
      return grammar;
    } catch (cause) {
      throw new AppError('invalid_input', 'The JSON schema cannot be turned into a grammar.', { cause });
    }
  }
}

export class AnswerWriter {
  readonly #model: LlamaModel;
  readonly #grammars: Grammars;
  readonly #sequence: LlamaContextSequence;
  readonly #order: AnswerOrder;
  readonly #produced: Token[] = [];
  #cachedTokens = 0;

  constructor(model: LlamaModel, grammars: Grammars, sequence: LlamaContextSequence, order: AnswerOrder) {
    this.#model = model;
    this.#grammars = grammars;
    this.#sequence = sequence;
    this.#order = order;
  }

  get completionTokens(): number {
    return this.#produced.length;
  }

  /** Of the prompt, that did not have to be read again. */
  get cachedTokens(): number {
    return this.#cachedTokens;
  }

  /** @throws AppError `invalid_input` for a schema that cannot be a grammar */
  async write(): Promise<Finish> {
    const { tools, sampling, prompt } = this.#order;
    // A schema that is refused is refused before the first word.
    if (tools) await this.#grammars.state(this.#callGrammar(tools, tools.only).grammar);
    this.#cachedTokens = await this.#settle(prompt);
    if (tools?.mustCall) return this.#writeCalls(tools, '', tools.only);
    const options = this.#options();
    if (sampling.json !== undefined)
      options.grammarEvaluationState = await this.#grammars.state(jsonGrammar(sampling.json));
    return this.#writeText(options, tools);
  }

  async #writeText(options: SequenceEvaluateOptions, tools: ToolOrder | undefined): Promise<Finish> {
    const { sampling, syntax, emit } = this.#order;
    const out = new TextOut((text) => emit({ type: 'text', text }), sampling.stop);
    const scanner = tools && new CallScanner(names(tools), syntax);
    let written = '';
    /** How many tokens were there when so many characters were. */
    const marks = [{ chars: 0, tokens: 0 }];
    let begun: { at: number; name: string | null } | null = null;
    for await (const piece of this.#pieces(options, syntax.markers)) {
      if (!scanner) {
        if (out.push(piece)) return this.#ended(out);
        continue;
      }
      written += piece;
      marks.push({ chars: written.length, tokens: this.#produced.length });
      const { text, call } = scanner.push(piece);
      if (out.push(text)) return this.#ended(out);
      if (call) {
        begun = call;
        break;
      }
    }
    if (!tools || !begun) {
      if (scanner && out.push(scanner.end())) return this.#ended(out);
      out.end();
      return this.#isFull() ? 'length' : 'stop';
    }
    out.end();
    // Back to where the call began, in whole tokens: what the grammar then allows begins with the call's own first character.
    const { at } = begun;
    const kept = marks.findLast(({ chars }) => chars <= at) ?? { chars: 0, tokens: 0 };
    this.#produced.length = kept.tokens;
    return this.#writeCalls(tools, written.slice(kept.chars, at), tools.only ?? begun.name);
  }

  async #writeCalls(tools: ToolOrder, before: string, only: string | null): Promise<Finish> {
    const { syntax, emit } = this.#order;
    const { opening, head, grammar } = this.#callGrammar(tools, only);
    const options = this.#options();
    options.grammarEvaluationState = await this.#grammars.state(grammar);
    const forced = before + opening;
    if (forced !== '') this.#produced.push(...this.#model.tokenize(forced, true, 'trimLeadingSpace'));
    if (this.#isFull()) return 'length';
    const reader = new CallReader(tools.tools, syntax);
    let open = false;
    let calls = 0;
    const read = (piece: string) => {
      for (const event of reader.push(piece)) {
        emit(event);
        if (event.type === 'call-start') open = true;
        if (event.type === 'call-end') {
          open = false;
          calls += 1;
        }
      }
    };
    read(head);
    for await (const piece of this.#pieces(options, [])) read(piece);
    // A call that was cut off is none, however many came before it: the client would wait for something that never comes.
    return open || calls === 0 ? 'length' : 'tool-calls';
  }

  /** The answer's text as it comes, in whole characters; ends with the model, the limit or the signal. */
  async *#pieces(options: SequenceEvaluateOptions, markers: readonly string[]): AsyncGenerator<string> {
    const model = this.#model;
    const produced = this.#produced;
    const hidden = this.#hiddenMarkers(markers);
    const wanted = [...this.#order.prompt, ...produced];
    const known = await this.#settle(wanted);
    let pending: Token[] = [];
    const text = () => model.detokenize(pending, false, produced.slice(-pending.length - 4, -pending.length));
    for await (const token of this.#sequence.evaluate(wanted.slice(known), options)) {
      if (this.#order.signal.aborted) return;
      produced.push(token);
      pending.push(token);
      const marker = hidden.get(token);
      const shown = marker === undefined ? text() : model.detokenize(pending.slice(0, -1), false) + marker;
      // A character of several tokens is shown when it is whole.
      if (marker !== undefined || !shown.endsWith('\uFFFD') || pending.length > 8) {
        pending = [];
        yield shown;
      }
      if (this.#isFull()) break;
    }
    if (pending.length > 0) yield text();
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

  #ended(out: TextOut): Finish {
    out.end();
    return 'stop';
  }

  #isFull(): boolean {
    return this.#produced.length >= this.#order.limit;
  }

  #callGrammar({ tools, single }: ToolOrder, only: string | null): CallGrammar {
    const callable = only === null ? tools : tools.filter(({ name }) => name === only);
    return callGrammar(callable, this.#order.syntax, single);
  }

  #options(): SequenceEvaluateOptions {
    const { sampling } = this.#order;
    const options: SequenceEvaluateOptions = {
      temperature: sampling.temperature,
      topP: sampling.topP,
      topK: sampling.topK,
      minP: sampling.minP,
      contextShift: { size: 1 },
    };
    if (sampling.seed !== undefined) options.seed = sampling.seed >>> 0;
    if (sampling.repeatPenalty !== 1 || sampling.frequencyPenalty !== 0 || sampling.presencePenalty !== 0) {
      options.repeatPenalty = {
        punishTokens: () => this.#produced.slice(-PENALTY_TOKENS),
        penalty: sampling.repeatPenalty,
        frequencyPenalty: sampling.frequencyPenalty,
        presencePenalty: sampling.presencePenalty,
      };
    }
    return options;
  }
}

function jsonGrammar(schema: object | true): string {
  const grammar = new SchemaGrammar('free');
  return grammar.text(schema === true ? grammar.anyObject : grammar.add(schema));
}

const names = ({ tools }: ToolOrder): string[] => tools.map(({ name }) => name);
