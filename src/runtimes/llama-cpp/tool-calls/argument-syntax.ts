// How a model writes that it calls a tool whose input it does not write as JSON: an element for each argument, or a call as
// in Python. A template that renders a made-up call of two arguments shows it.
import { type CallSyntax, SAMPLE } from './call-syntax.js';

const PYTHON_CALL = RegExp(
  String.raw`^\(${SAMPLE.key}=(["'])${SAMPLE.value}\1,\s*${SAMPLE.otherKey}=\1${SAMPLE.otherValue}\1\)`,
);
/** A tag, and what may begin an element or a list behind it, right before the name. */
const BEFORE_NAME = /((<[^<>\s]{2,60}>|\[[A-Z_]{4,40}\])\s*(?:<[\w:.-]{1,40}[ =][^<>]{0,40})?\[?)$/;
const CLOSING = /^(?:\s*<\/[^<>]{1,60}>)+/;
/** What opens an element, with the blanks before it. */
const OPENING = /\s*<[^<>]+>?$/;

/**
 * @param before  the rendered conversation up to the answer
 * @param rendered  the same with the made-up call for an answer
 * @returns null where it is neither, or nothing marks it
 */
export function syntaxOfArguments(before: string, rendered: string): CallSyntax | null {
  const { tool, key, value, otherKey, otherValue } = SAMPLE;
  const called = rendered.startsWith(before) ? rendered.slice(before.length) : rendered;
  const call = called.lastIndexOf(tool, called.lastIndexOf(key));
  if (call < 0) return null;
  const begun = called.slice(0, call);
  const [, opening = '', marker = ''] = BEFORE_NAME.exec(begun) ?? [];
  const rest = called.slice(call + tool.length);
  const python = PYTHON_CALL.exec(rest);
  if (python) {
    const list = opening === '' ? begun.endsWith('[') : opening.endsWith('[');
    if (opening === '' && !list) return null;
    const end = rest.slice(python[0].length);
    const close = (list ? ']' : '') + closing(end.replace(/^\]/, ''), marker);
    return {
      family: 'python',
      input: { kind: 'keywords' },
      markers: marker === '' ? [] : [marker],
      bare: false,
      open: opening === '' ? '[' : opening,
      beforeName: '',
      afterName: '(',
      tail: ')',
      between: list ? ', ' : null,
      close: marker === '' ? ']' : close,
    };
  }
  if (opening === '') return null;
  const [beforeFirst, afterKey, betweenBoth, afterOther, end] = parted(rest, [key, value, otherKey, otherValue]);
  if (afterKey === undefined || afterKey === '' || afterKey !== afterOther) return null;
  const [beforeKey = ''] = OPENING.exec(commonEnd(beforeFirst as string, betweenBoth as string)) ?? [];
  const afterValue = (betweenBoth as string).slice(0, -beforeKey.length);
  if (beforeKey.trim() === '' || afterValue.trim() === '' || !end?.startsWith(afterValue)) return null;
  const close = closing(end.slice(afterValue.length), marker);
  if (close === '') return null;
  return {
    family: 'elements',
    input: { kind: 'elements', beforeKey, afterKey, afterValue },
    markers: [marker],
    bare: false,
    open: opening,
    beforeName: '',
    afterName: (beforeFirst as string).slice(0, -beforeKey.length),
    tail: '',
    between: null,
    close,
  };
}

/** Of what follows a call, what ends it. */
function closing(text: string, marker: string): string {
  const twin = marker.replace(/start|begin/, 'end');
  return text.startsWith(twin) ? twin : (CLOSING.exec(text)?.[0] ?? '');
}

/** What stands before, between and behind words that come one after the other; empty where one is missing. */
function parted(text: string, words: readonly string[]): string[] {
  const parts: string[] = [];
  let from = 0;
  for (const word of words) {
    const at = text.indexOf(word, from);
    if (at < 0) return [];
    parts.push(text.slice(from, at));
    from = at + word.length;
  }
  return [...parts, text.slice(from)];
}

function commonEnd(one: string, other: string): string {
  let length = 0;
  while (length < Math.min(one.length, other.length) && one.at(-1 - length) === other.at(-1 - length)) length += 1;
  return length === 0 ? '' : one.slice(-length);
}
