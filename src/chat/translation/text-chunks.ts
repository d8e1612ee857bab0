// A text as pieces that fit into a model's attention, cut at paragraphs, then lines, then sentences. The pieces joined
// are the text again, byte for byte.

export interface TextPiece {
  /** `verbatim` is code and white space: never shown to a model. */
  kind: 'prose' | 'verbatim';
  text: string;
}

// A fenced block with its fences; one that is never closed goes to the end, as in CommonMark.
const FENCED =
  /^ {0,3}(`{3,}|~{3,})[^\n]*(?:\n(?! {0,3}\1[`~]*[ \t]*(?:\n|$))[^\n]*)*(?:\n {0,3}\1[`~]*[ \t]*(?=\n|$))?/gm;
const LETTER = /\p{L}/u;
let sentences: Intl.Segmenter | undefined;

/** @param budget  characters of one piece of prose; a single word longer than that stays whole */
export function toPieces(text: string, budget: number): TextPiece[] {
  const pieces: TextPiece[] = [];
  let from = 0;
  for (const match of text.matchAll(FENCED)) {
    addProse(pieces, text.slice(from, match.index), budget);
    pieces.push({ kind: 'verbatim', text: match[0] });
    from = match.index + match[0].length;
  }
  addProse(pieces, text.slice(from), budget);
  return pieces;
}

function addProse(pieces: TextPiece[], text: string, budget: number): void {
  for (const part of gather(split(text, budget, 0), budget)) {
    const before = /^\s*/.exec(part)?.[0] ?? '';
    const after = before.length === part.length ? '' : (/\s*$/.exec(part)?.[0] ?? '');
    const body = part.slice(before.length, part.length - after.length);
    if (before) pieces.push({ kind: 'verbatim', text: before });
    if (body) pieces.push({ kind: LETTER.test(body) ? 'prose' : 'verbatim', text: body });
    if (after) pieces.push({ kind: 'verbatim', text: after });
  }
}

// From the widest border to the narrowest; each keeps its white space with what stands before it.
const BORDERS: readonly ((text: string) => string[])[] = [
  (text) => text.split(/(?<=\n[ \t]*\n)(?!\s)/),
  (text) => text.split(/(?<=\n)/),
  (text) => {
    sentences ??= new Intl.Segmenter(undefined, { granularity: 'sentence' });
    return [...sentences.segment(text)].map(({ segment }) => segment);
  },
  (text) => text.split(/(?<=\s)(?!\s)/),
];

function split(text: string, budget: number, level: number): string[] {
  const border = BORDERS[level];
  if (text.length <= budget || border === undefined) return text === '' ? [] : [text];
  return border(text).flatMap((part) => split(part, budget, level + 1));
}

/** Neighbours that fit together travel together: a model translates better what it sees in context. */
function gather(parts: readonly string[], budget: number): string[] {
  const gathered: string[] = [];
  for (const part of parts) {
    const last = gathered.at(-1);
    if (last !== undefined && last.length + part.length <= budget) gathered[gathered.length - 1] = last + part;
    else gathered.push(part);
  }
  return gathered;
}
