// Two rankings become one by reciprocal rank: scores of different kinds are never added. Pure.
import type { MemoryHit } from './ports.js';

/** The usual constant: it keeps the first places of one list from deciding alone. */
const RANK_OFFSET = 60;
/** What a model said is weaker evidence than what a person or a document said. */
const ASSISTANT_WEIGHT = 0.5;
const PINNED_WEIGHT = 1.25;

export interface FusedHit extends MemoryHit {
  /** 0..1, for people and for comparison with other hits of the same search. */
  score: number;
}

/** Below these a hit has nothing to do with what was asked. */
export interface Relevance {
  /** Cosine. */
  minSimilarity: number;
  /** Share of the query's weight. */
  minCoverage: number;
}

/** @param lists  each best first; the same chunk may be in several */
export function fuse(lists: readonly (readonly MemoryHit[])[], relevance: Relevance): FusedHit[] {
  const found = new Map<number, { hit: MemoryHit; rank: number }>();
  for (const list of lists) {
    for (const [index, hit] of list.entries()) {
      const known = found.get(hit.chunkId);
      const rank = (known?.rank ?? 0) + 1 / (RANK_OFFSET + index + 1);
      found.set(hit.chunkId, {
        rank,
        hit: {
          ...hit,
          similarity: hit.similarity ?? known?.hit.similarity ?? null,
          coverage: hit.coverage ?? known?.hit.coverage ?? null,
        },
      });
    }
  }
  return [...found.values()]
    .filter(({ hit }) => isRelevant(hit, relevance))
    .map(({ hit, rank }) => ({ hit, weight: rank * weightOf(hit) }))
    .sort((a, b) => b.weight - a.weight || a.hit.chunkId - b.hit.chunkId)
    .map(({ hit }) => ({ ...hit, score: scoreOf(hit) }));
}

const isRelevant = ({ similarity, coverage }: MemoryHit, { minSimilarity, minCoverage }: Relevance): boolean =>
  (similarity !== null && similarity >= minSimilarity) || (coverage !== null && coverage >= minCoverage);

function weightOf({ entry }: MemoryHit): number {
  if (entry.origin === 'assistant') return ASSISTANT_WEIGHT;
  return entry.pinned ? PINNED_WEIGHT : 1;
}

const scoreOf = ({ similarity, coverage }: MemoryHit): number =>
  Math.min(1, Math.max(0, similarity ?? 0, coverage ?? 0));
