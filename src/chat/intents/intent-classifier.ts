// What a person wants. Lexicons first; an embedder where one is given; a small model only where a tool may be wanted and
// the words do not settle it; else it is chat.
import type { IntentDecision, IntentId, IntentRecognizer, Language } from '../intent.js';
import { NEVER_LEARNING_INTENTS } from '../intent-traits.js';
import { EmbeddingRouter } from './embedding-router.js';
import type { LearnedPhrases } from './learned-phrases.js';
import { askModel } from './model-classifier.js';
import type { ClassifierModel, PhraseEmbedder } from './ports.js';
import type { IntentScore } from './score.js';
import type { WordClassifier } from './word-classifier.js';

/** Below it a tool is not wanted, and no model is asked about it. */
const TOOL_FLOOR = 0.3;
const CANDIDATES = 4;

export interface IntentClassifierOptions {
  /** Absent where ENABLE_INTENT_EMBEDDING_ROUTER is off or there is no embedding model. */
  embedding?: { embed: PhraseEmbedder; minScore: number; margin: number; timeoutMs: number } | undefined;
  model?: { ask: ClassifierModel; timeoutMs: number } | undefined;
  learned?: LearnedPhrases | undefined;
  /** An embedder or model that failed; the answer is found without it. */
  onFailure?: ((stage: 'embedding' | 'llm', error: unknown) => void) | undefined;
}

export class IntentClassifier implements IntentRecognizer {
  readonly #options: IntentClassifierOptions;
  readonly #router: EmbeddingRouter | undefined;
  #words: Promise<WordClassifier> | undefined;

  constructor(options: IntentClassifierOptions = {}) {
    this.#options = options;
    const { embedding, learned } = options;
    this.#router =
      embedding && new EmbeddingRouter({ ...embedding, examples: async () => (await this.#ready()).examples() });
    learned?.onChange(() => this.#router?.forget());
  }

  /** Reads the lexicons, which the first text does otherwise, and makes the centroids where there is an embedder. */
  async prepare(): Promise<void> {
    await this.#ready();
    await this.#router?.prepare();
  }

  async classify(text: string, { signal }: { signal: AbortSignal }): Promise<IntentDecision> {
    const { settled, decision, ranked } = (await this.#ready()).classify(text);
    if (settled) return decision;
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

  async language(text: string): Promise<Language | null> {
    return (await this.#ready()).language(text);
  }

  /** Loaded with the first text: a server that only passes Direct chat on needs no lexicon in memory. */
  #ready(): Promise<WordClassifier> {
    this.#words ??= import('./word-classifier.js').then((module) => new module.WordClassifier(this.#options.learned));
    return this.#words;
  }

  async #byEmbedding(text: string, signal: AbortSignal): Promise<Omit<IntentDecision, 'language'> | undefined> {
    const router = this.#router;
    const { embedding } = this.#options;
    if (!router || !embedding || signal.aborted) return undefined;
    const within = AbortSignal.any([signal, AbortSignal.timeout(embedding.timeoutMs)]);
    try {
      const near = await endsWith(within, () => router.route(text, within));
      const best = near?.ranked[0];
      if (!near?.accepted || !best) return undefined;
      return { intent: best.intent, source: 'embedding', score: best.score, top2: near.ranked.slice(0, 2) };
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

/** An engine that does not listen to its signal must not keep a person waiting. */
function endsWith<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}
