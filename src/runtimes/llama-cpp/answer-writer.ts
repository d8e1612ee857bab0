// One answer in the inference process: thoughts, then words, or calls of tools that a grammar holds to their schemas. A
// model that may do either writes freely until it begins a call; from there on it can only write one that is whole and fits.
// Thoughts are free, also where the answer is not.
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
import { type SaidSplitter, ThoughtSplitter } from '../thought-splitter.js';
import { AnswerTokens, WrittenText } from './answer-tokens.js';
import type { AnswerThoughts } from './prompt-tokens.js';
import { SchemaGrammar } from './schema-grammar.js';
import { TextOut } from './text-out.js';
import { AFTER_THOUGHT, CHANNEL_MARKS, ChannelSplitter, FINAL } from './thoughts/channel-splitter.js';
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
  thoughts: AnswerThoughts | null;
  /** Tokens it may have at most. */
  limit: number;
  signal: AbortSignal;
  emit: (event: { type: 'text' | 'thought'; text: string } | CallEvent) => void;
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
  readonly #grammars: Grammars;
  readonly #order: AnswerOrder;
  readonly #tokens: AnswerTokens;
  readonly #thoughtOut: TextOut;
  #cachedTokens = 0;
  #thoughtTokens = 0;

  constructor(model: LlamaModel, grammars: Grammars, sequence: LlamaContextSequence, order: AnswerOrder) {
    this.#grammars = grammars;
    this.#order = order;
    this.#tokens = new AnswerTokens(model, sequence, order);
    this.#thoughtOut = new TextOut((text) => order.emit({ type: 'thought', text }), []);
  }

  get completionTokens(): number {
    return this.#tokens.count;
  }

  /** Of the answer, that were thought before it. */
  get thoughtTokens(): number {
    return this.#thoughtTokens;
  }

  /** Of the prompt, that did not have to be read again. */
  get cachedTokens(): number {
    return this.#cachedTokens;
  }

  /** @throws AppError `invalid_input` for a schema that cannot be a grammar */
  async write(): Promise<Finish> {
    const { tools, sampling, thoughts } = this.#order;
    const { json } = sampling;
    // A schema that is refused is refused before the first word.
    if (tools) await this.#grammars.state(this.#callGrammar(tools, tools.only).grammar);
    const grammar = json === undefined || tools?.mustCall ? null : jsonGrammar(json);
    if (grammar !== null) await this.#grammars.state(grammar);
    this.#cachedTokens = await this.#tokens.readPrompt();
    const must = tools?.mustCall === true;
    if (!must && grammar === null) return this.#writeText(tools);
    if (thoughts && sampling.think === false) this.#skipThought(thoughts, grammar !== null);
    else if (thoughts && !(await this.#think(thoughts, grammar !== null)))
      return this.#tokens.isFull ? 'length' : 'stop';
    if (tools && must) return this.#writeCalls(tools, tools.only);
    const options = this.#options();
    options.grammarEvaluationState = await this.#grammars.state(grammar as string);
    const out = this.#textOut();
    for await (const piece of this.#tokens.pieces(options, [])) if (out.push(piece)) break;
    return this.#ended(out);
  }

  /** For it: a thought that the prompt has opened is closed, and of channels the last one begins. */
  #skipThought({ marks, opened }: AnswerThoughts, inWords: boolean): void {
    if (marks === null && inWords) this.#tokens.force(FINAL);
    else if (marks !== null && opened) this.#tokens.force(`${marks.close}\n\n`);
  }

  /**
   * Lets it think before it is held to a grammar, and brings it to where that begins.
   * @returns false where no room is left, or nobody waits
   */
  async #think({ marks }: AnswerThoughts, inWords: boolean): Promise<boolean> {
    const tokens = this.#tokens;
    const splitter = this.#splitter();
    const written = new WrittenText(tokens.count);
    let thoughtEnd = 0;
    let answerAt: number | undefined;
    thinking: for await (const piece of tokens.pieces(this.#options(), this.#thoughtMarks())) {
      written.push(piece, tokens.count);
      for (const { kind, text } of splitter?.push(piece) ?? []) {
        if (kind === 'thought') this.#thoughtOut.push(text);
        else {
          answerAt = written.text.length - (kind === 'call' ? 0 : (splitter?.held ?? 0)) - text.length;
          break thinking;
        }
      }
      if (splitter?.place !== 'thought') continue;
      thoughtEnd = written.text.length - splitter.held;
      this.#thoughtTokens = tokens.count;
    }
    const ended = answerAt === undefined;
    for (const { kind, text } of ended ? (splitter?.end() ?? []) : [])
      if (kind === 'thought') this.#thoughtOut.push(text);
    this.#thoughtOut.end();
    if (this.#order.signal.aborted || (ended && tokens.isFull)) return false;
    // Whatever the model would say next, it says in the form that was asked for.
    const { tokens: kept, rest } = written.before(marks === null ? thoughtEnd : (answerAt ?? thoughtEnd));
    tokens.keep(kept);
    this.#thoughtTokens = Math.min(this.#thoughtTokens, kept);
    if (marks === null)
      tokens.force(rest + (thoughtEnd > 0 ? AFTER_THOUGHT : '') + (inWords && thoughtEnd > 0 ? FINAL : ''));
    else tokens.force(rest + (ended && splitter?.place === 'thought' ? `${marks.close}\n\n` : ''));
    return true;
  }

  async #writeText(tools: ToolOrder | undefined): Promise<Finish> {
    const { syntax } = this.#order;
    const tokens = this.#tokens;
    const out = this.#textOut();
    const splitter = this.#splitter();
    const scanner = tools && new CallScanner(names(tools), syntax);
    const written = new WrittenText(tokens.count);
    let scanned = 0;
    let begun: { at: number; name: string | null } | null = null;
    writing: for await (const piece of tokens.pieces(this.#options(), [...syntax.markers, ...this.#thoughtMarks()])) {
      // Only for a call is anything taken back.
      if (tools) written.push(piece, tokens.count);
      for (const { kind, text } of splitter?.push(piece) ?? [{ kind: 'text' as const, text: piece }]) {
        if (kind === 'thought') {
          this.#thoughtOut.push(text);
          continue;
        }
        this.#thoughtOut.end();
        if (kind === 'call') {
          begun = { at: written.text.length - text.length, name: null };
          break writing;
        }
        if (!scanner) {
          if (out.push(text)) return this.#ended(out);
          continue;
        }
        scanned += text.length;
        // What it looks through may begin late in what is written, but ends where that does.
        const from = written.text.length - (splitter?.held ?? 0) - scanned;
        const { text: shown, call } = scanner.push(text);
        if (out.push(shown)) return this.#ended(out);
        if (call) {
          begun = { at: Math.max(0, from + call.at), name: call.name };
          break writing;
        }
      }
      if (splitter?.place === 'thought') this.#thoughtTokens = tokens.count;
    }
    if (!tools || !begun) {
      for (const { kind, text } of splitter?.end() ?? [])
        if (kind === 'thought') this.#thoughtOut.push(text);
        else if (out.push(scanner ? scanner.push(text).text : text)) return this.#ended(out);
      this.#thoughtOut.end();
      if (scanner) out.push(scanner.end());
      return this.#ended(out);
    }
    out.end();
    // Back to where the call began, in whole tokens: what the grammar then allows begins with the call's own first character.
    const { tokens: kept, rest } = written.before(begun.at);
    tokens.keep(kept);
    tokens.force(rest);
    return this.#writeCalls(tools, tools.only ?? begun.name);
  }

  async #writeCalls(tools: ToolOrder, only: string | null): Promise<Finish> {
    const { syntax, emit } = this.#order;
    const { opening, head, grammar } = this.#callGrammar(tools, only);
    const options = this.#options();
    options.grammarEvaluationState = await this.#grammars.state(grammar);
    this.#tokens.force(opening);
    const reader = new CallReader(tools.tools, syntax);
    /** Of a call that is not whole yet, what nobody was shown. */
    let unshown = opening;
    let start: CallEvent | null = null;
    let open = false;
    let calls = 0;
    const read = (piece: string) => {
      unshown += piece;
      for (const event of reader.push(piece)) {
        // Shown with the first of its input: a call that is not whole must be able to become text.
        if (event.type === 'call-start') {
          start = event;
          open = true;
          continue;
        }
        if (start) emit(start);
        start = null;
        emit(event);
        unshown = '';
        if (event.type === 'call-end') {
          open = false;
          calls += 1;
        }
      }
    };
    if (!this.#tokens.isFull) {
      unshown = opening.slice(0, opening.length - head.length);
      read(head);
      for await (const piece of this.#tokens.pieces(options, marksIn(syntax))) read(piece);
    }
    if (!open && calls > 0) return 'tool-calls';
    // A call that was cut off is none, however many came before it: the client would wait for something that never comes.
    if (unshown !== '' && (open ? start !== null : calls === 0)) emit({ type: 'text', text: unshown });
    return 'length';
  }

  #textOut(): TextOut {
    return new TextOut((text) => this.#order.emit({ type: 'text', text }), this.#order.sampling.stop);
  }

  #splitter(): SaidSplitter | null {
    const { thoughts, tools, syntax } = this.#order;
    if (!thoughts) return null;
    const { marks, opened } = thoughts;
    if (marks === null) return new ChannelSplitter(tools !== undefined && syntax.family === 'channels');
    return new ThoughtSplitter([marks], opened ? marks : null);
  }

  /** Those of thoughts that may be tokens of their own. */
  #thoughtMarks(): readonly string[] {
    const { thoughts } = this.#order;
    if (!thoughts) return [];
    return thoughts.marks === null ? CHANNEL_MARKS : tokenMarks(thoughts.marks.open + thoughts.marks.close);
  }

  /** After a stop sequence, the limit, or the model's own end. */
  #ended(out: TextOut): Finish {
    out.end();
    return !out.stopped && this.#tokens.isFull ? 'length' : 'stop';
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
        punishTokens: () => this.#tokens.last(PENALTY_TOKENS),
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

const marksIn = ({ open, beforeName, afterName, tail, between, close }: CallSyntax): string[] =>
  [open, beforeName, afterName, tail, between ?? '', close].flatMap(tokenMarks);

/** Of fixed text, what may be tokens that leave no trace in the text. */
const tokenMarks = (text: string): string[] => text.match(/<[^<>\s]+>|\[\/?[A-Z_]+\]/g) ?? [];
