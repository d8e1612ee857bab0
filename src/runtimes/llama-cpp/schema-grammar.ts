// A JSON schema as a grammar of llama.cpp (GBNF), so that whatever a model writes fits it. Pure text; compiles nothing.
//
// Held to: types, properties, required and optional ones, enum, const, anyOf, oneOf, allOf, references within the schema (also
// to themselves), items, prefixItems, bounds of lists, texts and whole numbers, and dates. Left to the reader: `pattern`,
// `not`, `if`, `uniqueItems` and bounds of fractions. As with OpenAI's strict mode, an object has no members beyond those
// named unless the schema says so.
import { AppError } from '../../shared/errors.js';

const MAX_ALL_OF = 64;
const MAX_REFERENCE_CHAIN = 64;
/** A repetition is written out by the engine, once for each time. */
const MAX_ITEMS = 256;
const MAX_CHARS = 1_000;
/** Of all different bounds of texts together. */
const MAX_CHARS_TOGETHER = 50_000;
const MAX_LISTED_NUMBERS = 256;
/** Of one grammar; a schema that refers to itself around a choice would make more without an end. */
const MAX_RULES = 5_000;

const BASE: Readonly<Record<string, string>> = {
  char: String.raw`[^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt/] | "u" [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F])`,
  string: String.raw`"\"" char* "\""`,
  natural: '"0" | [1-9] [0-9]{0,15}',
  integer: '"-"? natural',
  number: 'integer ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?',
  positive: 'natural ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?',
  boolean: '"true" | "false"',
  null: '"null"',
  pair: 'string ": " value',
  object: '"{" (pair (", " pair)*)? "}"',
  array: '"[" (value (", " value)*)? "]"',
  value: 'object | array | string | number | boolean | null',
  // Any JSON object, with the blanks its writer likes, but not without an end.
  blank: String.raw`"" | " " | "\n" [ \t]{0,20}`,
  'loose-pair': 'string ":" blank loose',
  'loose-object': '"{" blank (loose-pair ("," blank loose-pair)*)? blank "}"',
  'loose-array': '"[" blank (loose ("," blank loose)*)? blank "]"',
  loose: '(loose-object | loose-array | string | number | boolean | null) blank',
  day: '[0-9]{4} "-" ("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | [1-2] [0-9] | "3" [0-1])',
  clock:
    '([0-1] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("Z" | [+-] ([0-1] [0-9] | "2" [0-3]) ":" [0-5] [0-9])',
  date: String.raw`"\"" day "\""`,
  time: String.raw`"\"" clock "\""`,
  'date-time': String.raw`"\"" day "T" clock "\""`,
  uuid: String.raw`"\"" [0-9a-f]{8} "-" [0-9a-f]{4} "-" [0-9a-f]{4} "-" [0-9a-f]{4} "-" [0-9a-f]{12} "\""`,
};
const FORMATS = new Set(['date', 'time', 'date-time', 'uuid']);
const CARRIES_VALUE = ['type', 'properties', '$ref', 'enum', 'const', 'anyOf', 'oneOf', 'allOf', 'items'];

const PLAIN_TYPES = new Set(['string', 'integer', 'number', 'boolean', 'null']);
const SAYS_NOTHING = new Set(['type', 'description', 'title', 'default', 'examples']);

type Schema = Readonly<Record<string, unknown>>;

/** Where blanks may stand, and the rules for values of any kind that go with it. */
interface Spacing {
  inside: string;
  comma: string;
  colon: string;
  any: { value: string; object: string; pair: string };
}

/** As `spacedJson` writes. */
const FIXED: Spacing = {
  inside: '',
  comma: '", "',
  colon: '": "',
  any: { value: 'value', object: 'object', pair: 'pair' },
};
/** As a model likes. What it answers depends on it: a small one that may not write as it learned to, answers worse. */
const FREE: Spacing = {
  inside: ' blank',
  comma: '"," blank',
  colon: '":" blank',
  any: { value: 'loose', object: 'loose-object', pair: 'loose-pair' },
};

interface Rule {
  text: string;
  /** Rules it may begin with before any character is written: a circle of these never gets to one. */
  first: readonly string[];
  /** One list per way through it: the rules that this way needs. Without any finite way it never ends. */
  ways: readonly (readonly string[])[];
}

/** Texts of the grammar's own language. */
export const literal = (text: string): string =>
  `"${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t')}"`;

