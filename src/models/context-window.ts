// How many tokens of one conversation a model is given where we choose what goes along: what its engine holds, never more
// than it was trained for, and no more than its trial saw it keep in mind. Pure.
import type { ModelDescription } from '../runtimes/runtime.js';
import type { ModelManifest } from './manifest.js';

/** Less would leave no room for a question and its answer; a model that forgets even that forgets anyway. */
const LEAST_TOKENS = 2_048;

type Known = Pick<ModelDescription, 'contextLength' | 'windowLength'>;

/** Null where nobody knows. */
export function contextWindow(described: Known | null, probe: ModelManifest['probe'] | undefined): number | null {
  const limits = [described?.windowLength, described?.contextLength, rememberedTokens(probe)];
  const known = limits.filter((limit) => typeof limit === 'number' && limit > 0) as number[];
  return known.length === 0 ? null : Math.min(...known);
}

/** A trial that ended before the model forgot anything says nothing of what it would forget. */
function rememberedTokens(probe: ModelManifest['probe'] | undefined): number | null {
  const score = probe?.results.find(({ name }) => name === 'context')?.score;
  const forgot = typeof score === 'number' && score < 1;
  return forgot ? Math.max(LEAST_TOKENS, probe?.usableContext ?? 0) : null;
}
