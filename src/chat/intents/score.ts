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
  const best = new Map<IntentId, IntentScore>();
  const kept = new Map<IntentId, number>();
  for (const lexicon of lexicons) {
    const trust = language === null || language === lexicon.language ? 1 : OTHER_LANGUAGE;
    const { speaking, against } = weigh(lexicon, tokens, trust);
    // What speaks against it must be said in the language that is spoken: "dir" is no folder in German.
    if (language !== null && language !== lexicon.language) against.clear();
    // A word the languages share is one hint, not three: the lexicon that understands most is believed.
    for (const [intent, score] of speaking)
      if (score.score > (best.get(intent)?.score ?? 0)) best.set(intent, { intent, ...score });
    for (const [intent, factor] of against) kept.set(intent, Math.min(kept.get(intent) ?? 1, factor));
  }
  return INTENTS.map((intent) => ({
    intent,
    score: round((best.get(intent)?.score ?? 0) * (kept.get(intent) ?? 1)),
    byPhrase: best.get(intent)?.byPhrase ?? false,
  })).sort((one, other) => other.score - one.score);
}

function weigh(lexicon: Lexicon, tokens: readonly Token[], trust: number) {
  const speaking = new Map<IntentId, { score: number; byPhrase: boolean }>();
  const against = new Map<IntentId, number>();
  const dampen = (intent: IntentId, weight: number) =>
    against.set(intent, (against.get(intent) ?? 1) * (1 - weight * trust));
  let asking = false;
  let owning = false;
  for (const { phrase, from, to } of matchPhrases(lexicon, tokens)) {
    const { effect } = phrase;
    if (effect.kind === 'asking') asking = true;
    else if (effect.kind === 'owning') owning = true;
    else if (effect.kind === 'against') dampen(effect.intent, effect.weight);
    else if (effect.kind === 'for') {
      const so = speaking.get(effect.intent) ?? { score: 0, byPhrase: false };
      const weight = effect.weight * trust * placeFactor(from, to, tokens.length);
      speaking.set(effect.intent, {
        // Talk is what remains where no tool is wanted; many weak signs of it do not make it surer.
        score: effect.intent === 'GENERAL_CHAT' ? Math.max(so.score, weight) : 1 - (1 - so.score) * (1 - weight),
        byPhrase: so.byPhrase || phrase.steps.length > 1,
      });
    }
  }
  if (asking && !owning) for (const intent of lexicon.damped) dampen(intent, 1 - ASKING);
  return { speaking, against };
}

function placeFactor(from: number, to: number, length: number): number {
  if (length <= LONG_TEXT_TOKENS || from < EDGE_TOKENS || to >= length - EDGE_TOKENS) return 1;
  return MIDDLE;
}

const round = (score: number) => Math.round(score * 1_000) / 1_000;
