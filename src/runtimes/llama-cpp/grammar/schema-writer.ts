// The rules for one JSON schema. What is in every grammar is used as it is, and what is the same is written once.
import {
  bound,
  carriesValue,
  merged,
  plain,
  plainObject,
  refused,
  resolveReference,
  type Schema,
  typesOf,
} from './json-schema.js';
import { leaf, literal, type Rule, type Spacing, through } from './rules.js';
import { spacedJson } from './spaced-json.js';

/** A repetition is written out by the engine, once for each time. */
const MAX_ITEMS = 256;
const MAX_CHARS = 1_000;
/** Of all different bounds of texts together. */
const MAX_CHARS_TOGETHER = 50_000;
const MAX_LISTED_NUMBERS = 256;
/** Of one grammar; a schema that refers to itself around a choice would make more without an end. */
const MAX_RULES = 5_000;
const FORMATS = new Set(['date', 'time', 'date-time', 'uuid']);
const PLAIN_TYPES = new Set(['string', 'integer', 'number', 'boolean', 'null']);
const SAYS_NOTHING = new Set(['type', 'description', 'title', 'default', 'examples']);

/** Writes the rules of one schema into those of a grammar. */
export class SchemaWriter {
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
    this.#rules.set(name, leaf('null'));
    this.#open.push({ name, schema });
    return name;
  }

  #rule(schema: Schema | boolean): Rule {
    if (schema === false) throw refused('nothing fits `false`');
    if (schema === true) return leaf(this.#spacing.any.value);
    const { $ref } = schema;
    if (typeof $ref === 'string') return through([this.#reference($ref)]);
    if (Array.isArray(schema['allOf'])) return this.#rule(merged(this.#root, schema));
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
        return leaf(type);
      case 'value':
        return leaf(this.#spacing.any.value);
      default:
        throw refused(`it has a type ${type.slice(0, 40)}`);
    }
  }

  #object(schema: Schema): Rule {
    const properties = Object.entries(plainObject(schema['properties'])).filter(([, member]) => member !== false);
    const asked = Array.isArray(schema['required']) ? schema['required'] : [];
    const extra = schema['additionalProperties'] ?? (properties.length === 0 && !('properties' in schema));
    if (properties.length === 0 && extra === false) return leaf('"{}"');
    if (properties.length === 0 && extra === true) return leaf(this.#spacing.any.object);
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
    if (typeof format === 'string' && FORMATS.has(format)) return leaf(format);
    const least = Math.min(bound(schema['minLength']) ?? 0, MAX_CHARS);
    const most = bound(schema['maxLength']);
    if (most !== undefined && most < least) throw refused('a text in it is shorter at most than at least');
    const end = most === undefined || most > MAX_CHARS ? '' : most;
    if (least === 0 && end === '') return leaf('string');
    // The same bounds are one rule, because each is as long as its text may be.
    const name = `text-${least}-${end}`;
    if (!this.#rules.has(name)) {
      this.#chars.count += end === '' ? least : end;
      if (this.#chars.count > MAX_CHARS_TOGETHER) throw refused('it has too many different bounds of texts');
      this.#rules.set(name, leaf(String.raw`"\"" char{${least},${end}} "\""`));
    }
    return leaf(name);
  }

  #reference(reference: string): string {
    const known = this.#references.get(reference);
    if (known !== undefined) return known;
    const name = this.#ruleFor(resolveReference(this.#root, reference));
    this.#references.set(reference, name);
    return name;
  }
}

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
  if (least === undefined || least < 0) return leaf(type);
  if (type === 'number') return leaf('positive');
  return least >= 1 ? leaf('[1-9] [0-9]{0,15}') : leaf('natural');
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
