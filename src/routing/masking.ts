// Takes what is sensitive out of a text before it leaves, and puts it back into the answer. The names it leaves are plain
// enough for a model to repeat: [EMAIL_1].
import { type Finding, findSensitive, isMaskable, type SensitivityOptions } from './sensitivity.js';

/** Longer than any name we give, with a few escapes that models put before an underscore. */
const MAX_PLACEHOLDER = 48;
const WHOLE = /\[([A-Za-z]{1,20}(?:\\?_[A-Za-z]{1,20}){0,2}\\?_\d{1,6})\]/y;
const BEGUN = /^\[[A-Za-z\\_]*\d{0,6}$/;

/** One for a whole request: the same value has the same name in every message of it. */
export class Masks {
  readonly #options: SensitivityOptions;
  readonly #byValue = new Map<string, string>();
  readonly #byName = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  /** Names that stand in the request already and so would be mistaken for ours. */
  readonly #taken: ReadonlySet<string>;

  constructor(options: SensitivityOptions, texts: readonly string[]) {
    this.#options = options;
    const taken = new Set<string>();
    for (const text of texts)
      for (let at = text.indexOf('['); at !== -1; at = text.indexOf('[', at + 1)) {
        WHOLE.lastIndex = at;
        const name = WHOLE.exec(text)?.[1];
        if (name) taken.add(canonical(name));
      }
    this.#taken = taken;
  }

  get size(): number {
    return this.#byName.size;
  }

  /** Kinds and how many different values of each were taken out. */
  get counts(): { kind: string; count: number }[] {
    return [...this.#counts].map(([kind, count]) => ({ kind, count }));
  }

  /** @param found  what is sensitive in it, where that is known already */
  mask(text: string, found: readonly Finding[] = findSensitive(text, this.#options)): string {
    let masked = '';
    let at = 0;
    for (const { kind, start, end } of found) {
      if (!isMaskable(kind)) continue;
      masked += text.slice(at, start) + this.#nameFor(kind, text.slice(start, end));
      at = end;
    }
    return at === 0 ? text : masked + text.slice(at);
  }

  /** A whole text, such as a tool call's arguments; `inForm` writes a value into that form. */
  restore(text: string, inForm: (value: string) => string = (value) => value): string {
    const restorer = this.restorer(inForm);
    return restorer.push(text) + restorer.end();
  }

  restorer(inForm: (value: string) => string = (value) => value): MaskRestorer {
    return new MaskRestorer((name) => {
      const value = this.#byName.get(canonical(name));
      return value === undefined ? undefined : inForm(value);
    });
  }

  #nameFor(kind: string, value: string): string {
    const key = `${kind}\0${value}`;
    const known = this.#byValue.get(key);
    if (known) return known;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    let number = count;
    while (this.#taken.has(`${kind.toUpperCase()}_${number}`) || this.#byName.has(`${kind.toUpperCase()}_${number}`))
      number += 1;
    const name = `${kind.toUpperCase()}_${number}`;
    this.#byName.set(name, value);
    this.#byValue.set(key, `[${name}]`);
    return `[${name}]`;
  }
}

const canonical = (name: string): string => name.replaceAll('\\', '').toUpperCase();

/** Puts values back into text that comes in pieces, wherever a name is cut. */
export class MaskRestorer {
  readonly #byName: (name: string) => string | undefined;
  #held = '';

  constructor(byName: (name: string) => string | undefined) {
    this.#byName = byName;
  }

  push(piece: string): string {
    const text = this.#held + piece;
    this.#held = '';
    let out = '';
    let at = 0;
    for (;;) {
      const open = text.indexOf('[', at);
      if (open === -1) return out + text.slice(at);
      out += text.slice(at, open);
      WHOLE.lastIndex = open;
      const match = WHOLE.exec(text);
      if (match) {
        out += this.#byName(match[1] as string) ?? match[0];
        at = open + match[0].length;
        continue;
      }
      const rest = text.length - open;
      if (rest < MAX_PLACEHOLDER && BEGUN.test(text.slice(open))) {
        this.#held = text.slice(open);
        return out;
      }
      out += '[';
      at = open + 1;
    }
  }

  /** What was held back and never became a name. */
  end(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }
}
