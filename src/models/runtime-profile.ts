// What `VENOM_RUNTIME_PROFILE` allows. Pure.

export type RuntimeProfile = 'light' | 'full' | 'llm_off';

/** @param named  by address or command in the settings: somebody wants it, whatever the profile offers by itself */
export const allowedByProfile = (profile: RuntimeProfile, server: string, named: boolean): boolean =>
  profile !== 'llm_off' && (named || profile === 'full' || server === 'ollama');
