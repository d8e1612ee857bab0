// What a model is asked for a translation, and whether what it said is one.
import type { LanguageModelV4Prompt } from '@ai-sdk/provider';
import { languageName } from './languages.js';
import { isPlain, type MaskedText, sameMarkdown, unmask } from './masked-text.js';

export interface TranslationPair {
  /** Code, or null where nobody knows. */
  source: string | null;
  target: string;
}

const SYSTEM =
  `You translate. Answer with the translation alone: no introduction, no notes, no quotation marks around it.
Keep names, numbers, line breaks and Markdown as they are. Marks such as [[1]] stand for things that must not be
translated: put each of them where it belongs, once, unchanged.`.replaceAll('\n', ' ');

const REMINDER: Record<Flaw, string> = {
  empty: 'Your last answer was empty.',
  not_translated: 'Your last answer was not translated.',
  rambles: 'Your last answer said more than the text.',
  cut_off: 'Your last answer was far longer than the text.',
  placeholders_lost:
    'Your last answer lost or doubled marks such as [[1]]; every one must stand in the translation once.',
  markdown_changed: 'Your last answer changed Markdown or line breaks; they must stay as they are.',
};

/** @param former  what was wrong with the answer before this one */
export function translationPrompt(
  text: string,
  { source, target }: TranslationPair,
  former: Flaw | null,
): LanguageModelV4Prompt {
  const from = source === null ? 'the source language' : languageName(source);
  return [
    { role: 'system', content: former === null ? SYSTEM : `${SYSTEM} ${REMINDER[former]}` },
    {
      role: 'user',
      content: [{ type: 'text', text: `Translate from ${from} to ${languageName(target)}:\n\n${text}` }],
    },
  ];
}

/** Why an answer is no translation. With the last two the model translated, but broke what it was given. */
export type Flaw = 'empty' | 'not_translated' | 'rambles' | 'cut_off' | 'placeholders_lost' | 'markdown_changed';

/** @returns the translation with everything put back, or what is wrong with it */
export function readTranslation(
  answer: string,
  masked: MaskedText,
  { source, target }: TranslationPair,
  detectLanguage: (text: string) => string | null,
): { text: string } | { flaw: Flaw } {
  const said = unquoted(answer.trim(), masked.text);
  if (said === '') return { flaw: 'empty' };
  if (repeatsPrompt(said) || repeatsSource(said, masked.text)) return { flaw: 'not_translated' };
  if (said.length > masked.text.length * MAX_GROWTH + GROWTH_ALLOWANCE_CHARS) return { flaw: 'rambles' };
  if (source !== target && letters(said) >= LETTERS_TO_TELL && letters(masked.text) >= LETTERS_TO_TELL) {
    const spoken = detectLanguage(said);
    if (spoken !== null && spoken !== target && spoken === (source ?? detectLanguage(masked.text)))
      return { flaw: 'not_translated' };
  }
  const whole = unmask(said, masked);
  if (whole === null) return { flaw: 'placeholders_lost' };
  if (sameMarkdown(masked.text, said)) return { text: whole };
  // Plain text has no form to break: what came beside it is talk.
  return { flaw: isPlain(masked.text) ? 'rambles' : 'markdown_changed' };
}

const MAX_GROWTH = 4;
const GROWTH_ALLOWANCE_CHARS = 200;
/** A detector's word on less than this is a guess. */
const LETTERS_TO_TELL = 40;
/** Names may stay as they are; whole clauses may not. */
const LOWER_CASE_WORDS_TO_TELL = 4;

const letters = (text: string): number => text.match(/\p{L}/gu)?.length ?? 0;

const repeatsPrompt = (said: string): boolean =>
  said.includes(SYSTEM.slice(0, 60)) || /^translate from .{1,60} to .{1,60}:/i.test(said);

const repeatsSource = (said: string, source: string): boolean =>
  said === source.trim() && (source.match(/(?<![\p{L}\d])\p{Ll}{2,}/gu)?.length ?? 0) >= LOWER_CASE_WORDS_TO_TELL;

/** Small models like to wrap what they say. */
function unquoted(said: string, source: string): string {
  const match = /^(?:"([^"]*)"|„([^„”“]*)[”“]|“([^“”]*)”|«([^«»]*)»)$/s.exec(said);
  const inside = match?.slice(1).find((part) => part !== undefined);
  return inside === undefined || /^["„“«]/.test(source.trim()) ? said : inside.trim();
}
