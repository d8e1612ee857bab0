// Which phrases of a lexicon occur in a text. Linear in the text: every phrase is found by its first word.
import type { Lexicon, Phrase } from './lexicon.js';
import type { Token } from './tokens.js';

export interface PhraseMatch {
  readonly phrase: Phrase;
  /** Index of the first and the last token of it. */
  readonly from: number;
  readonly to: number;
}

/** Fillers that one gap may jump, so that no text makes a search long. */
const FILLERS_AT_ONCE = 4;
/** How far from the first word the others of an unordered phrase may stand. */
const ANY_ORDER_WORDS = 14;
const SHORTEST_PREFIX = 3;
const LONGEST_PREFIX = 20;

export function matchPhrases(lexicon: Lexicon, tokens: readonly Token[]): PhraseMatch[] {
  const elements = tokens.map((token) => elementsOf(lexicon, token));
  const loose = tokens.map(({ word }) => lexicon.fillers.has(word) || lexicon.polite.has(word));
  const polite = tokens.map(({ word }) => lexicon.polite.has(word));
  const found = new Map<Phrase, PhraseMatch>();

  const stepsFit = (phrase: Phrase, step: number, at: number): number => {
    const { notBefore } = phrase.steps[step] as Phrase['steps'][number];
    const next = elements[at + 1];
    if (next && notBefore.some((element) => next.includes(element))) return -1;
    const following = phrase.steps[step + 1];
    if (!following) return at;
    let words = 0;
    let fillers = 0;
    for (let place = at + 1; place < tokens.length; place += 1) {
      if (tokens[place]?.sentence !== tokens[at]?.sentence) return -1;
      if (elements[place]?.includes(following.element)) {
        const end = stepsFit(phrase, step + 1, place);
        if (end >= 0) return end;
      }
      if (loose[place] && fillers < FILLERS_AT_ONCE) fillers += 1;
      else words += 1;
      if (words > following.gap) return -1;
    }
    return -1;
  };
  /** The last token of an unordered phrase, or -1; no token stands for two of its words. */
  const stepsNear = (phrase: Phrase, at: number): number => {
    const used = new Set([at]);
    for (const { element } of phrase.steps.slice(1)) {
      const place = nearest(element, at, used);
      if (place < 0) return -1;
      used.add(place);
    }
    return Math.max(...used);
  };
  const nearest = (element: number, at: number, used: ReadonlySet<number>): number => {
    for (let distance = 1; distance <= ANY_ORDER_WORDS; distance += 1)
      for (const place of [at + distance, at - distance])
        if (tokens[place]?.sentence === tokens[at]?.sentence && elements[place]?.includes(element) && !used.has(place))
          return place;
    return -1;
  };
  const opens = (at: number, within: 'clause' | 'text'): boolean => {
    for (let place = at - 1; place >= 0; place -= 1) {
      if (within === 'clause' && tokens[place]?.clause !== tokens[at]?.clause) return true;
      // "My plan is" begins no order to plan.
      if (!(within === 'clause' ? polite : loose)[place]) return false;
    }
    return true;
  };
  const closes = (at: number, within: 'clause' | 'text'): boolean => {
    for (let place = at + 1; place < tokens.length; place += 1) {
      if (within === 'clause' && tokens[place]?.clause !== tokens[at]?.clause) return true;
      if (!loose[place]) return false;
    }
    return true;
  };

  for (let at = 0; at < tokens.length; at += 1) {
    for (const element of elements[at] ?? []) {
      for (const phrase of lexicon.phrasesByFirst.get(element) ?? []) {
        if (found.has(phrase)) continue;
        if (phrase.whole && !opens(at, 'text')) continue;
        if (phrase.atStart && !opens(at, 'clause')) continue;
        const to = phrase.anyOrder ? stepsNear(phrase, at) : stepsFit(phrase, 0, at);
        if (to < 0) continue;
        if (phrase.whole && !closes(to, 'text')) continue;
        if (phrase.atEnd && !closes(to, 'clause')) continue;
        found.set(phrase, { phrase, from: at, to });
      }
    }
  }
  return [...found.values()];
}

/** What a word can be in this lexicon: itself, the class it is in, the beginning it has. */
export function elementsOf(lexicon: Lexicon, { word, tag }: Pick<Token, 'word' | 'tag'>): readonly number[] {
  const exact = lexicon.elementsByWord.get(word);
  let all = exact;
  const longest = Math.min(word.length, LONGEST_PREFIX);
  for (let length = SHORTEST_PREFIX; length <= longest; length += 1) {
    const begun = lexicon.elementsByPrefix.get(word.slice(0, length));
    if (begun) all = all ? [...all, ...begun] : begun;
  }
  const tagged = tag && lexicon.elementsByWord.get(tag);
  if (tagged) all = all ? [...all, ...tagged] : tagged;
  return all ?? [];
}
