// Words as the memory's index holds them: folded, and cut to their first letters. That finds the inflected forms of
// Polish, German and English alike without a dictionary of any of them.
import { foldText } from './fold-text.js';

const STEM_CHARS = 6;
/** Bounds the work a pasted page of text can cause. */
const WORDS_READ = 400;

export function wordStems(text: string): string[] {
  const words = foldText(text).match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.map((word) => [...word].slice(0, STEM_CHARS).join(''));
}

/** The different stems of a query, in order. */
export function queryStems(text: string): string[] {
  const words = foldText(text.slice(0, WORDS_READ * 12)).match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...new Set(words.slice(0, WORDS_READ).map((word) => [...word].slice(0, STEM_CHARS).join('')))];
}
