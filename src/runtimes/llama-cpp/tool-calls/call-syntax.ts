// How a model writes that it calls a tool. Each family has its own way, and its chat template shows which: a call made up
// for the purpose is rendered with it, and what stands around it there is the way.
import { type InputForm, JSON_INPUT } from './call-input.js';

/** `OPEN HEAD input TAIL BETWEEN HEAD input TAIL … CLOSE`; everything but the inputs is fixed text. */
export interface CallSyntax {
  readonly family:
    | 'tags'
    | 'bare-json'
    | 'mistral'
    | 'mistral-named'
    | 'function-tags'
    | 'marked'
    | 'elements'
    | 'python'
    | 'channels'
    | 'generic';
  readonly input: InputForm;
  /** What begins calls in the middle of free text; empty where a call's own beginning does. */
  readonly markers: readonly string[];
  /** Whether an answer that is a call's JSON from its first character on is one. */
  readonly bare: boolean;
  readonly open: string;
  readonly beforeName: string;
  readonly afterName: string;
  readonly tail: string;
  /** Null where an answer holds one call at most. */
  readonly between: string | null;
  readonly close: string;
}

/** The made-up call that a template is asked to render. */
export const SAMPLE = {
  said: 'sample_answer',
  tool: 'sample_tool',
  key: 'sample_key',
  value: 'sample_value',
  /** A second argument, where one does not show how several are told apart. */
  otherKey: 'other_key',
  otherValue: 'other_value',
  result: 'sample_result',
} as const;
const NAME = SAMPLE.tool;
const INPUT = String.raw`\{\s*"${SAMPLE.key}":\s*"${SAMPLE.value}"\s*\}`;

/** For models whose template knows no tools: what Hermes and Qwen models write, which many models have seen. */
export const GENERIC: CallSyntax = {
  family: 'generic',
  input: JSON_INPUT,
  markers: ['<tool_call>'],
  bare: true,
  open: '<tool_call>\n',
  beforeName: '{"name": "',
  afterName: '", "arguments": ',
  tail: '}',
  // A small model finds no end of calls by itself.
  between: null,
  close: '\n</tool_call>',
};

/** Any other way with JSON for an input, behind a mark that is seen to be one. */
const MARKED = RegExp(
  String.raw`^(\s*(<[^<>\s]{2,60}>|\[[A-Z_]{4,40}\])[^{}]{0,200}?(?:\[?\{"name": ")?)${NAME}([^{}]{0,200}?)${INPUT}([^{}]{0,200}\}?[^{}]{0,200})$`,
);

/** The ways in which calls are found in rendered text, the more telling ones first. */
const FAMILIES: readonly { form: RegExp; syntax: (...parts: string[]) => CallSyntax }[] = [
  {
    form: RegExp(
      String.raw`(<tool_call>|<\|tool_call\|>|<\|tool_call>)(\s*)(\[?\s*)(\{\s*"name":\s*")${NAME}(",\s*"(?:arguments|parameters)":\s*)${INPUT}(\s*\})((?:\s*\])?)((?:\s*<\/?\|?\/?tool_call\|?>)?)`,
    ),
    syntax: (marker, blank, list, beforeName, afterName, tail, listEnd, close) => ({
      family: 'tags',
      input: JSON_INPUT,
      markers: [marker],
      bare: false,
      open: marker + blank + list,
      beforeName,
      afterName,
      tail,
      between: list === '' ? (close === '' ? null : close + (blank === '' ? '' : '\n') + marker + blank) : ', ',
      close: listEnd + close,
    }),
  },
  {
    form: RegExp(
      String.raw`\[TOOL_CALLS\](\s*)\[(\{\s*"name":\s*")${NAME}(",\s*"arguments":\s*)${INPUT}(?:,\s*"id":\s*"[^"]*")?(\s*\})\]`,
    ),
    syntax: (blank, beforeName, afterName, tail) => ({
      family: 'mistral',
      input: JSON_INPUT,
      markers: ['[TOOL_CALLS]'],
      bare: false,
      open: `[TOOL_CALLS]${blank}[`,
      beforeName,
      afterName,
      tail,
      between: ', ',
      close: ']',
    }),
  },
  {
    form: RegExp(String.raw`\[TOOL_CALLS\]${NAME}\[ARGS\]${INPUT}`),
    syntax: () => ({
      family: 'mistral-named',
      input: JSON_INPUT,
      markers: ['[TOOL_CALLS]'],
      bare: false,
      open: '[TOOL_CALLS]',
      beforeName: '',
      afterName: '[ARGS]',
      tail: '',
      between: '[TOOL_CALLS]',
      close: '',
    }),
  },
  {
    // The template writes the tool before its channel; what a model has learned to begin is the channel.
    form: RegExp(String.raw` to=functions\.${NAME}<\|channel\|>commentary json<\|message\|>${INPUT}`),
    syntax: () => ({
      family: 'channels',
      input: JSON_INPUT,
      markers: ['<|channel|>commentary to=functions.'],
      bare: false,
      open: '<|channel|>commentary to=functions.',
      beforeName: '',
      afterName: ' <|constrain|>json<|message|>',
      tail: '',
      between: null,
      close: '',
    }),
  },
  {
    form: RegExp(String.raw`<function=${NAME}>${INPUT}<\/function>`),
    syntax: () => ({
      family: 'function-tags',
      input: JSON_INPUT,
      markers: ['<function='],
      bare: false,
      open: '<function=',
      beforeName: '',
      afterName: '>',
      tail: '</function>',
      between: '\n<function=',
      close: '',
    }),
  },
  {
    form: RegExp(String.raw`(<\|python_tag\|>)?(\{\s*"name":\s*")${NAME}(",\s*"parameters":\s*)${INPUT}(\s*\})`),
    syntax: (tag, beforeName, afterName, tail) => ({
      family: 'bare-json',
      input: JSON_INPUT,
      markers: ['<|python_tag|>'],
      bare: true,
      open: tag,
      beforeName,
      afterName,
      tail,
      between: null,
      close: '',
    }),
  },
];

/**
 * @param before  the rendered conversation up to the answer
 * @param said  the same with an answer in words, `SAMPLE.said`
 * @param called  the same with the made-up call for an answer
 * @returns null where they show no way that can be held to a grammar: inputs that are no JSON, nothing that marks a call
 */
export function syntaxIn(before: string, said: string, called: string): CallSyntax | null {
  for (const { form, syntax } of FAMILIES) {
    const found = form.exec(called);
    if (found) return syntax(...found.slice(1).map((part) => part ?? ''));
  }
  if (!called.startsWith(before) || !said.startsWith(before + SAMPLE.said)) return null;
  const end = said.slice(before.length + SAMPLE.said.length);
  if (!called.endsWith(end)) return null;
  const found = MARKED.exec(called.slice(before.length, called.length - end.length));
  if (!found) return null;
  const [, open = '', marker = '', afterName = '', close = ''] = found;
  return {
    family: 'marked',
    input: JSON_INPUT,
    markers: [marker],
    bare: false,
    open,
    beforeName: '',
    afterName,
    tail: '',
    between: null,
    close,
  };
}

/** What a template says to a model about calls, where it leaves those of former answers to their text. */
export function syntaxTold(told: string): CallSyntax | null {
  const tags: CallSyntax = { ...GENERIC, family: 'tags', bare: false };
  if (told.includes('<tool_call>')) return tags;
  if (told.includes('<|tool_call|>'))
    return { ...tags, markers: ['<|tool_call|>'], open: '<|tool_call|>[', between: ', ', close: ']' };
  return null;
}
