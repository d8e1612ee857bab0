// What a person wants. Lexicons first; an embedder where one is given; a small model only where a tool may be wanted and
// the words do not settle it; else it is chat.
import type { IntentDecision, IntentId, IntentRecognizer, Language } from '../intent.js';
import { NEVER_LEARNING_INTENTS } from '../intent-traits.js';
import { EmbeddingRouter } from './embedding-router.js';
import { detectLanguage } from './language.js';
import type { LearnedPhrases } from './learned-phrases.js';
import type { Lexicon } from './lexicon.js';
import { lexicons } from './lexicons.js';
import { askModel } from './model-classifier.js';
import type { ClassifierModel, PhraseEmbedder } from './ports.js';
import { type IntentScore, scoreIntents } from './score.js';
import { tokensOf } from './tokens.js';
import { TypoMender } from './typos.js';

/** What the words must speak for an intent at least. */
export const ACCEPT_SCORE = 0.6;
/** Nearer than this, the second is as good as the first. */
export const ACCEPT_MARGIN = 0.06;
/** Below it a tool is not wanted, and no model is asked about it. */
export const TOOL_FLOOR = 0.3;
const CANDIDATES = 4;

export interface IntentClassifierOptions {
  /** Absent where ENABLE_INTENT_EMBEDDING_ROUTER is off or there is no embedding model. */
  embedding?: { embed: PhraseEmbedder; minScore: number; margin: number } | undefined;
  model?: { ask: ClassifierModel; timeoutMs: number } | undefined;
  learned?: LearnedPhrases | undefined;
  /** An embedder or model that failed; the answer is found without it. */
  onFailure?: ((stage: 'embedding' | 'llm', error: unknown) => void) | undefined;
}

export class IntentClassifier implements IntentRecognizer {
  readonly #options: IntentClassifierOptions;
  readonly #router: EmbeddingRouter | undefined;
  #lexicons: { all: readonly Lexicon[]; mender: TypoMender } | undefined;

  constructor(options: IntentClassifierOptions = {}) {
    this.#options = options;
    const { embedding, learned } = options;
    this.#router =
      embedding &&
      new EmbeddingRouter({
        ...embedding,
        examples: () => examplesOf(this.#ready().all, learned),
      });
    learned?.onChange(() => this.#router?.forget());
  }

  async classify(text: string, { signal }: { signal: AbortSignal }): Promise<IntentDecision> {
    const words = this.classifyByWords(text);
    if (words.settled) return words.decision;
    const { decision, ranked } = words;
    const { language } = decision;

    const near = await this.#byEmbedding(text, signal);
    if (near) return this.#learning(text, { ...near, language });

    const candidates = ranked.filter(({ intent, score }) => intent !== 'GENERAL_CHAT' && score >= TOOL_FLOOR);
    if (candidates.length === 0) return decision;
    const chosen = await this.#byModel(text, candidates, signal);
    if (!chosen) return decision;
    const score = ranked.find(({ intent }) => intent === chosen)?.score ?? 0;
    return this.#learning(text, { intent: chosen, source: 'llm', language, score, top2: decision.top2 });
  }

  /** The part that needs nobody: what `classify` begins with, and all of it where neither embedder nor model is given. */
  classifyByWords(text: string): { settled: boolean; decision: IntentDecision; ranked: readonly IntentScore[] } {
    const { all, mender } = this.#ready();
    const written = tokensOf(text);
    const tokens = mender.mend(written);
    const language = detectLanguage(text, tokens, all);

    const learned = this.#options.learned?.intentOf(written);
    if (learned) {
      const top2 = [{ intent: learned, score: 1 }];
      return { settled: true, decision: { intent: learned, source: 'lexicon', language, score: 1, top2 }, ranked: [] };
    }
    const ranked = scoreIntents(all, tokens, language);
    return { ...decide(ranked, language), ranked };
  }

  #ready() {
    if (!this.#lexicons) {
      const all = lexicons();
      this.#lexicons = { all, mender: new TypoMender(all) };
    }
    return this.#lexicons;
  }

  async #byEmbedding(text: string, signal: AbortSignal): Promise<Omit<IntentDecision, 'language'> | undefined> {
    if (!this.#router || signal.aborted) return undefined;
    try {
      const { accepted, ranked } = await this.#router.route(text, signal);
      const best = ranked[0];
      if (!accepted || !best) return undefined;
      return { intent: best.intent, source: 'embedding', score: best.score, top2: ranked.slice(0, 2) };
    } catch (error) {
      if (!signal.aborted) this.#options.onFailure?.('embedding', error);
      return undefined;
    }
  }

  async #byModel(text: string, tools: readonly IntentScore[], signal: AbortSignal): Promise<IntentId | null> {
    const { model } = this.#options;
    if (!model || signal.aborted) return null;
    const within = AbortSignal.any([signal, AbortSignal.timeout(model.timeoutMs)]);
    try {
      const candidates: IntentId[] = [...tools.slice(0, CANDIDATES).map(({ intent }) => intent), 'GENERAL_CHAT'];
      return await endsWith(within, async () => {
        const languageModel = await model.ask(within);
        return languageModel && askModel(languageModel, text, candidates, within);
      });
    } catch (error) {
      if (!signal.aborted) this.#options.onFailure?.('llm', error);
      return null;
    }
  }

  #learning(text: string, decision: IntentDecision): IntentDecision {
    if (!NEVER_LEARNING_INTENTS.has(decision.intent) && decision.intent !== 'UNSUPPORTED_TASK')
      this.#options.learned?.propose(text, decision);
    return decision;
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

function examplesOf(all: readonly Lexicon[], learned: LearnedPhrases | undefined): Map<IntentId, string[]> {
  const examples = new Map<IntentId, string[]>();
  const add = (intent: IntentId, texts: readonly string[]) =>
    examples.set(intent, [...(examples.get(intent) ?? []), ...texts]);
  for (const lexicon of all) for (const [intent, texts] of lexicon.examples) add(intent, texts);
  for (const { intent, phrase } of learned?.approved() ?? []) add(intent, [phrase]);
  return examples;
}

/** An engine that does not listen to its signal must not keep a person waiting. */
function endsWith<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}
