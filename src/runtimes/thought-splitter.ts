// Tells a model's thoughts from its answer while both come in one stream of text. Only what an answer begins with is a
// thought: the same mark later on is what somebody writes about, such as code.

/** What stands around a thought. */
export interface ThoughtMarks {
  readonly open: string;
  readonly close: string;
}

/** What servers leave in their answers that do not tell thoughts apart, whatever their model is. */
export const RAW_THOUGHTS: readonly ThoughtMarks[] = [
  { open: '<think>', close: '</think>' },
  { open: '[THINK]', close: '[/THINK]' },
  { open: '<seed:think>', close: '</seed:think>' },
];

/** Held back while nothing else comes; more are text like any other. */
const MOST_BLANKS = 1_000;

export interface SaidPiece {
  /** `call`: a call of a tool begins with `text`, the last that was pushed; nothing follows it. */
  kind: 'text' | 'thought' | 'call';
  text: string;
}

/** How far an answer is: `undecided` while it may yet begin with a thought. */
export type SaidPlace = 'undecided' | 'thought' | 'text';

/** Whatever tells thoughts from answers, by marks or by channels. */
export interface SaidSplitter {
  readonly place: SaidPlace;
  /** Characters at the end of what was pushed that are held back or left out. */
  readonly held: number;
  push(text: string): SaidPiece[];
  /** What was held back. */
  end(): SaidPiece[];
}

export class ThoughtSplitter implements SaidSplitter {
  readonly #marks: readonly ThoughtMarks[];
  #close = '';
  #place: SaidPlace = 'undecided';
  #unread = '';
  /** Whether blanks in front of what comes next belong to the marks. */
  #trims = false;

  /** @param opened  the prompt has opened the thought already, with these marks */
  constructor(marks: readonly ThoughtMarks[], opened: ThoughtMarks | null = null) {
    this.#marks = marks;
    if (opened) this.#enter(opened);
  }

  get place(): SaidPlace {
    return this.#place;
  }

  get held(): number {
    return this.#unread.length;
  }

  /** Whether all that comes is text as it is. */
  get isDone(): boolean {
    return this.#place === 'text' && !this.#trims;
  }

  push(text: string): SaidPiece[] {
    this.#unread += text;
    const pieces: SaidPiece[] = [];
    if (this.#place === 'undecided' && !this.#decide()) return pieces;
    if (this.#place === 'thought' && !this.#think(pieces)) return pieces;
    this.#add(pieces, 'text', this.#unread.length);
    return pieces;
  }

  end(): SaidPiece[] {
    const pieces: SaidPiece[] = [];
    if (this.#place === 'thought') this.#unread = this.#unread.trimEnd();
    this.#add(pieces, this.#place === 'thought' ? 'thought' : 'text', this.#unread.length);
    this.#unread = '';
    return pieces;
  }

  #decide(): boolean {
    const begun = this.#unread.trimStart();
    if (
      this.#unread.length - begun.length <= MOST_BLANKS &&
      this.#marks.some(({ open }) => open.length > begun.length && open.startsWith(begun))
    )
      return false;
    const marks = this.#marks.find(({ open }) => begun.startsWith(open));
    if (!marks) this.#place = 'text';
    else {
      this.#unread = begun.slice(marks.open.length);
      this.#enter(marks);
    }
    return true;
  }

  #enter({ close }: ThoughtMarks): void {
    this.#close = close;
    this.#place = 'thought';
    this.#trims = true;
  }

  /** Whether the thought has ended. */
  #think(pieces: SaidPiece[]): boolean {
    const end = this.#unread.indexOf(this.#close);
    if (end < 0) {
      const whole = this.#unread.length - partialEnd(this.#unread, [this.#close]);
      // Blanks at its end are not known to be its end yet.
      const said = this.#unread.slice(0, whole).trimEnd().length;
      this.#add(pieces, 'thought', whole - said > MOST_BLANKS ? whole : said);
      return false;
    }
    const rest = this.#unread.slice(end + this.#close.length);
    this.#unread = this.#unread.slice(0, end).trimEnd();
    this.#add(pieces, 'thought', this.#unread.length);
    this.#unread = rest;
    this.#place = 'text';
    this.#trims = true;
    return true;
  }

  #add(pieces: SaidPiece[], kind: SaidPiece['kind'], chars: number): void {
    let text = this.#unread.slice(0, chars);
    this.#unread = this.#unread.slice(chars);
    if (this.#trims) text = text.trimStart();
    if (text === '') return;
    this.#trims = false;
    pieces.push({ kind, text });
  }
}

/** What was thought and what was said, each in one piece. */
export function joined(pieces: readonly SaidPiece[]): { thought: string; text: string } {
  const of = (wanted: SaidPiece['kind']) => pieces.map(({ kind, text }) => (kind === wanted ? text : '')).join('');
  return { thought: of('thought'), text: of('text') };
}

/** The same of an answer that is there as a whole. */
export function splitWhole(answer: string, marks: readonly ThoughtMarks[]): { thought: string; text: string } {
  const splitter = new ThoughtSplitter(marks);
  return joined([...splitter.push(answer), ...splitter.end()]);
}

/** How many characters at the end of a text may be the beginning of one of these. */
export function partialEnd(text: string, marks: readonly string[]): number {
  const longest = Math.max(...marks.map(({ length }) => length));
  for (let length = Math.min(longest - 1, text.length); length > 0; length -= 1) {
    const tail = text.slice(-length);
    if (marks.some((mark) => mark.startsWith(tail))) return length;
  }
  return 0;
}
