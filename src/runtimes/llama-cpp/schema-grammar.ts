// A JSON schema as a grammar of llama.cpp (GBNF), so that whatever a model writes fits it. Pure text; compiles nothing.
//
// Held to: types, properties, required and optional ones, enum, const, anyOf, oneOf, allOf, references within the schema (also
// to themselves), items, prefixItems, bounds of lists, texts and whole numbers, and dates. Left to the reader: `pattern`,
// `not`, `if`, `uniqueItems` and bounds of fractions. As with OpenAI's strict mode, an object has no members beyond those
// named unless the schema says so.
import { refused } from './grammar/json-schema.js';
import { BASE, FIXED, FREE, leaf, literal, type Rule, type Spacing, settled } from './grammar/rules.js';
import { SchemaWriter } from './grammar/schema-writer.js';

export { literal } from './grammar/rules.js';
export { spacedJson } from './grammar/spaced-json.js';

/** Grammar text from rules for several schemas, which share what is the same everywhere. */
export class SchemaGrammar {
  readonly #spacing: Spacing;
  readonly #rules = new Map<string, Rule>();
  readonly #chars = { count: 0 };
  readonly #ends = new Map<string, string>();
  #count = 0;

  constructor(blanks: 'fixed' | 'free') {
    this.#spacing = blanks === 'fixed' ? FIXED : FREE;
  }

  /** The rule for a JSON object of any kind. */
  get anyObject(): string {
    return this.#spacing.any.object;
  }

  /**
   * @param root  what references are resolved in
   * @returns the name of the rule
   * @throws AppError `invalid_input` for a schema that nothing could fit, or that never ends
   */
  add(root: unknown): string {
    const writer = new SchemaWriter(root, this.#spacing, this.#rules, this.#chars, () => {
      this.#count += 1;
      return `r${this.#count}`;
    });
    const name = writer.write();
    this.#refuseEndless();
    return name;
  }

  /** A rule of its own for what is repeated: the engine writes repeated text out again each time, but not a rule's. */
  rule(text: string): string {
    this.#count += 1;
    const name = `r${this.#count}`;
    this.#rules.set(name, leaf(text));
    return name;
  }

  /**
   * The rule for any text up to and with the first place where `end` stands: one rule for each of its characters that has
   * been seen, as in the search of Knuth, Morris and Pratt.
   */
  until(end: string): string {
    const known = this.#ends.get(end);
    if (known !== undefined) return known;
    const prefix = `until-${this.#ends.size}-`;
    this.#ends.set(end, `${prefix}0`);
    const telling = [...new Set(end)];
    const others = `[^${telling.map(inClass).join('')}] ${prefix}0`;
    for (let seen = 0; seen < end.length; seen += 1) {
      const ways = telling.map((character) => {
        const next = longestBegun(end, end.slice(0, seen) + character);
        return `${literal(character)}${next === end.length ? '' : ` ${prefix}${next}`}`;
      });
      this.#rules.set(`${prefix}${seen}`, leaf([others, ...ways].join(' | ')));
    }
    return `${prefix}0`;
  }

  /** @param root  the body of the rule that everything begins with */
  text(root: string): string {
    const lines = [`root ::= ${root}`];
    for (const [name, { text }] of this.#rules) lines.push(`${name} ::= ${text}`);
    for (const [name, text] of Object.entries(BASE)) lines.push(`${name} ::= ${text}`);
    return `${lines.join('\n')}\n`;
  }

  #refuseEndless(): void {
    const grounded = settled(this.#rules, ({ first }, known) => first.every(known));
    if (grounded.size < this.#rules.size) throw refused('a reference in it leads back to itself');
    const ending = settled(this.#rules, ({ ways }, known) => ways.some((way) => way.every(known)));
    if (ending.size < this.#rules.size) throw refused('a part of it can never end');
  }
}

/** How much of a text stands at the end of another one. */
function longestBegun(text: string, seen: string): number {
  for (let length = Math.min(text.length, seen.length); length > 0; length -= 1)
    if (seen.endsWith(text.slice(0, length))) return length;
  return 0;
}

/** A character within the brackets of the grammar's language. */
const inClass = (character: string): string =>
  character === '\n' ? '\\n' : /[\]\\^-]/.test(character) ? `\\${character}` : character;
