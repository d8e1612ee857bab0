// Words as the memory's index holds them: folded, and cut to their first letters. That finds the inflected forms of
// Polish, German and English alike without a dictionary of any of them.
import { foldText } from '../shared/fold-text.js';

const STEM_CHARS = 6;
/** Bounds the work a pasted page of text can cause. */
const WORDS_READ = 400;

export function wordStems(text: string): string[] {
  const words = foldText(text).match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.map(stemOf);
}

/** The different stems of a query, in order. */
export function queryStems(text: string): string[] {
  const words = foldText(text.slice(0, WORDS_READ * 12)).match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...new Set(words.slice(0, WORDS_READ).map(stemOf))];
}

function stemOf(word: string): string {
  if (word.length <= STEM_CHARS) return word;
  // Not within a letter of two units.
  const cut = word.slice(0, STEM_CHARS);
  return cut.isWellFormed() ? cut : word.slice(0, STEM_CHARS - 1);
}

/**
 * Words that say nothing of what a text is about. In a large memory their frequency tells; in a small one nothing does but
 * this list.
 */
const FUNCTION_WORDS = new Set(
  [
    'a an and are as at be been but by can could did do does for from had has have how i if in into is it its me my of on or our',
    'please she should so that the their them then there these they this those to up was we were what when where which who why',
    'will with would you your not no he him her his about tell',
    'a aby ale albo bo by byc byl byla bylo co czy dla do gdy gdzie i ich ile jak jaka jaki jakie jest jestem kiedy kto ktora',
    'ktory ktore ma mam mi mnie moj moja moje na nad nie o od on ona ono oraz po pod prosze przez przy sa sie ta tak tam te ten',
    'to tu tym w we wie z za ze',
    'aber als am an auch auf aus bei bin bis bist bitte da das dass dein dem den der des die dir doch du ein eine einen einem',
    'einer er es fuer fur habe haben hast hat ich ihr im in ist ja kann kannst man mein mich mir mit nach nicht noch oder sich',
    'sie sind so ueber uber um und uns von vor war was wenn wer wie wir wird wo zu zum zur',
  ]
    .join(' ')
    .split(' '),
);

export const saysNothing = (stem: string): boolean => FUNCTION_WORDS.has(stem);
