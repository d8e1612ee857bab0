// Thoughts and answer of models that write into channels (gpt-oss, the "harmony" form):
// `<|channel|>analysis<|message|>thought<|end|><|start|>assistant<|channel|>final<|message|>answer<|return|>`.
import { partialEnd, type SaidPiece, type SaidPlace, type SaidSplitter } from '../../thought-splitter.js';

export const CHANNEL_MARKS = [
  '<|start|>',
  '<|channel|>',
  '<|constrain|>',
  '<|message|>',
  '<|end|>',
  '<|return|>',
  '<|call|>',
] as const;
const MESSAGE = '<|message|>';
/** What ends a message, if its end is not written. */
const ENDS = CHANNEL_MARKS.filter((mark) => mark !== MESSAGE && mark !== '<|constrain|>');
/** What an answer begins with that goes on behind `<|start|>assistant`. */
const BEGINNINGS = ['<|channel|>', '<|start|>', MESSAGE, ' to='];
/** From the end of a thought to whatever comes next, and there to an answer. */
export const AFTER_THOUGHT = '<|end|><|start|>assistant';
export const FINAL = '<|channel|>final<|message|>';
/** The channel may stand before the tool or behind it. */
const CALL = /(?:<\|channel\|>\s*commentary)?\s+to=functions\./;
const MAX_HEAD_CHARS = 400;

export class ChannelSplitter implements SaidSplitter {
  readonly #withTools: boolean;
  #place: SaidPlace = 'undecided';
  readonly #said = new Set<SaidPiece['kind']>();
  /** Nothing of this message was handed on yet. */
  #fresh = true;
  /** Whether the head of a message is being read. */
  #inHead = true;
  #begun = false;
  #unread = '';

  /** @param withTools  calls of tools are told apart; else what looks like one is text */
  constructor(withTools: boolean) {
    this.#withTools = withTools;
  }

  get place(): SaidPlace {
    return this.#place;
  }

  get held(): number {
    return this.#unread.length;
  }

  push(text: string): SaidPiece[] {
    this.#unread += text;
    const pieces: SaidPiece[] = [];
    while (this.#inHead ? this.#head(pieces) : this.#body(pieces));
    return pieces;
  }

  end(): SaidPiece[] {
    const rest = this.#unread;
    this.#unread = '';
    // A head that nothing followed was none of the answer.
    if (this.#inHead && this.#begun) return [];
    const pieces: SaidPiece[] = [];
    this.#add(pieces, rest);
    return pieces;
  }

  /** Whether there is more to read. */
  #head(pieces: SaidPiece[]): boolean {
    if (!this.#begun) {
      if (BEGINNINGS.some((mark) => mark.length > this.#unread.length && mark.startsWith(this.#unread))) return false;
      this.#begun = BEGINNINGS.some((mark) => this.#unread.startsWith(mark));
      // It writes no channels at all.
      if (!this.#begun) return this.#enter('text');
    }
    const call = this.#withTools ? CALL.exec(this.#unread) : null;
    if (call) {
      pieces.push({ kind: 'call', text: this.#unread.slice(call.index) });
      this.#unread = '';
      return false;
    }
    const end = this.#unread.indexOf(MESSAGE);
    if (end < 0) {
      if (this.#unread.length > MAX_HEAD_CHARS) return this.#enter('text');
      return false;
    }
    const head = this.#unread.slice(0, end);
    this.#unread = this.#unread.slice(end + MESSAGE.length);
    return this.#enter(/<\|channel\|>\s*analysis\b/.test(head) ? 'thought' : 'text');
  }

  #enter(place: 'thought' | 'text'): true {
    this.#place = place;
    this.#inHead = false;
    this.#fresh = true;
    return true;
  }

  #body(pieces: SaidPiece[]): boolean {
    const ends = ENDS.map((mark) => this.#unread.indexOf(mark)).filter((at) => at >= 0);
    const at = ends.length > 0 ? Math.min(...ends) : this.#unread.length - partialEnd(this.#unread, ENDS);
    this.#add(pieces, this.#unread.slice(0, at));
    this.#unread = this.#unread.slice(at);
    if (ends.length === 0) return false;
    this.#inHead = true;
    this.#begun = true;
    return true;
  }
  /** Several messages of one kind are paragraphs. */
  #add(pieces: SaidPiece[], text: string): void {
    if (text === '') return;
    const kind = this.#place === 'thought' ? 'thought' : 'text';
    pieces.push({ kind, text: this.#fresh && this.#said.has(kind) ? `\n\n${text}` : text });
    this.#said.add(kind);
    this.#fresh = false;
  }
}
