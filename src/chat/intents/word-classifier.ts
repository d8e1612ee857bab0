// What words alone say: lexicons, slips mended, phrases that were learned. Synchronous, in one pass over the text.
import type { IntentDecision, IntentId, Language } from '../intent.js';
import { asksAboutAssistant } from './about-self.js';
import { detectLanguage } from './language.js';
import type { LearnedPhrases } from './learned-phrases.js';
import { lexicons } from './lexicons.js';
import { type IntentScore, scoreIntents } from './score.js';
import { type Token, tokensOf } from './tokens.js';
import { TypoMender } from './typos.js';

/** What the words must speak for an intent at least. */
const ACCEPT_SCORE = 0.6;
/** From here on it is talk whatever else it could be. */
const SURELY_TALK = 0.9;
/** Nearer than this, the second is as good as the first. */
const ACCEPT_MARGIN = 0.06;

export interface WordDecision {
  /** Whether nobody else needs to be asked. */
  readonly settled: boolean;
  readonly decision: IntentDecision;
  /** All intents, best first; empty for a learned phrase. */
  readonly ranked: readonly IntentScore[];
}

export class WordClassifier {
  readonly #lexicons = lexicons();
  readonly #mender = new TypoMender(this.#lexicons);
  readonly #learned: LearnedPhrases | undefined;

  constructor(learned?: LearnedPhrases) {
    this.#learned = learned;
  }

  classify(text: string): WordDecision {
    const written = tokensOf(text);
    const tokens = this.#mender.mend(written);
    const language = detectLanguage(text, tokens, this.#lexicons);
    const intent = this.#learned?.intentOf(written);
    if (intent) {
      const decision: IntentDecision = { intent, source: 'lexicon', language, score: 1, top2: [{ intent, score: 1 }] };
      return { settled: true, decision, ranked: [] };
    }
    const ranked = scoreIntents(this.#lexicons, tokens, language);
    const said = decide(ranked, language);
    const { intent: wanted, score } = said.decision;
    if (wanted === 'GENERAL_CHAT' && score < SURELY_TALK && this.#asksAboutAssistant(tokens, language)) {
      const decision: IntentDecision = {
        ...said.decision,
        intent: 'HELP_REQUEST',
        source: 'keyword',
        score: ACCEPT_SCORE,
        top2: [{ intent: 'HELP_REQUEST', score: ACCEPT_SCORE }, ...said.decision.top2.slice(0, 1)],
      };
      return { settled: true, decision, ranked };
    }
    return { ...said, ranked };
  }

  #asksAboutAssistant(tokens: readonly Token[], language: Language | null): boolean {
    return this.#lexicons.some(
      (lexicon) => (language === null || lexicon.language === language) && asksAboutAssistant(lexicon, tokens),
    );
  }

  language(text: string): Language | null {
    return detectLanguage(text, this.#mender.mend(tokensOf(text)), this.#lexicons);
  }

  /** Texts by intent, for those who compare meanings. */
  examples(): Map<IntentId, string[]> {
    const examples = new Map<IntentId, string[]>();
    const add = (intent: IntentId, texts: readonly string[]) =>
      examples.set(intent, [...(examples.get(intent) ?? []), ...texts]);
    for (const lexicon of this.#lexicons) for (const [intent, texts] of lexicon.examples) add(intent, texts);
    for (const { intent, phrase } of this.#learned?.approved() ?? []) add(intent, [phrase]);
    return examples;
  }
}

function decide(
  ranked: readonly IntentScore[],
  language: Language | null,
): { settled: boolean; decision: IntentDecision } {
  const [best, second] = ranked;
  const top2 = ranked.slice(0, 2).map(({ intent, score }) => ({ intent, score }));
  if (!best || !second || best.score < ACCEPT_SCORE) {
    const score = ranked.find(({ intent }) => intent === 'GENERAL_CHAT')?.score ?? 0;
    return { settled: false, decision: { intent: 'GENERAL_CHAT', source: 'fallback', language, score, top2 } };
  }
  const close = best.score - second.score < ACCEPT_MARGIN;
  // Of two that are as good, talk runs no tool by mistake.
  const chat =
    close && ranked.find((each) => each.intent === 'GENERAL_CHAT' && best.score - each.score < ACCEPT_MARGIN);
  const { intent, score, byPhrase } = chat || best;
  return {
    settled: !close,
    decision: { intent, source: byPhrase ? 'lexicon' : 'keyword', language, score, top2 },
  };
}
