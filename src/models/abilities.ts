// What a model can do: by its trial where it was asked, else by its engine's word. Pure.
import type { ModelManifest } from './manifest.js';

/** Engines that name everything a model can do; others say nothing, and refuse for themselves what they cannot take. */
const TELLING: ReadonlySet<string> = new Set(['ollama', 'llama-cpp']);

export const isTelling = (provider: string): boolean => TELLING.has(provider);

/** Each is null where nobody knows. */
export interface Abilities {
  readonly tools: boolean | null;
  readonly vision: boolean | null;
  readonly thinking: boolean | null;
}

export type Ability = keyof Abilities;

/**
 * What an engine's word is worth.
 * @param named  as the engine names them; null where it does not know the model
 */
export function declaredAbility(provider: string, named: readonly string[] | null, ability: Ability): boolean | null {
  if (named?.includes(ability)) return true;
  // An Ollama from before it told of capabilities tells of none; every model of a later one has some.
  return named?.length && isTelling(provider) ? false : null;
}

export function abilitiesOf(
  provider: string,
  named: readonly string[] | null,
  probe: ModelManifest['probe'] | undefined,
): Abilities {
  const measured = (name: string) => {
    const result = probe?.results.find((one) => one.name === name);
    return result === undefined || result.score === null ? null : result.status === 'verified';
  };
  const declared = (ability: Ability) => declaredAbility(provider, named, ability);
  return {
    tools: measured('tool_call') ?? declared('tools'),
    vision: probe?.takesPictures ?? declared('vision'),
    thinking: measured('thinking') ?? declared('thinking'),
  };
}

/** What it was seen to do; null where it was not tried. */
export function measuredAbilities(probe: ModelManifest['probe'] | undefined): Ability[] | null {
  if (!probe) return null;
  const seen = abilitiesOf('', null, probe);
  return (['tools', 'vision', 'thinking'] as const).filter((ability) => seen[ability] === true);
}
