// How much a text speaks for each intent: all phrases of all languages together, never the first that matches.
import { INTENTS, type IntentId, type Language } from '../intent.js';
import type { Lexicon } from './lexicon.js';
import { matchPhrases } from './match.js';
import type { Token } from './tokens.js';

export interface IntentScore {
  readonly intent: IntentId;
  /** 0..1 */
  readonly score: number;
  /** Whether a phrase of several words says so, or single words only. */
  readonly byPhrase: boolean;
}

/** People mix languages ("zrób commit i push"), so the others count, a little less. */
const OTHER_LANGUAGE = 0.85;
/** In a long text what is wanted stands at its beginning or its end; the middle is mostly matter. */
const LONG_TEXT_TOKENS = 40;
const EDGE_TOKENS = 22;
const MIDDLE = 0.55;
/** A question about a thing is no order to do it. */
const ASKING = 0.3;

/** All intents, best first; in the order of INTENTS where they are equal. */
export function scoreIntents(
  lexicons: readonly Lexicon[],
  tokens: readonly Token[],
  language: Language | null,
): IntentScore[] {
  const doubts = new Map<IntentId, number>();
  const keeps = new Map<IntentId, number>();
  const byPhrase = new Set<IntentId>();
  const times = (table: Map<IntentId, number>, intent: IntentId, factor: number) =>
    table.set(intent, (table.get(intent) ?? 1) * factor);

  for (const lexicon of lexicons) {
    const trust = language === null || language === lexicon.language ? 1 : OTHER_LANGUAGE;
    let asking = false;
    for (const { phrase, from, to } of matchPhrases(lexicon, tokens)) {
      const { effect } = phrase;
      if (effect.kind === 'asking') asking = true;
      else if (effect.kind === 'against') times(keeps, effect.intent, 1 - effect.weight * trust);
      else {
        times(doubts, effect.intent, 1 - effect.weight * trust * placeFactor(from, to, tokens.length));
        if (phrase.steps.length > 1) byPhrase.add(effect.intent);
      }
    }
    if (asking) for (const intent of lexicon.damped) times(keeps, intent, 1 - (1 - ASKING) * trust);
  }
  return INTENTS.map((intent) => ({
    intent,
    score: round((1 - (doubts.get(intent) ?? 1)) * (keeps.get(intent) ?? 1)),
    byPhrase: byPhrase.has(intent),
  })).sort((one, other) => other.score - one.score);
}

function placeFactor(from: number, to: number, length: number): number {
  if (length <= LONG_TEXT_TOKENS || from < EDGE_TOKENS || to >= length - EDGE_TOKENS) return 1;
  return MIDDLE;
}

const round = (score: number) => Math.round(score * 1_000) / 1_000;
