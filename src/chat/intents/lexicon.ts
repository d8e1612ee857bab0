// A lexicon as it lies in lexicons/*.json, made ready for matching. Pure.
import { foldText } from '../../shared/fold-text.js';
import { INTENTS, type IntentId, type Language } from '../intent.js';

/** How much a phrase says for its intent; several add up as independent hints do. */
const WEIGHTS = { sure: 0.92, likely: 0.7, hint: 0.4 } as const;
/** How much of an intent's score a phrase that speaks against it takes away. */
const COUNTERWEIGHTS = { never: 0.9, rarely: 0.55 } as const;

type Phrases = Partial<Record<keyof typeof WEIGHTS | keyof typeof COUNTERWEIGHTS, readonly string[]>>;

/**
 * A phrase is words in order, each next to the other but for fillers: `word`, `begin*`, `<class>`, `#code`. `..` lets up
 * to five words lie between, `!word` forbids the next word, `^` and `$` are the clause's begin and end (politeness aside),
 * a leading `=` asks that the phrase be the whole text. With `&` between them the words may stand anywhere in one
 * sentence, in any order.
 */
export interface LexiconFile {
  readonly language: Language;
  /** May stand between the words of any phrase. */
  readonly fillers: readonly string[];
  /** May stand before and after what is wanted. */
  readonly polite: readonly string[];
  /** Small words by which the language is told. */
  readonly marks: readonly string[];
  readonly classes: Readonly<Record<string, readonly string[]>>;
  readonly intents: Readonly<Record<string, Phrases & { readonly examples?: readonly string[] }>>;
  /**
   * Words of questions about the assistant itself: what it is called, what it can do, and what may stand between. `things`
   * are it only behind one of `these`: this app, not any.
   */
  readonly self: {
    readonly names: readonly string[];
    readonly things: readonly string[];
    readonly these: readonly string[];
    readonly abilities: readonly string[];
    readonly frame: readonly string[];
  };
  /** Questions about a thing, which no tool is wanted for, `unless` the thing is the person's own. */
  readonly asking: {
    readonly phrases: readonly string[];
    readonly unless: readonly string[];
    readonly damps: readonly string[];
  };
}

export interface Step {
  /** What a token must be: an element of the lexicon. */
  readonly element: number;
  /** How many words, fillers aside, may lie before it. */
  readonly gap: number;
  /** Elements the next word must not be. */
  readonly notBefore: readonly number[];
}

export interface Phrase {
  readonly source: string;
  readonly steps: readonly Step[];
  readonly atStart: boolean;
  readonly atEnd: boolean;
  readonly whole: boolean;
  readonly anyOrder: boolean;
  readonly effect:
    | { readonly kind: 'for' | 'against'; readonly intent: IntentId; readonly weight: number }
    | { readonly kind: 'asking' | 'owning' };
}

export interface Lexicon {
  readonly language: Language;
  readonly elementsByWord: ReadonlyMap<string, readonly number[]>;
  readonly elementsByPrefix: ReadonlyMap<string, readonly number[]>;
  readonly phrasesByFirst: ReadonlyMap<number, readonly Phrase[]>;
  readonly fillers: ReadonlySet<string>;
  readonly polite: ReadonlySet<string>;
  readonly marks: ReadonlySet<string>;
  readonly self: {
    readonly names: ReadonlySet<string>;
    readonly things: ReadonlySet<string>;
    readonly these: ReadonlySet<string>;
    readonly abilities: ReadonlySet<string>;
    readonly frame: ReadonlySet<string>;
  };
  readonly damped: ReadonlySet<IntentId>;
  readonly examples: ReadonlyMap<IntentId, readonly string[]>;
}

const GAP_WORDS = 5;

