// How the input of a call is written: as JSON, as an element for each argument, or as the arguments of a call in Python.
// For each form what a grammar allows, what is read, and how it is written. Whoever asked gets JSON in any case.
import { JsonEnd } from '../json-end.js';
import { literal, type SchemaGrammar, spacedJson } from '../schema-grammar.js';

export type InputForm =
  | { readonly kind: 'json' }
  /** `BEFORE key AFTER value END` for each argument. Texts stand there as they are, everything else as JSON. */
  | { readonly kind: 'elements'; readonly beforeKey: string; readonly afterKey: string; readonly afterValue: string }
  /** `key="text", other=1`, up to the bracket. */
  | { readonly kind: 'keywords' };

export const JSON_INPUT: InputForm = { kind: 'json' };

/** Between two keyword arguments, and at their end. */
const COMMA = ', ';
const BRACKET = ')';
const PYTHON: Readonly<Record<string, string>> = { True: 'true', False: 'false', None: 'null' };

type Schema = Readonly<Record<string, unknown>>;

/** The rule for inputs that fit a schema. @throws AppError `invalid_input` for a schema that cannot be one */
export function inputRule(grammar: SchemaGrammar, schema: object, form: InputForm): string {
  if (form.kind === 'json') return grammar.add(schema);
  const { properties = {}, required } = schema as { properties?: Record<string, unknown>; required?: unknown };
  const needed = (name: string) => Array.isArray(required) && required.includes(name);
  const known = Object.entries(properties).filter(([, member]) => member !== false);
  const written = known.map(([name, member]) => ({
    needed: needed(name),
    text:
      form.kind === 'elements'
        ? element(grammar, form, name, inRoot(member, schema))
        : keyword(grammar, name, inRoot(member, schema)),
  }));
  if (form.kind === 'elements')
    return grammar.rule(written.map(({ text, needed: must }) => (must ? text : `(${text})?`)).join(' ') || '""');
  return keywords(grammar, written);
}

function element(
  grammar: SchemaGrammar,
  { beforeKey, afterKey, afterValue }: Extract<InputForm, { kind: 'elements' }>,
  name: string,
  schema: unknown,
): string {
  const head = literal(beforeKey + name + afterKey);
  const { enum: listed } = schema as { enum?: unknown };
  if (!isText(schema)) return `${head} ${grammar.add(schema)} ${literal(afterValue)}`;
  if (!Array.isArray(listed)) return `${head} ${grammar.until(afterValue)}`;
  return `${head} (${listed.map((value) => literal(String(value))).join(' | ')}) ${literal(afterValue)}`;
}

function keyword(grammar: SchemaGrammar, name: string, schema: unknown): string {
  const { type, enum: listed } = schema as { type?: unknown; enum?: unknown };
  const value = type === 'boolean' && listed === undefined ? '("True" | "False")' : grammar.add(schema);
  return `${literal(`${name}=`)} ${value}`;
}

/** Those that must be there first; whichever comes first has no comma before it. */
function keywords(grammar: SchemaGrammar, all: readonly { needed: boolean; text: string }[]): string {
  const comma = literal(COMMA);
  const must = all.filter(({ needed }) => needed).map(({ text }) => text);
  const may = all.filter(({ needed }) => !needed).map(({ text }) => text);
  if (must.length > 0)
    return grammar.rule([must.join(` ${comma} `), ...may.map((text) => `(${comma} ${text})?`)].join(' '));
  let rest = '""';
  const ways: string[] = [];
  for (const text of may.toReversed()) {
    ways.unshift(`${text} ${rest}`);
    rest = grammar.rule(`(${comma} ${text})? ${rest}`);
  }
  return grammar.rule([...ways, '""'].join(' | '));
}

/** An argument's own schema may refer to what its input's schema defines. */
function inRoot(member: unknown, root: object): unknown {
  if (typeof member !== 'object' || member === null) return member;
  const { $defs, definitions } = root as Schema;
  return {
    ...($defs === undefined ? {} : { $defs }),
    ...(definitions === undefined ? {} : { definitions }),
    ...member,
  };
}

