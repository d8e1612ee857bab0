// Texts that were written as base64 or hex, which hides them from whoever looks for shapes and not from a model.
import { isUtf8 } from 'node:buffer';

/** Shorter ones hold nothing that has a shape of its own. */
export const SHORTEST_RUN = 16;
/** From here on a line goes on in the next one. */
const SHORTEST_LINE = 16;
/** Looked at before the whole is. */
const HEAD_BYTES = 192;

/** Where the run of base64's characters ends that begins here. Wrapped lines are one run. */
export function encodedEnd(text: string, start: number): number {
  let at = start;
  let line = start;
  for (;;) {
    while (at < text.length && isCode(text.charCodeAt(at))) at += 1;
    let next = at;
    if (text.charCodeAt(next) === 13) next += 1;
    const wrapped = text.charCodeAt(next) === 10 && at - line >= SHORTEST_LINE && isCode(text.charCodeAt(next + 1));
    if (!wrapped) return at;
    at = next + 1;
    line = at;
  }
}

/** The text in it; undefined where it is no text. */
export function decodedText(run: string): string | undefined {
  // Text in base64 has both; it spares a look at most names in programs.
  if (run.length < SHORTEST_RUN || !/[A-Z]/.test(run) || !/[a-z\d]/.test(run)) {
    if (!/^[\da-f]{16,}$/.test(run)) return undefined;
  }
  const compact = /\s/.test(run) ? run.replace(/\s+/g, '') : run;
  if (/^[0-9a-fA-F]+$/.test(compact) && compact.length % 2 === 0) {
    const text = textIn(compact, 'hex');
    if (text !== undefined) return text;
  }
  return textIn(compact, 'base64');
}

function textIn(run: string, form: 'hex' | 'base64'): string | undefined {
  // Most of what looks like it is none, and shows it at once.
  const head = form === 'hex' ? HEAD_BYTES * 2 : (HEAD_BYTES * 4) / 3;
  if (run.length > head && readable(Buffer.from(run.slice(0, head), form), true) === undefined) return undefined;
  return readable(Buffer.from(run, form), false);
}

/** @param cut  whether the last character may be half of one */
function readable(bytes: Uint8Array, cut: boolean): string | undefined {
  let end = bytes.length;
  while (cut && end > bytes.length - 4 && (bytes[end - 1] as number) >= 0x80) end -= 1;
  if (!isUtf8(bytes.subarray(0, end))) return undefined;
  const text = new TextDecoder().decode(bytes);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they tell bytes from text
  return /[\u0000-\u0008\u000e-\u001a\u001c-\u001f\u007f]/.test(text) ? undefined : text;
}

const isCode = (code: number): boolean =>
  (code >= 97 && code <= 122) ||
  (code >= 65 && code <= 90) ||
  (code >= 47 && code <= 57) ||
  code === 43 ||
  code === 45 ||
  code === 61 ||
  code === 95;
