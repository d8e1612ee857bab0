// Slips of the keyboard: two letters swapped, one left out or one too many, in a word a lexicon would know.
import type { Lexicon } from './lexicon.js';
import { elementsOf } from './match.js';
import type { Token } from './tokens.js';

/** Short words have too many neighbours that are words themselves; two letters swapped are safer than one lost. */
const SHORTEST_SWAPPED = 4;
const SHORTEST = 5;
const LONGEST = 24;
/** Words a text may have mended, so that a long one costs no more. */
const MENDED_AT_MOST = 12;

export class TypoMender {
  readonly #lexicons: readonly Lexicon[];
  readonly #known = new Set<string>();
  /** Known words by first letter and length, so that few are compared. */
  readonly #alike = new Map<string, string[]>();

  constructor(lexicons: readonly Lexicon[]) {
    this.#lexicons = lexicons;
    for (const lexicon of lexicons) {
      for (const words of [lexicon.elementsByWord.keys(), lexicon.marks, lexicon.fillers, lexicon.polite])
        for (const word of words) this.#known.add(word);
    }
    for (const word of this.#known) {
      if (word.length <= SHORTEST || word.startsWith('#')) continue;
      const shape = `${word[0]}${word.length}`;
      const alike = this.#alike.get(shape);
      if (alike) alike.push(word);
      else this.#alike.set(shape, [word]);
    }
  }

  mend(tokens: readonly Token[]): Token[] {
    let left = MENDED_AT_MOST;
    return tokens.map((token) => {
      if (left === 0 || !mayBeMended(token) || this.#isKnown(token.word)) return token;
      left -= 1;
      const word = this.#mended(token.word);
      return word === undefined ? token : { ...token, word };
    });
  }

  #isKnown(word: string): boolean {
    return (
      this.#known.has(word) || this.#lexicons.some((lexicon) => elementsOf(lexicon, { word, tag: null }).length > 0)
    );
  }

  #mended(word: string): string | undefined {
    // The first letter is seldom wrong, and a word that differs in it is mostly another word.
    for (let at = 1; at < word.length - 1; at += 1) {
      const swapped = `${word.slice(0, at)}${word[at + 1]}${word[at]}${word.slice(at + 2)}`;
      if (swapped !== word && this.#isKnown(swapped)) return swapped;
    }
    if (word.length < SHORTEST) return undefined;
    const longer = this.#alike.get(`${word[0]}${word.length + 1}`)?.find((known) => lacksOneLetter(word, known));
    if (longer) return longer;
    if (word.length > SHORTEST) {
      for (const rest of withoutOneLetter(word)) if (rest[0] === word[0] && this.#known.has(rest)) return rest;
    }
    return undefined;
  }
}

const mayBeMended = ({ word, tag }: Token) => tag === null && word.length >= SHORTEST_SWAPPED && word.length <= LONGEST;

/** Whether `short` is `long` without one of its letters. */
function lacksOneLetter(short: string, long: string): boolean {
  let at = 0;
  while (at < short.length && short[at] === long[at]) at += 1;
  return short.slice(at) === long.slice(at + 1);
}

function* withoutOneLetter(word: string): Generator<string> {
  for (let at = 1; at < word.length; at += 1) yield word.slice(0, at) + word.slice(at + 1);
}
