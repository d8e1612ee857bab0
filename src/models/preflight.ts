// Everything that can be said of an installation before its first byte, as one object: will it run here, does it fit on
// the disk beside what is under way, may it be had, can it be verified.
import type { FitAdvice, FitAdvisor } from './fit-advisor.js';
import type { ModelRegistry, Preflight } from './model-registry.js';

const FIT_MS = 8_000;

export interface FitVerdict {
  /** `yes` at this context length; `no` when not even the shortest fits. */
  verdict: 'yes' | 'tight' | 'no';
  /** Tokens: the longest that fits comfortably, or the longest that fits at all, or the shortest. */
  contextLength: number;
  totalBytes: number;
  availableBytes: number;
  tokensPerSecond: number | null;
}

export interface PreflightVerdict extends Preflight {
  /** Null where the header cannot be read before the download. */
  fit: FitVerdict | null;
  /** Null where there is no plan. */
  checksumKnown: boolean | null;
}

/** Never throws for a reason it can name. */
export async function preflight(
  registry: ModelRegistry,
  advisor: FitAdvisor,
  wanted: { name: string; provider: string; runtime: string },
): Promise<PreflightVerdict> {
  const found = await registry.preflight(wanted.name, wanted.provider, wanted.runtime);
  const { plan, verdict, reasons } = found;
  const advice = plan === null ? null : await advisor.ofPlan(plan, AbortSignal.timeout(FIT_MS)).catch(() => null);
  const fit = advice && fitVerdict(advice);
  const tooLarge = fit?.verdict === 'no';
  return {
    ...found,
    fit,
    checksumKnown: plan === null || plan.files.length === 0 ? null : plan.files.every(({ sha256 }) => sha256 !== null),
    // A warning, not a refusal: memory can be freed, and another machine may share the folder.
    verdict: tooLarge && verdict === 'ok' ? 'warn' : verdict,
    reasons: tooLarge
      ? [...reasons, { code: 'insufficient_memory', message: 'It does not fit into the memory that is free now.' }]
      : reasons,
  };
}

/** The best of the estimates, which come with the shortest context first. */
export function fitVerdict({ estimates, machine }: Pick<FitAdvice, 'estimates' | 'machine'>): FitVerdict | null {
  const best =
    estimates.findLast(({ verdict }) => verdict === 'yes') ??
    estimates.findLast(({ verdict }) => verdict === 'tight') ??
    estimates[0];
  if (!best) return null;
  const { verdict, contextLength, totalBytes, tokensPerSecond } = best;
  return { verdict, contextLength, totalBytes, tokensPerSecond, availableBytes: machine.availableBytes };
}
