// What a text is nearest to in meaning: one centroid per intent, of the examples in the lexicons and of approved phrases.
import type { IntentId } from '../intent.js';
import type { PhraseEmbedder } from './ports.js';

export interface EmbeddingRouterOptions {
  embed: PhraseEmbedder;
  /** Texts by intent. */
  examples: () => Promise<ReadonlyMap<IntentId, readonly string[]>>;
  /** Least cosine of the best. */
  minScore: number;
  /** Least distance from the best to the second. */
  margin: number;
}

export interface EmbeddingAnswer {
  readonly accepted: boolean;
  readonly ranked: readonly { intent: IntentId; score: number }[];
}

type Centroids = ReadonlyMap<IntentId, readonly number[]>;

const BATCH = 64;
const LONGEST_CHARS = 600;
const CENTROIDS_WITHIN_MS = 120_000;

export class EmbeddingRouter {
  readonly #options: EmbeddingRouterOptions;
  #centroids: Centroids | undefined;
  #computing: Promise<void> | undefined;
  #failure: unknown;

  constructor(options: EmbeddingRouterOptions) {
    this.#options = options;
  }

  /** After an approval or a change of the embedding model. */
  forget(): void {
    this.#centroids = undefined;
    this.#computing = undefined;
  }

  /**
   * Null while the centroids are not there: they take seconds, and nobody's answer waits for them.
   * @throws what the embedder throws, also when it failed on the centroids since the last call
   */
  async route(text: string, signal: AbortSignal): Promise<EmbeddingAnswer | null> {
    const centroids = this.#ready();
    if (!centroids) return null;
    const [vector] = await this.#options.embed([text.slice(0, LONGEST_CHARS)], signal);
    const unit = vector && normalised(vector);
    if (!unit) return { accepted: false, ranked: [] };
    const ranked = [...centroids]
      .map(([intent, centroid]) => ({ intent, score: Math.max(0, dot(unit, centroid)) }))
      .sort((one, other) => other.score - one.score);
    const best = ranked[0]?.score ?? 0;
    const second = ranked[1]?.score ?? 0;
    return { accepted: best >= this.#options.minScore && best - second >= this.#options.margin, ranked };
  }

  /** Makes the centroids where they are not being made already, and ends when they are there. */
  async prepare(): Promise<void> {
    this.#ready();
    await this.#computing;
  }

  #ready(): Centroids | undefined {
    if (this.#failure !== undefined) {
      const failure = this.#failure;
      this.#failure = undefined;
      throw failure;
    }
    if (this.#centroids || this.#computing) return this.#centroids;
    const computing: Promise<void> = this.#compute(AbortSignal.timeout(CENTROIDS_WITHIN_MS))
      .then(
        (centroids) => ({ centroids }),
        (failure: unknown) => ({ failure }),
      )
      .then((made) => {
        // Forgotten meanwhile: what was made is of yesterday's examples.
        if (this.#computing !== computing) return;
        this.#computing = undefined;
        if ('centroids' in made) this.#centroids = made.centroids;
        else this.#failure = made.failure;
      });
    this.#computing = computing;
    return undefined;
  }

  async #compute(signal: AbortSignal): Promise<Centroids> {
    const examples = await this.#options.examples();
    const pairs = [...examples].flatMap(([intent, texts]) => texts.map((text) => ({ intent, text })));
    const sums = new Map<IntentId, number[]>();
    for (let from = 0; from < pairs.length; from += BATCH) {
      const batch = pairs.slice(from, from + BATCH);
      const vectors = await this.#options.embed(
        batch.map(({ text }) => text),
        signal,
      );
      for (const [index, { intent }] of batch.entries()) {
        const unit = normalised(vectors[index] ?? []);
        if (!unit) continue;
        const sum = sums.get(intent);
        sums.set(intent, sum ? sum.map((value, at) => value + (unit[at] ?? 0)) : unit);
      }
    }
    const centroids = new Map<IntentId, readonly number[]>();
    for (const [intent, sum] of sums) {
      const unit = normalised(sum);
      if (unit) centroids.set(intent, unit);
    }
    return centroids;
  }
}

/** Undefined for nothing and for zero, which has no direction. */
function normalised(vector: readonly number[]): number[] | undefined {
  const length = Math.hypot(...vector);
  return length > 0 && Number.isFinite(length) ? vector.map((value) => value / length) : undefined;
}

function dot(one: readonly number[], other: readonly number[]): number {
  let sum = 0;
  for (const [at, value] of one.entries()) sum += value * (other[at] ?? 0);
  return sum;
}
