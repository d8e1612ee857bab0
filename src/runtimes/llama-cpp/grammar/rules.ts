// Rules of llama.cpp's grammars (GBNF): those that stand in every grammar, how one is written, and which of them never end.

/** Of values of each kind, the same in every grammar. */
export const BASE: Readonly<Record<string, string>> = {
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

/** Where blanks may stand, and the rules for values of any kind that go with it. */
export interface Spacing {
  inside: string;
  comma: string;
  colon: string;
  any: { value: string; object: string; pair: string };
}

/** As `spacedJson` writes. */
export const FIXED: Spacing = {
  inside: '',
  comma: '", "',
  colon: '": "',
  any: { value: 'value', object: 'object', pair: 'pair' },
};
/** As a model likes. What it answers depends on it: a small one that may not write as it learned to, answers worse. */
export const FREE: Spacing = {
  inside: ' blank',
  comma: '"," blank',
  colon: '":" blank',
  any: { value: 'loose', object: 'loose-object', pair: 'loose-pair' },
};

export interface Rule {
  text: string;
  /** Rules it may begin with before any character is written: a circle of these never gets to one. */
  first: readonly string[];
  /** One list per way through it: the rules that this way needs. Without any finite way it never ends. */
  ways: readonly (readonly string[])[];
}

/** A text in the grammar's own language. */
export const literal = (text: string): string =>
  `"${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t')}"`;

/** Made of characters, and of rules that are in every grammar. */
export const leaf = (grammar: string): Rule => ({ text: grammar, first: [], ways: [[]] });
/** One of several rules. */
export const through = (rules: readonly string[]): Rule => ({
  text: rules.join(' | '),
  first: rules,
  ways: rules.map((rule) => [rule]),
});

/** The rules for which it holds, given that it holds for the rules they are made of. */
export function settled(
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
