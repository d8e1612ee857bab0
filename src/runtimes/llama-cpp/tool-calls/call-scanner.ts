// Finds where a call begins in an answer that may be words. What could still become a mark of a call is held back, so that
// no piece of one is ever shown.
import type { CallSyntax } from './call-syntax.js';

/** What small models put in front of their JSON. */
const FENCE = '```json';

export interface Scanned {
  /** To be shown. */
  text: string;
  /** Where in the whole answer a call begins, and the tool where its name has been written already. */
  call: { at: number; name: string | null } | null;
}

export class CallScanner {
  readonly #markers: readonly string[];
  readonly #heads: readonly string[];
  readonly #names: readonly string[];
  #all = '';
  #shown = 0;
  /** Whether the whole answer may yet turn out to be a call in bare JSON. */
  #maybeBare: boolean;

  constructor(names: readonly string[], syntax: CallSyntax) {
    this.#names = names;
    const { markers, open, beforeName, afterName } = syntax;
    // Where nothing marks a call, its own beginning does.
    this.#markers = markers.length > 0 ? markers : names.map((name) => open + beforeName + name + afterName);
    const heads = ['{"name":"', '{"type":"function","name":"'];
    this.#heads = [...heads, ...heads.map((head) => FENCE + head)];
    this.#maybeBare = syntax.bare;
  }

  push(text: string): Scanned {
    this.#all += text;
    if (this.#maybeBare) {
      const verdict = this.#bare();
      if (verdict === 'open') return { text: '', call: null };
      if (verdict !== null) return { text: '', call: { at: 0, name: verdict.name } };
      this.#maybeBare = false;
    }
    const found = this.#markers.map((marker) => this.#all.indexOf(marker, this.#shown)).filter((at) => at >= 0);
    if (found.length > 0) {
      const at = Math.min(...found);
      return { text: this.#show(at).trimEnd(), call: { at, name: null } };
    }
    // Blanks in front of a call belong to it: the template puts them there again.
    return { text: this.#show(this.#withoutBlanks(this.#all.length - this.#partialMarker())), call: null };
  }

  /** What was held back and became no call. */
  end(): string {
    return this.#show(this.#all.length);
  }

  #show(to: number): string {
    const text = this.#all.slice(this.#shown, to);
    this.#shown = Math.max(this.#shown, to);
    return text;
  }

  #withoutBlanks(to: number): number {
    let end = to;
    while (end > this.#shown && /\s/.test(this.#all[end - 1] as string)) end -= 1;
    return end;
  }

  #partialMarker(): number {
    const longest = Math.max(...this.#markers.map(({ length }) => length));
    for (let length = Math.min(longest - 1, this.#all.length - this.#shown); length > 0; length -= 1) {
      const tail = this.#all.slice(-length);
      if (this.#markers.some((marker) => marker.startsWith(tail))) return length;
    }
    return 0;
  }

  /** Only JSON that names a tool is a call; the same form may be an answer. Null: it is none. */
  #bare(): { name: string } | 'open' | null {
    const dense = this.#all.replace(/\s/g, '');
    if (this.#heads.some((head) => head.startsWith(dense))) return 'open';
    const head = this.#heads.find((candidate) => dense.startsWith(candidate));
    if (head === undefined) return null;
    const rest = dense.slice(head.length);
    const end = rest.indexOf('"');
    if (end < 0) return this.#names.some((name) => name.startsWith(rest)) ? 'open' : null;
    const name = rest.slice(0, end);
    return this.#names.includes(name) ? { name } : null;
  }
}