/** JSON with the blanks the grammar writes, which are those of Python's `json.dumps` that models were trained on. */
export function spacedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([name, member]) => `${JSON.stringify(name)}: ${spacedJson(member)}`)
      .join(', ')}}`;
  return JSON.stringify(value) ?? 'null';
}

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

/** The rules for which it holds, given that it holds for the rules they are made of. */
function settled(
  rules: ReadonlyMap<string, Rule>,
  holds: (rule: Rule, known: (name: string) => boolean) => boolean,
): Set<string> {
  const found = new Set<string>();
  const known = (name: string) => found.has(name) || !rules.has(name);
  // Rules come after those they were needed for, so most are settled when the way is gone backwards.
  const order = [...rules].reverse();
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const [name, rule] of order) if (!found.has(name) && holds(rule, known)) found.add(name);
  }
  return found;
}

class SchemaWriter {
  readonly #root: unknown;
  readonly #spacing: Spacing;
  readonly #rules: Map<string, Rule>;
  readonly #chars: { count: number };
  readonly #newName: () => string;
  readonly #references = new Map<string, string>();
  /** Written one after the other and not one within the other, so that no schema is too deep. */
  readonly #open: { name: string; schema: unknown }[] = [];

  constructor(
    root: unknown,
    spacing: Spacing,
    rules: Map<string, Rule>,
    chars: { count: number },
    newName: () => string,
  ) {
    this.#root = root;
    this.#spacing = spacing;
    this.#chars = chars;
    this.#rules = rules;
    this.#newName = newName;
  }

  write(): string {
    const name = this.#ruleFor(this.#root);
    for (let next = this.#open.pop(); next; next = this.#open.pop())
      this.#rules.set(next.name, this.#rule(plain(next.schema)));
    return name;
  }

  #ruleFor(schema: unknown): string {
    if (this.#rules.size >= MAX_RULES) throw refused(`it has more than ${MAX_RULES} parts`);
    const known = baseOf(schema);
    if (known !== null) return known;
    const name = this.#newName();
    this.#rules.set(name, base('null'));
    this.#open.push({ name, schema });
    return name;
  }

  #rule(schema: Schema | boolean): Rule {
    if (schema === false) throw refused('nothing fits `false`');
    if (schema === true) return base(this.#spacing.any.value);
    const { $ref } = schema;
    if (typeof $ref === 'string') return through([this.#reference($ref)]);
    if (Array.isArray(schema['allOf'])) return this.#rule(this.#merged(schema));
    if ('const' in schema) return listed([schema['const']]);
    if (Array.isArray(schema['enum'])) return listed(schema['enum']);
    const choices = schema['anyOf'] ?? schema['oneOf'];
    if (Array.isArray(choices) && choices.some(carriesValue)) {
      const { anyOf: _anyOf, oneOf: _oneOf, ...around } = schema;
      const whole = 'properties' in around ? (choice: unknown) => ({ allOf: [around, choice] }) : plain;
      return through(choices.map((choice) => this.#ruleFor(whole(choice))));
    }
    const types = typesOf(schema);
    if (types.length !== 1) return through(types.map((type) => this.#ruleFor({ ...schema, type, nullable: false })));
    return this.#typed(types[0] as string, schema);
  }

  #typed(type: string, schema: Schema): Rule {
    switch (type) {
      case 'object':
        return this.#object(schema);
      case 'array':
        return this.#array(schema);
      case 'string':
        return this.#text(schema);
      case 'integer':
      case 'number':
        return numeric(type, schema);
      case 'boolean':
      case 'null':
        return base(type);
      case 'value':
        return base(this.#spacing.any.value);
      default:
        throw refused(`it has a type ${type.slice(0, 40)}`);
    }
  }

  #object(schema: Schema): Rule {
    const properties = Object.entries(plainObject(schema['properties'])).filter(([, member]) => member !== false);
    const asked = Array.isArray(schema['required']) ? schema['required'] : [];
    const extra = schema['additionalProperties'] ?? (properties.length === 0 && !('properties' in schema));
    if (properties.length === 0 && extra === false) return leaf('"{}"');
    if (properties.length === 0 && extra === true) return base(this.#spacing.any.object);
    const { inside, comma, colon } = this.#spacing;
    const members = properties.map(([name, member]) => {
      const rule = this.#ruleFor(member);
      return { rule, text: `${literal(JSON.stringify(name))} ${colon} ${rule}`, needed: asked.includes(name) };
    });
    const needed = members.filter((member) => member.needed);
    const optional = members.filter((member) => !member.needed).map((member) => member.text);
    const more = extra === false ? '' : `(${comma} ${this.#extraPair(extra)})*`;
    const head = needed.map((member) => member.text).join(` ${comma} `);
    const afterComma = (member: string) => this.#afterComma(member);
    const body =
      head === '' ? this.#optionalOnly(optional, extra) : [head, ...optional.map(afterComma), more].join(' ');
    return { text: `"{"${inside} ${body}${inside} "}"`, first: [], ways: [needed.map(({ rule }) => rule)] };
  }

  /** Whichever comes first has no comma before it. */
  #optionalOnly(optional: readonly string[], extra: unknown): string {
    const starts = extra === false ? optional : [...optional, this.#extraPair(extra)];
    // Each rule: what may follow once something stands there, so that the text grows with the members and not with their square.
    let rest = extra === false ? '' : `(${this.#spacing.comma} ${starts.at(-1)})*`;
    const ways: string[] = [];
    for (const [back, member] of starts.toReversed().entries()) {
      ways.unshift(`${member} ${rest}`);
      if (extra !== false && back === 0) continue;
      rest = this.#leafRule(`${this.#afterComma(member)} ${rest}`);
    }
    return this.#leafRule(`${ways.join(' | ')} | ""`);
  }

  /** Of text that needs no other rule to end. */
  #leafRule(grammar: string): string {
    const name = this.#newName();
    this.#rules.set(name, leaf(grammar));
    return name;
  }

  #extraPair(extra: unknown): string {
    const { any, colon } = this.#spacing;
    return extra === true ? any.pair : `(string ${colon} ${this.#ruleFor(extra)})`;
  }

  #afterComma(member: string): string {
    return `(${this.#spacing.comma} ${member})?`;
  }

  #array(schema: Schema): Rule {
    const { inside, comma, any } = this.#spacing;
    const fixed = schema['prefixItems'] ?? (Array.isArray(schema['items']) ? schema['items'] : undefined);
    if (Array.isArray(fixed) && fixed.length > 0) {
      const rules = fixed.map((item) => this.#ruleFor(item));
      return { text: `"["${inside} ${rules.join(` ${comma} `)}${inside} "]"`, first: [], ways: [rules] };
    }
    const least = bound(schema['minItems']) ?? 0;
    const most = bound(schema['maxItems']);
    if (least > MAX_ITEMS) throw refused(`a list in it has more than ${MAX_ITEMS} items at least`);
    if (most !== undefined && most < least) throw refused('a list in it has fewer items at most than at least');
    if (most === 0) return leaf('"[]"');
    const item = schema['items'] === undefined || schema['items'] === true ? any.value : this.#ruleFor(schema['items']);
    const end = most === undefined || most > MAX_ITEMS ? '' : most - 1;
    const list = `${item} (${comma} ${item}){${Math.max(0, least - 1)},${end}}`;
    return {
      text: `"["${inside} ${least === 0 ? `(${list})?` : list}${inside} "]"`,
      first: [],
      ways: [least === 0 ? [] : [item]],
    };
  }

  #text(schema: Schema): Rule {
    const format = schema['format'];
    if (typeof format === 'string' && FORMATS.has(format)) return base(format);
    const least = Math.min(bound(schema['minLength']) ?? 0, MAX_CHARS);
    const most = bound(schema['maxLength']);
    if (most !== undefined && most < least) throw refused('a text in it is shorter at most than at least');
    const end = most === undefined || most > MAX_CHARS ? '' : most;
    if (least === 0 && end === '') return base('string');
    // The same bounds are one rule, because each is as long as its text may be.
    const name = `text-${least}-${end}`;
    if (!this.#rules.has(name)) {
      this.#chars.count += end === '' ? least : end;
      if (this.#chars.count > MAX_CHARS_TOGETHER) throw refused('it has too many different bounds of texts');
      this.#rules.set(name, leaf(String.raw`"\"" char{${least},${end}} "\""`));
    }
    return base(name);
  }

  #reference(reference: string): string {
    const known = this.#references.get(reference);
    if (known !== undefined) return known;
    const name = this.#ruleFor(this.#at(reference));
    this.#references.set(reference, name);
    return name;
  }

  #at(reference: string): unknown {
    if (!reference.startsWith('#')) throw refused('a reference in it leads out of it');
    let found: unknown = this.#root;
    for (const step of reference.slice(1).split('/').slice(1)) {
      const name = decoded(step).replace(/~1/g, '/').replace(/~0/g, '~');
      found =
        typeof found === 'object' && found !== null && Object.hasOwn(found, name)
          ? Reflect.get(found, name)
          : undefined;
    }
    if (found === undefined) throw refused(`a reference in it leads nowhere: ${reference.slice(0, 60)}`);
    return found;
  }

  /** All its parts in one; of what only one of them can say, the last one's word. */
  #merged({ allOf, ...around }: Schema): Schema {
    const parts: unknown[] = [around, ...(allOf as unknown[])];
    const merged: Record<string, unknown> = {};
    for (let count = 0; parts.length > 0; count += 1) {
      if (count > MAX_ALL_OF) throw refused(`it puts together more than ${MAX_ALL_OF} parts`);
      let part = plain(parts.shift());
      for (let chain = 0; typeof part === 'object' && typeof part['$ref'] === 'string'; chain += 1) {
        if (chain > MAX_REFERENCE_CHAIN) throw refused('a reference in it leads back to itself');
        part = plain(this.#at(part['$ref']));
      }
      if (typeof part === 'boolean') continue;
      const { allOf: within, properties, required, ...rest } = part;
      if (Array.isArray(within)) parts.unshift(...within);
      Object.assign(merged, rest);
      if (properties !== undefined)
        merged['properties'] = { ...plainObject(merged['properties']), ...plainObject(properties) };
      if (Array.isArray(required)) merged['required'] = [...((merged['required'] as unknown[]) ?? []), ...required];
    }
    return merged;
  }
}

