// What a translation must not touch: masked before a model sees the text, put back after, and looked for in between.

export interface MaskedText {
  text: string;
  /** By marker number, as they stood in the text. */
  kept: readonly string[];
}

// What may stand in prose and must come back as it was. Order matters: what an earlier one takes, a later one leaves.
const KEPT = [
  // Our own markers, should a text hold some.
  /\[\[\d+\]\]/,
  // Inline code, with any number of backticks.
  /(?<!`)(`+)(?!`)(?:(?!\1)[\s\S])+?\1(?!`)/,
  // Addresses, without the punctuation of the sentence around them.
  /\b(?:https?|ftp|file|wss?):\/\/[^\s<>()[\]"'`]*(?:\([^\s<>()]*\)[^\s<>()[\]"'`]*)*(?<![.,;:!?])/,
  /\bmailto:[^\s<>()]+/,
  /\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b/,
  // The target of a Markdown link or image.
  /(?<=\]\()[^()\s]+(?:\([^()\s]*\)[^()\s]*)*/,
  // Tags and entities of HTML.
  /<\/?[A-Za-z][^<>\n]*>/,
  /&(?:#\d+|#x[\da-fA-F]+|[A-Za-z]\w*);/,
  // Placeholders: {{name}}, ${name}, {name}, {0}, %s, %1$d, %(name)s
  /\{\{[^{}\n]*\}\}|\$?\{[^{}\n]*\}/,
  /%(?:\(\w+\)|\d+\$)?[-+0#]*\d*(?:\.\d+)?[sdifgxX@](?![\p{L}\d])/u,
]
  .map(({ source }) => source)
  .join('|');
const MASKED = new RegExp(KEPT, 'gu');
const MARKER = /\[\[(\d+)\]\]/g;

export function mask(text: string): MaskedText {
  const kept: string[] = [];
  const masked = text.replace(MASKED, (found) => {
    kept.push(found);
    return `[[${kept.length}]]`;
  });
  return { text: masked, kept };
}

/** Null when a marker was lost, doubled or invented. */
export function unmask(translated: string, { kept }: MaskedText): string | null {
  const seen = new Set<number>();
  let sound = true;
  const text = translated.replace(MARKER, (_marker, digits: string) => {
    const number = Number(digits);
    const original = kept[number - 1];
    if (original === undefined || seen.has(number)) sound = false;
    seen.add(number);
    return original ?? '';
  });
  return sound && seen.size === kept.length ? text : null;
}

const LINE_START = /^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+][ \t]+(?:\[[ xX]\][ \t]+)?|\d{1,9}[.)][ \t]+)+/;
const RULE = /^[ \t]*(?:[-*_=][ \t]*){3,}$|^[ \t]*\|?(?:[ \t]*:?-+:?[ \t]*\|)+[ \t:-]*$/;

/** Whether headings, lists, quotes, tables, emphasis and links stand as they stood. */
export function sameMarkdown(source: string, translated: string): boolean {
  const [before, after] = [skeleton(source), skeleton(translated)];
  return before.length === after.length && before.every((piece, index) => piece === after[index]);
}

/** Nothing but paragraphs. */
export const isPlain = (text: string): boolean =>
  skeleton(text).every((piece) => piece === PARAGRAPH || piece.endsWith(':0'));

const PARAGRAPH = '¶';

function skeleton(text: string): string[] {
  const lines = text.split('\n');
  const starts = lines.flatMap((line) => {
    if (RULE.test(line)) return [line.trim()];
    const start = LINE_START.exec(line)?.[0];
    return start ? [start] : line.trim() === '' ? [PARAGRAPH] : [];
  });
  const count = (what: RegExp) => `${what.source}:${text.match(what)?.length ?? 0}`;
  return [...starts, count(/\*/g), count(/_/g), count(/\|/g), count(/~~/g), count(/\]\(/g)];
}
