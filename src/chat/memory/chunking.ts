// Cuts a text into pieces that are searched and quoted as one. Pure.

export interface TextChunk {
  text: string;
  /** Characters from the beginning of the text. */
  start: number;
}

const CHUNK_CHARS = 500;
const OVERLAP_CHARS = 50;

/**
 * Pieces of at most 500 characters that share 50 with the one before. A piece ends after a sentence, else a line, else a
 * word, as long as that is in its second half; only a text without any of them is cut in the middle.
 */
export function chunkText(text: string): TextChunk[] {
  const chunks: TextChunk[] = [];
  let start = 0;
  while (start < text.length) {
    const end = endOfChunk(text, start);
    const piece = text.slice(start, end);
    const trimmed = piece.trim();
    if (trimmed !== '') chunks.push({ text: trimmed, start: start + piece.indexOf(trimmed) });
    if (end >= text.length) break;
    start = startOfNext(text, Math.max(start + 1, end - OVERLAP_CHARS), end);
  }
  return chunks;
}

function endOfChunk(text: string, start: number): number {
  const limit = start + CHUNK_CHARS;
  if (limit >= text.length) return text.length;
  const half = start + CHUNK_CHARS / 2;
  const window = text.slice(half, limit);
  const sentence = [...window.matchAll(/[.!?…。！？]["'”»)\]]*(?=\s)/g)].at(-1);
  if (sentence) return half + sentence.index + sentence[0].length;
  const line = window.lastIndexOf('\n');
  if (line !== -1) return half + line + 1;
  const space = window.lastIndexOf(' ');
  if (space !== -1) return half + space + 1;
  return isInsidePair(text, limit) ? limit - 1 : limit;
}

/** The overlap begins with a whole word where there is one. */
function startOfNext(text: string, from: number, end: number): number {
  const space = text.slice(from, end).search(/\s/);
  const start = space === -1 ? from : from + space + 1;
  return isInsidePair(text, start) ? start + 1 : start;
}

/** Between the two halves of one character, such as an emoji. */
const isInsidePair = (text: string, index: number): boolean => {
  const code = text.charCodeAt(index);
  return code >= 0xdc00 && code <= 0xdfff;
};