const refused = (why: string): AppError =>
  new AppError('invalid_input', `The JSON schema cannot be turned into a grammar: ${why}.`);

const leaf = (grammar: string): Rule => ({ text: grammar, first: [], ways: [[]] });
const base = (name: string): Rule => leaf(name);
const through = (rules: readonly string[]): Rule => ({
  text: rules.join(' | '),
  first: rules,
  ways: rules.map((rule) => [rule]),
});

function listed(values: readonly unknown[]): Rule {
  if (values.length === 0) throw refused('an enum in it is empty');
  return leaf(values.map((value) => literal(spacedJson(value))).join(' | '));
}

function numeric(type: 'integer' | 'number', schema: Schema): Rule {
  const step = type === 'integer' ? 1 : 0;
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const least = edge(minimum) ?? above(edge(exclusiveMinimum), step);
  const most = edge(maximum) ?? above(edge(exclusiveMaximum), -step);
  if (least !== undefined && most !== undefined && least > most) throw refused('no number is within the bounds in it');
  if (type === 'integer' && least !== undefined && most !== undefined && most - least < MAX_LISTED_NUMBERS) {
    const from = Math.ceil(least);
    const count = Math.floor(most) - from + 1;
    if (count < 1) throw refused('no number is within the bounds in it');
    return leaf(Array.from({ length: count }, (_, index) => `"${from + index}"`).join(' | '));
  }
  if (least === undefined || least < 0) return base(type);
  if (type === 'number') return base('positive');
  return least >= 1 ? leaf('[1-9] [0-9]{0,15}') : base('natural');
}