/** @throws Error that names the phrase, where a lexicon says something that has no meaning */
export function compileLexicon(file: LexiconFile): Lexicon {
  const elementsByWord = new Map<string, number[]>();
  const elementsByPrefix = new Map<string, number[]>();
  const elements = new Map<string, number>();

  const add = (table: Map<string, number[]>, key: string, element: number) => {
    const known = table.get(key);
    if (!known) table.set(key, [element]);
    else if (!known.includes(element)) known.push(element);
  };
  const learn = (word: string, element: number) => {
    const isPrefix = word.endsWith('*');
    for (const spelling of spellings(isPrefix ? word.slice(0, -1) : word)) {
      if (!/^#?[\p{L}\p{N}]+$/u.test(spelling)) throw new Error(`${file.language} lexicon: "${word}" is no word`);
      add(isPrefix ? elementsByPrefix : elementsByWord, spelling, element);
    }
  };
  const elementOf = (name: string, source: string): number => {
    const known = elements.get(name);
    if (known !== undefined) return known;
    const element = elements.size;
    elements.set(name, element);
    if (name.startsWith('<')) {
      const members = file.classes[name.slice(1, -1)];
      if (!members) throw new Error(`${file.language} lexicon: unknown class ${name} in "${source}"`);
      for (const member of members) learn(member, element);
    } else learn(name, element);
    return element;
  };

  const phrasesByFirst = new Map<number, Phrase[]>();
  const addPhrase = (source: string, effect: Phrase['effect']) => {
    const phrase = { source, effect, ...parsePhrase(source, elementOf) };
    const first = phrase.steps[0];
    if (!first) throw new Error(`${file.language} lexicon: empty phrase "${source}"`);
    const known = phrasesByFirst.get(first.element);
    if (known) known.push(phrase);
    else phrasesByFirst.set(first.element, [phrase]);
  };

  const examples = new Map<IntentId, readonly string[]>();
  for (const [name, phrases] of Object.entries(file.intents)) {
    const intent = toIntent(name, file.language);
    for (const [strength, weight] of Object.entries(WEIGHTS))
      for (const source of phrases[strength as keyof typeof WEIGHTS] ?? [])
        addPhrase(source, { kind: 'for', intent, weight });
    for (const [strength, weight] of Object.entries(COUNTERWEIGHTS))
      for (const source of phrases[strength as keyof typeof COUNTERWEIGHTS] ?? [])
        addPhrase(source, { kind: 'against', intent, weight });
    examples.set(intent, phrases.examples ?? []);
  }
  for (const source of file.asking.phrases) addPhrase(source, { kind: 'asking' });
  for (const source of file.asking.unless) addPhrase(source, { kind: 'owning' });

  const folded = (words: readonly string[]) => new Set(words.flatMap(spellings));
  return {
    language: file.language,
    elementsByWord,
    elementsByPrefix,
    phrasesByFirst,
    fillers: folded(file.fillers),
    polite: folded(file.polite),
    marks: folded(file.marks),
    self: {
      names: folded(file.self.names),
      things: folded(file.self.things),
      these: folded(file.self.these),
      abilities: folded(file.self.abilities),
      frame: folded(file.self.frame),
    },
    damped: new Set(file.asking.damps.map((name) => toIntent(name, file.language))),
    examples,
  };
}

function parsePhrase(source: string, elementOf: (name: string, source: string) => number) {
  const whole = source.startsWith('=');
  const atStart = source.startsWith('^');
  const atEnd = source.endsWith('$');
  const steps: { element: number; gap: number; notBefore: number[] }[] = [];
  let gap = 0;
  let anyOrder = false;
  for (const part of source
    .replace(/^[=^]/, '')
    .replace(/\$$/, '')
    .replace(/(\p{L})[-&](?=\p{L})/gu, '$1 ')
    .trim()
    .split(/\s+/)) {
    if (part === '&') anyOrder = true;
    else if (part === '..') gap = GAP_WORDS;
    else if (part.startsWith('!')) steps.at(-1)?.notBefore.push(elementOf(part.slice(1), source));
    else {
      steps.push({ element: elementOf(part, source), gap, notBefore: [] });
      gap = 0;
    }
  }
  return { steps, whole, atStart, atEnd, anyOrder };
}

/** With its accents folded away and, for German, with e written for the two dots. */
function spellings(word: string): string[] {
  const plain = foldText(word.replace(/['’]/g, ''));
  const written = foldText(word.toLowerCase().replace(/ä/g, 'ae').replace(/ö/g, 'oe').replace(/ü/g, 'ue'));
  return plain === written ? [plain] : [plain, written];
}

function toIntent(name: string, language: Language): IntentId {
  const intent = INTENTS.find((id) => id === name);
  if (!intent) throw new Error(`${language} lexicon: unknown intent ${name}`);
  return intent;
}
