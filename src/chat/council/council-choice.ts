// Whether a complex goal is talked over by a council or planned by the Architect alone. Pure.

const LONG_GOAL_CHARS = 100;

/** Words for work of several hands, in the product's languages. */
const COLLABORATION = [
  'projects? project(?:ing|ed)? applications? systems? build(?:ing|s)? design(?:ing|s)? implement(?:ing|ation)? complete',
  'projekt\\p{L}* aplikacj\\p{L}* system(?:u|y|em|ie|owi|ów|om|ami)? zbuduj zbudować zaprojektuj zaimplementuj wdróż kompletn\\p{L}*',
  'anwendung(?:en)? systemen? baue? bauen entwirf entwerfen entwurf implementier\\p{L}* komplett\\p{L}* vollständig\\p{L}*',
].join(' ');
const KEYWORD = new RegExp(`(?<!\\p{L})(?:${COLLABORATION.split(' ').join('|')})(?!\\p{L})`, 'iu');

export interface CouncilChoice {
  convened: boolean;
  reason: 'length' | 'keyword' | 'short_goal' | 'small_model' | 'off';
}

/** @param small  the model that would play all its members is too small for a discussion */
export function councilChoice(goal: string, { enabled, small }: { enabled: boolean; small: boolean }): CouncilChoice {
  const reason = goal.length >= LONG_GOAL_CHARS ? 'length' : KEYWORD.test(goal) ? 'keyword' : 'short_goal';
  if (reason === 'short_goal') return { convened: false, reason };
  if (!enabled) return { convened: false, reason: 'off' };
  return small ? { convened: false, reason: 'small_model' } : { convened: true, reason };
}