/** What is the same in every grammar needs no rule of its own. */
function baseOf(schema: unknown): string | null {
  if (typeof schema !== 'object' || schema === null) return null;
  const { type } = schema as Schema;
  if (typeof type !== 'string' || !PLAIN_TYPES.has(type)) return null;
  return Object.keys(schema).every((name) => SAYS_NOTHING.has(name)) ? type : null;
}

const edge = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;
const above = (value: number | undefined, step: number): number | undefined =>
  value === undefined ? undefined : value + step;
const bound = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.floor(value) : undefined;

function typesOf(schema: Schema): string[] {
  const { type } = schema;
  const named = Array.isArray(type)
    ? type.filter((name) => typeof name === 'string')
    : typeof type === 'string'
      ? [type]
      : [];
  const types = named.length > 0 ? named : [guessed(schema)];
  return schema['nullable'] === true && !types.includes('null') ? [...types, 'null'] : types;
}

function guessed(schema: Schema): string {
  if ('properties' in schema || 'additionalProperties' in schema) return 'object';
  return 'items' in schema || 'prefixItems' in schema ? 'array' : 'value';
}

const carriesValue = (choice: unknown): boolean => {
  const schema = plain(choice);
  return typeof schema === 'boolean' || CARRIES_VALUE.some((name) => name in schema);
};

function plain(schema: unknown): Schema | boolean {
  if (typeof schema === 'boolean') return schema;
  if (typeof schema === 'object' && schema !== null && !Array.isArray(schema)) return schema as Schema;
  throw refused('a part of it is no schema');
}

const plainObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}
