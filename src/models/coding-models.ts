// One alias of the original names a coding model that depends on the machine. Pure: facts in, choice and reason out.

export const CODING_ALIAS = 'OpenCodeInterpreter-Qwen2.5-7B';
export const CODING_PRIMARY = 'qwen2.5-coder:7b';
export const CODING_FALLBACKS: readonly string[] = ['qwen2.5-coder:3b', 'codestral:latest'];

const MIN_MEMORY_BYTES = 12 * 1_073_741_824;
const MIN_VRAM_BYTES = 6_144 * 1_048_576;
const MAX_CONTEXT = 65_536;

export type FeedbackTier = 'primary' | 'fallback' | 'not_recommended';
export type ResolutionReason = 'exact' | 'fallback' | 'resource_guard' | 'not_found';

export interface CodingFacts {
  installed: readonly string[];
  /** `VENOM_OLLAMA_PROFILE`. */
  profile: string;
  contextLength: number;
  memoryTotalBytes: number;
  /** Null without a GPU. */
  vramTotalBytes: number | null;
}

export const feedbackTier = (name: string): FeedbackTier =>
  name === CODING_PRIMARY ? 'primary' : CODING_FALLBACKS.includes(name) ? 'fallback' : 'not_recommended';

/** Names to try in this order when the alias is to be installed. */
export const installCandidates = (name: string): string[] =>
  name === CODING_ALIAS ? [CODING_PRIMARY, ...CODING_FALLBACKS] : [name];

/** Why the large model is refused on this machine, or null. */
export function guardReason(facts: CodingFacts): string | null {
  if (facts.profile === 'low-vram-8-12gb') return 'the profile is for little video memory';
  if (facts.contextLength > MAX_CONTEXT) return `a context of ${facts.contextLength} tokens leaves no room`;
  if (facts.memoryTotalBytes < MIN_MEMORY_BYTES) return 'less than 12 GB of memory';
  if (facts.vramTotalBytes !== null && facts.vramTotalBytes > 0 && facts.vramTotalBytes < MIN_VRAM_BYTES)
    return 'less than 6 GB of video memory';
  return null;
}

/** The model an alias or a name stands for here; null with the reason where there is none. */
export function resolveModelName(
  wanted: string,
  facts: CodingFacts,
): { model: string | null; reason: ResolutionReason } {
  const has = (name: string) => facts.installed.includes(name);
  if (wanted !== CODING_ALIAS)
    return has(wanted) ? { model: wanted, reason: 'exact' } : { model: null, reason: 'not_found' };
  const guarded = guardReason(facts) !== null;
  if (!guarded && has(CODING_PRIMARY)) return { model: CODING_PRIMARY, reason: 'exact' };
  const fallback = CODING_FALLBACKS.find(has);
  if (fallback) return { model: fallback, reason: guarded ? 'resource_guard' : 'fallback' };
  return { model: null, reason: guarded && has(CODING_PRIMARY) ? 'resource_guard' : 'not_found' };
}