function isText(schema: unknown): boolean {
  const { type, enum: listed, const: one } = (schema ?? {}) as Schema;
  if (one !== undefined) return false;
  return type === 'string' && (!Array.isArray(listed) || listed.every((value) => typeof value === 'string'));
}

/** Reads one input while it comes. */
export class InputReader {
  readonly #form: InputForm;
  readonly #schema: Schema;
  readonly #json = new JsonEnd();
  #text = '';
  #read = 0;
  readonly #values: Record<string, unknown> = {};

  constructor(form: InputForm, schema: object) {
    this.#form = form;
    this.#schema = ((schema as Schema)['properties'] ?? {}) as Schema;
  }

  /**
   * @param text  what is new
   * @returns JSON that is new, which of forms other than JSON is all of it at the end; and, at the end, how many characters
   * of `text` belonged to it
   */
  push(text: string): { json: string; end: number | null } {
    if (this.#form.kind === 'json') {
      const end = this.#jsonEnd(text);
      return { json: text.slice(0, end ?? text.length), end };
    }
    const before = this.#text.length;
    this.#text += text;
    const done = this.#form.kind === 'elements' ? this.#elements(this.#form) : this.#keywords();
    return done ? { json: spacedJson(this.#values), end: this.#read - before } : { json: '', end: null };
  }

  #jsonEnd(text: string): number | null {
    let length = 0;
    for (const character of text) {
      length += character.length;
      if (this.#json.push(character)) return length;
    }
    return null;
  }

  /** Ends where no further argument begins. */
  #elements({ beforeKey, afterKey, afterValue }: Extract<InputForm, { kind: 'elements' }>): boolean {
    for (;;) {
      const rest = this.#text.slice(this.#read);
      if (!rest.startsWith(beforeKey)) return rest !== '' && !beforeKey.startsWith(rest);
      const key = rest.indexOf(afterKey, beforeKey.length);
      const end = key < 0 ? -1 : rest.indexOf(afterValue, key + afterKey.length);
      if (end < 0) return false;
      const name = rest.slice(beforeKey.length, key);
      const value = rest.slice(key + afterKey.length, end);
      this.#values[name] = isText(this.#schema[name]) ? value : parsed(value);
      this.#read += end + afterValue.length;
    }
  }

  #keywords(): boolean {
    for (;;) {
      const rest = this.#text.slice(this.#read);
      if (rest.startsWith(BRACKET)) return true;
      const found = /^(?:, )?([^=(),"]+)=/.exec(rest);
      if (!found) return false;
      const end = valueEnd(rest, found[0].length);
      if (end === null) return false;
      const value = rest.slice(found[0].length, end);
      this.#values[found[1] ?? ''] = parsed(PYTHON[value] ?? value);
      this.#read += end;
    }
  }
}

/** Where the comma or the bracket behind a value stands. */
function valueEnd(text: string, from: number): number | null {
  let depth = 0;
  let inString = false;
  for (let at = from; at < text.length; at += 1) {
    const character = text[at];
    if (inString) {
      if (character === '\\') at += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '[' || character === '{') depth += 1;
    else if (depth > 0 && (character === ']' || character === '}')) depth -= 1;
    else if (depth === 0 && (character === ',' || character === BRACKET)) return at;
  }
  return null;
}

/** What a grammar has held to JSON is JSON; of anything else its text is all there is. */
function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** As a model writes it, without the bracket of a call in Python. */
export function inputText(input: unknown, form: InputForm): string {
  if (form.kind === 'json') return spacedJson(input);
  const members = Object.entries((input ?? {}) as object);
  if (form.kind === 'keywords')
    return members
      .map(([name, value]) => `${name}=${typeof value === 'boolean' ? (value ? 'True' : 'False') : spacedJson(value)}`)
      .join(COMMA);
  const { beforeKey, afterKey, afterValue } = form;
  return members
    .map(
      ([name, value]) =>
        beforeKey + name + afterKey + (typeof value === 'string' ? value : spacedJson(value)) + afterValue,
    )
    .join('');
}
