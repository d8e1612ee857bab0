// Reads what a model writes by the grammar of its calls: which tool, with what input, while it comes.
import { JsonEnd } from '../json-end.js';
import type { CallSyntax } from './call-syntax.js';

export type CallEvent =
  | { type: 'call-start'; name: string }
  | { type: 'call-input'; text: string }
  | { type: 'call-end'; name: string; input: string };

export class CallReader {
  readonly #names: readonly string[];
  readonly #syntax: CallSyntax;
  #unread = '';
  #name: string | undefined;
  #input = '';
  #end = new JsonEnd();

  constructor(names: readonly string[], syntax: CallSyntax) {
    this.#names = names;
    this.#syntax = syntax;
  }

  push(text: string): CallEvent[] {
    const events: CallEvent[] = [];
    this.#unread += text;
    for (;;) {
      if (this.#name === undefined) {
        const begun = this.#head();
        if (!begun) return events;
        this.#name = begun.name;
        this.#unread = this.#unread.slice(begun.end);
        this.#input = '';
        this.#end = new JsonEnd();
        events.push({ type: 'call-start', name: begun.name });
      }
      const length = this.#inputLength();
      const written = this.#unread.slice(0, length ?? this.#unread.length);
      this.#unread = this.#unread.slice(written.length);
      this.#input += written;
      if (written !== '') events.push({ type: 'call-input', text: written });
      if (length === null) return events;
      events.push({ type: 'call-end', name: this.#name, input: this.#input });
      this.#name = undefined;
    }
  }

  /** Between two calls there is fixed text only, so the next head is found wherever it stands. */
  #head(): { name: string; end: number } | null {
    const { beforeName, afterName } = this.#syntax;
    const found = this.#names.flatMap((name) => {
      const head = beforeName + name + afterName;
      const at = this.#unread.indexOf(head);
      return at < 0 ? [] : [{ name, at, end: at + head.length }];
    });
    // Of `get` and `budget` with nothing before the name, both are found; the one that begins first is the whole name.
    return found.toSorted((one, other) => one.at - other.at)[0] ?? null;
  }

  /** Null while the input goes on. */
  #inputLength(): number | null {
    let length = 0;
    for (const character of this.#unread) {
      length += character.length;
      if (this.#end.push(character)) return length;
    }
    return null;
  }
}
