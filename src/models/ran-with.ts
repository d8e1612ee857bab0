// What an answer's parameters become on their way to an engine.
import type { RanWith } from '../routing/decision.js';
import type { GenericParams } from '../runtimes/call-params.js';
import { formatOf, toRuntimeParams } from '../runtimes/generation-params.js';
import type { Runtime } from '../runtimes/runtime.js';

/** @param wire  `openai` where an OpenAI-style body is passed on, `own` where the engine is asked in its own way */
export function ranWith(
  runtime: Pick<Runtime, 'provider' | 'adaptParams'>,
  model: string,
  params: GenericParams,
  unknown: readonly string[],
  wire: 'own' | 'openai',
): RanWith {
  const adapted =
    runtime.adaptParams?.(model, params, wire) ??
    toRuntimeParams(formatOf(runtime.provider), params, { modelName: model });
  return { runtime: runtime.provider, model, ...adapted, unknown };
}
