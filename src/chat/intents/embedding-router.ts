// What a text is nearest to in meaning: one centroid per intent, of the examples in the lexicons and of approved phrases.
import type { IntentId } from '../intent.js';
import type { PhraseEmbedder } from './ports.js';

export interface EmbeddingRouterOptions {
  embed: PhraseEmbedder;
  /** Texts by intent. */
  examples: () => ReadonlyMap<IntentId, readonly string[]>;
  /** Least cosine of the best. */
  minScore: number;
  /** Least distance from the best to the second. */
  margin: number;
}

export interface EmbeddingAnswer {
  readonly accepted: boolean;
  readonly ranked: readonly { intent: IntentId; score: number }[];
}

const BATCH = 64;

export class EmbeddingRouter {
  readonly #options: EmbeddingRouterOptions;
  #centroids: Promise<ReadonlyMap<IntentId, readonly number[]>> | undefined;

  constructor(options: EmbeddingRouterOptions) {
    this.#options = options;
  }

  /** After an approval or a change of the embedding model. */
  forget(): void {
    this.#centroids = undefined;
  }

  /** @throws what the embedder throws */
  async route(text: string, signal: AbortSignal): Promise<EmbeddingAnswer> {
    const centroids = await this.#ready(signal);
    const [vector] = await this.#options.embed([text], signal);
    const unit = vector && normalised(vector);
    if (!unit) return { accepted: false, ranked: [] };
    const ranked = [...centroids]
      .map(([intent, centroid]) => ({ intent, score: Math.max(0, dot(unit, centroid)) }))
      .sort((one, other) => other.score - one.score);
    const best = ranked[0]?.score ?? 0;
    const second = ranked[1]?.score ?? 0;
    return { accepted: best >= this.#options.minScore && best - second >= this.#options.margin, ranked };
  }

  #ready(signal: AbortSignal): Promise<ReadonlyMap<IntentId, readonly number[]>> {
    if (!this.#centroids) {
      const computing = this.#compute(signal);
      // One caller who leaves must not spoil it for all that follow.
      computing.catch(() => {
        if (this.#centroids === computing) this.#centroids = undefined;
      });
      this.#centroids = computing;
    }
    return this.#centroids;
  }

  async #compute(signal: AbortSignal): Promise<ReadonlyMap<IntentId, readonly number[]>> {
    const pairs = [...this.#options.examples()].flatMap(([intent, texts]) => texts.map((text) => ({ intent, text })));
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
